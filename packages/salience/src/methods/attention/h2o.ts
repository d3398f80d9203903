/** @file H2O (arXiv:2306.14048): heavy hitters, the entries with the most attention since they exist, and recent ones stay; one goes at a time. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { CachePolicy } from '../../models/generation/cache-policy.ts';
import { AccumulatedAttention } from '../../numerics/attention/accumulated-attention.ts';
import { cutBack, evictionOf, keepTop, retentionScores } from '../../numerics/attention/retention.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export interface H2oOptions {
  /** Entries a query attends to at the most, its own among them. */
  readonly entries: number;
  /** Most recent entries that never go; default half, as published: heavy hitters get the other half. */
  readonly recent?: number;
}

/**
 * Scores of one lane, higher stays: attention accumulated; the most recent above all others. Of equal sums the older goes first.
 * @param accumulated shape [n].
 * @returns shape [n].
 */
export function h2oScores(accumulated: ArrayLike<number>, recent: number): Float32Array {
  return retentionScores(accumulated, { protectRecent: recent });
}

/**
 * H2O as a cache policy.
 * @throws ParameterError for a cache that has no entry beyond the recent ones.
 */
export function h2oPolicy({ entries, recent = Math.floor(entries / 2) }: H2oOptions): CachePolicy {
  const eviction = evictionOf({ entries, recent, drop: 1 });
  return {
    name: 'h2o',
    needsAttention: true,
    capacity: () => entries - 1,
    layer(_layer, { lanes }) {
      const received = new AccumulatedAttention(lanes);
      return {
        see: (rows, view) => received.see(rows, view),
        follow: (kept) => received.gather(kept),
        retain(view) {
          const cut = cutBack(view, eviction, (lane, count) =>
            keepTop(received.of(lane), count, { protectRecent: recent }),
          );
          if (cut) received.gather(cut);
          return cut && { entries: cut };
        },
      };
    },
  };
}

export const h2o = method({
  id: 'h2o',
  name: 'H2O',
  source: 'arXiv:2306.14048',
  summary: 'Keeps the cache entries with the most attention since they exist, and recent ones.',
  unit: 'cached token',
  subject: prompt,
  formula: 's = Σ over all queries of a; the r most recent never go',
  cost: 'O(entries) a token',
  allocation: () => evenly,
  params: z.object({
    recent: z
      .int()
      .nonnegative()
      .default(10)
      .describe('most recent entries that never go; as published half of the budget'),
  }),
  score(subject, { recent }, run): Promise<CacheScores> {
    return cacheScores(subject, run, {
      statistic: (lanes) => new AccumulatedAttention(lanes),
      score: ({ lane }, received) => h2oScores(received!.of(lane), recent),
      policy: (entries) => h2oPolicy({ entries, recent }),
    });
  },
});
