/**
 * @file Quad (arXiv:2409.16986): clusters of documents are the arms of a bandit, a pull pays the influence of a few of a cluster's
 * documents on a reference, and a block of documents that pays is chosen whole.
 */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import { ClusterBandit } from '../../numerics/bandits/ucb.ts';
import { centroidDistances } from '../../numerics/clustering/k-means.ts';
import { clusterParams, documentClusters } from '../../subjects/dataset/document-clusters.ts';
import { documentInfluence, influenceParams } from '../../subjects/dataset/document-influence.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** What the bandit plays with. */
export interface Play {
  /** Cluster of each document, shape [n]. */
  readonly of: ArrayLike<number>;
  readonly clusters: number;
  /** Distances of the centroids, shape [clusters · clusters], and the radius within which clusters share rewards. */
  readonly neighbours?: { readonly distances: ArrayLike<number>; readonly radius: number };
  /** α. */
  readonly exploration: number;
  /** τ. */
  readonly threshold: number;
  /** Documents of a probe, arms of a round, documents of a block. */
  readonly probe: number;
  readonly arms: number;
  readonly block: number;
  /** The play ends when so many documents are taken, or after so many rounds, or when nothing is left. */
  readonly budget: number;
  readonly rounds: number;
  /** Influence of documents, shape [indices]. */
  readonly score: (indices: readonly number[]) => Promise<Float64Array>;
  readonly random: Random;
}

/** What came of it. */
export interface Played {
  readonly bandit: ClusterBandit;
  /** The documents of each block that was taken, in the order of taking. */
  readonly taken: readonly (readonly number[])[];
  /** Pulls of each cluster, shape [clusters]. */
  readonly pulls: Uint32Array;
  /** Scores that were asked for, repeats counted. */
  readonly evaluations: number;
}

/**
 * Plays. The documents of a cluster are put into random order once and cut into blocks; a probe is drawn at random from the next block
 * that was not taken, the last of which is what is left. All clusters are equal at first, so the order of equal ones is random.
 */
export async function playClusters(play: Play, run: Run): Promise<Played> {
  const { of, clusters, neighbours, exploration, threshold, probe, arms, block, budget, rounds, score, random } = play;
  const members = Array.from({ length: clusters }, (): number[] => []);
  for (let i = 0; i < of.length; i++) members[of[i]].push(i);
  for (const own of members) random.shuffle(own);
  const bandit = new ClusterBandit({
    sizes: members.map(({ length }) => length),
    block,
    probe,
    exploration,
    threshold,
    arms,
    order: random.permutation(clusters),
    ...neighbours,
  });
  const taken: number[][] = [];
  const pulls = new Uint32Array(clusters);
  let evaluations = 0;
  while (bandit.rounds < rounds && bandit.accepted < budget) {
    const round = bandit.round();
    if (round.length === 0) break;
    const probes = round.map(({ arm, block: { start, length }, probe: size }) =>
      random.shuffle(members[arm].slice(start, start + length)).slice(0, size),
    );
    const scores = await score(probes.flat());
    let at = 0;
    for (const [r, { arm, block: next }] of round.entries()) {
      const size = probes[r].length;
      const mean = scores.subarray(at, at + size).reduce((sum, value) => sum + value, 0) / size;
      at += size;
      evaluations += size;
      pulls[arm]++;
      if (bandit.pay(next, mean)) taken.push(members[arm].slice(next.start, next.start + next.length));
    }
    run.progress('rounds', bandit.rounds, rounds);
    await run.breathe();
  }
  return { bandit, taken, pulls, evaluations };
}

/**
 * Scores whose k highest are the first k documents taken: 2 − b / B for the documents of block b of B, and below 1 those that were not
 * taken, by their cluster's score CS. Shape [n].
 */
export function acceptanceScores({ bandit, taken }: Played, of: ArrayLike<number>): Float32Array {
  const scores = bandit.scores();
  const order = Array.from(scores, (_, cluster) => cluster).sort((i, j) => scores[i] - scores[j]);
  const rank = new Float64Array(scores.length);
  order.forEach((cluster, r) => {
    rank[cluster] = r > 0 && scores[cluster] === scores[order[r - 1]] ? rank[order[r - 1]] : r;
  });
  const values = Float32Array.from(of, (cluster) => rank[cluster] / scores.length);
  taken.forEach((documents, b) => {
    for (const document of documents) values[document] = 2 - b / taken.length;
  });
  return values;
}

const shown = 40;

/** What a reader wants to know of a play. */
function findingsOf({ bandit, taken, pulls, evaluations }: Played, sizes: Uint32Array, evaluated: number): Block[] {
  const chosen = taken.reduce((sum, { length }) => sum + length, 0);
  const blocks = new Uint32Array(sizes.length);
  for (const { arm } of bandit.blocks) blocks[arm]++;
  const three = (x: number) => Number(x.toPrecision(3));
  const mean = (i: number) => (bandit.counts[i] > 0 ? bandit.rewards[i] / bandit.counts[i] : 0);
  const order = Array.from(sizes, (_, i) => i).sort((i, j) => bandit.taken[j] - bandit.taken[i] || mean(j) - mean(i));
  const n = sizes.reduce((sum, size) => sum + size, 0);
  return [
    {
      kind: 'text',
      text:
        taken.length === 0
          ? `No block was taken: no probe scored above the threshold. Documents are ranked by their clusters’ scores alone.`
          : `${taken.length} blocks with ${chosen} of ${n} documents were taken in ${bandit.rounds} rounds; a budget above that goes on with the clusters of the highest scores.`,
    },
    {
      kind: 'text',
      text: `Influence was computed for ${evaluated} documents (${evaluations} draws), of ${n}.`,
    },
    {
      kind: 'table',
      columns: ['cluster', 'documents', 'pulls', 'mean reward', 'blocks taken', 'documents taken'],
      rows: order
        .slice(0, shown)
        .map((i) => [
          i,
          sizes[i],
          pulls[i],
          bandit.counts[i] > 0 ? three(mean(i)) : 'not pulled',
          blocks[i],
          bandit.taken[i],
        ]),
    },
    ...(sizes.length > shown
      ? [{ kind: 'text' as const, text: `The ${shown} clusters most was taken of, of ${sizes.length}.` }]
      : []),
  ];
}

export const quad = method({
  id: 'quad',
  name: 'Quad',
  source: 'arXiv:2409.16986',
  summary:
    'Chooses blocks of documents from clusters, which a bandit pulls for the influence of a few of their documents.',
  unit: 'document',
  subject: dataset,
  formula:
    'CS = R/n + α √(2 ln N / (n + 1)), R the sum of mean influence − τ of its probes; documents in the order in which their blocks are taken',
  cost: 'O(n · clusters) for k-means, then a backward pass a probed document',
  params: z.object({
    ...influenceParams,
    ...clusterParams,
    exploration: z
      .number()
      .min(0)
      .default(0.01)
      .describe('α: bonus of clusters that were seldom pulled; scores are cosines'),
    threshold: z.number().default(0).describe('τ: what the mean of a probe must exceed'),
    radius: z.number().positive().default(0.2).describe('ρ: clusters whose centres are nearer share their rewards'),
    probe: z.int().min(1).default(8).describe('documents of a probe'),
    block: z
      .int()
      .min(1)
      .optional()
      .describe('documents taken at a time; by default a fifth of a mean cluster, not below the probe'),
    arms: z.int().min(1).optional().describe('clusters pulled in a round; by default a fortieth of them'),
    rounds: z.int().min(1).default(200).describe('rounds at the most'),
    upTo: z.number().positive().max(1).default(0.5).describe('share of the documents that is taken at the most'),
  }),
  async score(pool, params, run) {
    const { exploration, threshold, radius, probe, rounds, upTo } = params;
    const n = pool.examples;
    if (params.block !== undefined && params.block < probe)
      throw new ParameterError(`block = ${params.block} is smaller than the probe of ${probe}`);
    const found = await documentClusters(pool, params, run);
    const { clusters, of } = found;
    const influence = await documentInfluence(pool, params, run);
    try {
      const played = await playClusters(
        {
          of,
          clusters,
          neighbours: { distances: centroidDistances(found), radius },
          exploration,
          threshold,
          probe,
          arms: Math.min(clusters, params.arms ?? Math.ceil(clusters / 40)),
          block: params.block ?? Math.max(probe, Math.ceil(n / (5 * clusters))),
          budget: Math.ceil(upTo * n),
          rounds,
          score: (indices) => influence.score(indices),
          random: run.random('bandit'),
        },
        run,
      );
      if (played.taken.length === 0)
        run.log(
          `no probe scored above the threshold of ${threshold}; documents are ranked by their clusters’ scores alone`,
        );
      const sizes = new Uint32Array(clusters);
      for (const cluster of of) sizes[cluster]++;
      return {
        unit: 'document',
        values: acceptanceScores(played, of),
        findings: [
          ...influence.remarks.map((text) => ({ kind: 'text' as const, text })),
          ...findingsOf(played, sizes, influence.evaluated),
        ],
      };
    } finally {
      await influence.dispose();
    }
  },
});
