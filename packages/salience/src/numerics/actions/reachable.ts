/** @file The reachable set: every point that all allowed actions together can make of a person (arXiv:2410.22598, section 3; arXiv:2308.12820). */

import type { Random } from '../../core/random.ts';
import { type ActionSet, hasMissing } from './action-set.ts';
import { changeBounds, isDiscrete } from './element.ts';
import { interventions } from './interventions.ts';
import { enumeratePart } from './part-search.ts';

/** What one part can become. */
interface PartChoices {
  readonly columns: readonly number[];
  /** New values of the columns, row-major, shape [count · columns]; the present ones are among them. */
  readonly values: Float64Array;
  readonly count: number;
}

/** The reachable set as a product of what each part can become. */
export interface ReachableSet {
  readonly parts: readonly PartChoices[];
  /** Product of the counts. */
  readonly size: number;
  /** Whether nothing reachable is left out; false where a feature moves on a continuum or a part is larger than the cap. */
  readonly complete: boolean;
}

/**
 * R(x) as a product. Of a feature on a continuum its two ends and `draws` points between are taken, of a tied part with such a feature its
 * single-feature interventions. A part with a missing value stays as it is.
 */
export function reachableSet(
  set: ActionSet,
  x: ArrayLike<number>,
  { cap = 200_000, draws = 6 }: { readonly cap?: number; readonly draws?: number },
  random: Random,
): ReachableSet {
  let complete = true;
  const parts = set.parts
    .filter(({ movable, features }) => movable && !hasMissing(features, x))
    .map((part): PartChoices => {
      const { features } = part;
      const width = features.length;
      const all = enumeratePart(set, part, x, cap);
      if (all) return { columns: features, values: all.values, count: all.count };
      const [j] = features;
      const [low, high] = changeBounds(set.elements[j], x[j]);
      if (low === high && width === 1) return { columns: features, values: Float64Array.of(x[j]), count: 1 };
      complete = false;
      const points: Float64Array[] = [Float64Array.from(features, (k) => x[k])];
      if (width === 1 && part.constraints.length === 0 && !isDiscrete(set.elements[j])) {
        points.push(Float64Array.of(x[j] + low), Float64Array.of(x[j] + high));
      }
      const options = { method: 'sample', draws, weighting: 'actions', cap } as const;
      for (const { values, counts } of interventions(set, part, x, options, random)) {
        for (let i = 0; i < counts.length; i++) points.push(values.subarray(i * width, (i + 1) * width));
      }
      const values = new Float64Array(points.length * width);
      points.forEach((point, i) => {
        values.set(point, i * width);
      });
      return { columns: features, values, count: points.length };
    })
    .filter(({ count }) => count > 1);
  return { parts, size: parts.reduce((product, { count }) => product * count, 1), complete };
}

/**
 * Rows of a reachable set in batches, row-major, shape [rows · columns]: all of them if they are at most `most`, else `most` drawn ones.
 * A batch is overwritten by the next one.
 */
export function* reachableRows(
  { parts, size }: ReachableSet,
  x: ArrayLike<number>,
  { most, batch = 8192 }: { readonly most: number; readonly batch?: number },
  random: Random,
): Generator<Float64Array> {
  const d = x.length;
  const rows = Math.min(size, most);
  const buffer = new Float64Array(Math.min(batch, rows) * d);
  const digits = new Uint32Array(parts.length);
  for (let start = 0; start < rows; start += batch) {
    const count = Math.min(batch, rows - start);
    for (let r = 0; r < count; r++) {
      const at = r * d;
      for (let c = 0; c < d; c++) buffer[at + c] = x[c];
      parts.forEach(({ columns, values, count: choices }, p) => {
        const digit = size <= most ? digits[p] : random.integer(choices);
        for (let i = 0; i < columns.length; i++) buffer[at + columns[i]] = values[digit * columns.length + i];
      });
      for (let p = 0; p < parts.length && ++digits[p] === parts[p].count; p++) digits[p] = 0;
    }
    yield buffer.subarray(0, count * d);
  }
}
