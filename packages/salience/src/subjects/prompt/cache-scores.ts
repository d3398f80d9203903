/** @file Scores of the entries of a prompt's key/value cache, with the policy that goes on at a budget. */

import type { Run } from '../../core/run.ts';
import type { Allocate } from '../../core/select-stream.ts';
import type { CachePolicy } from '../../models/generation/cache-policy.ts';
import type { EntryStatistic } from '../../numerics/attention/attention-rows.ts';
import type { CacheScores, Prompt } from './prompt.ts';

/**
 * Cache scores lane by lane. Groups are "layer.head", labels the tokens.
 * @param statistic what the scores are made of, one for each layer; without one the prompt is not read.
 * @param score scores of one lane, shape [tokens].
 * @param bits what numbers of the entries that stay are rounded to, where they are.
 */
export async function cacheScores<Statistic extends EntryStatistic>(
  prompt: Prompt,
  run: Run,
  {
    statistic,
    score,
    policy,
    bits,
  }: {
    readonly statistic?: (lanes: number) => Statistic;
    score(lane: { layer: number; lane: number; length: number }, statistic: Statistic | undefined): Float32Array;
    policy(entries: number): CachePolicy;
    readonly bits?: number;
  },
): Promise<CacheScores> {
  const { layers, keyValueHeads: lanes } = prompt.model.config;
  const { pieces } = prompt;
  const length = pieces.length;
  const seen = statistic && Array.from({ length: layers }, () => statistic(lanes));
  if (seen) await prompt.observe((layer) => seen[layer], run);
  const values = new Float32Array(layers * lanes * length);
  const names: string[] = [];
  for (let layer = 0; layer < layers; layer++) {
    for (let lane = 0; lane < lanes; lane++) {
      values.set(score({ layer, lane, length }, seen?.[layer]), names.length * length);
      names.push(`${layer}.${lane}`);
    }
  }
  return {
    unit: 'cached token',
    values,
    groups: { names, of: Uint32Array.from(values, (_, i) => Math.floor(i / length)) },
    labels: names.flatMap(() => pieces),
    policy,
    ...(bits !== undefined && { bits }),
  };
}

/**
 * How cache methods share a budget out: every head of every layer keeps as many entries, for a cache has as many places in each; where
 * the number does not divide, the first heads keep one more.
 */
export const evenly: Allocate = (sizes, counts) => {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const each = Math.floor(total / sizes.length);
  return sizes.map((_, lane) => each + Number(lane < total - each * sizes.length));
};
