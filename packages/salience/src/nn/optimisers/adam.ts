/** @file Adam (arXiv:1412.6980), and AdamW with decay apart from the gradient (arXiv:1711.05101). */

import { ParameterError } from '../../core/errors.ts';
import { float32, type JaxArray, numpy as np } from '../../runtime/index.ts';
import { chain, chosen, type TensorChoice } from './chain.ts';
import { scaleBySchedule } from './sgd.ts';
import { mapTensors, type OptimiserState, stateless, type Transform } from './transform.ts';

export interface AdamOptions {
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Added to the root; default 1e-8. */
  readonly epsilon?: number;
}

/** What Adam remembers of a tensor. */
interface Moments<Leaf> {
  /** Running means of g and of g², of the tensor's shape. */
  readonly mean: Leaf;
  readonly square: Leaf;
  /** Steps that this tensor took, shape []: frozen steps do not count. */
  readonly steps: Leaf;
}

/** 1 − βᵗ without cancellation: 1 − eˣ = 2u / (1 + u) with u = tanh(−x / 2). */
function weightSoFar(beta: number, steps: JaxArray): JaxArray {
  const u = np.tanh(steps.mul(-Math.log(beta) / 2));
  return u.mul(2).div(u.add(1));
}

/** m̂ / (√v̂ + ε), m̂ and v̂ the running means divided by the weight that they have so far. */
function scaleByAdam({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions): Transform {
  for (const [name, beta] of Object.entries({ beta1, beta2 })) {
    if (!(beta > 0 && beta < 1)) throw new ParameterError(`${name} is above 0 and below 1, not ${beta}`);
  }
  if (!(epsilon >= 0)) throw new ParameterError(`epsilon is 0 or more, not ${epsilon}`);
  return {
    init: (parameters) =>
      mapTensors(parameters, ({ shape, data }) => ({
        mean: float32(shape, new Float32Array(data.length)),
        square: float32(shape, new Float32Array(data.length)),
        steps: float32([], [0]),
      })),
    update(updates, state) {
      const names = Object.keys(updates);
      if (names.length === 0) return { updates, state };
      const of = (name: string) => state[name] as unknown as Moments<JaxArray>;
      const steps = mapTensors(updates, (_, name) => of(name).steps.add(1));
      // The tensors' steps side by side, so that the weights are a few operators and not a few for each tensor.
      const together = np.stack(names.map((name) => steps[name]));
      const eachOf = (weights: JaxArray) => names.map((_, i) => weights.slice([i, i + 1]));
      const meanWeights = eachOf(np.reciprocal(weightSoFar(beta1, together)));
      const squareWeights = eachOf(np.reciprocal(np.sqrt(weightSoFar(beta2, together))));
      const next: Record<string, Moments<JaxArray>> = {};
      const made: Record<string, JaxArray> = {};
      names.forEach((name, i) => {
        const g = updates[name];
        const mean = of(name)
          .mean.mul(beta1)
          .add(g.mul(1 - beta1));
        const square = of(name)
          .square.mul(beta2)
          .add(g.mul(g).mul(1 - beta2));
        next[name] = { mean, square, steps: steps[name] };
        const root = np.sqrt(square).mul(squareWeights[i].reshape([])).add(epsilon);
        made[name] = mean.mul(meanWeights[i].reshape([])).div(root);
      });
      return { updates: made, state: { ...state, ...next } as OptimiserState<JaxArray> };
    },
  };
}

/**
 * Adam: w ← w − rate · m̂ / (√v̂ + ε). Each tensor counts its own steps.
 * @throws ParameterError for betas outside of (0, 1) or an epsilon below 0.
 */
export function adam(options: AdamOptions = {}): Transform {
  return chain(scaleByAdam(options), scaleBySchedule());
}

/**
 * AdamW: w ← w − rate · (m̂ / (√v̂ + ε) + decay · w).
 * @param options with `decay` (default 0.01), and `decays`, the tensors that it is for (default all).
 * @throws ParameterError as adam does, or for a decay below 0.
 */
export function adamw({
  decay = 0.01,
  decays = () => true,
  ...options
}: AdamOptions & { readonly decay?: number; readonly decays?: TensorChoice } = {}): Transform {
  if (!(decay >= 0)) throw new ParameterError(`decay is 0 or more, not ${decay}`);
  const takes = chosen(decays);
  const decayed = stateless((updates, parameters) =>
    mapTensors(updates, (update, name) =>
      decay > 0 && takes(name) ? update.add(parameters[name].mul(decay)) : update,
    ),
  );
  return chain(scaleByAdam(options), decayed, scaleBySchedule());
}
