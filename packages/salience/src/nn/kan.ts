/**
 * @file Layers of Kolmogorov–Arnold networks (arXiv:2404.19756): between each input and each output a function of one number,
 *   φ_{o,j}(x) = base_{o,j} silu(x) + Σ_c scale_{o,j} spline_{o,j,c} B_c(x),   y_o = Σ_j φ_{o,j}(x_j).
 * All shapes may have leading axes, such as one for networks side by side.
 */

import { type SplineGrid, splineCount, splineKnots } from '../numerics/splines/b-spline.ts';
import { type JaxArray, nn, numpy as np } from '../runtime/index.ts';
import { linear } from './layers.ts';

/** The tensors of a layer. */
export interface KanTensors {
  /** Shape [..., out, in]. */
  readonly base: JaxArray;
  /** Shape [..., out, in, G + k]. */
  readonly spline: JaxArray;
  /** Shape [..., out, in]. */
  readonly scale: JaxArray;
}

/** The values of all splines: x [..., in] → [..., in, G + k]; see `splineBasis`. */
export function splineValues(x: JaxArray, grid: SplineGrid): JaxArray {
  const t = Array.from(splineKnots(grid), Math.fround);
  const cells = t.length - 1;
  const at = x.reshape([...x.shape, 1]);
  // The last interval is closed: its bound is the next float.
  const above = [...t.slice(1, cells), nextFloat(t[cells])];
  const inside = np.less(at, np.array(above)).mul(np.greaterEqual(at, np.array(t.slice(0, cells))));
  let b: JaxArray = np.where(inside, 1, 0);
  for (let r = 1; r <= grid.order; r++) {
    const count = cells - r;
    const [rising] = np.split(b, [count], -1);
    const [, falling] = np.split(b, [1], -1);
    const from = t.slice(0, count);
    const to = t.slice(r + 1);
    const rise = at.sub(np.array(from)).mul(np.array(from.map((low, i) => 1 / Math.max(1e-8, t[i + r] - low))));
    const fall = np
      .array(to)
      .sub(at)
      .mul(np.array(to.map((high, i) => 1 / Math.max(1e-8, high - t[i + 1]))));
    b = rise.mul(rising).add(fall.mul(falling));
  }
  return b;
}

/** y [..., rows, out] of x [..., rows, in]. */
export function kanLayer(x: JaxArray, { base, spline, scale }: KanTensors, grid: SplineGrid): JaxArray {
  const inputs = x.shape[x.shape.length - 1];
  const flat = (of: JaxArray) => of.reshape([...of.shape.slice(0, -2), inputs * splineCount(grid)]);
  const weight = spline.mul(scale.reshape([...scale.shape, 1]));
  return linear(nn.silu(x), base).add(linear(flat(splineValues(x, grid)), flat(weight)));
}

/** φ_{o,j}(x_j) of x [..., rows, in], inputs first: shape [..., in, rows, out]. */
export function kanContributions(x: JaxArray, { base, spline, scale }: KanTensors, grid: SplineGrid): JaxArray {
  const values = np.moveaxis(splineValues(x, grid), -2, -3);
  const weight = np.moveaxis(spline.mul(scale.reshape([...scale.shape, 1])), -3, -1);
  const byInput = (of: JaxArray) => np.moveaxis(of, -1, -2);
  const smooth = byInput(nn.silu(x));
  const own = byInput(base);
  return np
    .matmul(values, weight)
    .add(
      smooth
        .reshape([...smooth.shape, 1])
        .mul(own.reshape([...own.shape.slice(0, -1), 1, own.shape[own.shape.length - 1]])),
    );
}

/** The least float32 above a float32 other than 0. */
function nextFloat(x: number): number {
  const floats = Float32Array.of(x);
  const bits = new Int32Array(floats.buffer);
  bits[0] += x > 0 ? 1 : -1;
  return floats[0];
}
