/** @file The main job in one call: score a subject by a method, select by a budget, keep what was selected. */

import type { AnyMethod } from './catalogue.ts';
import type { BudgetInput } from './core/budget.ts';
import { parseParams } from './core/method.ts';
import type { Report } from './core/report.ts';
import { Run } from './core/run.ts';
import { isStream } from './core/scores.ts';
import { select } from './core/select.ts';
import { selectStream } from './core/select-stream.ts';
import type { Kept, Output } from './core/subject.ts';

export interface Choice {
  /** The method's parameters; text is read as the schema asks. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly run?: Run;
}

/** Scores a loaded subject by a method and applies a budget. Throws what the method and the budget throw. */
export async function choose(
  method: AnyMethod,
  subject: unknown,
  budget: BudgetInput,
  { params, run = new Run() }: Choice = {},
): Promise<Kept> {
  const parsed = parseParams(method, params);
  const scores = await method.score(subject, parsed, run);
  const allocate = method.allocation?.(parsed);
  return isStream(scores)
    ? { scores, selection: await selectStream(scores, budget, run, allocate) }
    : { scores, selection: select(scores, budget, allocate) };
}

/** Chooses, then keeps: the subject writes the output, if one is named, and reports. */
export async function keep(
  method: AnyMethod,
  subject: unknown,
  budget: BudgetInput,
  { output = { force: false }, ...choice }: Choice & { output?: Output } = {},
): Promise<Kept & { report: Report }> {
  const run = choice.run ?? new Run();
  const kept = await choose(method, subject, budget, { ...choice, run });
  return { ...kept, report: await method.subject.keep(subject, kept, output, run) };
}
