/** @file Gradient descent, with momentum where wanted. */

import { ParameterError } from '../../core/errors.ts';
import { float32, type JaxArray, numpy as np } from '../../runtime/index.ts';
import type { Parameters } from '../parameters.ts';
import { chain } from './chain.ts';
import { mapTensors, type OptimiserState, stateless, type Transform } from './transform.ts';

/** Times minus the learning rate, which is what the schedule says at this step: the last link. */
export function scaleBySchedule(): Transform {
  return stateless((updates, _, { rate }) => mapTensors(updates, (update) => update.mul(rate.mul(-1))));
}

/**
 * All gradients times one factor so that their norm together, √Σ g² over all tensors that have one, is `most` at most.
 * @throws ParameterError unless `most` is above 0.
 */
export function clipByGlobalNorm(most: number): Transform {
  if (!(most > 0)) throw new ParameterError(`gradients are clipped to a norm above 0, not ${most}`);
  return stateless((updates) => {
    const squares = Object.values(updates).map((update) => update.mul(update).sum());
    if (squares.length === 0) return updates;
    const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const factor = np.minimum(np.reciprocal(norm).mul(most), 1);
    return mapTensors(updates, (update) => update.mul(factor));
  });
}

/** Velocity v ← momentum · v + g, starting at 0; the update is v, or with Nesterov g + momentum · v. */
function trace(momentum: number, nesterov: boolean): Transform {
  return {
    init: (parameters) => mapTensors(parameters, ({ shape, data }) => float32(shape, new Float32Array(data.length))),
    update(updates, state) {
      const velocity = mapTensors(updates, (update, name) => (state[name] as JaxArray).mul(momentum).add(update));
      const made: Parameters = nesterov
        ? mapTensors(updates, (update, name) => velocity[name].mul(momentum).add(update))
        : velocity;
      return { updates: made, state: { ...state, ...velocity } as OptimiserState<JaxArray> };
    },
  };
}

/**
 * Stochastic gradient descent: w ← w − rate · v.
 * @throws ParameterError for a momentum outside of [0, 1), or Nesterov's without one.
 */
export function sgd({ momentum = 0, nesterov = false }: { momentum?: number; nesterov?: boolean } = {}): Transform {
  if (!(momentum >= 0 && momentum < 1)) throw new ParameterError(`momentum is in [0, 1), not ${momentum}`);
  if (nesterov && momentum === 0) throw new ParameterError("Nesterov's step needs a momentum above 0");
  return momentum === 0 ? scaleBySchedule() : chain(trace(momentum, nesterov), scaleBySchedule());
}
