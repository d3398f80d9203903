/**
 * @file Functions of networks under names that the lowering knows: each is one operator going forward and a closed form going
 * back. Written out in jax-js they compute the same, only in more steps.
 */

import { type Array as JaxArray, jit, lax, numpy as np } from '@jax-js/jax';

/** Softmax along the last axis; same shape. */
export const softmax = jit(function softmax(x: JaxArray): JaxArray {
  const shifted = np.exp(x.ref.sub(lax.stopGradient(np.max(x, -1, { keepdims: true }))));
  const sums = shifted.ref.sum(-1, { keepdims: true });
  return shifted.div(sums);
});

/** Root-mean-square norm along the last axis (arXiv:1910.07467): x / √(mean x² + epsilon) · scale; scale has shape [last]. */
export const rmsNorm = jit(
  function rms_norm(x: JaxArray, scale: JaxArray, epsilon = 1e-5): JaxArray {
    const square = x.ref.mul(x.ref).mean(-1, { keepdims: true });
    return x.mul(np.reciprocal(np.sqrt(square.add(epsilon)))).mul(scale);
  },
  { staticArgnums: [2] },
);

/** Layer norm along the last axis (arXiv:1607.06450): (x − mean) / √(variance + epsilon) · scale + shift, both of shape [last]. */
export const layerNorm = jit(
  function layer_norm(x: JaxArray, scale: JaxArray, shift: JaxArray, epsilon = 1e-5): JaxArray {
    const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
    const variance = centred.ref.mul(centred.ref).mean(-1, { keepdims: true });
    return centred
      .mul(np.reciprocal(np.sqrt(variance.add(epsilon))))
      .mul(scale)
      .add(shift);
  },
  { staticArgnums: [3] },
);
