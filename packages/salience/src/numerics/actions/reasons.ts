/** @file The features shown to people as reasons, and what such reasons are worth (arXiv:2410.22598). */

import { ParameterError } from '../../core/errors.ts';
import type { ActionSet } from './action-set.ts';

/**
 * The features shown as reasons: the `most` with the greatest |value|, ties to the lower feature, those with value 0 left out.
 * @param values one a feature; of features that cannot be changed 0, where an explanation is to be aware of actions.
 */
export function topReasons(values: ArrayLike<number>, most = 4): number[] {
  if (!(Number.isSafeInteger(most) && most >= 1)) throw new ParameterError(`${most} reasons: there must be 1 or more`);
  return Array.from(values, (_, j) => j)
    .sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b)
    .slice(0, most)
    .filter((j) => values[j] !== 0);
}

/** The same values with 0 for features that cannot be changed: the action-aware version of an explanation. */
export function actionAware(values: ArrayLike<number>, set: ActionSet): Float64Array {
  return Float64Array.from(values, (value, j) => (set.elements[j].actionable ? value : 0));
}

/** What the reasons shown to people are worth; shares of people, the four after the first among those with reasons. */
export interface ReasonQuality {
  /** At least one reason is shown. */
  readonly withReasons: number;
  /** No shown reason is responsive: reasons without recourse. */
  readonly allInvalid: number;
  readonly atLeast1Responsive: number;
  readonly allResponsive: number;
  readonly atLeast1Invalid: number;
  /** Mean number of reasons of people with reasons. */
  readonly meanReasons: number;
}

/**
 * Judges reasons by responsiveness: a reason is invalid if its score is 0. Shares among nobody are 0.
 * @param reasons features shown to each person.
 * @param scores responsiveness of each person's features, by whoever judges.
 */
export function reasonQuality(
  reasons: readonly (readonly number[])[],
  scores: readonly ArrayLike<number>[],
): ReasonQuality {
  const shown = reasons.flatMap((list, i) => (list.length > 0 ? [list.map((j) => scores[i][j] > 0)] : []));
  const share = (holds: (valid: readonly boolean[]) => boolean) =>
    shown.length === 0 ? 0 : shown.filter(holds).length / shown.length;
  return {
    withReasons: reasons.length === 0 ? 0 : shown.length / reasons.length,
    allInvalid: share((valid) => !valid.includes(true)),
    atLeast1Responsive: share((valid) => valid.includes(true)),
    allResponsive: share((valid) => !valid.includes(false)),
    atLeast1Invalid: share((valid) => valid.includes(false)),
    meanReasons: shown.length === 0 ? 0 : shown.reduce((sum, { length }) => sum + length, 0) / shown.length,
  };
}
