/** @file The nearest vectors by cosine, above a threshold: exact, by comparing all with all. */

import quickselect from 'quickselect';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { IndexLists } from '../index-lists.ts';

export interface CosineNeighboursOptions {
  /** How many neighbours a vector has at the most. */
  limit: number;
  /** The lowest cosine of a neighbour; what rounding to single precision may have taken (10⁻⁶) is forgiven. */
  atLeast: number;
  /** Only the first so many vectors get neighbours and are neighbours; the others compete for the ranks. All by default. */
  among?: number;
  /** Awaited now and then with the number of vectors done, so that a long search can be followed and stopped. */
  pause?: (done: number) => Promise<void>;
}

/** The neighbours found for one vector: indices ascending, and their cosines. */
interface Found {
  readonly at: Uint32Array;
  readonly cosine: Float64Array;
  count: number;
}

/**
 * For each of the first `among` vectors its nearest others: the `limit` of highest cosine among all n, the lower index first
 * among equals, and of these the ones below `among` with a cosine of `atLeast` or more. Lists are in ascending order.
 * @param vectors shape [n, dimensions], row after row.
 * @throws InputError if a vector is zero or not finite; ParameterError if an option is out of range.
 */
export async function cosineNeighbours(
  vectors: Float32Array,
  dimensions: number,
  { limit, atLeast, among = vectors.length / dimensions, pause }: CosineNeighboursOptions,
): Promise<IndexLists> {
  const n = vectors.length / dimensions;
  if (!(Number.isSafeInteger(limit) && limit >= 0)) throw new ParameterError(`limit = ${limit} is not 0 or more`);
  if (!(atLeast >= -1 && atLeast <= 1)) throw new ParameterError(`a cosine of at least ${atLeast} is outside -1 to 1`);
  if (!(Number.isInteger(among) && among >= 0 && among <= n)) {
    throw new ParameterError(`among = ${among} is outside 0 to the ${n} vectors`);
  }
  const threshold = atLeast - 1e-6;
  const units = unitVectors(vectors, dimensions);
  const within = mostWithin(units, dimensions, threshold);
  const offsets = new Uint32Array(among + 1);
  let indices = new Uint32Array(1024);
  // Four vectors are compared with all others in one pass.
  const found = Array.from(
    { length: 4 },
    (): Found => ({ at: new Uint32Array(n), cosine: new Float64Array(n), count: 0 }),
  );
  for (let block = 0; block < among; block += 4) {
    const rows = Math.min(4, among - block);
    let field = among;
    for (let r = 0; r < rows; r++) if (within(block + r) > limit) field = n;
    compare(units, dimensions, block, rows, field, threshold, found);
    for (let r = 0; r < rows; r++) {
      const nearest = nearestOf(found[r], limit).filter((j) => j < among);
      const end = offsets[block + r] + nearest.length;
      if (end > indices.length) {
        const wider = new Uint32Array(Math.max(end, indices.length * 2));
        wider.set(indices);
        indices = wider;
      }
      indices.set(nearest, offsets[block + r]);
      offsets[block + r + 1] = end;
    }
    if ((block + rows) % 256 === 0) await pause?.(block + rows);
  }
  return { offsets, indices: indices.slice(0, offsets[among]) };
}

/** Collects for up to 4 vectors from `block` on which of the first `field` vectors reach the threshold. */
function compare(
  units: Float32Array,
  dimensions: number,
  block: number,
  rows: number,
  field: number,
  threshold: number,
  found: readonly Found[],
): void {
  const [f0, f1, f2, f3] = found;
  for (const list of found) list.count = 0;
  const last = block + rows - 1;
  const p0 = block * dimensions;
  const p1 = Math.min(block + 1, last) * dimensions;
  const p2 = Math.min(block + 2, last) * dimensions;
  const p3 = last * dimensions;
  for (let j = 0; j < field; j += 2) {
    // Two at a time, as each number read is then used more often; an odd last one is its own partner.
    const partner = Math.min(j + 1, field - 1);
    const q = j * dimensions;
    const r = partner * dimensions;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let t0 = 0;
    let t1 = 0;
    let t2 = 0;
    let t3 = 0;
    for (let k = 0; k < dimensions; k++) {
      const v = units[q + k];
      const w = units[r + k];
      const u0 = units[p0 + k];
      const u1 = units[p1 + k];
      const u2 = units[p2 + k];
      const u3 = units[p3 + k];
      s0 += u0 * v;
      s1 += u1 * v;
      s2 += u2 * v;
      s3 += u3 * v;
      t0 += u0 * w;
      t1 += u1 * w;
      t2 += u2 * w;
      t3 += u3 * w;
    }
    if (s0 >= threshold && j !== block) add(f0, j, s0);
    if (s1 >= threshold && j !== block + 1) add(f1, j, s1);
    if (s2 >= threshold && j !== block + 2) add(f2, j, s2);
    if (s3 >= threshold && j !== block + 3) add(f3, j, s3);
    if (partner === j) continue;
    if (t0 >= threshold && partner !== block) add(f0, partner, t0);
    if (t1 >= threshold && partner !== block + 1) add(f1, partner, t1);
    if (t2 >= threshold && partner !== block + 2) add(f2, partner, t2);
    if (t3 >= threshold && partner !== block + 3) add(f3, partner, t3);
  }
}

function add(list: Found, at: number, cosine: number): void {
  list.at[list.count] = at;
  list.cosine[list.count++] = cosine;
}

/** The `limit` of highest cosine, the lower index first among equals, in ascending order of index. */
function nearestOf({ at, cosine, count }: Found, limit: number): Uint32Array {
  if (count <= limit) return at.slice(0, count);
  if (limit === 0) return new Uint32Array(0);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  quickselect(order as unknown as number[], limit - 1, 0, count - 1, (i, j) => cosine[j] - cosine[i] || i - j);
  return order
    .subarray(0, limit)
    .sort()
    .map((i) => at[i]);
}

/**
 * A bound on how many vectors can reach the threshold c with vector u: as Σ cos² = uᵀ (Σ v vᵀ) u over all v, no more than
 * 1/c² of that. Where it does not exceed the limit, no rank is contested and only possible neighbours need comparing.
 */
function mostWithin(units: Float32Array, dimensions: number, threshold: number): (u: number) => number {
  if (threshold <= 0) return () => Infinity;
  const gram = new Float64Array(dimensions * dimensions);
  for (let row = 0; row < units.length; row += dimensions) {
    for (let a = 0; a < dimensions; a++) {
      for (let b = 0; b < dimensions; b++) gram[a * dimensions + b] += units[row + a] * units[row + b];
    }
  }
  return (u) => {
    const row = u * dimensions;
    let sum = 0;
    for (let a = 0; a < dimensions; a++) {
      for (let b = 0; b < dimensions; b++) sum += units[row + a] * units[row + b] * gram[a * dimensions + b];
    }
    // The vector itself is one of them; the factor covers the rounding of the sum.
    return (1.00001 * sum - 1) / threshold ** 2;
  };
}

/** The vectors at length 1. */
function unitVectors(vectors: Float32Array, dimensions: number): Float32Array {
  const units = new Float32Array(vectors.length);
  for (let row = 0; row < vectors.length; row += dimensions) {
    let sum = 0;
    for (let k = 0; k < dimensions; k++) sum += vectors[row + k] ** 2;
    if (!(sum > 0 && sum < Infinity)) {
      throw new InputError(`vector ${row / dimensions} is ${sum === 0 ? 'zero' : 'not finite'}, and has no direction`);
    }
    const scale = 1 / Math.sqrt(sum);
    for (let k = 0; k < dimensions; k++) units[row + k] = vectors[row + k] * scale;
  }
  return units;
}
