/** @file Random eviction: the baseline with as many dropped at a time, and as many recent ones protected, as the method it is compared with. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { CachePolicy } from '../../models/generation/cache-policy.ts';
import { cutBack, evictionOf, keepTop, retentionScores } from '../../numerics/attention/retention.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export interface RandomEvictionOptions {
  /** B: entries a query attends to at the most, its own among them. */
  readonly entries: number;
  /** m: entries that go each time the cache is full; default ⌊B/2⌋, or as many as the protected leave. */
  readonly drop?: number;
  /** r: most recent entries that never go; default 10. */
  readonly recent?: number;
  readonly random: Random;
}

/** The stream of a lane's draws. */
function laneStream(random: Random, layer: number, lane: number): Random {
  return random.stream(`layer ${layer}/lane ${lane}`);
}

/** Scores of a lane of n entries when it is first cut, higher stays: a uniform number each, the most recent above all others; shape [n]. */
export function randomEvictionScores(
  n: number,
  recent: number,
  random: Random,
  layer: number,
  lane: number,
): Float32Array {
  return retentionScores(draws(n, laneStream(random, layer, lane)), { protectRecent: recent });
}

function draws(n: number, random: Random): Float64Array {
  return Float64Array.from({ length: n }, () => random.uniform());
}

/**
 * Random eviction as a cache policy: every cut draws anew, so that an entry's past says nothing.
 * @throws ParameterError as `evictionOf` does.
 */
export function randomEvictionPolicy({ entries, drop, recent = 10, random }: RandomEvictionOptions): CachePolicy {
  const eviction = evictionOf({ entries, drop, recent });
  return {
    name: 'random-eviction',
    needsAttention: false,
    capacity: () => entries - 1,
    layer(layer, { lanes }) {
      const streams = Array.from({ length: lanes }, (_, lane) => laneStream(random, layer, lane));
      return {
        see() {},
        retain(view) {
          const cut = cutBack(view, eviction, (lane, count) =>
            keepTop(draws(view.lengths[lane], streams[lane]), count, { protectRecent: recent }),
          );
          return cut && { entries: cut };
        },
      };
    },
  };
}

export const randomEviction = method({
  id: 'random-eviction',
  name: 'Random eviction',
  source: 'baseline',
  summary: 'Gives every cache entry a random score.',
  unit: 'cached token',
  subject: prompt,
  formula: 's ~ U(0, 1), anew at every cut; the r most recent never go',
  cost: 'O(entries) a token; no attention is read',
  allocation: () => evenly,
  params: z.object({
    recent: z.int().nonnegative().default(10).describe('r: most recent entries that never go'),
    drop: z.number().gt(0).max(1).default(0.5).describe('m / B: share of the cache that goes each time it is full'),
  }),
  score(subject, { recent, drop }, run): Promise<CacheScores> {
    const random = run.random('random-eviction');
    return cacheScores(subject, run, {
      score: ({ layer, lane, length }) => randomEvictionScores(length, recent, random, layer, lane),
      policy: (entries) =>
        randomEvictionPolicy({
          entries,
          recent,
          drop: Math.max(1, Math.min(Math.round(drop * entries), entries - recent)),
          random,
        }),
    });
  },
});
