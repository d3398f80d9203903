/** @file Task: a function with an address, so that another thread can find it. */

/**
 * A function that may run on another thread. `module` and `name` say where a worker finds it (an exported function of that
 * module); without them it only runs in place. Input and result must be plain data.
 */
export interface Task<Input, Result> {
  call(input: Input): Result | Promise<Result>;
  readonly module?: string;
  readonly name?: string;
}

/** Makes a task of an exported function: `task(import.meta.url, magnitude)`. */
export function task<Input, Result>(
  module: string,
  exported: (input: Input) => Result | Promise<Result>,
): Task<Input, Result> {
  return { call: exported, module, name: exported.name };
}

/** Finds the function of a task that has travelled to another thread. */
export async function resolveTask<Input, Result>(reference: {
  readonly module?: string;
  readonly name?: string;
}): Promise<(input: Input) => Result | Promise<Result>> {
  return (await import(reference.module!))[reference.name!];
}
