/** @file Rank correlations: Spearman's rho with mid-ranks and Kendall's tau-b. */

import { InputError } from '../../core/errors.ts';

/**
 * Spearman's rho: the correlation of the ranks of x and y, shape [n] each, ties at their middle rank; −1 to 1, NaN where
 * either is constant.
 * @throws InputError if the lengths differ or a value is NaN.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkPairs(x, y);
  const a = midRanks(x);
  const b = midRanks(y);
  const middle = (x.length - 1) / 2;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    const da = a[i] - middle;
    const db = b[i] - middle;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/**
 * Kendall's tau-b of x and y, shape [n] each: concordant less discordant pairs, over the geometric mean of the pairs not tied
 * in x and not tied in y; −1 to 1, NaN where either is constant. O(n log n) by counting the exchanges of a merge sort
 * (Knight 1966).
 * @throws InputError if the lengths differ or a value is NaN.
 */
export function kendall(x: ArrayLike<number>, y: ArrayLike<number>): number {
  checkPairs(x, y);
  const n = x.length;
  const order = ascending(x, (i, j) => x[i] - x[j] || y[i] - y[j]);
  const byX = Float64Array.from(order, (i) => x[i]);
  const byXY = Float64Array.from(order, (i) => y[i]);
  const tiedInX = pairsInRuns(n, (i) => byX[i] === byX[i - 1]);
  const tiedInBoth = pairsInRuns(n, (i) => byX[i] === byX[i - 1] && byXY[i] === byXY[i - 1]);
  const discordant = sortCountingExchanges(byXY);
  const tiedInY = pairsInRuns(n, (i) => byXY[i] === byXY[i - 1]); // sorted by y by now
  const pairs = (n * (n - 1)) / 2;
  const concordant = pairs - tiedInX - tiedInY + tiedInBoth - discordant;
  return (concordant - discordant) / Math.sqrt((pairs - tiedInX) * (pairs - tiedInY));
}

/** Ranks from 0, ties at the mean of the ranks they share; shape [n]. */
export function midRanks(values: ArrayLike<number>): Float64Array {
  const order = ascending(values, (i, j) => values[i] - values[j]);
  const ranks = new Float64Array(order.length);
  for (let low = 0, high = 0; low < order.length; low = high) {
    while (high < order.length && values[order[high]] === values[order[low]]) high++;
    for (let r = low; r < high; r++) ranks[order[r]] = (low + high - 1) / 2;
  }
  return ranks;
}

function ascending(values: ArrayLike<number>, compare: (i: number, j: number) => number): Uint32Array {
  return Uint32Array.from({ length: values.length }, (_, i) => i).sort(compare);
}

/** Pairs within runs, where `continues(i)` says that place i is in the run of place i − 1. */
function pairsInRuns(n: number, continues: (i: number) => boolean): number {
  let pairs = 0;
  let length = 0;
  for (let i = 0; i < n; i++) {
    length = i > 0 && continues(i) ? length + 1 : 0;
    pairs += length;
  }
  return pairs;
}

/** Sorts in place by merging; returns how many pairs stood in the wrong order. */
function sortCountingExchanges(values: Float64Array): number {
  let exchanges = 0;
  let source = values;
  let target: Float64Array = new Float64Array(values.length);
  for (let width = 1; width < values.length; width *= 2) {
    for (let low = 0; low < values.length; low += 2 * width) {
      const middle = Math.min(low + width, values.length);
      const high = Math.min(low + 2 * width, values.length);
      for (let left = low, right = middle, at = low; at < high; at++) {
        if (right === high || (left < middle && source[left] <= source[right])) target[at] = source[left++];
        else {
          target[at] = source[right++];
          exchanges += middle - left;
        }
      }
    }
    [source, target] = [target, source];
  }
  if (source !== values) values.set(source);
  return exchanges;
}

function checkPairs(x: ArrayLike<number>, y: ArrayLike<number>): void {
  if (x.length !== y.length) throw new InputError(`a rank correlation of ${x.length} values with ${y.length}`);
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]) || Number.isNaN(y[i])) throw new InputError(`value ${i} is NaN and has no rank`);
  }
}
