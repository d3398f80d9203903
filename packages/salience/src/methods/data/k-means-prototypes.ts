/** @file Prototypes by k-means: of each class the real instances nearest to the centres of its clusters. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { classCounts } from '../../numerics/allocation/class-counts.ts';
import { kMeansSteps } from '../../numerics/clustering/k-means.ts';
import { labelledFeatures, type OwnSet, scoresOfOwnSet } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * k-means within each class, as many clusters as its share of `count`; a prototype is the instance nearest to its cluster's centre.
 * @param x shape [n · columns].
 * @param labels below `classes`, shape [n].
 * @param count prototypes in all; at least one a class.
 * @returns prototypes first, those of the largest clusters first; then the others, the nearest to their centre first. Fewer prototypes
 *   than `count` where fewer instances of a class differ.
 */
export async function kMeansPrototypes(
  x: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  classes: number,
  count: number,
  run: Run,
  random: Random = run.random('k-means-prototypes'),
): Promise<OwnSet> {
  const members = Array.from({ length: classes }, (): number[] => []);
  for (let i = 0; i < labels.length; i++) members[labels[i]].push(i);
  const counts = classCounts(
    members.map(({ length }) => length),
    count,
  );
  const prototypes: { at: number; size: number }[] = [];
  const others: { at: number; square: number }[] = [];
  for (let c = 0; c < classes; c++) {
    await run.breathe();
    const rows = new Float32Array(members[c].length * columns);
    members[c].forEach((i, at) => {
      rows.set(x.subarray(i * columns, (i + 1) * columns), at * columns);
    });
    const { clusters, centroids, of } = await run.drive(
      `prototypes of class ${c + 1} of ${classes}`,
      kMeansSteps(rows, columns, { clusters: counts[c], random: random.stream(`class ${c}`) }),
    );
    const best = Array.from({ length: clusters }, () => ({ at: -1, square: Infinity, size: 0 }));
    const squares = Float64Array.from(of, (k, at) => {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += (rows[at * columns + j] - centroids[k * columns + j]) ** 2;
      best[k].size++;
      if (sum < best[k].square) Object.assign(best[k], { at, square: sum });
      return sum;
    });
    const taken = new Set(best.map(({ at }) => at));
    for (const { at, size } of best) prototypes.push({ at: members[c][at], size });
    members[c].forEach((i, at) => {
      if (!taken.has(at)) others.push({ at: i, square: squares[at] });
    });
  }
  prototypes.sort((a, b) => b.size - a.size || a.at - b.at);
  others.sort((a, b) => a.square - b.square || a.at - b.at);
  return { order: Uint32Array.from([...prototypes, ...others], ({ at }) => at), own: prototypes.length };
}

export const kMeansInstances = method({
  id: 'k-means-prototypes',
  name: 'k-means prototypes',
  source: 'baseline',
  summary: 'Keeps of each class the instances nearest to the centres of its clusters.',
  unit: 'instance',
  subject: dataset,
  formula: 's = n − place in: prototypes by the size of their cluster, then the others by distance to their centre',
  cost: 'O(iterations · count · n d)',
  params: z.object({
    share: z
      .number()
      .gt(0)
      .max(1)
      .default(0.04)
      .describe('prototypes as a share of the instances, shared out over the classes; give the share of the budget'),
  }),
  async score(data, { share }, run) {
    const { x, columns, n, labels } = await labelledFeatures(data);
    const classes = labels.classes.length;
    const count = Math.max(classes, Math.round(share * n));
    return scoresOfOwnSet(
      labels,
      await kMeansPrototypes(x, columns, labels.of, classes, count, run),
      'k-means prototypes',
    );
  },
});
