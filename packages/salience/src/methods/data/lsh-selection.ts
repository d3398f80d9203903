/** @file Instance selection by locality-sensitive hashing (LSH-IS-S): of each bucket one instance of each class. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import { gaussianDirections, slabBuckets } from '../../numerics/hashing/random-projection.ts';
import { labelledFeatures, type OwnSet, scoresOfOwnSet } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

export interface LshOptions {
  /** Hash tables, each with slabs of its own. */
  readonly tables: number;
  /** Directions along which rows of a bucket share a slab. */
  readonly functions: number;
  /** Width of a slab in standard deviations of the projected rows. */
  readonly width: number;
}

/**
 * Hashes rows into buckets of slabs along random directions, and of each bucket in each table takes the first instance of each class
 * (doi:10.1016/j.knosys.2016.05.056, the variant of one pass).
 * @param x shape [n · columns].
 * @param labels shape [n].
 * @returns the instances taken, those that stand for the most of their class in their bucket first; then the others by index.
 */
export function lshSelection(
  x: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  { tables, functions, width }: LshOptions,
  random: Random,
): OwnSet {
  const n = labels.length;
  const standsFor = new Uint32Array(n);
  for (let t = 0; t < tables; t++) {
    const directions = gaussianDirections(functions, columns, random.stream(`directions ${t}`));
    const spread = deviationAlong(x, columns, directions) * width;
    // Where all rows are equal every one is in the one bucket.
    const slab = spread > 0 ? spread : 1;
    const shifts = random.stream(`shifts ${t}`);
    const buckets = slabBuckets(
      x,
      columns,
      directions,
      Float64Array.from({ length: functions }, () => slab * shifts.uniform()),
      slab,
    );
    const first = new Map<string, number>();
    const size = new Uint32Array(n);
    for (let i = 0; i < n; i++) {
      const cell = `${buckets[i]} ${labels[i]}`;
      if (!first.has(cell)) first.set(cell, i);
      size[first.get(cell)!]++;
    }
    for (const i of first.values()) standsFor[i] = Math.max(standsFor[i], size[i]);
  }
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => standsFor[b] - standsFor[a] || a - b);
  return { order, own: standsFor.reduce((count, size) => count + Number(size > 0), 0) };
}

/** Root of the mean over directions of the variance of the projected rows. */
function deviationAlong(x: Float32Array, columns: number, directions: Float64Array): number {
  const n = x.length / columns;
  const count = directions.length / columns;
  let variance = 0;
  for (let h = 0; h < count; h++) {
    let mean = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      let product = 0;
      for (let c = 0; c < columns; c++) product += x[i * columns + c] * directions[h * columns + c];
      const before = product - mean;
      mean += before / (i + 1);
      squares += before * (product - mean);
    }
    variance += squares / n / count;
  }
  return Math.sqrt(variance);
}

export const lshInstances = method({
  id: 'lsh-selection',
  name: 'LSH instance selection',
  source: 'doi:10.1016/j.knosys.2016.05.056',
  summary: 'Keeps one instance of each class of each bucket of random slabs.',
  unit: 'instance',
  subject: dataset,
  formula: 's = n − place in: representatives by how many they stand for, then the others',
  cost: 'O(tables · functions · n d)',
  params: z.object({
    tables: z.number().int().min(1).default(1).describe('hash tables; more tables keep more'),
    functions: z.number().int().min(1).default(4).describe('directions that a bucket is cut along'),
    width: z
      .number()
      .positive()
      .default(1)
      .describe('width of a slab, in standard deviations of the projected instances'),
  }),
  async score(data, params, run) {
    const { x, columns, labels } = await labelledFeatures(data);
    const found = lshSelection(x, columns, labels.of, params, run.random('lsh-selection'));
    return scoresOfOwnSet(labels, found, 'LSH instance selection');
  },
});
