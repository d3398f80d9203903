/** @file The norm of a weight's gradients over sequences, and the scores that GBLM-Pruner (arXiv:2311.04902) makes of it. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { checkSizes } from './wanda.ts';

/** What has been added up of a matrix's gradients, one sequence at a time. */
export interface GradientSum {
  readonly norm: 'l1' | 'l2';
  /** What each gradient is multiplied by before it is added. */
  readonly alpha: number;
  /** Σ |α G_k| or Σ (α G_k)², shape [weights]. */
  readonly sums: Float32Array;
}

/**
 * An empty sum of gradients for a matrix of so many weights.
 * @throws ParameterError if alpha is below 0 or not finite.
 */
export function gradientSum(weights: number, norm: 'l1' | 'l2', alpha: number): GradientSum {
  if (!(alpha >= 0 && alpha < Infinity))
    throw new ParameterError(`alpha = ${alpha} is not a finite number of 0 or more`);
  return { norm, alpha, sums: new Float32Array(weights) };
}

/**
 * Adds the gradient of one sequence's loss. The gradient of a mean over sequences is not the same: there, signs cancel.
 * @param gradient G_k, shape [weights].
 * @throws InputError for a gradient of another size or with an entry that is not finite.
 */
export function addGradient({ norm, alpha, sums }: GradientSum, gradient: ArrayLike<number>): void {
  if (gradient.length !== sums.length) {
    throw new InputError(`there are ${gradient.length} gradients for ${sums.length} weights`);
  }
  for (let i = 0; i < sums.length; i++) {
    const g = alpha * gradient[i];
    if (!Number.isFinite(g)) throw new InputError(`the gradient of weight ${i} is ${gradient[i]}; it must be finite`);
    sums[i] += norm === 'l1' ? Math.abs(g) : g * g;
  }
}

/** H = Σ |α G_k|, or √(Σ (α G_k)²), shape [weights]; not divided by the number of sequences. */
export function gradientNorm({ norm, sums }: GradientSum): Float32Array {
  return norm === 'l1' ? sums.slice() : sums.map(Math.sqrt);
}

/**
 * The alpha at which the gradient's term weighs as much as the input's: mean of x over mean of H at alpha 1, over all weights
 * of all matrices; 0 where all gradients are 0.
 * @param matrices x: shape [columns]; h: H gathered with alpha 1, shape [rows, columns].
 */
export function balancedAlpha(
  matrices: Iterable<{ readonly x: ArrayLike<number>; readonly h: ArrayLike<number> }>,
): number {
  let inputs = 0;
  let gradients = 0;
  for (const { x, h } of matrices) {
    let sum = 0;
    for (let j = 0; j < x.length; j++) sum += x[j];
    if (x.length > 0) inputs += sum * (h.length / x.length);
    for (let i = 0; i < h.length; i++) gradients += h[i];
  }
  return gradients === 0 ? 0 : inputs / gradients;
}

/**
 * GBLM: S_ij = |W_ij| · x_j + |W_ij| · α · H_ij, shape [rows, columns].
 * @param weight shape [rows, columns], row after row.
 * @param x `inputNorm`, shape [columns].
 * @param h `gradientNorm`, shape [rows, columns].
 * @param alpha 1 where H was gathered with its alpha.
 * @throws InputError if the sizes do not agree.
 */
export function gblmScores(
  weight: Float32Array,
  rows: number,
  columns: number,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
  alpha = 1,
): Float32Array {
  checkSizes(weight, rows, columns, x);
  checkGradients(weight, h);
  const scores = new Float32Array(weight.length);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++, i++) scores[i] = Math.abs(weight[i]) * (x[j] + alpha * h[i]);
  }
  return scores;
}

/** Gradient only: S_ij = |W_ij| · H_ij, shape [weights]. */
export function gradientScores(weight: Float32Array, h: ArrayLike<number>): Float32Array {
  checkGradients(weight, h);
  return weight.map((w, i) => Math.abs(w) * h[i]);
}

/**
 * The inverse, an ablation: S_ij = |W_ij| · x_j / (H_ij + small), shape [rows, columns].
 * @throws InputError if the sizes do not agree; ParameterError if `small` is not above 0.
 */
export function gradientInverseScores(
  weight: Float32Array,
  rows: number,
  columns: number,
  x: ArrayLike<number>,
  h: ArrayLike<number>,
  small = 1e-8,
): Float32Array {
  if (!(small > 0)) throw new ParameterError(`small = ${small} is not above 0`);
  checkSizes(weight, rows, columns, x);
  checkGradients(weight, h);
  const scores = new Float32Array(weight.length);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let j = 0; j < columns; j++, i++) scores[i] = (Math.abs(weight[i]) * x[j]) / (h[i] + small);
  }
  return scores;
}

function checkGradients(weight: Float32Array, h: ArrayLike<number>): void {
  if (h.length !== weight.length) throw new InputError(`there are ${h.length} gradients for ${weight.length} weights`);
}
