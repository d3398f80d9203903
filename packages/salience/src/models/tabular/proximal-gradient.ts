/** @file Proximal gradient steps with momentum: minimise a smooth function plus weighted absolute values. */

import type { Steps } from '../../core/steps.ts';

export interface ProximalOptions {
  /** Ends when no step divided by its length is larger. */
  readonly tolerance: number;
  readonly iterations: number;
}

/**
 * The place where f(x) + Σ penalty · |x| is least, by FISTA (Beck & Teboulle 2009) with backtracking, beginning anew where momentum
 * points uphill (O'Donoghue & Candès, arXiv:1204.3982). Entries at 0 are exactly 0.
 * @param evaluate writes the gradient of f at x and returns f.
 * @param x where to begin; it is moved to the place found.
 * @param penalty at least 0, shape of x.
 */
export function* proximalGradient(
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
  x: Float64Array,
  penalty: Float64Array,
  { tolerance, iterations }: ProximalOptions,
): Steps<void> {
  const m = x.length;
  const ahead = x.slice();
  const gradient = new Float64Array(m);
  const unused = new Float64Array(m);
  const next = new Float64Array(m);
  let steepness = 1;
  let momentum = 1;
  for (let iteration = 0; iteration < iterations; iteration++) {
    const value = evaluate(ahead, gradient);
    for (let doublings = 0; doublings < 100; doublings++, steepness *= 2) {
      let bound = value;
      for (let i = 0; i < m; i++) {
        next[i] = shrunk(ahead[i] - gradient[i] / steepness, penalty[i] / steepness);
        const step = next[i] - ahead[i];
        bound += step * gradient[i] + (steepness / 2) * step * step;
      }
      if (evaluate(next, unused) <= bound + 1e-14 * Math.abs(value)) break;
    }
    let uphill = 0;
    let largest = 0;
    for (let i = 0; i < m; i++) {
      uphill += (ahead[i] - next[i]) * (next[i] - x[i]);
      largest = Math.max(largest, Math.abs(next[i] - ahead[i]) * steepness);
    }
    if (uphill > 0) momentum = 1;
    const after = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const carried = uphill > 0 ? 0 : (momentum - 1) / after;
    for (let i = 0; i < m; i++) ahead[i] = next[i] + carried * (next[i] - x[i]);
    momentum = after;
    x.set(next);
    yield { done: iteration + 1 };
    if (largest <= tolerance) return;
  }
}

/** The soft threshold: value moved towards 0 by `by`, and no further. */
function shrunk(value: number, by: number): number {
  return value > by ? value - by : value < -by ? value + by : 0;
}
