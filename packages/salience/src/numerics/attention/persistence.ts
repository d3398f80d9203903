/** @file The persistence of importance (arXiv:2305.17118): whether tokens that matter later are those that mattered before. */

import { InputError, ParameterError } from '../../core/errors.ts';

export interface Persistence {
  /** |S(T+1..2T) ∩ S(1..T)| / |S(T+1..2T) ∩ {1..T}|; not a number where no early token is pivotal later. */
  readonly ratio: number;
  /** |S(1..T)| / T. A ratio says something only where this is small. */
  readonly pivotalFraction: number;
}

/**
 * How far the pivotal set of the first T rows, S = {j : a_t[j] > threshold(t) for some t}, holds for the next T, or as many as
 * there are.
 * @param rows causal attention of one head, row t of at least t probabilities, t from 1; shape [T + 1 or more].
 * @param half T.
 * @param threshold by default the uniform share 1/t, rounded as the attention is.
 * @throws ParameterError for a T below 1; InputError for fewer than T + 1 rows or a row too short.
 */
export function persistence(
  rows: readonly ArrayLike<number>[],
  half: number,
  threshold: (t: number) => number = (t) => 1 / t,
): Persistence {
  if (!(Number.isSafeInteger(half) && half >= 1))
    throw new ParameterError(`T = ${half} rows is not a whole number of 1 or more`);
  if (rows.length <= half)
    throw new InputError(`persistence at T = ${half} needs ${half + 1} rows or more, there are ${rows.length}`);
  const pivotal = (from: number, to: number) => {
    const set = new Uint8Array(half);
    for (let t = from; t <= to; t++) {
      const row = rows[t - 1];
      if (row.length < t) throw new InputError(`row ${t} of the attention has ${row.length} entries; it sees ${t}`);
      const above = row instanceof Float32Array ? Math.fround(threshold(t)) : threshold(t);
      for (let j = 0; j < half && j < t; j++) if (row[j] > above) set[j] = 1;
    }
    return set;
  };
  const early = pivotal(1, half);
  const later = pivotal(half + 1, Math.min(2 * half, rows.length));
  let both = 0;
  let laterCount = 0;
  let earlyCount = 0;
  for (let j = 0; j < half; j++) {
    both += early[j] & later[j];
    laterCount += later[j];
    earlyCount += early[j];
  }
  return { ratio: both / laterCount, pivotalFraction: earlyCount / half };
}
