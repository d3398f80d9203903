/** @file Whether anything allowed at all changes a decision (arXiv:2410.22598, section 2; arXiv:2308.12820). */

import type { Random } from '../../core/random.ts';
import type { ActionSet } from './action-set.ts';
import { reachableRows, reachableSet } from './reachable.ts';
import type { Decision } from './score-people.ts';

/**
 * `possible`: a reachable point has the wanted decision, it is `point`. `fixed`: none has, all were looked at.
 * `not settled`: none that was looked at has, and some were not.
 */
export type Recourse =
  | { readonly kind: 'possible'; readonly point: Float64Array; readonly tried: number }
  | { readonly kind: 'fixed'; readonly tried: number }
  | { readonly kind: 'not settled'; readonly tried: number };

interface RecourseOptions {
  /** A decision of this or more is the wanted one. */
  readonly threshold: number;
  /** Points looked at, at the most, in each of the two searches. */
  readonly most: number;
  /** Most partial actions looked at to enumerate a part. */
  readonly cap: number;
}

/**
 * Looks for recourse of x: first part by part to the best decision, then through the reachable set, all of it where it has `most` points or
 * fewer.
 */
export async function recourseOf(
  set: ActionSet,
  x: ArrayLike<number>,
  decide: Decision,
  { threshold, most, cap }: RecourseOptions,
  random: Random,
): Promise<Recourse> {
  const d = x.length;
  const reachable = reachableSet(set, x, { cap }, random);
  let tried = 0;
  const firstWanted = async (rows: Float64Array): Promise<{ at: number; best: number; value: number }> => {
    const decisions = await decide(rows);
    tried += decisions.length;
    let best = 0;
    for (let r = 1; r < decisions.length; r++) if (decisions[r] > decisions[best]) best = r;
    return { at: decisions[best] >= threshold ? best : -1, best, value: decisions[best] };
  };
  // Part by part: of each the choice with the best decision, the other parts as they are by then.
  const y = Float64Array.from(x);
  let highest = Number.NEGATIVE_INFINITY;
  for (let round = 0, moved = true; moved && round < 3; round++) {
    moved = false;
    for (const { columns, values, count } of reachable.parts) {
      const choices = Math.min(count, most);
      const rows = new Float64Array(choices * d);
      for (let k = 0; k < choices; k++) {
        rows.set(y, k * d);
        for (let i = 0; i < columns.length; i++) rows[k * d + columns[i]] = values[k * columns.length + i];
      }
      const { at, best, value } = await firstWanted(rows);
      if (at >= 0) return { kind: 'possible', point: rows.slice(at * d, (at + 1) * d), tried };
      if (value > highest) {
        highest = value;
        y.set(rows.subarray(best * d, (best + 1) * d));
        moved = true;
      }
    }
  }
  for (const rows of reachableRows(reachable, x, { most }, random)) {
    const { at } = await firstWanted(rows);
    if (at >= 0) return { kind: 'possible', point: rows.slice(at * d, (at + 1) * d), tried };
  }
  return reachable.complete && reachable.size <= most ? { kind: 'fixed', tried } : { kind: 'not settled', tried };
}
