/** @file k-means: rows in clusters around their means, with the seeds of k-means++ and the iterations of ml-kmeans. */

import { kmeansGenerator } from 'ml-kmeans';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { finish, type Steps } from '../../core/steps.ts';

export interface KMeans {
  /** Clusters that hold a row: fewer than asked for where fewer rows differ. */
  readonly clusters: number;
  /** Means, row-major, shape [clusters · columns]. */
  readonly centroids: Float64Array;
  /** Cluster of each row, shape [rows]. */
  readonly of: Uint32Array;
  /** Whether the means stood still before the last iteration that was allowed. */
  readonly converged: boolean;
}

export interface KMeansOptions {
  readonly clusters: number;
  readonly random: Random;
  /** Iterations at the most; default 50. */
  readonly iterations?: number;
  /** Rows the means are found from: of more, so many are drawn and the others join the nearest mean; default 20,000. */
  readonly sample?: number;
}

/**
 * Lloyd's k-means from the seeds of k-means++ (Arthur & Vassilvitskii 2007). A row goes to the nearest mean, of equal ones to the
 * first.
 * @param rows row-major, shape [rows · columns], finite.
 * @throws InputError for fewer rows than clusters, a length that is no multiple of the columns, or a number that is not finite;
 * ParameterError for less than one cluster or iteration.
 */
export function kMeans(rows: Float32Array | Float64Array, columns: number, options: KMeansOptions): KMeans {
  return finish(kMeansSteps(rows, columns, options));
}

/** `kMeans` with pauses after each seed, each iteration and some thousand rows. */
export function* kMeansSteps(
  rows: Float32Array | Float64Array,
  columns: number,
  { clusters, random, iterations = 50, sample = 20_000 }: KMeansOptions,
): Steps<KMeans> {
  for (const [name, value] of Object.entries({ clusters, iterations, columns })) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ParameterError(`${name} = ${value} is not a whole number of 1 or more`);
  }
  const n = rows.length / columns;
  if (!Number.isInteger(n)) throw new InputError(`${rows.length} numbers are no rows of ${columns}`);
  if (n < clusters)
    throw new InputError(`${n} rows cannot make ${clusters} clusters; ask for ${Math.max(1, n)} or fewer`);
  const bad = rows.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw new InputError(`row ${Math.floor(bad / columns)}, column ${bad % columns} is ${rows[bad]}`);

  const size = Math.min(n, Math.max(sample, clusters));
  const drawn = size === n ? undefined : random.permutation(n).subarray(0, size).sort();
  const points = Array.from({ length: size }, (_, p) => {
    const at = (drawn ? drawn[p] : p) * columns;
    return Array.from(rows.subarray(at, at + columns));
  });
  const initialization = yield* seeds(points, clusters, random);
  let found: { centroids: number[][]; converged: boolean } = { centroids: initialization, converged: false };
  for (const step of kmeansGenerator(points, clusters, { initialization, maxIterations: iterations })) {
    found = step;
    yield { done: step.iterations, total: iterations };
  }

  const means = found.centroids.map((mean) => Float64Array.from(mean));
  const nearest = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    nearest[i] = nearestOf(rows, i * columns, means);
    if (i % 4096 === 4095) yield { done: i + 1, total: n };
  }
  const held = new Set(nearest);
  const kept = means.map((_, k) => k).filter((k) => held.has(k));
  const place = new Map(kept.map((k, c) => [k, c]));
  const centroids = new Float64Array(kept.length * columns);
  kept.forEach((k, c) => {
    centroids.set(means[k], c * columns);
  });
  return {
    clusters: kept.length,
    centroids,
    of: nearest.map((k) => place.get(k)!),
    converged: found.converged,
  };
}

/** k-means++: each next seed is drawn with chances that follow the squared distance to the nearest one so far. */
function* seeds(points: readonly number[][], clusters: number, random: Random): Steps<number[][]> {
  const chosen = [random.choice(points)];
  const apart = Float64Array.from(points, (point) => squaredDistance(point, chosen[0]));
  while (chosen.length < clusters) {
    let left = random.uniform() * apart.reduce((sum, d) => sum + d, 0);
    let next = -1;
    // Where all points are seeds already, the last one that is left over is any.
    for (let p = 0; p < points.length; p++) {
      if (apart[p] === 0) continue;
      next = p;
      left -= apart[p];
      if (left < 0) break;
    }
    const seed = next < 0 ? random.choice(points) : points[next];
    chosen.push(seed);
    for (let p = 0; p < points.length; p++) apart[p] = Math.min(apart[p], squaredDistance(points[p], seed));
    yield { done: chosen.length, total: clusters };
  }
  return chosen.map((point) => point.slice());
}

function nearestOf(rows: ArrayLike<number>, at: number, means: readonly Float64Array[]): number {
  let best = 0;
  let least = Infinity;
  for (let k = 0; k < means.length; k++) {
    const mean = means[k];
    let sum = 0;
    for (let c = 0; c < mean.length && sum < least; c++) sum += (rows[at + c] - mean[c]) ** 2;
    if (sum < least) {
      least = sum;
      best = k;
    }
  }
  return best;
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += (a[c] - b[c]) ** 2;
  return sum;
}

/** Euclidean distance of every two means, shape [clusters · clusters]. */
export function centroidDistances({ clusters, centroids }: Pick<KMeans, 'clusters' | 'centroids'>): Float64Array {
  const columns = centroids.length / clusters;
  const row = (k: number) => centroids.subarray(k * columns, (k + 1) * columns);
  const distances = new Float64Array(clusters * clusters);
  for (let i = 0; i < clusters; i++) {
    for (let j = 0; j < i; j++) {
      distances[i * clusters + j] = distances[j * clusters + i] = Math.sqrt(squaredDistance(row(i), row(j)));
    }
  }
  return distances;
}
