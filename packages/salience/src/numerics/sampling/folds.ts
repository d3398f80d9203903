/** @file Splits of rows for training and testing, seeded; with classes kept in their proportions where asked. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** Row numbers to train on and to test on, each ascending. */
export interface Split {
  readonly train: Uint32Array;
  readonly test: Uint32Array;
}

/**
 * A random split of n rows: round(share · n) of them, at least 1 and at most n − 1, are for testing.
 * @throws ParameterError for a share outside of (0, 1) or fewer than 2 rows.
 */
export function randomSplit(n: number, share: number, random: Random): Split {
  checkShare(share);
  if (n < 2) throw new ParameterError(`${n} rows cannot be split in two`);
  const order = random.permutation(n);
  const size = Math.min(n - 1, Math.max(1, Math.round(share * n)));
  return { train: order.slice(size).sort(), test: order.slice(0, size).sort() };
}

/**
 * A random split that takes its share of each class for testing, by the largest remainder, so that all in all
 * round(share · n) rows are for testing; a class of one row stays in training.
 * @param y the class of each row, shape [n].
 * @throws ParameterError as `randomSplit` does.
 */
export function stratifiedSplit(y: ArrayLike<number>, share: number, random: Random): Split {
  checkShare(share);
  const n = y.length;
  if (n < 2) throw new ParameterError(`${n} rows cannot be split in two`);
  const classes = rowsOfClasses(y);
  const wanted = Math.min(n - 1, Math.max(1, Math.round(share * n)));
  const sizes = classes.map((rows) => Math.min(Math.floor(share * rows.length), rows.length - 1));
  const remainders = classes.map((rows, c) => share * rows.length - sizes[c]);
  const order = classes.map((_, c) => c).sort((a, b) => remainders[b] - remainders[a]);
  let missing = wanted - sizes.reduce((sum, size) => sum + size, 0);
  for (const c of order) {
    if (missing > 0 && sizes[c] < classes[c].length - 1) {
      sizes[c]++;
      missing--;
    }
  }
  const test: number[] = [];
  const train: number[] = [];
  classes.forEach((rows, c) => {
    random.shuffle(rows);
    for (const row of rows.subarray(0, sizes[c])) test.push(row);
    for (const row of rows.subarray(sizes[c])) train.push(row);
  });
  return { train: Uint32Array.from(train).sort(), test: Uint32Array.from(test).sort() };
}

/**
 * k random folds of n rows, as equal in size as can be; each row is tested once.
 * @throws ParameterError unless 2 ≤ k ≤ n.
 */
export function randomFolds(n: number, k: number, random: Random): Split[] {
  checkFolds(n, k);
  const fold = new Uint32Array(n);
  random.permutation(n).forEach((row, place) => {
    fold[row] = place % k;
  });
  return splitsOf(fold, k);
}

/**
 * k random folds with each class dealt out evenly, so that the counts of a class in two folds differ by at most 1, and so do
 * the folds' sizes.
 * @param y the class of each row, shape [n].
 * @throws ParameterError unless 2 ≤ k ≤ n.
 */
export function stratifiedFolds(y: ArrayLike<number>, k: number, random: Random): Split[] {
  checkFolds(y.length, k);
  const fold = new Uint32Array(y.length);
  let next = 0; // each class goes on where the one before it ended
  for (const rows of rowsOfClasses(y)) {
    for (const row of random.shuffle(rows)) fold[row] = next++ % k;
  }
  return splitsOf(fold, k);
}

/** Rows of each class, classes ascending. */
function rowsOfClasses(y: ArrayLike<number>): Uint32Array[] {
  const rows = new Map<number, number[]>();
  for (let i = 0; i < y.length; i++) {
    const own = rows.get(y[i]);
    if (own) own.push(i);
    else rows.set(y[i], [i]);
  }
  return [...rows].sort(([a], [b]) => a - b).map(([, own]) => Uint32Array.from(own));
}

function splitsOf(fold: Uint32Array, k: number): Split[] {
  return Array.from({ length: k }, (_, f) => {
    const train: number[] = [];
    const test: number[] = [];
    fold.forEach((own, row) => {
      (own === f ? test : train).push(row);
    });
    return { train: Uint32Array.from(train), test: Uint32Array.from(test) };
  });
}

function checkShare(share: number): void {
  if (!(share > 0 && share < 1)) throw new ParameterError(`a share of test rows is above 0 and below 1, not ${share}`);
}

function checkFolds(n: number, k: number): void {
  if (!(Number.isInteger(k) && k >= 2 && k <= n)) {
    throw new ParameterError(`${n} rows make 2 to ${n} folds, not ${k}`);
  }
}
