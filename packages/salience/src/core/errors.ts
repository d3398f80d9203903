/** @file The errors a caller may want to tell apart. Each message names the thing, the place and what would be right. */

/** Base of every error this library throws on purpose. */
export class SalienceError extends Error {
  override name = 'SalienceError';
}

/** What was read is wrong: a file, a table, a tensor, a text. */
export class InputError extends SalienceError {
  override name = 'InputError';
}

/** A budget that cannot be parsed, is out of range, or does not fit the scores it is applied to. */
export class BudgetError extends SalienceError {
  override name = 'BudgetError';
}

/** A parameter or an option that is unknown or out of range. */
export class ParameterError extends SalienceError {
  override name = 'ParameterError';
}

/** An output that exists already, or cannot be written. */
export class OutputError extends SalienceError {
  override name = 'OutputError';
}

/** The run was cancelled through its signal. */
export class CancelledError extends SalienceError {
  override name = 'CancelledError';
}
