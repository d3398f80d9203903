/** @file Importance weights of examples described by counts in buckets (DSIR, arXiv:2302.03169): how much likelier a target made them. */

import { InputError } from '../../core/errors.ts';

/** Counts of buckets, with which a distribution over them is estimated. */
export class BucketCounts {
  readonly counts: Float64Array;
  total = 0;

  constructor(buckets: number) {
    this.counts = new Float64Array(buckets);
  }

  /** Adds one for each bucket named. */
  add(buckets: ArrayLike<number>): void {
    for (let i = 0; i < buckets.length; i++) this.counts[buckets[i]]++;
    this.total += buckets.length;
  }
}

/**
 * log p_target(b) − log p_raw(b) of each bucket, shape [buckets]; every bucket counts `smoothing` more than it was seen.
 * @throws InputError if either saw nothing, or they have not as many buckets.
 */
export function logRatios(target: BucketCounts, raw: BucketCounts, smoothing = 1): Float64Array {
  const buckets = target.counts.length;
  if (raw.counts.length !== buckets)
    throw new InputError(`${buckets} buckets and ${raw.counts.length} are not the same`);
  if (target.total === 0) throw new InputError('the target has nothing to be counted');
  if (raw.total === 0) throw new InputError('the pool has nothing to be counted');
  const log = ({ counts, total }: BucketCounts, b: number) =>
    Math.log((counts[b] + smoothing) / (total + smoothing * buckets));
  return Float64Array.from({ length: buckets }, (_, b) => log(target, b) - log(raw, b));
}

/** log p_target(z) / p_raw(z) of an example: the sum over its buckets. */
export function logImportance(buckets: ArrayLike<number>, ratios: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < buckets.length; i++) sum += ratios[buckets[i]];
  return sum;
}

/** Edges between bins of about equal numbers of values, ascending, without repeats; at most bins − 1. */
export function quantileEdges(values: Float64Array, bins: number): Float64Array {
  const sorted = values.slice().sort();
  const edges = new Set<number>();
  for (let b = 1; b < bins; b++) edges.add(sorted[Math.min(sorted.length - 1, Math.floor((b * sorted.length) / bins))]);
  return Float64Array.from(edges);
}

/** The bin of a value: how many edges are not above it. */
export function binOf(value: number, edges: Float64Array): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
