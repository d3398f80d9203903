/** @file Sharing out an amount in given proportions under caps: what a capped share cannot take flows to the others. */

import { ParameterError } from '../../core/errors.ts';

/**
 * Shares x_l = min(C · p_l, cap_l) with the one scalar C for which Σ w_l · x_l = amount.
 * @param weights w, shape [n], 0 or more.
 * @param proportions p, shape [n], 0 or more; a share of proportion 0 stays 0.
 * @param caps shape [n], 0 or more.
 * @returns the shares, shape [n], and C (Infinity where all caps are reached exactly).
 * @throws ParameterError if the caps cannot take the amount, with the most they take.
 */
export function waterFill(
  weights: readonly number[],
  proportions: readonly number[],
  caps: readonly number[],
  amount: number,
): { shares: number[]; scale: number } {
  const open = weights.map((_, l) => l).filter((l) => proportions[l] > 0 && weights[l] > 0);
  const most = open.reduce((sum, l) => sum + weights[l] * caps[l], 0);
  if (amount > most * (1 + 1e-12))
    throw new ParameterError(`an amount of ${amount} is above the ${most} that the caps take`);
  // As C grows, caps are reached in the order of cap / p; between two of them the total is linear in C.
  open.sort((a, b) => caps[a] / proportions[a] - caps[b] / proportions[b]);
  let full = 0;
  let slope = open.reduce((sum, l) => sum + weights[l] * proportions[l], 0);
  let scale = amount === 0 ? 0 : Infinity;
  for (const l of open) {
    if (amount === 0 || full + slope * (caps[l] / proportions[l]) >= amount) {
      scale = (amount - full) / slope;
      break;
    }
    full += weights[l] * caps[l];
    slope -= weights[l] * proportions[l];
  }
  const shares = weights.map((_, l) => (proportions[l] > 0 ? Math.min(scale * proportions[l], caps[l]) : 0));
  return { shares, scale };
}

/**
 * Whole numbers that add up to `total`: each is the floor of its real number, and those with the largest remainders (the
 * earlier among equals) take one more (Hamilton's method). The real numbers must add up to within n of `total`.
 */
export function largestRemainders(reals: readonly number[], total: number): number[] {
  // Within rounding error of a whole number is that number: 150 must not become 149 by way of 149.99999999999997.
  const near = reals.map((x) => (Math.abs(x - Math.round(x)) <= 1e-9 * Math.max(1, x) ? Math.round(x) : x));
  const floors = near.map(Math.floor);
  const missing = total - floors.reduce((sum, x) => sum + x, 0);
  const order = near.map((_, i) => i).sort((i, j) => near[j] - floors[j] - (near[i] - floors[i]) || i - j);
  for (const i of order.slice(0, Math.max(0, missing))) floors[i]++;
  return floors;
}
