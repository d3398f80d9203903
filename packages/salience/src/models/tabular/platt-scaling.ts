/** @file Platt scaling: probabilities from the decision values of a classifier. */

import { finish } from '../../core/steps.ts';
import { lbfgs } from './lbfgs.ts';
import { sigmoid } from './linear-scores.ts';

/**
 * The slope a and the offset b of p(class 1) = 1 / (1 + e^−(a f + b)), by likelihood with the targets (N₊ + 1) / (N₊ + 2) and
 * 1 / (N₋ + 2) (Platt 1999).
 * @param values f, shape [n].
 * @param y 1 or 0, shape [n].
 */
export function plattScaling(
  values: Float64Array,
  y: Float64Array,
): { readonly slope: number; readonly offset: number } {
  const ones = y.reduce((sum, own) => sum + own, 0);
  const high = (ones + 1) / (ones + 2);
  const low = 1 / (y.length - ones + 2);
  const unit = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const found = Float64Array.of(0, Math.log((ones + 1) / (y.length - ones + 1)));
  const loss = ([slope, offset]: Float64Array, gradient: Float64Array) => {
    let sum = 0;
    gradient.fill(0);
    for (let i = 0; i < values.length; i++) {
      const f = values[i] / unit;
      const s = slope * f + offset;
      const target = y[i] === 1 ? high : low;
      sum += Math.log1p(Math.exp(-Math.abs(s))) + Math.max(0, s) - target * s;
      const error = (sigmoid(s) - target) / values.length;
      gradient[0] += error * f;
      gradient[1] += error;
    }
    return sum / values.length;
  };
  finish(lbfgs(loss, found, { tolerance: 1e-10, iterations: 200 }));
  return { slope: found[0] / unit, offset: found[1] };
}
