/** @file Losses of preferences: a pair costs −log σ of how far the preferred answer is ahead (Bradley & Terry 1952), as DPO measures it. */

import { type JaxArray, lax, numpy as np } from '../runtime/index.ts';

/** −log σ(ahead) of each pair, without overflow: how far the preferred answer's reward is ahead of the other's (Bradley & Terry 1952). */
export function preferenceLosses(ahead: JaxArray): JaxArray {
  // log(1 + e^(−a)) = m + log(e^(−m) + e^(−a−m)); with m a constant the slope is −σ(−a) at 0 too, where max and |a| have corners.
  const m = lax.stopGradient(np.maximum(ahead.mul(-1), 0));
  return m.add(np.log(np.exp(m.mul(-1)).add(np.exp(ahead.add(m).mul(-1)))));
}

/** What a policy, and the reference it started from, make of the two answers of each pair, shape [pairs] each. */
export interface PreferredAndOther {
  readonly preferred: JaxArray;
  readonly other: JaxArray;
}

/**
 * −log σ(β [(log π(w) − log π_ref(w)) − (log π(l) − log π_ref(l))]) of each pair (DPO, arXiv:2305.18290); shape [pairs].
 * @param policy log π of both answers.
 * @param reference log π_ref of both.
 */
export function dpoLosses(policy: PreferredAndOther, reference: PreferredAndOther, beta: number): JaxArray {
  return preferenceLosses(gain(policy, reference).mul(beta));
}

/**
 * −log σ(−βT w [(‖ε_w − ε_θ‖² − ‖ε_w − ε_ref‖²) − (‖ε_l − ε_θ‖² − ‖ε_l − ε_ref‖²)]) of each pair (Diffusion-DPO, arXiv:2311.12908);
 * shape [pairs].
 * @param policy squared errors of the noise that the policy predicts for both images, at one time step of the pair.
 * @param reference those of the reference.
 * @param strength βT w_t.
 */
export function diffusionDpoLosses(
  policy: PreferredAndOther,
  reference: PreferredAndOther,
  strength: number | JaxArray,
): JaxArray {
  return preferenceLosses(gain(policy, reference).mul(-1).mul(strength));
}

/** (policy − reference) of the preferred answers less that of the others. */
function gain(policy: PreferredAndOther, reference: PreferredAndOther): JaxArray {
  return policy.preferred.sub(reference.preferred).sub(policy.other.sub(reference.other));
}
