/** @file The cubic sparsity schedule of gradual pruning. */

/**
 * Sparsities to reach after each of `steps` steps, shape [steps]: κ_t = κ (1 − (1 − t/T)³), the last one κ itself
 * (arXiv:1710.01878, equation 1, from a dense start).
 */
export function cubicSparsity(sparsity: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => sparsity * (1 - (1 - (i + 1) / steps) ** 3));
}
