/** @file Sequential minimal optimisation: the dual of a two-class support vector machine. */

import type { Steps } from '../../core/steps.ts';

/** Bytes of kernel rows that are kept. */
const cacheBytes = 2 ** 28;

/** Kernel values of row i with all rows, written to `out`. */
export type KernelRow = (i: number, out: Float64Array) => void;

/**
 * Maximises Σ αᵢ − ½ Σ αᵢ αⱼ yᵢ yⱼ K(i, j) with 0 ≤ α ≤ C and Σ αᵢ yᵢ = 0, two multipliers at a time, chosen by second-order
 * information (Fan, Chen & Lin 2005).
 * @param diagonal K(i, i), shape [n].
 * @param sides yᵢ, 1 or −1, shape [n].
 * @param tolerance by how much the conditions of the optimum may be missed.
 * @returns αᵢ yᵢ, shape [n], and the intercept.
 */
export function* sequentialMinimal(
  row: KernelRow,
  diagonal: Float64Array,
  sides: Float64Array,
  cost: number,
  tolerance: number,
): Steps<{ coefficients: Float64Array; intercept: number }> {
  const n = sides.length;
  const kernel = cached(row, n);
  const alpha = new Float64Array(n);
  const gradient = new Float64Array(n).fill(-1); // of the dual, negated
  const mayRise = (t: number) => (sides[t] > 0 ? alpha[t] < cost : alpha[t] > 0);
  const mayFall = (t: number) => (sides[t] > 0 ? alpha[t] > 0 : alpha[t] < cost);
  const most = Math.max(10_000_000, 100 * n);
  for (let iteration = 0; iteration < most; iteration++) {
    let i = -1;
    let highest = -Infinity;
    for (let t = 0; t < n; t++) {
      if (mayRise(t) && -sides[t] * gradient[t] > highest) {
        highest = -sides[t] * gradient[t];
        i = t;
      }
    }
    if (i < 0) break;
    const own = kernel(i);
    let j = -1;
    let lowest = Infinity;
    let best = Infinity;
    for (let t = 0; t < n; t++) {
      if (!mayFall(t)) continue;
      const value = -sides[t] * gradient[t];
      if (value < lowest) lowest = value;
      const difference = highest - value;
      if (difference <= 0) continue;
      const bend = Math.max(1e-12, diagonal[i] + diagonal[t] - 2 * own[t]);
      const gain = -(difference * difference) / bend;
      if (gain < best) {
        best = gain;
        j = t;
      }
    }
    if (highest - lowest < tolerance || j < 0) break;
    const other = kernel(j);
    // αᵢ yᵢ rises and αⱼ yⱼ falls by as much, as far as both may.
    const bend = Math.max(1e-12, diagonal[i] + diagonal[j] - 2 * own[j]);
    let step = (highest + sides[j] * gradient[j]) / bend;
    const roomOfI = sides[i] > 0 ? cost - alpha[i] : alpha[i];
    const roomOfJ = sides[j] > 0 ? alpha[j] : cost - alpha[j];
    step = Math.min(step, roomOfI, roomOfJ);
    alpha[i] = step === roomOfI ? (sides[i] > 0 ? cost : 0) : alpha[i] + sides[i] * step;
    alpha[j] = step === roomOfJ ? (sides[j] > 0 ? 0 : cost) : alpha[j] - sides[j] * step;
    for (let t = 0; t < n; t++) gradient[t] += step * sides[t] * (own[t] - other[t]);
    if (iteration % 64 === 63) yield { done: iteration + 1 };
  }
  return { coefficients: alpha.map((a, t) => a * sides[t]), intercept: interceptOf(alpha, gradient, sides, cost) };
}

/** The mean over multipliers inside of their bounds, or the middle of what the others allow. */
function interceptOf(alpha: Float64Array, gradient: Float64Array, sides: Float64Array, cost: number): number {
  let sum = 0;
  let free = 0;
  let low = -Infinity;
  let high = Infinity;
  for (let t = 0; t < alpha.length; t++) {
    const value = -sides[t] * gradient[t];
    if (alpha[t] > 0 && alpha[t] < cost) {
      sum += value;
      free++;
    } else if ((alpha[t] === 0) === sides[t] > 0) low = Math.max(low, value);
    else high = Math.min(high, value);
  }
  if (free > 0) return sum / free;
  return Number.isFinite(low) && Number.isFinite(high) ? (low + high) / 2 : Number.isFinite(low) ? low : high;
}

/** Kernel rows, those used last kept. */
function cached(row: KernelRow, n: number): (i: number) => Float64Array {
  const kept = new Map<number, Float64Array>();
  const most = Math.max(2, Math.floor(cacheBytes / (8 * n)));
  return (i) => {
    let own = kept.get(i);
    if (own) kept.delete(i);
    else {
      if (kept.size < most) own = new Float64Array(n);
      else {
        const [oldest, memory] = kept.entries().next().value!;
        kept.delete(oldest);
        own = memory;
      }
      row(i, own);
    }
    kept.set(i, own);
    return own;
  };
}
