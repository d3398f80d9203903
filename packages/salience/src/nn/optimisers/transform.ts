/**
 * @file What an optimiser is: pure functions from gradients to updates, with a state that is passed in and handed back, so that
 * forward, backward and update are one program. State lies under the name of its tensor: a tensor without a gradient is frozen,
 * and keeps its value and its state bit for bit.
 */

import { type JaxArray, type Tensor, type Tree, tree } from '../../runtime/index.ts';
import type { Parameters, ParameterTensors } from '../parameters.ts';

/** Published tensor name → what an optimiser remembers of that tensor. */
export type OptimiserState<Leaf = Tensor> = Readonly<Record<string, Tree<Leaf>>>;

/** Numbers of a step; inputs of the program, so that a schedule makes no new one. */
export interface StepInputs {
  /** The learning rate, shape []. */
  readonly rate: JaxArray;
  /** Steps before this one, float32, shape []. */
  readonly step: JaxArray;
}

/** One link of an optimiser: `init` runs outside of programs, `update` inside. */
export interface Transform {
  /** The state before the first step. */
  init(parameters: ParameterTensors): OptimiserState;
  /**
   * New updates (by the first link: of gradients) and new state. Tensors absent from `updates` are frozen: they have no update
   * and need no state.
   */
  update(
    updates: Parameters,
    state: OptimiserState<JaxArray>,
    parameters: Parameters,
    inputs: StepInputs,
  ): { readonly updates: Parameters; readonly state: OptimiserState<JaxArray> };
}

/** The parameters with the updates added; those without an update are the same arrays. */
export function applyUpdates(parameters: Parameters, updates: Parameters): Parameters {
  return mapTensors(parameters, (value, name) => (name in updates ? value.add(updates[name]) : value));
}

/** A function of each tensor and its name. */
export function mapTensors<From, To>(
  record: Readonly<Record<string, From>>,
  fn: (value: From, name: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, fn(value, name)]));
}

/** A link without state. */
export function stateless(
  update: (updates: Parameters, parameters: Parameters, inputs: StepInputs) => Parameters,
): Transform {
  return {
    init: (parameters) => mapTensors(parameters, () => []),
    update: (updates, state, parameters, inputs) => ({ updates: update(updates, parameters, inputs), state }),
  };
}

/** How many numbers a state holds. */
export function stateSize(state: OptimiserState): number {
  return tree.leaves(state as never).reduce((sum: number, leaf) => sum + (leaf as Tensor).data.length, 0);
}
