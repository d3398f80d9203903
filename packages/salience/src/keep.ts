/** @file The main job in one call: score a subject by a method, select by a budget, keep what was selected. */

import type { z } from 'zod';
import type { BudgetInput } from './core/budget.ts';
import { type Method, parseParams } from './core/method.ts';
import type { Report } from './core/report.ts';
import { Run } from './core/run.ts';
import { type AnyScores, isSequence, isStream } from './core/scores.ts';
import { select } from './core/select.ts';
import { selectSequence } from './core/select-sequence.ts';
import { selectStream } from './core/select-stream.ts';
import type { Kept, Output } from './core/subject.ts';

export interface Choice {
  /** The method's parameters; text is read as the schema asks. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly run?: Run;
}

/**
 * Scores a loaded subject by a method and applies a budget; a sequence is walked to its end, for the counts alone. Throws what
 * the method and the budget throw.
 */
export async function choose<Subject, Params extends z.ZodObject, Made extends AnyScores>(
  method: Method<Subject, Params, Made>,
  subject: Subject,
  budget: BudgetInput,
  choice: Choice = {},
): Promise<Kept<Made>> {
  const kept = await scoreAndSelect(method, subject, budget, choice);
  const { selection } = kept as Kept;
  if ('walk' in selection) for await (const _ of selection.walk());
  return kept;
}

async function scoreAndSelect<Subject, Params extends z.ZodObject, Made extends AnyScores>(
  method: Method<Subject, Params, Made>,
  subject: Subject,
  budget: BudgetInput,
  { params, run = new Run() }: Choice = {},
): Promise<Kept<Made>> {
  const parsed = parseParams(method, params);
  const scores: AnyScores = await method.score(subject, parsed, run);
  const allocate = method.allocation?.(parsed);
  const kept: Kept = isStream(scores)
    ? { scores, selection: await selectStream(scores, budget, run, allocate) }
    : isSequence(scores)
      ? { scores, selection: selectSequence(scores, budget) }
      : { scores, selection: select(scores, budget, allocate) };
  return kept as Kept<Made>;
}

/**
 * Chooses, then keeps: the subject writes the output, if one is named, and reports. An output that may not be written is
 * refused before anything is scored.
 */
export async function keep<Subject, Params extends z.ZodObject, Made extends AnyScores>(
  method: Method<Subject, Params, Made>,
  subject: Subject,
  budget: BudgetInput,
  { output = { force: false }, ...choice }: Choice & { output?: Output } = {},
): Promise<Kept<Made> & { report: Report }> {
  const run = choice.run ?? new Run();
  if (output.path !== undefined) {
    // Loaded where there is a file to be written: the rest runs in browsers too.
    const { checkOutput } = await import('./subjects/writing.ts');
    await checkOutput(output.path, output);
  }
  const kept = await scoreAndSelect(method, subject, budget, { ...choice, run });
  return { ...kept, report: await method.subject.keep(subject, kept as Kept, output, run) };
}
