/** @file The leading singular triplets of a large sparse matrix, by random projection. */

import { EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix';
import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { multiply, multiplyTransposed, type SparseMatrix } from './sparse-matrix.ts';

/** Singular values below this share of the largest are taken for rounding, and left out. */
const floor = 1e-6;

/** A ≈ U · diag(σ) · Vᵀ. */
export interface TruncatedSvd {
  /** k: what was asked for, or the numerical rank of A where that is lower. */
  readonly rank: number;
  /** Singular values, descending and above 0, shape [k]. */
  readonly sigma: Float64Array;
  /** Left singular vectors, shape [rows, k], row after row. */
  readonly u: Float64Array;
  /** Right singular vectors, shape [columns, k], row after row. */
  readonly v: Float64Array;
}

export interface TruncatedSvdOptions {
  /** Columns of the random projection beyond the rank. */
  oversampling?: number;
  powerSteps?: number;
  /** Awaited between products, so that a long decomposition can be stopped. */
  pause?: () => Promise<void>;
}

const nothing: TruncatedSvd = {
  rank: 0,
  sigma: new Float64Array(0),
  u: new Float64Array(0),
  v: new Float64Array(0),
};

/**
 * The `rank` largest singular values of a sparse matrix and their vectors, approximately: an orthonormal basis of A·Ω for
 * a Gaussian Ω with `oversampling` extra columns, refined by `powerSteps` multiplications with AAᵀ, then the exact
 * decomposition of A within that basis. Signs are fixed: the entry of the largest magnitude of each left vector (the
 * first such) is positive. The same random stream gives the same bits.
 * @throws ParameterError if the rank is not a whole number of 1 or more.
 * Source: Halko, Martinsson & Tropp 2011 (arXiv:0909.4061), algorithms 4.4 and 5.1.
 */
export async function truncatedSvd(
  a: SparseMatrix,
  rank: number,
  random: Random,
  { oversampling = 10, powerSteps = 2, pause = async () => {} }: TruncatedSvdOptions = {},
): Promise<TruncatedSvd> {
  if (!(Number.isSafeInteger(rank) && rank >= 1)) throw new ParameterError(`rank = ${rank} is not 1 or more`);
  const width = Math.min(rank + oversampling, a.rows, a.columns);
  if (width === 0) return nothing;
  const omega = Float64Array.from({ length: a.columns * width }, () => random.normal());
  let q = whiten(multiply(a, omega, width), width);
  if (q.width === 0) return nothing;
  for (let step = 0; step < powerSteps; step++) {
    await pause();
    const back = whiten(multiplyTransposed(a, q.basis, q.width), q.width);
    await pause();
    q = whiten(multiply(a, back.basis, back.width), back.width);
  }
  await pause();
  q = whiten(q.basis, q.width);
  // QᵀA = Rᵀ · Q₂ᵀ, so that its singular vectors are those of the small square Rᵀ, carried back by Q and Q₂.
  const q2 = orthonormal(multiplyTransposed(a, q.basis, q.width), q.width);
  const small = new SingularValueDecomposition(q2.triangle.transpose(), { autoTranspose: true });
  const sigma = Float64Array.from(small.diagonal.slice(0, rank)).filter((value) => value > floor * small.diagonal[0]);
  const u = times(q.basis, q.width, small.leftSingularVectors, sigma.length);
  const v = times(q2.basis, q2.width, small.rightSingularVectors, sigma.length);
  fixSigns(u, v, sigma.length);
  return { rank: sigma.length, sigma, u, v };
}

interface Orthonormal {
  readonly basis: Float64Array;
  readonly width: number;
  /** Y = basis · triangle (square, though not triangular), shape [width, columns of Y]. */
  readonly triangle: Matrix;
}

/** A basis orthonormal to the last bits: the second pass removes the rounding of the first (Yamamoto et al. 2015). */
function orthonormal(y: Float64Array, width: number): Orthonormal {
  const once = whiten(y, width);
  const twice = whiten(once.basis, once.width);
  return { ...twice, triangle: twice.triangle.mmul(once.triangle) };
}

/**
 * An orthonormal basis of the columns of Y, shape [rows, width] row after row, from the eigenvectors of the small Gram
 * matrix YᵀY; columns that depend on others are dropped. A Householder QR of so tall a matrix costs ten times as much.
 */
function whiten(y: Float64Array, width: number): Orthonormal {
  const gram = new EigenvalueDecomposition(gramOf(y, width), { assumeSymmetric: true });
  const eigenvalues = gram.realEigenvalues;
  const largest = Math.max(...eigenvalues);
  const kept = eigenvalues.flatMap((value, i) => (value > floor ** 2 * largest ? [i] : []));
  if (kept.length === 0) return { basis: new Float64Array(0), width: 0, triangle: Matrix.zeros(0, width) };
  // Y · V_kept · Λ^(−1/2) has orthonormal columns, and Y = (…) · Λ^(1/2) · V_keptᵀ.
  const vectors = gram.eigenvectorMatrix;
  const scaled = (power: number) =>
    new Matrix(Array.from({ length: width }, (_, r) => kept.map((c) => vectors.get(r, c) * eigenvalues[c] ** power)));
  return {
    basis: times(y, width, scaled(-0.5), kept.length),
    width: kept.length,
    triangle: scaled(0.5).transpose(),
  };
}

/** YᵀY, shape [width, width]. */
function gramOf(y: Float64Array, width: number): Matrix {
  const gram = new Float64Array(width * width);
  // Four rows at a time: each sum is read and written once for four products.
  const whole = y.length - (y.length % (4 * width));
  for (let row = 0; row < whole; row += 4 * width) {
    const r1 = row + width;
    const r2 = r1 + width;
    const r3 = r2 + width;
    for (let i = 0; i < width; i++) {
      const y0 = y[row + i];
      const y1 = y[r1 + i];
      const y2 = y[r2 + i];
      const y3 = y[r3 + i];
      for (let j = i; j < width; j++) {
        gram[i * width + j] += y0 * y[row + j] + y1 * y[r1 + j] + y2 * y[r2 + j] + y3 * y[r3 + j];
      }
    }
  }
  for (let row = whole; row < y.length; row += width) {
    for (let i = 0; i < width; i++) {
      for (let j = i; j < width; j++) gram[i * width + j] += y[row + i] * y[row + j];
    }
  }
  const square = Matrix.zeros(width, width);
  for (let i = 0; i < width; i++) {
    for (let j = i; j < width; j++) {
      square.set(i, j, gram[i * width + j]);
      square.set(j, i, gram[i * width + j]);
    }
  }
  return square;
}

/** Y · M for the first `columns` columns of a small M; Y has shape [rows, width], the result [rows, columns]. */
function times(y: Float64Array, width: number, m: Matrix, columns: number): Float64Array {
  const rows = width === 0 ? 0 : y.length / width;
  const padded = width + 3;
  const flat = new Float64Array(padded * columns);
  for (let k = 0; k < width; k++) for (let j = 0; j < columns; j++) flat[k * columns + j] = m.get(k, j);
  const row = new Float64Array(padded);
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    row.set(y.subarray(i * width, (i + 1) * width));
    const to = i * columns;
    for (let k = 0; k < width; k += 4) {
      const f0 = k * columns;
      const f1 = f0 + columns;
      const f2 = f1 + columns;
      const f3 = f2 + columns;
      const y0 = row[k];
      const y1 = row[k + 1];
      const y2 = row[k + 2];
      const y3 = row[k + 3];
      for (let j = 0; j < columns; j++) {
        result[to + j] += y0 * flat[f0 + j] + y1 * flat[f1 + j] + y2 * flat[f2 + j] + y3 * flat[f3 + j];
      }
    }
  }
  return result;
}

function fixSigns(u: Float64Array, v: Float64Array, rank: number): void {
  for (let k = 0; k < rank; k++) {
    let peak = 0;
    for (let e = k; e < u.length; e += rank) if (Math.abs(u[e]) > Math.abs(peak)) peak = u[e];
    if (peak > 0) continue;
    for (let e = k; e < u.length; e += rank) u[e] = -u[e];
    for (let e = k; e < v.length; e += rank) v[e] = -v[e];
  }
}
