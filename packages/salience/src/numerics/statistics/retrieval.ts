/** @file How well a ranking or a selection finds what is relevant. */

import { ParameterError } from '../../core/errors.ts';

/**
 * The share of the first k places of a ranking (best first) that hold something relevant; places past its end hold nothing.
 * @throws ParameterError if k is not a whole number of 1 or more.
 */
export function precisionAtK<T>(ranking: ArrayLike<T>, relevant: ReadonlySet<T>, k: number): number {
  if (!(Number.isInteger(k) && k >= 1)) throw new ParameterError(`k = ${k} is not a whole number of 1 or more`);
  let found = 0;
  for (let place = 0; place < Math.min(k, ranking.length); place++) {
    if (relevant.has(ranking[place])) found++;
  }
  return found / k;
}

/** F1 of a selection: the harmonic mean of its precision and recall, 2 · found / (selected + relevant); 0 where both are empty. */
export function f1<T>(selected: ReadonlySet<T>, relevant: ReadonlySet<T>): number {
  let found = 0;
  for (const item of selected) if (relevant.has(item)) found++;
  return found === 0 ? 0 : (2 * found) / (selected.size + relevant.size);
}
