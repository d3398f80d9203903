/**
 * @file Cosine similarity graphs of sparse rows: all pairs above a threshold, and all pairs as weights without forming them.
 * X is a sparse matrix with entries of 0 or more, columns ascending within a row, and rows of L2 norm 1 or 0.
 */

import { ParameterError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { multiply, multiplyTransposed, type SparseMatrix } from '../linear-algebra/sparse-matrix.ts';
import type { Graph } from './graph.ts';

/** An unweighted, undirected graph with a self-loop at every node. */
export interface ThresholdGraph extends Graph {
  /** How many pairs of different nodes are joined. */
  readonly pairs: number;
}

/** The cosine of rows i and j of X; 1 where i = j, also for a row of zeros. */
export function cosine({ offsets, indices, values }: SparseMatrix, i: number, j: number): number {
  if (i === j) return 1;
  let sum = 0;
  for (let p = offsets[i], q = offsets[j]; p < offsets[i + 1] && q < offsets[j + 1]; ) {
    const order = indices[p] - indices[q];
    if (order === 0) sum += values[p] * values[q];
    if (order <= 0) p++;
    if (order >= 0) q++;
  }
  return Math.min(1, sum);
}

/**
 * Joins the pairs of rows whose cosine is above t (strictly), exactly; every node keeps its self-loop. One triangle is held,
 * a row as the list of its earlier neighbours or, where more than an eighth of the earlier nodes are, as one bit for each.
 *
 * Each row walks the inverted index of the rows before it. All products being 0 or more, a sum passes t once, and that is
 * when the pair is recorded. (Leaving frequent terms out of the index under a Cauchy–Schwarz bound was slower on text at
 * t = 0.1 and 0.3: completing the candidates costs more than the postings it saves.)
 * @throws ParameterError if t is outside [0, 1).
 */
export function thresholdGraph(x: SparseMatrix, t: number): ThresholdGraph {
  return finish(thresholdGraphSteps(x, t));
}

/** `thresholdGraph` with a pause now and then. */
export function* thresholdGraphSteps(
  { rows: n, columns, offsets, indices, values }: SparseMatrix,
  t: number,
): Steps<ThresholdGraph> {
  if (!(t >= 0 && t < 1)) throw new ParameterError(`threshold = ${t} is outside 0 to below 1`);
  const earlier: Nodes[] = new Array(n);
  const degrees = new Float64Array(n).fill(1);
  let pairs = 0;

  // Postings of column c: rows and values at first[c] to end[c] − 1, filled as the rows go by.
  const first = new Uint32Array(columns + 1);
  for (const c of indices) first[c + 1]++;
  for (let c = 0; c < columns; c++) first[c + 1] += first[c];
  const end = first.slice(0, columns);
  const postedRow = new Uint32Array(indices.length);
  const postedValue = new Float64Array(indices.length);

  const sums = new Float64Array(n);
  const neighbours = new Uint32Array(n);
  for (let i = 0; i < n; i++) {
    if (i % 256 === 255) yield { done: i, total: n };
    let count = 0;
    for (let e = offsets[i]; e < offsets[i + 1]; e++) {
      const c = indices[e];
      const x = values[e];
      if (x === 0) continue;
      const last = end[c];
      for (let p = first[c]; p < last; p++) {
        const j = postedRow[p];
        const before = sums[j];
        const sum = before + x * postedValue[p];
        sums[j] = sum;
        if (sum > t && before <= t) neighbours[count++] = j;
      }
      postedRow[last] = i;
      postedValue[last] = x;
      end[c] = last + 1;
    }
    sums.fill(0, 0, i);
    for (let k = 0; k < count; k++) degrees[neighbours[k]]++;
    degrees[i] += count;
    pairs += count;
    earlier[i] = packed(neighbours.subarray(0, count), i);
  }
  return { n, outWeight: degrees, pairs, multiply: (x, y) => multiplyTriangle(earlier, x, y) };
}

/** A set of node numbers: as a list, or as bits, 32 to a word. */
type Nodes = Uint32Array | Int32Array;

/** Numbers below n as a copy of the list, or as bits where those take less than a quarter of the space: a list is walked faster. */
function packed(list: Uint32Array, n: number): Nodes {
  const words = (n + 31) >>> 5;
  if (list.length <= 4 * words) return list.slice();
  const bits = new Int32Array(words);
  for (const j of list) bits[j >>> 5] |= 1 << (j & 31);
  return bits;
}

/** y = Ax for the symmetric A whose rows left of the diagonal are given, with 1 on the diagonal. */
function multiplyTriangle(earlier: readonly Nodes[], x: Float64Array, y: Float64Array): void {
  y.set(x);
  for (let i = 0; i < earlier.length; i++) {
    const row = earlier[i];
    const own = x[i];
    let sum = 0;
    if (row instanceof Uint32Array) {
      for (let k = 0; k < row.length; k++) {
        const j = row[k];
        sum += x[j];
        y[j] += own;
      }
    } else {
      for (let w = 0; w < row.length; w++) {
        for (let bits = row[w]; bits !== 0; bits &= bits - 1) {
          const j = (w << 5) + 31 - Math.clz32(bits & -bits);
          sum += x[j];
          y[j] += own;
        }
      }
    }
    y[i] += sum;
  }
}

/**
 * The complete graph whose weights are the cosines C = XXᵀ, self-loops of 1 included. C is never formed: a product costs two
 * passes over the entries of X. A row of zeros has its self-loop alone.
 */
export function cosineGraph(x: SparseMatrix): Graph {
  const n = x.rows;
  const isZero = Uint8Array.from({ length: n }, (_, i) => {
    for (let e = x.offsets[i]; e < x.offsets[i + 1]; e++) if (x.values[e] > 0) return 0;
    return 1;
  });
  const product = (v: Float64Array) => {
    const y = multiply(x, multiplyTransposed(x, v, 1), 1);
    for (let i = 0; i < n; i++) if (isZero[i]) y[i] = v[i];
    return y;
  };
  return { n, outWeight: product(new Float64Array(n).fill(1)), multiply: (v, y) => y.set(product(v)) };
}
