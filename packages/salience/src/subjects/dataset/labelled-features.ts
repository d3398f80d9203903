/** @file What methods that compare labelled examples by numbers need: all features on one scale, and classes that all have members. */

import { InputError } from '../../core/errors.ts';
import type { Block } from '../../core/report.ts';
import type { Scores } from '../../core/scores.ts';
import { allFeatures, type Dataset, type Labels } from './dataset.ts';

/** Examples by numbers and classes. */
export interface LabelledFeatures {
  /** Each column scaled to 0 to 1, 0 where it is constant; row-major, shape [n · columns]. */
  readonly x: Float32Array;
  readonly columns: number;
  readonly n: number;
  readonly labels: Labels;
}

/**
 * The labels of a dataset.
 * @throws InputError if there are none, or a class has no member.
 */
export function labelsOf({ labels, name }: Dataset): Labels {
  if (!labels) throw new InputError(`${name}: has no labels; name the column of the classes with --target`);
  const sizes = new Uint32Array(labels.classes.length);
  for (const c of labels.of) sizes[c]++;
  const empty = sizes.indexOf(0);
  if (empty >= 0) throw new InputError(`${name}: class ${labels.classes[empty]} has no example`);
  return labels;
}

/**
 * All features, scaled, and the labels.
 * @throws InputError as `labelsOf` and `allFeatures` do.
 */
export async function labelledFeatures(dataset: Dataset): Promise<LabelledFeatures> {
  const labels = labelsOf(dataset);
  const x = await allFeatures(dataset);
  const columns = dataset.features.length;
  const low = new Float64Array(columns).fill(Infinity);
  const high = new Float64Array(columns).fill(-Infinity);
  for (let i = 0, c = 0; i < x.length; i++, c = c + 1 === columns ? 0 : c + 1) {
    low[c] = Math.min(low[c], x[i]);
    high[c] = Math.max(high[c], x[i]);
  }
  for (let i = 0, c = 0; i < x.length; i++, c = c + 1 === columns ? 0 : c + 1) {
    x[i] = high[c] > low[c] ? (x[i] - low[c]) / (high[c] - low[c]) : 0;
  }
  return { x, columns, n: dataset.examples, labels };
}

/**
 * Scores that rank instances as an order does, classes as groups: the first has n, the last 1 (whole numbers are exact up to 2^24).
 * @param order every example once, shape [n].
 */
function scoresOfOrder(labels: Labels, order: ArrayLike<number>, findings: readonly Block[] = []): Scores {
  const values = new Float32Array(order.length);
  for (let r = 0; r < order.length; r++) values[order[r]] = order.length - r;
  return { unit: 'instance', values, groups: { names: labels.classes, of: labels.of }, findings };
}

/** What a method that settles by itself how many instances it keeps found: an order with its own set first. */
export interface OwnSet {
  /** Every instance once: the own set first, then the others, each with the most important first; shape [n]. */
  readonly order: Uint32Array;
  /** Instances of the own set. */
  readonly own: number;
}

/** Scores of an own set, with its size among the findings. */
export function scoresOfOwnSet(labels: Labels, { order, own }: OwnSet, name: string): Scores {
  const text = `${name} keeps ${own} of ${order.length} instances by itself: a budget of ${own} keeps exactly those`;
  return scoresOfOrder(labels, order, [{ kind: 'text', text }]);
}
