/**
 * @file StreamingLLM (arXiv:2309.17453): the first tokens, attention sinks, and a window of the last ones stay. Keys keep the turn of their
 * positions in the text; the published code turns them anew by their places in the cache.
 */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { CachePolicy } from '../../models/generation/cache-policy.ts';
import { cutBack, retentionScores, slidingWindowWithSinks } from '../../numerics/attention/retention.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export interface StreamingLlmOptions {
  /** Entries a query attends to at the most, its own among them: sinks and window together. */
  readonly entries: number;
  /** Entries at the start that never go; default 4. With 0 this is a plain sliding window. */
  readonly sinks?: number;
}

/** Scores of a lane of n entries, higher stays: the position, sinks above all others, the first the highest; shape [n]. */
export function streamingLlmScores(n: number, sinks: number): Float32Array {
  return retentionScores(
    Float32Array.from({ length: n }, (_, j) => (j < sinks ? n + sinks - 1 - j : j)),
    { protectFirst: sinks },
  );
}

/**
 * StreamingLLM as a cache policy.
 * @throws ParameterError for a cache that has no entry beyond the sinks.
 */
export function streamingLlmPolicy({ entries, sinks = 4 }: StreamingLlmOptions): CachePolicy {
  if (!(Number.isSafeInteger(sinks) && sinks >= 0 && Number.isSafeInteger(entries) && entries > sinks))
    throw new ParameterError(
      `a cache of ${entries} entries with ${sinks} sinks has no window; it needs ${sinks + 1} entries or more, in whole numbers`,
    );
  const eviction = { entries, drop: 1 };
  return {
    name: 'streaming-llm',
    needsAttention: false,
    capacity: () => entries - 1,
    layer: () => ({
      see() {},
      retain(view) {
        const cut = cutBack(view, eviction, (lane, count) =>
          slidingWindowWithSinks(view.lengths[lane], count, Math.min(sinks, count)),
        );
        return cut && { entries: cut };
      },
    }),
  };
}

export const streamingLlm = method({
  id: 'streaming-llm',
  name: 'StreamingLLM',
  source: 'arXiv:2309.17453',
  summary: 'Keeps the first cache entries, attention sinks, and the last.',
  unit: 'cached token',
  subject: prompt,
  formula: 's = position; the first never go',
  cost: 'O(entries) a token; no attention is read',
  allocation: () => evenly,
  params: z.object({
    sinks: z.int().nonnegative().default(4).describe('first entries that never go; 0: a sliding window'),
  }),
  score(subject, { sinks }, run): Promise<CacheScores> {
    return cacheScores(subject, run, {
      score: ({ length }) => streamingLlmScores(length, sinks),
      policy: (entries) => streamingLlmPolicy({ entries, sinks }),
    });
  },
});
