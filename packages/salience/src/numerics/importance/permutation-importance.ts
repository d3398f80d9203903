/** @file Permutation effects: how much the loss of a model rises when columns are shuffled, under the same shuffles for all. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { type Background, predictChecked, type RowFunction, rowCount } from '../shapley/value-function.ts';
import { accuracy, auroc, meanSquaredError } from '../statistics/classification.ts';

/** A loss of predictions, one number a row; lower is better. */
export type MeanLoss = (y: ArrayLike<number>, predicted: ArrayLike<number>) => number;

/** Which row a row's value in a column comes from, shape [n] for each column. */
export type Shuffle = (column: number) => ArrayLike<number>;

/** `count` shuffles of n rows that move all columns of a set together. */
export function jointShuffles(n: number, count: number, random: Random): Shuffle[] {
  return Array.from({ length: count }, () => {
    const permutation = random.permutation(n);
    return () => permutation;
  });
}

/** `count` shuffles of n rows that move each column on its own, so that columns of a set part. */
export function separateShuffles(n: number, columns: number, count: number, random: Random): Shuffle[] {
  return Array.from({ length: count }, () => {
    const permutations = Array.from({ length: columns }, () => random.permutation(n));
    return (column) => permutations[column];
  });
}

export interface PermutationEffects {
  /** The loss of the rows as they are. */
  readonly baseline: number;
  /** Mean rise of the loss over the shuffles, shape [sets]. */
  readonly effects: Float64Array;
  /** The rise under each shuffle, shape [sets · shuffles]. */
  readonly rises: Float64Array;
}

/**
 * How much the loss rises when the columns of each set are shuffled (Breiman 2001; Fisher, Rudin & Dominici, arXiv:1801.01489). All sets see
 * the same shuffles, so that effects of sets and, with the same list, of models are compared in pairs.
 * @param y what is right for each row, shape [n].
 * @param batch rows that one call of the function gets at the most.
 * @throws InputError if the shapes do not fit, there is no shuffle, or a prediction or loss is not finite.
 */
export async function permutationEffects(
  predict: RowFunction,
  data: Background,
  y: ArrayLike<number>,
  loss: MeanLoss,
  sets: readonly (readonly number[])[],
  shuffles: readonly Shuffle[],
  { batch = 16384 } = {},
): Promise<PermutationEffects> {
  const { rows, columns } = data;
  const n = rowCount(data);
  if (y.length !== n) throw new InputError(`there are ${y.length} true values for ${n} rows`);
  if (shuffles.length === 0) throw new InputError('there is no shuffle; 1 or more are needed');
  const checkedLoss = (predicted: ArrayLike<number>) => {
    const value = loss(y, predicted);
    if (!Number.isFinite(value)) throw new InputError(`the loss is ${value}; it must be finite`);
    return value;
  };
  const baseline = checkedLoss(await predictChecked(predict, rows, columns));
  const effects = new Float64Array(sets.length);
  const rises = new Float64Array(sets.length * shuffles.length);
  const atOnce = Math.max(1, Math.floor(batch / n));
  for (let s = 0; s < sets.length; s++) {
    for (let start = 0; start < shuffles.length; start += atOnce) {
      const now = shuffles.slice(start, start + atOnce);
      const shuffled = new Float64Array(now.length * rows.length);
      now.forEach((shuffle, k) => {
        const at = k * rows.length;
        shuffled.set(rows, at);
        for (const c of sets[s]) {
          const from = shuffle(c);
          for (let i = 0; i < n; i++) shuffled[at + i * columns + c] = rows[from[i] * columns + c];
        }
      });
      const predicted = await predictChecked(predict, shuffled, columns);
      const answers = predicted instanceof Float64Array ? predicted : Float64Array.from(predicted);
      now.forEach((_, k) => {
        const rise = checkedLoss(answers.subarray(k * n, (k + 1) * n)) - baseline;
        rises[s * shuffles.length + start + k] = rise;
        effects[s] += rise / shuffles.length;
      });
    }
  }
  return { baseline, effects, rises };
}

/** What rounding may add to a probability. */
const rounding = 1e-6;

/**
 * The mean of −ln p(y), in nats, of probabilities of class 1, which are kept `clip` away from 0 and 1.
 * @throws InputError, when it is called, for a prediction that is no probability.
 */
export function clippedLogLoss(clip: number): MeanLoss {
  return (y, predicted) => {
    let sum = 0;
    for (let i = 0; i < y.length; i++) {
      if (predicted[i] < -rounding || predicted[i] > 1 + rounding) {
        throw new InputError(`the model gave ${predicted[i]}; the log loss takes probabilities, from 0 to 1`);
      }
      const p = Math.min(1 - clip, Math.max(clip, predicted[i]));
      sum -= Math.log(y[i] === 1 ? p : 1 - p);
    }
    return sum / y.length;
  };
}

/** The log loss with probabilities kept 1e-15 away from 0 and 1. */
export const binaryLogLoss: MeanLoss = clippedLogLoss(1e-15);

/** The mean of (y − ŷ)². */
export const squaredLoss: MeanLoss = meanSquaredError;

/** The share of rows whose class, 1 where ŷ > ½, is not y. */
export const errorRate: MeanLoss = (y, predicted) =>
  1 -
  accuracy(
    y,
    Array.from(predicted, (p) => Number(p > 0.5)),
  );

/** 1 − the area under the ROC curve. */
export const rankingLoss: MeanLoss = (y, predicted) => 1 - auroc(y, predicted);

/** Losses by name, with what reports call them. */
export const permutationLosses = {
  logLoss: { loss: binaryLogLoss, of: 'log loss' },
  accuracy: { loss: errorRate, of: 'share of wrong answers' },
  auroc: { loss: rankingLoss, of: '1 − AUROC' },
  squared: { loss: squaredLoss, of: 'squared error' },
} as const;
