/** @file One training step as one program: forward, backward, update and what the policy looks at. */

import { type JaxArray, numpy as np, type Tree, valueAndGrad } from '../../runtime/index.ts';
import {
  applyUpdates,
  mapTensors,
  type OptimiserState,
  type StepInputs,
  type Transform,
} from '../optimisers/transform.ts';
import type { Parameters } from '../parameters.ts';
import type { Extras, Policy } from './policy.ts';

/** What a loss may give beside its number. */
export interface LossParts {
  /** New values of tensors that are not trained, such as running statistics of batch norms. */
  readonly buffers?: Parameters;
  /** Numbers to report, shape [] each. */
  readonly metrics?: Readonly<Record<string, JaxArray>>;
}

/** A number (shape []) to make small, with or without parts. */
type LossResult = JaxArray | readonly [JaxArray, LossParts];

/** What a step is made of. */
export interface StepParts<Batch> {
  readonly loss: (parameters: Parameters, batch: Batch, extras: Extras<JaxArray>) => LossResult;
  /** From the parameters to those that the loss sees, such as weights with adapters merged into them. */
  readonly transform?: (parameters: Parameters, extras: Extras<JaxArray>) => Parameters;
  readonly optimiser: Transform;
  readonly policy?: Pick<Policy, 'project' | 'observe'>;
}

/** Inputs of the program. */
export interface StepArguments<Batch> {
  readonly trained: Parameters;
  readonly watched: Parameters;
  readonly fixed: Parameters;
  readonly state: OptimiserState<JaxArray>;
  readonly batch: Batch;
  readonly extras: Extras<JaxArray>;
  readonly inputs: StepInputs;
  /** 1 for tensors to move, 0 for the others, shape [trained]; absent where all move. */
  readonly moved?: JaxArray;
  /** Factors of the updates, shape [trained]; absent where all are 1. */
  readonly rates?: JaxArray;
}

/** The loss and its parts of parameters that the transform has yet to be applied to. */
export function lossOf<Batch>(
  { loss, transform }: StepParts<Batch>,
  parameters: Parameters,
  batch: Batch,
  extras: Extras<JaxArray>,
): readonly [JaxArray, Required<LossParts>] {
  const result = loss(transform ? transform(parameters, extras) : parameters, batch, extras);
  const [value, parts] = isPair(result) ? result : [result, {}];
  return [value, { buffers: parts.buffers ?? {}, metrics: parts.metrics ?? {} }];
}

function isPair(result: LossResult): result is readonly [JaxArray, LossParts] {
  return Array.isArray(result);
}

/** The function that is compiled: a step of training. `sums` has the sum of each gradient, trained then watched, shape [n]. */
export function trainingStep<Batch>(parts: StepParts<Batch>, observed: boolean) {
  return ({ trained, watched, fixed, state, batch, extras, inputs, moved, rates }: StepArguments<Batch>) => {
    const objective = (of: Parameters) => lossOf(parts, { ...fixed, ...of }, batch, extras);
    const withSlopes = valueAndGrad(objective as never, { hasAux: true }) as unknown as (
      of: Parameters,
    ) => readonly [readonly [JaxArray, Required<LossParts>], Parameters];
    const [[loss, { buffers, metrics }], slopes] = withSlopes({ ...trained, ...watched });

    const names = Object.keys(trained);
    const entry = (of: JaxArray, name: string) => {
      const i = names.indexOf(name);
      return of.slice([i, i + 1]).reshape([]);
    };
    const moves = moved && mapTensors(trained, (_, name) => np.greater(entry(moved, name), 0));
    const gradients = mapTensors(trained, (_, name) => (moves ? np.where(moves[name], slopes[name], 0) : slopes[name]));

    const made = parts.optimiser.update(gradients, state, trained, inputs);
    const updates = mapTensors(made.updates, (update, name) => (rates ? update.mul(entry(rates, name)) : update));
    let after = applyUpdates(trained, updates);
    if (parts.policy?.project) {
      const projected = parts.policy.project({ ...fixed, ...watched, ...after }, extras);
      after = mapTensors(after, (_, name) => projected[name]);
    }
    let stateAfter = made.state;
    if (moves) {
      // A choice, not a product: what does not move keeps its bits.
      after = mapTensors(after, (value, name) => np.where(moves[name], value, trained[name]));
      stateAfter = mapTensors(stateAfter, (own, name) =>
        mapLeaves(own, state[name], (now, old) => np.where(moves[name], now, old)),
      );
    }
    const sums = np.stack(Object.values(slopes).map((slope) => slope.sum()));
    const result = { loss, buffers, metrics, sums, trained: after, state: stateAfter };
    if (!observed || !parts.policy?.observe) return { ...result, observed: [] as Tree<JaxArray> };
    const before = { ...fixed, ...watched, ...trained };
    const seen = parts.policy.observe({
      loss,
      gradients: { ...slopes, ...gradients },
      before,
      after: { ...before, ...after },
      extras,
    });
    return { ...result, observed: seen };
  };
}

/** A function of the leaves of two trees of one structure. */
function mapLeaves(
  now: Tree<JaxArray>,
  old: Tree<JaxArray>,
  fn: (now: JaxArray, old: JaxArray) => JaxArray,
): Tree<JaxArray> {
  if (Array.isArray(now)) {
    return now.map((leaf, i) => mapLeaves(leaf, (old as readonly Tree<JaxArray>[])[i], fn));
  }
  if (now.constructor === Object) {
    return mapTensors(now as Record<string, Tree<JaxArray>>, (leaf, key) =>
      mapLeaves(leaf, (old as Record<string, Tree<JaxArray>>)[key], fn),
    );
  }
  return fn(now as JaxArray, old as JaxArray);
}
