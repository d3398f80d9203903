/**
 * @file Scissorhands (arXiv:2305.17118): counts how often each cache entry received less than the uniform share of attention in a window of
 * recent queries; when the cache is full, the entries most often unimportant go.
 */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { CachePolicy, CacheView, Retained } from '../../models/generation/cache-policy.ts';
import { largestRemainders } from '../../numerics/allocation/water-filling.ts';
import { positionsOf } from '../../numerics/attention/attention-rows.ts';
import { quantisedGroups } from '../../numerics/attention/quantised-groups.ts';
import {
  cutBack,
  type Eviction,
  everyEntry,
  evictionOf,
  keepTop,
  retentionScores,
} from '../../numerics/attention/retention.ts';
import { normalisedByAge, UnimportanceHistory, uniformShare } from '../../numerics/attention/unimportance-history.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export interface ScissorhandsOptions {
  /** B: entries a query attends to at the most, its own among them; with a funnel, on average over the layers. */
  readonly entries: number;
  /** w: rows of history; default 400. */
  readonly window?: number;
  /** r: most recent entries that never go; default 10. */
  readonly recent?: number;
  /** m: entries that go each time the cache is full; default ⌊B/2⌋, or as many as r leaves. With a funnel it goes with B. */
  readonly drop?: number;
  /** Unimportant is below 1 / tokens seen so far (default), or 1 / entries the query attends to. */
  readonly threshold?: keyof typeof uniformShare;
  /** Later layers get more entries: half of B for the first, growing evenly to one and a half of it for the last. Default false. */
  readonly funnel?: boolean;
  /** Counts as shares of the rows an entry could be counted in: no favour for young ones. Default false. */
  readonly ageNormalised?: boolean;
  /** Bits a number of the keys and values that outlive a cut, or the prompt, is stored in; default 16: left as they are. */
  readonly bits?: number;
}

/** B of each layer when later layers get more: weights ½ to 1½ in even steps, whole numbers that add up to layers · B. */
export function funnelEntries(entries: number, layers: number): number[] {
  const weights = Array.from({ length: layers }, (_, l) => (layers === 1 ? 1 : 0.5 + l / (layers - 1)));
  return largestRemainders(
    weights.map((weight) => weight * entries),
    layers * entries,
  );
}

/**
 * I, how much an entry asks to go: counts, or with `ageNormalised` counts a row.
 * @param counts times unimportant in the window, shape [n].
 * @param positions shape [n].
 * @param last position of the newest query.
 * @returns shape [n].
 */
function unimportance(
  counts: Int32Array,
  positions: ArrayLike<number>,
  last: number,
  { window, ageNormalised }: { window: number; ageNormalised: boolean },
): ArrayLike<number> {
  return ageNormalised ? normalisedByAge(counts, positions, last, window) : counts;
}

/**
 * Scores of one lane, higher stays: −I plus a fraction below 1 that grows with the position, so that of equal counts the older goes first;
 * the r most recent from 1 upwards. Sorted, they are the order in which entries go.
 * @param unimportance I, shape [n].
 * @returns shape [n].
 */
export function scissorhandsScores(
  unimportance: ArrayLike<number>,
  { recent, ageNormalised = false }: { recent: number; ageNormalised?: boolean },
): Float32Array {
  const n = unimportance.length;
  // Counts a row may differ by less than a fraction: there the order alone lifts the younger, to the next float.
  const fraction = (j: number) => (ageNormalised ? 0 : j / n);
  return retentionScores(
    Float64Array.from({ length: n }, (_, j) => (j < n - recent ? -unimportance[j] + fraction(j) : 1 + j / n)),
    { protectRecent: recent },
  );
}

/** Keys or values of the entries that stay, as they come back from storage, for each lane [kept, headSize]. */
function stored(from: Float32Array, { capacity, headSize }: CacheView, kept: readonly Int32Array[], bits: number) {
  return kept.map((entries, lane) => {
    const rows = new Float32Array(entries.length * headSize);
    entries.forEach((entry, k) => {
      const at = (lane * capacity + entry) * headSize;
      rows.set(from.subarray(at, at + headSize), k * headSize);
    });
    return quantisedGroups(rows, headSize, bits, 64);
  });
}

/**
 * Scissorhands as a cache policy (Algorithm 2). Where a prompt was read densely, its last w queries are the history, and the lane is left
 * with B − m entries. Of equal counts the older goes first.
 * @throws ParameterError if B < r + 1, m < 1 or m > B − r, w < 1, in any layer.
 */
export function scissorhandsPolicy({
  entries,
  window = 400,
  recent = 10,
  drop,
  threshold = 'seen',
  funnel = false,
  ageNormalised = false,
  bits = 16,
}: ScissorhandsOptions): CachePolicy {
  const even = evictionOf({ entries, recent, drop });
  if (bits !== 4 && bits !== 8 && bits !== 16)
    throw new ParameterError(`${bits} bits for keys and values; 4, 8 or 16 can be`);
  new UnimportanceHistory(0, window);
  const ofLayer = (layer: number, layers: number): Eviction => {
    if (!funnel) return even;
    const own = funnelEntries(entries, layers)[layer];
    const m = Math.max(1, Math.min(Math.round((even.drop * own) / entries), own - recent));
    return evictionOf({ entries: own, recent, drop: m });
  };
  return {
    name: 'scissorhands',
    needsAttention: true,
    capacity: (layer, layers) => ofLayer(layer, layers).entries - 1,
    layer(layer, { layers, lanes }) {
      const eviction = ofLayer(layer, layers);
      const history = new UnimportanceHistory(lanes, window, uniformShare[threshold]);
      return {
        see: (rows, view) => history.see(rows, view),
        follow: (kept) => history.gather(kept),
        retain(view, moment): Retained | undefined {
          const last = view.fed - 1;
          const cut = cutBack(view, eviction, (lane, count) => {
            const I = unimportance(history.of(lane), positionsOf(view, lane), last, { window, ageNormalised });
            return keepTop(
              Float64Array.from(I, (x) => -x),
              count,
              { protectRecent: recent },
            );
          });
          if (cut) history.gather(cut);
          if (bits === 16 || !(cut || moment === 'prompt')) return cut && { entries: cut };
          const kept = cut ?? Array.from(view.lengths, everyEntry);
          return {
            entries: kept,
            keys: stored(view.keys, view, kept, bits),
            values: stored(view.values, view, kept, bits),
          };
        },
      };
    },
  };
}

export const scissorhands = method({
  id: 'scissorhands',
  name: 'Scissorhands',
  source: 'arXiv:2305.17118',
  summary: 'Drops the cache entries that most often received less than their share of attention of late.',
  unit: 'cached token',
  subject: prompt,
  formula: 's = −Σ over the last w queries of [a < 1/t]; of equal counts the older goes first, the r most recent never',
  cost: 'O(entries) a token; w bits an entry',
  allocation: () => evenly,
  params: z.object({
    window: z.int().positive().default(400).describe('w: queries of history'),
    recent: z.int().nonnegative().default(10).describe('r: most recent entries that never go'),
    drop: z.number().gt(0).max(1).default(0.5).describe('m / B: share of the cache that goes each time it is full'),
    threshold: z
      .enum(['seen', 'cached'])
      .default('seen')
      .describe('uniform share: 1/t of tokens seen, or of entries cached'),
    funnel: z.boolean().default(false).describe('when the text goes on, later layers hold more'),
    ageNormalised: z.boolean().default(false).describe('counts as shares of the queries an entry lived through'),
    bits: z
      .number()
      .refine((bits) => [4, 8, 16].includes(bits), '4, 8 or 16')
      .default(16)
      .describe(
        'bits that keys and values that stay are rounded to: 4, 8 or 16 (as they are); the arrays stay float32',
      ),
  }),
  score(subject, { drop, ...options }, run): Promise<CacheScores> {
    const { window, recent, threshold, ageNormalised } = options;
    return cacheScores(subject, run, {
      statistic: (lanes) => new UnimportanceHistory(lanes, window, uniformShare[threshold]),
      score({ lane, length }, history) {
        const I = unimportance(history!.of(lane), everyEntry(length), length - 1, { window, ageNormalised });
        return scissorhandsScores(I, { recent, ageNormalised });
      },
      policy: (entries) =>
        scissorhandsPolicy({
          ...options,
          entries,
          drop: Math.max(1, Math.min(Math.round(drop * entries), entries - recent)),
        }),
      ...(options.bits < 16 && { bits: options.bits }),
    });
  },
});
