/** @file The contracts: scores, budgets, selections, methods, claims, reports and runs. */

export * from './bootstrap.ts';
export * from './budget.ts';
export * from './claim.ts';
export * from './errors.ts';
export * from './method.ts';
export * from './random.ts';
export * from './report.ts';
export { type Progress, Run, type RunOptions } from './run.ts';
export * from './scores.ts';
export { type Selection, select } from './select.ts';
export * from './select-rows.ts';
export * from './select-sequence.ts';
export * from './select-stream.ts';
export { finish, type Steps } from './steps.ts';
export * from './subject.ts';
export { type GroupSummary, summarise, summariseSequence } from './summary.ts';
export { type Task, task } from './task.ts';
