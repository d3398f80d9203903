/** @file Bootstrap interval of a mean. */

import type { Random } from './random.ts';

/** Percentile bootstrap interval of the mean of `values` (Efron 1979) at the given level. One value gives itself twice. */
export function bootstrapMean(
  values: readonly number[],
  random: Random,
  { level = 0.95, resamples = 4000 } = {},
): { mean: number; low: number; high: number } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.integer(n)];
    means[r] = sum / n;
  }
  means.sort();
  const at = (q: number) => means[Math.min(resamples - 1, Math.max(0, Math.round(q * (resamples - 1))))];
  return { mean, low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
