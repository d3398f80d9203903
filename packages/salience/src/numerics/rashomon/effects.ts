/**
 * @file Permutation effects of features and sets of features at masked models (arXiv:2305.10181): how much the loss rises when the
 * features of a set are shuffled, for the model f_m(x) = f(m ∘ x).
 */

import type { Random } from '../../core/random.ts';
import type { Predict } from '../explanation/predict.ts';
import {
  type MeanLoss,
  permutationEffects,
  type Shuffle,
  separateShuffles,
} from '../importance/permutation-importance.ts';

/** A model, data and a loss. */
export interface Explained {
  readonly predict: Predict;
  /** Row-major, shape [n · columns]. */
  readonly rows: Float64Array;
  readonly columns: number;
  /** Shape [n]. */
  readonly targets: Float64Array;
  readonly loss: MeanLoss;
  /** The columns each feature is made of: one, or those of an image patch. */
  readonly features: readonly (readonly number[])[];
}

/** Factors of the features, shape [features]; 1 leaves a feature as it is. */
export type Mask = readonly number[];

/** `count` shuffles of the rows, each feature in an order of its own; the columns of a feature stay together. */
export function featureShuffles({ features, columns, targets }: Explained, count: number, random: Random): Shuffle[] {
  const featureOf = new Int32Array(columns);
  features.forEach((of, f) => {
    for (const c of of) featureOf[c] = f;
  });
  return separateShuffles(targets.length, features.length, count, random).map(
    (shuffle) => (column) => shuffle(featureOf[column]),
  );
}

/** The rows as the masked model sees them, shape [n · columns]. */
function masked({ rows, columns, features }: Explained, mask: Mask): Float64Array {
  const factors = new Float64Array(columns).fill(1);
  features.forEach((of, f) => {
    for (const c of of) factors[c] = mask[f];
  });
  const out = new Float64Array(rows.length);
  for (let start = 0; start < rows.length; start += columns) {
    for (let c = 0; c < columns; c++) out[start + c] = rows[start + c] * factors[c];
  }
  return out;
}

/** L(y, f_m(X)). */
export async function maskedLoss(explained: Explained, mask: Mask): Promise<number> {
  return explained.loss(explained.targets, await explained.predict(masked(explained, mask)));
}

/**
 * φ_I(m) of each set I: mean over the shuffles of L(y, f_m(X with the features of I shuffled)) − L(y, f_m(X)), all features of I
 * shuffled in the same evaluation, each in its own order.
 * @returns the loss of the masked model, and the effects, shape [sets].
 */
export async function maskedEffects(
  explained: Explained,
  mask: Mask,
  sets: readonly (readonly number[])[],
  shuffles: readonly Shuffle[],
): Promise<{ readonly loss: number; readonly effects: Float64Array }> {
  const { columns, targets, predict, loss, features } = explained;
  const columnsOf = sets.map((set) => set.flatMap((f) => features[f]));
  const data = { rows: masked(explained, mask), columns };
  const { baseline, effects } = await permutationEffects(predict, data, targets, loss, columnsOf, shuffles);
  return { loss: baseline, effects };
}
