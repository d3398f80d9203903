/**
 * @file Pruning and training again, as claims of data methods do it: every arm begins with the same tensors and has the same number of epochs,
 * so that fewer examples are fewer steps.
 */

import { BudgetError, InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import { type EncodedExamples, subsetOf } from '../../models/classifier/encode.ts';
import type { ExamplePrograms } from '../../models/classifier/example-programs.ts';
import { eachExample, marginOf } from '../../models/classifier/from-logits.ts';
import { type RecordedTraining, recordTraining } from '../../models/classifier/record-training.ts';
import { stratifiedScores } from '../../numerics/sampling/stratified.ts';

/**
 * The examples that stay when a share goes: the round((1 − share) · n) of the highest scores, ties to the lower index; ascending.
 * @throws ParameterError unless the share is in [0, 1); BudgetError if nothing would stay, or a class would lose all its examples and
 * `allowEmptyClass` is not set; InputError for a score that is not finite.
 */
export function keptAfterPruning(
  scores: Scores,
  share: number,
  { allowEmptyClass = false }: { readonly allowEmptyClass?: boolean } = {},
): Uint32Array {
  if (!(share >= 0 && share < 1)) throw new ParameterError(`the pruned share is in [0, 1), not ${share}`);
  const n = scores.values.length;
  const count = Math.round((1 - share) * n);
  if (count === 0) throw new BudgetError(`pruning ${100 * share}% of ${n} examples leaves none; prune less`);
  const { kept } = select(scores, count);
  if (scores.groups && !allowEmptyClass) {
    const { names, of } = scores.groups;
    const before = new Set(of);
    for (const i of kept) before.delete(of[i]);
    for (const lost of before) {
      throw new BudgetError(
        `pruning ${100 * share}% of ${n} examples leaves none of class ${names[lost]}; prune less, or allow an empty class`,
      );
    }
  }
  return kept;
}

/** Scores of the two random arms of a claim: of all alike, and of each class alike. */
export function randomArms(
  { of, classes }: { readonly of: Uint32Array; readonly classes: readonly string[] },
  random: Random,
): { readonly random: Float64Array; readonly stratified: Float64Array } {
  const plain = random.stream('random');
  return {
    random: Float64Array.from(of, () => plain.uniform()),
    stratified: stratifiedScores(of, classes.length, random.stream('stratified')),
  };
}

export interface Retraining
  extends Pick<RecordedTraining, 'network' | 'initial' | 'examples' | 'epochs' | 'batch' | 'rate'> {
  readonly programs: ExamplePrograms;
  /** Examples that no arm was scored or trained on. */
  readonly test: EncodedExamples;
  /** Test examples whose accuracy is told apart, 1 for each, by name. */
  readonly among?: Readonly<Record<string, Uint8Array>>;
}

/** Accuracy on the test examples, and on those of each name in `among`. */
export interface Accuracy {
  readonly all: number;
  readonly among: Readonly<Record<string, number>>;
}

/**
 * Trains anew on some examples and says how many of the test examples are then right.
 * @param kept ascending; all for the full dataset.
 * @throws InputError if scoring and test examples are the same object, or nothing is kept.
 */
export async function retrained(of: Retraining, kept: Uint32Array, run: Run): Promise<Accuracy> {
  const { examples, test, programs, among = {} } = of;
  if (test === examples) {
    throw new InputError(`${examples.name}: arms are tested on examples that none of them was scored or trained on`);
  }
  const { parameters } = await recordTraining(
    { ...of, examples: subsetOf(examples, kept), checkpoints: 0, order: 'retraining/order' },
    run,
  );
  const right = eachExample(await programs.logits(parameters, test, run), test.labels.of, (z, y) =>
    Number(marginOf(z, y) > 0),
  );
  const accuracy = (mask?: Uint8Array) => {
    let [hits, count] = [0, 0];
    right.forEach((one, i) => {
      if (mask && mask[i] !== 1) return;
      hits += one;
      count++;
    });
    return hits / count;
  };
  return {
    all: accuracy(),
    among: Object.fromEntries(Object.entries(among).map(([name, mask]) => [name, accuracy(mask)])),
  };
}
