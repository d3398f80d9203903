/** @file Products of centred columns with one another and with the target: what linear regressions are solved from. */

import type { Steps } from '../../core/steps.ts';
import type { TrainingRows } from './estimator.ts';

export interface CentredProducts {
  /** (X − X̄)ᵀ (X − X̄), shape [columns · columns]. */
  readonly gram: Float64Array;
  /** (X − X̄)ᵀ (y − ȳ), shape [columns]. */
  readonly moments: Float64Array;
  /** X̄, shape [columns]. */
  readonly means: Float64Array;
  /** ȳ. */
  readonly mean: number;
  /** Σ (y − ȳ)². */
  readonly variation: number;
}

/** The products over some rows; all by default. */
export function* centredProducts(
  { x, y, columns: d }: Pick<TrainingRows, 'x' | 'y' | 'columns'>,
  rows?: ArrayLike<number>,
): Steps<CentredProducts> {
  const n = rows?.length ?? y.length;
  const means = new Float64Array(d);
  let mean = 0;
  for (let at = 0; at < n; at++) {
    const i = rows ? rows[at] : at;
    for (let c = 0; c < d; c++) means[c] += x[i * d + c] / n;
    mean += y[i] / n;
  }
  const gram = new Float64Array(d * d);
  const moments = new Float64Array(d);
  let variation = 0;
  const row = new Float64Array(d);
  for (let at = 0; at < n; at++) {
    const i = rows ? rows[at] : at;
    for (let c = 0; c < d; c++) row[c] = x[i * d + c] - means[c];
    const residual = y[i] - mean;
    variation += residual * residual;
    for (let c = 0; c < d; c++) {
      const own = row[c];
      moments[c] += own * residual;
      if (own !== 0) for (let b = 0; b <= c; b++) gram[c * d + b] += own * row[b];
    }
    if (at % 256 === 255) yield { done: at + 1, total: n };
  }
  for (let c = 0; c < d; c++) for (let b = 0; b < c; b++) gram[b * d + c] = gram[c * d + b];
  return { gram, moments, means, mean, variation };
}
