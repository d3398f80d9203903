/**
 * @file SnapKV (arXiv:2404.14469): the prompt's last queries vote by their attention for what stays of the rest of the prompt; votes are
 * pooled along the text. Only the prompt is cut, once; what is written after it stays.
 */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { CachePolicy } from '../../models/generation/cache-policy.ts';
import { everyEntry, keepTop, retentionScores } from '../../numerics/attention/retention.ts';
import { type Pooling, pooled, WindowedAttention } from '../../numerics/attention/windowed-attention.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export interface SnapkvOptions {
  /** Entries that stay of the prompt, the observation window among them. */
  readonly entries: number;
  /** Queries that vote, whose own entries stay; default 32. */
  readonly window?: number;
  /** Neighbours pooled, an odd number; default 5. */
  readonly kernel?: number;
  /** Default average, as in the published code, with zeros beyond the ends; its kernel there is 5. */
  readonly pooling?: Pooling;
}

/**
 * Votes for the entries before the window, pooled among themselves; the window's own are not pooled with them.
 * @param received attention from the window's queries, shape [n].
 * @returns shape [n].
 */
function votes(received: Float64Array, window: number, kernel: number, pooling: Pooling): Float64Array {
  const before = Math.max(0, received.length - window);
  const made = received.slice();
  made.set(pooled(received.subarray(0, before), kernel, pooling));
  return made;
}

/**
 * Scores of one lane, higher stays: pooled votes; the window above all others. Of equal votes the older goes first.
 * @param received attention from the window's queries, shape [n].
 * @returns shape [n].
 */
export function snapkvScores(
  received: Float64Array,
  { window = 32, kernel = 5, pooling = 'average' }: Omit<SnapkvOptions, 'entries'> = {},
): Float32Array {
  return retentionScores(votes(received, window, kernel, pooling), { protectRecent: window });
}

/**
 * SnapKV as a cache policy.
 * @throws ParameterError if no entry is left beside the window, or the kernel is not odd.
 */
export function snapkvPolicy({ entries, window = 32, kernel = 5, pooling = 'average' }: SnapkvOptions): CachePolicy {
  if (!(Number.isSafeInteger(entries) && entries > window))
    throw new ParameterError(
      `${entries} entries of the prompt cannot stay beside an observation window of ${window}; it takes ${window + 1} or more, in whole numbers`,
    );
  new WindowedAttention(0, window);
  pooled([], kernel);
  return {
    name: 'snapkv',
    needsAttention: true,
    capacity: () => Infinity,
    layer(_layer, { lanes }) {
      let received: WindowedAttention | undefined = new WindowedAttention(lanes, window);
      return {
        see: (rows, view) => received?.see(rows, view),
        follow: (kept) => received?.gather(kept),
        retain(view, moment) {
          if (moment !== 'prompt' || !received) return undefined;
          const seen = received;
          received = undefined;
          if (view.lengths.every((length) => length <= entries)) return undefined;
          const kept = Array.from(view.lengths, (length, lane) =>
            length <= entries
              ? everyEntry(length)
              : keepTop(votes(seen.of(lane), window, kernel, pooling), entries, { protectRecent: window }),
          );
          return { entries: kept };
        },
      };
    },
  };
}

export const snapkv = method({
  id: 'snapkv',
  name: 'SnapKV',
  source: 'arXiv:2404.14469',
  summary: 'Keeps the cache entries of a prompt that its last queries attend to.',
  unit: 'cached token',
  subject: prompt,
  formula: 's = pool(Σ over the last w queries of a); the window itself never goes',
  cost: 'O(window · entries), once',
  allocation: () => evenly,
  params: z.object({
    window: z.int().positive().default(32).describe('queries that vote, whose own entries stay'),
    kernel: z.int().positive().default(5).describe('neighbours pooled, an odd number'),
    pooling: z.enum(['average', 'max']).default('average').describe('how neighbours are pooled'),
  }),
  score(subject, { window, kernel, pooling }, run): Promise<CacheScores> {
    return cacheScores(subject, run, {
      statistic: (lanes) => new WindowedAttention(lanes, window),
      score: ({ lane }, received) => snapkvScores(received!.of(lane), { window, kernel, pooling }),
      policy: (entries) => snapkvPolicy({ entries, window, kernel, pooling }),
    });
  },
});
