/**
 * @file Similarity graphs over the instances of a batch: by distance, or by random-projection codes, and the batches themselves.
 * A graph of b nodes is a matrix of bytes [b · b]: 1 at [i · b + j] where there is an edge from j to i, and on the diagonal.
 */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { hamming } from '../hashing/random-projection.ts';

/**
 * Batches in which each class has its share, give or take one: each class is shuffled and dealt out in turn, one counter
 * running on from class to class. There are max(1, round(n / batchSize)) batches.
 * @param labels class of each instance, shape [n].
 * @returns places in `labels`, ascending within a batch.
 * @throws ParameterError if batchSize is below 2.
 */
export function stratifiedBatches(
  labels: ArrayLike<number>,
  classes: number,
  batchSize: number,
  random: Random,
): Uint32Array[] {
  checkBatchSize(batchSize);
  const n = labels.length;
  const batches = Array.from({ length: Math.max(1, Math.round(n / batchSize)) }, (): number[] => []);
  const members = Array.from({ length: classes }, (): number[] => []);
  for (let i = 0; i < n; i++) members[labels[i]].push(i);
  let dealt = 0;
  for (const each of members) {
    for (const i of random.shuffle(each)) batches[dealt++ % batches.length].push(i);
  }
  return batches.map((batch) => Uint32Array.from(batch).sort());
}

/**
 * Batches that keep buckets together: instances in the order of their codes, those of one code shuffled, cut into
 * max(1, round(n / batchSize)) runs. A bucket larger than a batch falls into random parts, so that the pairs within batches are
 * fewer than n · batchSize however full a bucket is.
 * @param codes shape [n].
 * @returns places in `codes`, ascending within a batch.
 */
export function bucketBatches(codes: Uint32Array, batchSize: number, random: Random): Uint32Array[] {
  checkBatchSize(batchSize);
  const n = codes.length;
  const drawn = random.permutation(n);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((i, j) => codes[i] - codes[j] || drawn[i] - drawn[j]);
  const count = Math.max(1, Math.round(n / batchSize));
  return Array.from({ length: count }, (_, m) =>
    order.slice(Math.floor((m * n) / count), Math.floor(((m + 1) * n) / count)).sort(),
  );
}

function checkBatchSize(batchSize: number): void {
  if (!(Number.isSafeInteger(batchSize) && batchSize >= 2)) {
    throw new ParameterError(`batches have 2 or more instances, not ${batchSize}`);
  }
}

/** S = 1 / (1 + ‖x_i − x_j‖) of each pair i < j, the pairs of instance 0 first; shape [b (b − 1) / 2]. */
export function pairSimilarities(rows: ArrayLike<number>, columns: number): Float64Array {
  const b = rows.length / columns;
  const similarities = new Float64Array((b * (b - 1)) / 2);
  for (let i = 0, p = 0; i < b; i++) {
    for (let j = i + 1; j < b; j++) {
      similarities[p++] = 1 / (1 + Math.sqrt(squareBetween(rows, columns, i, j)));
    }
  }
  return similarities;
}

function squareBetween(rows: ArrayLike<number>, columns: number, i: number, j: number): number {
  let square = 0;
  for (let c = 0, p = i * columns, q = j * columns; c < columns; c++) {
    const difference = rows[p + c] - rows[q + c];
    square += difference * difference;
  }
  return square;
}

/**
 * The q-quantile of all entries of S off the diagonal, each pair counted twice as in the matrix, interpolated linearly.
 * @throws ParameterError if q is outside [0, 1).
 */
export function offDiagonalQuantile(similarities: Float64Array, q: number): number {
  if (!(q >= 0 && q < 1)) throw new ParameterError(`q = ${q} is outside 0 to below 1`);
  if (similarities.length === 0) return 1;
  const sorted = similarities.slice().sort();
  const at = q * (2 * sorted.length - 1);
  const below = sorted[Math.floor(at) >> 1];
  const above = sorted[Math.ceil(at) >> 1];
  return below + (at - Math.floor(at)) * (above - below);
}

/**
 * Joins the pairs whose similarity is above (strictly) the q-quantile off the diagonal; undirected.
 * @param rows shape [b · columns].
 */
export function distanceGraph(rows: ArrayLike<number>, columns: number, q: number): Uint8Array {
  const b = rows.length / columns;
  const similarities = pairSimilarities(rows, columns);
  const cut = offDiagonalQuantile(similarities, q);
  const graph = loops(b);
  for (let i = 0, p = 0; i < b; i++) {
    for (let j = i + 1; j < b; j++) if (similarities[p++] > cut) graph[i * b + j] = graph[j * b + i] = 1;
  }
  return graph;
}

function loops(b: number): Uint8Array {
  const graph = new Uint8Array(b * b);
  for (let i = 0; i < b; i++) graph[i * b + i] = 1;
  return graph;
}

/** How codes make a graph. */
export interface HashGraphOptions {
  /** Bits of a code. */
  readonly bits: number;
  /** Similarity that an edge needs. */
  readonly threshold: number;
  /** Neighbours that a node listens to at the most: the nearest by distance, the lower index first among equals. */
  readonly maxNeighbours: number;
}

/**
 * One code an instance: a pair whose codes differ in `most` bits or fewer is a candidate, its similarity is 1 − Hamming / bits,
 * and it is joined where that reaches the threshold. With `most` 0 the candidates are the pairs of one bucket.
 * @param codes shape [b].
 * @param rows shape [b · columns], for the distances that say which neighbours stay.
 */
export function hashGraph(
  codes: Uint32Array,
  rows: ArrayLike<number>,
  columns: number,
  { most = 0, ...options }: HashGraphOptions & { readonly most?: number },
): Uint8Array {
  const similar = (i: number, j: number) => {
    const apart = hamming(codes[i], codes[j]);
    return apart <= most && 1 - apart / options.bits >= options.threshold;
  };
  return joined(rows, columns, options.maxNeighbours, similar);
}

/**
 * Levels from coarse to fine, a level of K bits being the first K bits of the code: an edge weighs as much as the levels on which
 * the pair shares a bucket, a level of K bits K, divided by the sum of all; it stays where that is above the threshold.
 * @param levels ascending, the last at most `bits`.
 * @throws ParameterError if the levels do not ascend from 1 or more to at most `bits`.
 */
export function multiLevelGraph(
  codes: Uint32Array,
  rows: ArrayLike<number>,
  columns: number,
  { levels, bits, threshold, maxNeighbours }: HashGraphOptions & { readonly levels: readonly number[] },
): Uint8Array {
  if (levels.length === 0 || levels.some((k, l) => !(k > (levels[l - 1] ?? 0) && k <= bits))) {
    throw new ParameterError(`levels ${levels.join(', ')} do not ascend from 1 or more to the ${bits} bits of a code`);
  }
  const total = levels.reduce((sum, k) => sum + k, 0);
  const similar = (i: number, j: number) => {
    const apart = codes[i] ^ codes[j];
    // Bits that agree before the first that does not.
    const shared = Math.clz32(apart) - (32 - bits);
    let weight = 0;
    for (const k of levels) if (k <= shared) weight += k;
    return weight > 0 && weight / total > threshold;
  };
  return joined(rows, columns, maxNeighbours, similar);
}

/**
 * Several independent codes an instance: the similarity of a pair is the mean over the views of 1 − Hamming / bits, and it is joined
 * where that reaches the threshold.
 */
export function multiViewGraph(
  views: readonly Uint32Array[],
  rows: ArrayLike<number>,
  columns: number,
  { bits, threshold, maxNeighbours }: HashGraphOptions,
): Uint8Array {
  const similar = (i: number, j: number) => {
    let apart = 0;
    for (const codes of views) apart += hamming(codes[i], codes[j]);
    return 1 - apart / (bits * views.length) >= threshold;
  };
  return joined(rows, columns, maxNeighbours, similar);
}

/** Edges of similar pairs, each node keeping its nearest neighbours; directed where one of a pair keeps the other and not back. */
function joined(
  rows: ArrayLike<number>,
  columns: number,
  maxNeighbours: number,
  similar: (i: number, j: number) => boolean,
): Uint8Array {
  if (!(maxNeighbours >= 1)) throw new ParameterError(`maxNeighbours = ${maxNeighbours} is below 1`);
  const b = rows.length / columns;
  if (!Number.isInteger(b)) throw new InputError(`${rows.length} numbers are no rows of ${columns} columns`);
  const candidates = Array.from({ length: b }, (): number[] => []);
  for (let i = 0; i < b; i++) {
    for (let j = i + 1; j < b; j++) {
      if (!similar(i, j)) continue;
      candidates[i].push(j);
      candidates[j].push(i);
    }
  }
  const graph = loops(b);
  candidates.forEach((others, i) => {
    if (others.length > maxNeighbours) {
      const squares = new Map(others.map((j) => [j, squareBetween(rows, columns, i, j)]));
      others.sort((j, k) => squares.get(j)! - squares.get(k)! || j - k).length = maxNeighbours;
    }
    for (const j of others) graph[i * b + j] = 1;
  });
  return graph;
}

/** Drops each joined pair with a probability, both directions together, in place; loops stay. */
export function dropEdges(graph: Uint8Array, rate: number, random: Random): void {
  if (!(rate >= 0 && rate < 1)) throw new ParameterError(`a share of ${rate} dropped edges is outside 0 to below 1`);
  if (rate === 0) return;
  const b = Math.sqrt(graph.length);
  for (let i = 0; i < b; i++) {
    for (let j = i + 1; j < b; j++) {
      if (graph[i * b + j] + graph[j * b + i] > 0 && random.uniform() < rate) graph[i * b + j] = graph[j * b + i] = 0;
    }
  }
}
