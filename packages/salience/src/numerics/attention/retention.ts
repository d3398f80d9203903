/** @file Which entries of a cache stay: the highest by a score, with sinks and recent entries out of reach. Exact, ties by a stated rule. */

import quickselect from 'quickselect';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { LaneEntries } from './attention-rows.ts';

export interface RetentionRule {
  /** Entries at the start (attention sinks) that never go; default 0. */
  readonly protectFirst?: number;
  /** Entries at the end that never go; default 0. */
  readonly protectRecent?: number;
  /** Which of two entries of equal score goes first; default the older one. */
  readonly ties?: 'older goes' | 'newer goes';
}

/** Entries that may go, and the order of any two: negative where the first goes before the second. */
function candidates(
  scores: ArrayLike<number>,
  { protectFirst = 0, protectRecent = 0, ties = 'older goes' }: RetentionRule,
) {
  const n = scores.length;
  const end = Math.max(protectFirst, n - protectRecent);
  const open: number[] = [];
  for (let j = protectFirst; j < end && j < n; j++) {
    if (Number.isNaN(scores[j])) throw new InputError(`the score of cache entry ${j} is not a number`);
    open.push(j);
  }
  const sign = ties === 'older goes' ? 1 : -1;
  return { open, compare: (i: number, j: number) => scores[i] - scores[j] || sign * (i - j) };
}

/**
 * The `count` entries of one lane that stay.
 * @param scores higher stays, shape [n].
 * @returns entries, ascending, shape [min(count, n)].
 * @throws ParameterError if more are protected than may stay; InputError for a score that is not a number.
 */
export function keepTop(scores: ArrayLike<number>, count: number, rule: RetentionRule = {}): Int32Array {
  const n = scores.length;
  if (count >= n) return everyEntry(n);
  const { open, compare } = candidates(scores, rule);
  if (n - open.length > count)
    throw new ParameterError(`${n - open.length} of ${n} cache entries are protected, and only ${count} may stay`);
  const gone = new Uint8Array(n);
  const drop = n - count;
  if (drop < open.length) quickselect(open, drop - 1, 0, open.length - 1, compare);
  for (let i = 0; i < drop; i++) gone[open[i]] = 1;
  const kept = new Int32Array(count);
  let k = 0;
  for (let j = 0; j < n; j++) if (gone[j] === 0) kept[k++] = j;
  return kept;
}

/** `keepTop` for each lane, with as many entries for each. */
export function keepTopPerLane(
  scores: readonly ArrayLike<number>[],
  count: number,
  rule: RetentionRule = {},
): Int32Array[] {
  return scores.map((lane) => keepTop(lane, count, rule));
}

/**
 * Scores of one lane as float32 that say the same with nothing beside them: sorted, they give the order in which `keepTop` drops entries,
 * no two alike. Protected entries come above all others, recent ones by position, then sinks.
 * @param scores shape [n].
 * @returns shape [n]; each is the score given, rounded, or the next larger float that keeps the order.
 * @throws InputError for a score that is not a number.
 */
export function retentionScores(scores: ArrayLike<number>, rule: RetentionRule = {}): Float32Array {
  const n = scores.length;
  const { open, compare } = candidates(scores, rule);
  open.sort(compare);
  const first = Math.min(rule.protectFirst ?? 0, n);
  const recent = Array.from({ length: n - first - open.length }, (_, i) => first + open.length + i);
  const sinks = Array.from({ length: first }, (_, i) => first - 1 - i);
  const values = new Float32Array(n);
  let last = -Infinity;
  for (const j of [...open, ...recent, ...sinks]) {
    const own = Math.fround(scores[j]);
    values[j] = own > last ? own : nextFloat(last);
    last = values[j];
  }
  return values;
}

const bits = new DataView(new ArrayBuffer(4));

/** The smallest float32 above x. */
function nextFloat(x: number): number {
  if (x === 0) return 2 ** -149;
  bits.setFloat32(0, x);
  bits.setInt32(0, bits.getInt32(0) + (x > 0 ? 1 : -1));
  return bits.getFloat32(0);
}

/** The entries of a lane that a window of the last ones leaves when the first `sinks` stay too, ascending, shape [min(count, length)]. */
export function slidingWindowWithSinks(length: number, count: number, sinks: number): Int32Array {
  if (count >= length) return everyEntry(length);
  if (sinks > count) throw new ParameterError(`${sinks} sinks are more than the ${count} cache entries that may stay`);
  return Int32Array.from({ length: count }, (_, i) => (i < sinks ? i : length - count + i));
}

/** The entries 0 to n − 1. */
export function everyEntry(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => i);
}

/** A cache that is cut back whenever it is full. */
export interface Eviction {
  /** B: entries a query attends to at the most, its own among them. A lane that has so many is cut back. */
  readonly entries: number;
  /** m: entries that go each time; a lane is left with `entries − drop`. */
  readonly drop: number;
  /** r: most recent entries that never go. */
  readonly recent: number;
}

/**
 * An eviction, its numbers checked.
 * @param drop m; default half of the entries, or as many as the protected ones leave.
 * @throws ParameterError if B < r + 1, m < 1 or m > B − r, or one of them is no whole number.
 */
export function evictionOf({ entries, recent, drop }: Omit<Eviction, 'drop'> & { readonly drop?: number }): Eviction {
  if (!(Number.isSafeInteger(recent) && recent >= 0))
    throw new ParameterError(`${recent} protected recent entries are not a whole number of 0 or more`);
  if (!(Number.isSafeInteger(entries) && entries > recent))
    throw new ParameterError(
      `a cache of ${entries} entries is too small: with ${recent} protected it needs ${recent + 1} or more, in whole numbers`,
    );
  const most = entries - recent;
  const m = drop ?? Math.max(1, Math.min(Math.floor(entries / 2), most));
  if (!(Number.isSafeInteger(m) && m >= 1 && m <= most))
    throw new ParameterError(
      `dropping ${m} entries at a time is not a whole number from 1 to ${most}, the cache of ${entries} less ${recent} protected`,
    );
  return { entries, drop: m, recent };
}

/**
 * Cuts back each lane that is full to `entries − drop`: after one token that drops m, after a longer prompt as many as it takes.
 * @param keep which `count` entries of a lane stay, ascending.
 * @returns for each lane the entries that stay, or nothing where no lane is full.
 */
export function cutBack(
  { lanes, lengths }: LaneEntries,
  { entries, drop }: Pick<Eviction, 'entries' | 'drop'>,
  keep: (lane: number, count: number) => Int32Array,
): Int32Array[] | undefined {
  if (lengths.every((length) => length < entries)) return undefined;
  return Array.from({ length: lanes }, (_, lane) =>
    lengths[lane] < entries ? everyEntry(lengths[lane]) : keep(lane, entries - drop),
  );
}
