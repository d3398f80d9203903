/**
 * @file Policies: what may change while a network is trained. Around each step a policy says which tensors are trained, gives masks and
 * scales, looks at gradients, and replaces parameters; freezing, pruning, growing ranks and choosing layers are all policies.
 */

import type { JaxArray, Tensor, Tree } from '../../runtime/index.ts';
import type { OptimiserState } from '../optimisers/transform.ts';
import type { Parameters, ParameterTensors } from '../parameters.ts';

/** Named inputs of the program, besides parameters and batch: masks, scales, adapters' factors. */
export type Extras<Leaf> = Readonly<Record<string, Tree<Leaf>>>;

/** How a training stands. */
export interface Standing<Batch> {
  /** Steps done. */
  readonly step: number;
  readonly parameters: ParameterTensors;
  readonly state: OptimiserState;
  /** The loss without a step: of a batch, under these extras (default: none) and parameters (default: those of now). */
  loss(batch: Batch, extras?: Extras<Tensor>, parameters?: ParameterTensors): Promise<number>;
}

/** New values of tensors, and states to forget. */
export interface TrainingChange {
  /**
   * New or replaced tensors; null takes one out. A tensor with a new shape loses its state, all others keep it.
   */
  readonly parameters?: Readonly<Record<string, Tensor<'float32'> | null>>;
  /** Tensors whose optimiser state is forgotten: when trained again they begin like new ones. */
  readonly forget?: readonly string[];
}

/** What holds for one step. Tensors keep their value and their state bit for bit unless they are trained. */
export interface Plan extends TrainingChange {
  /**
   * Tensors the program has gradients and state for; default: those that the training names. Another set is another program, of
   * which the last few are kept.
   */
  readonly trained?: readonly string[];
  /**
   * Of those, the tensors that this step moves; default: all. Another choice is not another program, but the gradients of all
   * trained tensors are computed.
   */
  readonly moved?: readonly string[];
  /** Tensors that are not trained but whose gradient `observe` gets, such as zeros added to a value to have its gradient. */
  readonly watched?: readonly string[];
  /** Must have the same names and shapes at every step, or another program is made. */
  readonly extras?: Extras<Tensor>;
  /** Factors of the learning rate for single tensors, such as of a schedule of their own; default 1. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Whether this step is observed; default true where the policy observes. Both kinds of step are programs of their own. */
  readonly observed?: boolean;
}

/** What `observe` sees, in the program. */
export interface StepObservation {
  readonly loss: JaxArray;
  /** Of trained and watched tensors, before the optimiser (and any clipping in it); 0 for tensors that are not moved. */
  readonly gradients: Parameters;
  /** All parameters before the step. */
  readonly before: Parameters;
  /** All parameters after the step, and after `project`. */
  readonly after: Parameters;
  readonly extras: Extras<JaxArray>;
}

/**
 * The state of a policy between steps, as data: it is saved in checkpoints, and going on from one gives the same bits only if all that
 * the policy remembers is in here. Random draws come from streams named by the step.
 */
export interface PolicyState {
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Plain JSON. */
  readonly notes?: unknown;
}

/** All parts are optional; `Observed` is what `observe` returns, as tensors. */
export interface Policy<Batch = never, Observed = Tree<Tensor>> {
  /** Before the step `standing.step` (from 0). */
  before?(standing: Standing<Batch>): Plan | undefined | Promise<Plan | undefined>;
  /** In the program, after the update: values of trained tensors to go on with, such as weights times a mask. */
  project?(parameters: Parameters, extras: Extras<JaxArray>): Parameters;
  /** In the program: what the policy wants to know of a step, arrays or reductions of them. */
  observe?(observation: StepObservation): Tree<JaxArray>;
  /** After a step; `standing.step` counts it, `observed` is absent where the step was not observed. */
  after?(
    standing: Standing<Batch> & { readonly lossBefore: number; readonly metrics: Readonly<Record<string, number>> },
    observed: Observed | undefined,
  ): TrainingChange | undefined | Promise<TrainingChange | undefined>;
  save?(): PolicyState;
  restore?(state: PolicyState): void;
}
