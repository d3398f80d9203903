/** @file The highest of some units: how many a budget asks for, and which they are. */

import quickselect from 'quickselect';
import { type Budget, countOfShare } from './budget.ts';
import { BudgetError } from './errors.ts';
import type { Scores } from './scores.ts';

/** The numbers 0 to n − 1, shape [n]. */
export function everyIndex(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => i);
}

/** Indices from the highest score to the lowest, the lower index first among equals. */
export function byScore(indices: Uint32Array, values: Float32Array): Uint32Array {
  return indices.slice().sort((i, j) => values[j] - values[i] || i - j);
}

/** How many of these units the budget's amount keeps. */
export function countOf(indices: Uint32Array, { unit, values }: Scores, { amount }: Budget): number {
  const n = indices.length;
  switch (amount.kind) {
    case 'share':
      return countOfShare(amount.share, n);
    case 'count':
      return Math.min(amount.count, n);
    case 'atLeast':
      return indices.reduce((count, i) => count + Number(values[i] >= amount.threshold), 0);
    case 'mass': {
      const descending = Float32Array.from(indices, (i) => values[i])
        .sort()
        .reverse();
      if (n > 0 && descending[n - 1] < 0) {
        throw new BudgetError(`a mass budget needs scores of 0 or more, and a ${unit} has ${descending[n - 1]}`);
      }
      const target = amount.mass * descending.reduce((sum, value) => sum + value, 0);
      let sum = 0;
      let count = 0;
      while (count < n && sum < target) sum += descending[count++];
      return count;
    }
    case 'pattern':
    case 'cost':
      throw new BudgetError(`a budget of ${amount.kind} is no count of units`);
  }
}

/** The k highest of some units, the lower index first among equals; shape [k], in no particular order. */
export function topK(values: Float32Array, indices: Uint32Array, k: number): Uint32Array {
  if (k <= 0) return new Uint32Array(0);
  if (k >= indices.length) return indices.slice();
  const order = indices.slice();
  quickselect(order as unknown as number[], k - 1, 0, order.length - 1, (i, j) => values[j] - values[i] || i - j);
  return order.subarray(0, k);
}
