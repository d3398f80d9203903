/** @file Single-feature interventions: the points that a person can reach by changing one feature (arXiv:2410.22598, section 3). */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { type ActionPart, type ActionSet, hasMissing } from './action-set.ts';
import { equal } from './constraints.ts';
import { changeBounds, changeCount, changes, isDiscrete } from './element.ts';
import { completion, enumeratePart, isBefore, isCountable, type PartPoints } from './part-search.ts';

/** How a change with several completions counts: each completion as one (`points`), or the cheapest alone (`actions`). */
export type Weighting = 'points' | 'actions';

/** R_j(x): what a change of feature j makes of a person, as new values of the columns that move along with it. */
export interface Interventions {
  readonly feature: number;
  readonly columns: readonly number[];
  /** New values of the columns, row-major, shape [points · columns]. */
  readonly values: Float64Array;
  /** How often each point counts, shape [points]. */
  readonly counts: Uint32Array;
  /** Sum of the counts: draws where sampled, points where exact. */
  readonly total: number;
  readonly how: 'exact' | 'sampled';
  readonly weighting: Weighting;
}

export interface InterventionOptions {
  /**
   * `enumerate`: all interventions; `sample`: `draws` of them, with repeats; `auto`: all where they can be counted and are no more than
   * there would be draws, else draws.
   */
  readonly method: 'auto' | 'enumerate' | 'sample';
  readonly draws: number;
  /** A continuum, and a part too large to enumerate, is always weighted by `actions`. */
  readonly weighting: Weighting;
  /** Most partial actions looked at to enumerate a part, and most interventions of one feature. */
  readonly cap: number;
}

/**
 * R_j(x) for each feature of a part that may be changed. For every change a_j ≠ 0 on j's grid: the point where j alone changes, where
 * that is feasible, else every point of the part in which j changes by a_j in all and nothing outside the part does.
 * A part with a missing value has none.
 * @param random draws; only used where sampled.
 * @throws ParameterError if `enumerate` is asked for and a feature moves on a continuum or the part is larger than the cap.
 */
export function interventions(
  set: ActionSet,
  part: ActionPart,
  x: ArrayLike<number>,
  options: InterventionOptions,
  random: Random,
): Interventions[] {
  const { elements } = set;
  const { features, constraints } = part;
  const { method, draws, cap } = options;
  if (!(Number.isSafeInteger(draws) && draws >= 1))
    throw new ParameterError(`draws ${draws} is not a whole number of 1 or more`);
  if (!part.movable || hasMissing(features, x)) return [];
  const names = features.map((j) => elements[j].name).join(', ');
  if (method === 'enumerate' && !isCountable(set, part)) {
    throw new ParameterError(
      `the changes of ${names} cannot be enumerated: one of them moves on a continuum; sample, or give it a step`,
    );
  }
  const free = features.length === 1 && constraints.length === 0;
  const wide = (j: number) => changeCount(elements[j], x[j]) - 1 > (method === 'enumerate' ? cap : draws);
  const points = free ? undefined : enumeratePart(set, part, x, cap);
  if (method === 'enumerate' && (points === undefined ? !free : points.count > cap)) {
    throw new ParameterError(`the part ${names} has more than ${cap} points; sample, or tie fewer features`);
  }
  return features
    .filter((j) => elements[j].actionable)
    .map((j): Interventions => {
      const grouped = points && listed(set, part, x, j, points, options.weighting);
      if (grouped) return drawnFrom({ feature: j, columns: features, ...grouped }, options, random);
      if (isDiscrete(elements[j]) && !wide(j)) {
        const list = Array.from(changes(elements[j], x[j]))
          .filter((a) => a !== 0)
          .map((a) => completion(set, part, x, j, a, cap))
          .filter((point) => point !== undefined);
        const weighting = free ? options.weighting : 'actions';
        return drawnFrom({ feature: j, columns: features, list, weighting }, options, random);
      }
      if (method === 'enumerate') throw new ParameterError(`${elements[j].name} has more than ${cap} changes; sample`);
      return drawn(set, part, x, j, options, random);
    });
}

interface Listed {
  readonly feature: number;
  readonly columns: readonly number[];
  readonly list: readonly ArrayLike<number>[];
  readonly weighting: Weighting;
}

/** R_j(x) from all points of a part: grouped by the change of j; in each group the change of j alone, or all, or the cheapest. */
function listed(
  { elements }: ActionSet,
  { features }: ActionPart,
  x: ArrayLike<number>,
  j: number,
  { count, values, sizes }: PartPoints,
  weighting: Weighting,
): Pick<Listed, 'list' | 'weighting'> {
  const width = features.length;
  const at = features.indexOf(j);
  const own = changes(elements[j], x[j]);
  const groups = Array.from(own, (): number[] => []);
  for (let p = 0; p < count; p++) {
    const change = values[p * width + at] - x[j];
    if (equal(change, 0)) continue;
    const g = nearest(own, change);
    if (equal(own[g], change)) groups[g].push(p);
  }
  const sizesOf = (p: number) => sizes.subarray(p * width, (p + 1) * width);
  const costOf = (p: number) => sizesOf(p).reduce((sum, size) => sum + size, 0);
  const isAlone = (p: number) => features.every((k, i) => k === j || equal(values[p * width + i], x[k]));
  const chosen = groups.flatMap((group) => {
    const alone = group.find(isAlone);
    if (alone !== undefined) return [alone];
    if (weighting === 'points' || group.length === 0) return group;
    return [
      group.reduce((best, p) => {
        const [a, b] = [costOf(p), costOf(best)];
        return equal(a, b) ? (isBefore(sizesOf(p), sizesOf(best)) ? p : best) : a < b ? p : best;
      }),
    ];
  });
  return { list: chosen.map((p) => values.subarray(p * width, (p + 1) * width)), weighting };
}

/** The place of the entry of an ascending list that is nearest to a value. */
function nearest(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - ascending[low - 1] < ascending[low] - value ? low - 1 : low;
}

/** All of a list, each once, or draws from it. */
function drawnFrom(
  { feature, columns, list, weighting }: Listed,
  { method, draws }: InterventionOptions,
  random: Random,
): Interventions {
  const width = columns.length;
  const all = method === 'enumerate' || (method === 'auto' && list.length <= draws);
  let counts = new Uint32Array(list.length).fill(1);
  let kept = list;
  if (!all && list.length > 0) {
    const drawn = new Uint32Array(list.length);
    for (let k = 0; k < draws; k++) drawn[random.integer(list.length)]++;
    kept = list.filter((_, i) => drawn[i] > 0);
    counts = drawn.filter((count) => count > 0);
  }
  const values = new Float64Array(kept.length * width);
  kept.forEach((point, i) => {
    values.set(point, i * width);
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { feature, columns, values, counts, total, how: all ? 'exact' : 'sampled', weighting };
}

/** Uniform draws of a_j, each with one completion; draws that cannot be completed are drawn again, 20 · draws times in all. */
function drawn(
  set: ActionSet,
  part: ActionPart,
  x: ArrayLike<number>,
  j: number,
  { draws, cap }: InterventionOptions,
  random: Random,
): Interventions {
  const { features, constraints } = part;
  const width = features.length;
  const element = set.elements[j];
  const [low, high] = changeBounds(element, x[j]);
  const grid = isDiscrete(element) ? changes(element, x[j]).filter((a) => a !== 0) : undefined;
  const result = (values: Float64Array, counts: Uint32Array, total: number): Interventions => ({
    feature: j,
    columns: features,
    values,
    counts,
    total,
    how: 'sampled',
    weighting: 'actions',
  });
  if (low === high) return result(new Float64Array(0), new Uint32Array(0), 0);
  if (!grid && width === 1 && constraints.length === 0) {
    const values = new Float64Array(draws);
    for (let k = 0; k < draws; k++) values[k] = x[j] + low + (high - low) * random.uniform();
    return result(values, new Uint32Array(draws).fill(1), draws);
  }
  const found = new Map<number, { point: ArrayLike<number> | undefined; count: number }>();
  let total = 0;
  for (let tries = 0; tries < 20 * draws && total < draws; tries++) {
    const a = grid ? grid[random.integer(grid.length)] : low + (high - low) * random.uniform();
    let seen = found.get(a);
    if (!seen) {
      seen = { point: completion(set, part, x, j, a, cap), count: 0 };
      found.set(a, seen);
    }
    if (!seen.point) continue;
    seen.count++;
    total++;
  }
  const feasible = [...found.values()].filter(({ count }) => count > 0);
  const values = new Float64Array(feasible.length * width);
  feasible.forEach(({ point }, i) => {
    values.set(point!, i * width);
  });
  return result(
    values,
    Uint32Array.from(feasible, ({ count }) => count),
    total,
  );
}
