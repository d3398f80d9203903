/** @file Kolmogorov–Arnold networks (arXiv:2404.19756): layers one after the other, and the tensors that they are made of. */

import type { Random } from '../../core/random.ts';
import { type KanTensors, kanLayer } from '../../nn/kan.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { type SplineGrid, splineCount, splineFit } from '../../numerics/splines/b-spline.ts';
import { float32, type JaxArray } from '../../runtime/index.ts';

export interface KanConfig {
  /** Inputs, hidden units of each layer between, and outputs: one logit a class, or 1 for a value. */
  readonly widths: readonly number[];
  readonly grid: SplineGrid;
}

/** The tensors of a layer, from 0, among those of a network. */
export function kanTensors(weights: Parameters, layer: number): KanTensors {
  const of = (part: string) => weights[`layers.${layer}.${part}`];
  return { base: of('base_weight'), spline: of('spline_weight'), scale: of('spline_scaler') };
}

/** Outputs [..., rows, outputs] of x [..., rows, inputs]; leading axes are networks side by side. */
export function kan(weights: Parameters, { widths, grid }: KanConfig, x: JaxArray): JaxArray {
  return widths.slice(1).reduce((y, _, layer) => kanLayer(y, kanTensors(weights, layer), grid), x);
}

/**
 * Fresh tensors: base weights uniform within ±1/√in, splines fitted to noise within ±0.05 / G at the inner knots, scales 1.
 * Names and shapes are those of the common PyTorch form: `layers.L.base_weight` and `.spline_scaler` [out, in],
 * `.spline_weight` [out, in, G + k].
 */
export function initialKan({ widths, grid }: KanConfig, random: Random): ParameterTensors {
  const { intervals, low, high } = grid;
  const places = Array.from({ length: intervals + 1 }, (_, i) => low + ((high - low) * i) / intervals);
  const fit = splineFit(places, grid);
  const c = splineCount(grid);
  const made: Record<string, ReturnType<typeof float32>> = {};
  for (let layer = 0; layer + 1 < widths.length; layer++) {
    const [a, b] = [widths[layer], widths[layer + 1]];
    const draws = random.stream(`layers.${layer}`);
    const centred = () => draws.uniform() - 0.5;
    const base = Float32Array.from({ length: a * b }, () => (2 * centred()) / Math.sqrt(a));
    const spline = new Float32Array(a * b * c);
    for (let i = 0; i < a * b; i++) spline.set(fit(places.map(() => (centred() * 0.1) / intervals)), i * c);
    made[`layers.${layer}.base_weight`] = float32([b, a], base);
    made[`layers.${layer}.spline_weight`] = float32([b, a, c], spline);
    made[`layers.${layer}.spline_scaler`] = float32([b, a], new Float32Array(a * b).fill(1));
  }
  return made;
}
