/** @file Looking inside a decoder: one program that returns observations, makes changes, and differentiates weights and points. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { crossEntropy } from '../../nn/losses.ts';
import {
  added,
  type Change,
  mergeOf,
  type Observation,
  type Observed,
  type See,
  watching,
} from '../../nn/observation.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { rotaryFrequencies, rotationOf } from '../../nn/rotary.ts';
import { noTap, within } from '../../nn/tap.ts';
import {
  type BackendOptions,
  compile,
  float32,
  type JaxArray,
  numpy as np,
  Tensor,
  tree,
  valueAndGrad,
} from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';
import { decoder, decoderLayer } from './decoder.ts';
import { shapeAt } from './points.ts';

/**
 * A scalar of a pass: logits [batch, tokens, vocabulary], tokens int32 [batch, tokens], what the call was given, and the points that
 * the pass came by, under their full names.
 */
export type Loss = (
  logits: JaxArray,
  tokens: JaxArray,
  inputs: Readonly<Record<string, JaxArray>>,
  see: See,
) => JaxArray;

/** Mean cross entropy of each token given those before it. */
export const nextToken: Loss = (logits, tokens) => crossEntropy(logits.slice([], [0, -1]), tokens.slice([], [1]));

export interface InspectOptions extends BackendOptions {
  /** What to return, by a name of the caller's. */
  readonly observe?: Readonly<Record<string, Observation>>;
  readonly change?: readonly Change[];
  /** Makes the pass return a loss. */
  readonly loss?: Loss;
  /** What to differentiate the loss by: weights chosen by name, and points by their full names. */
  readonly gradients?: {
    readonly weights?: (name: string) => boolean;
    readonly points?: readonly string[];
  };
}

/** What a pass gave. */
export interface Inspected {
  readonly observed: Observed<Tensor<'float32'>>;
  /** Shape []. */
  readonly loss?: number;
  /** ∂loss/∂weight by name. */
  readonly weightGradients: ParameterTensors;
  /** ∂loss/∂value by point. */
  readonly pointGradients: Readonly<Record<string, Tensor<'float32'>>>;
}

/** A batch that brings its own inputs. */
export interface BatchWithInputs {
  /** int32, shape [batch, tokens]. */
  readonly tokens: Tensor<'int32'>;
  readonly inputs: Readonly<Record<string, Tensor>>;
}

export interface Inspection {
  /** One pass. Tokens are int32, shape [batch, tokens]; `inputs` are what changes and observations read. */
  run(
    weights: ParameterTensors,
    tokens: Tensor<'int32'>,
    inputs?: Readonly<Record<string, Tensor>>,
  ): Promise<Inspected>;
  /**
   * Passes over batches, with their observations joined as each says, and losses and gradients added.
   * @throws InputError for results that cannot be joined, such as gradients of a point in batches of different shapes.
   */
  runAll(
    weights: ParameterTensors,
    batches: Iterable<Tensor<'int32'> | BatchWithInputs>,
    after?: (done: number) => void | Promise<void>,
  ): Promise<Inspected>;
  dispose(): Promise<void>;
}

type Arrays = Readonly<Record<string, JaxArray>>;

/**
 * Compiles a pass that looks and changes as asked; it is compiled once for each shape of tokens, however many batches follow.
 * @throws ParameterError for gradients without a loss; InputError (when run) for points that the model has not.
 */
export function inspect(config: DecoderConfig, options: InspectOptions): Inspection {
  const { observe = {}, change = [], loss, gradients = {}, ...backend } = options;
  const points = gradients.points ?? [];
  const chosen = gradients.weights ?? (() => false);
  const differentiates = points.length > 0 || gradients.weights !== undefined;
  if (differentiates && !loss) throw new ParameterError('gradients are of a loss, and none is given');

  const pass = (weights: Parameters, probes: Arrays, tokens: JaxArray, inputs: Arrays) => {
    // A probe is zero, added after all changes; the slope of the loss along it is the slope along the value.
    const probing = points.map((point): Change => ({ point, apply: (value) => value.add(probes[point]) }));
    const { tap, see, finish } = watching(observe, [...change, ...probing], inputs);
    const logits = decoder(weights, config, tokens, { tap });
    const value = loss ? loss(logits, tokens, inputs, see) : np.zeros([]);
    return [value, finish()] as [JaxArray, Observed<JaxArray>];
  };
  const program = compile((by: Parameters, probes: Arrays, rest: Parameters, tokens: JaxArray, inputs: Arrays) => {
    const of = (own: Parameters, zeros: Arrays) => pass({ ...rest, ...own }, zeros, tokens, inputs);
    if (!differentiates) {
      const [value, observed] = of(by, probes);
      return { value, observed, weightGradients: {}, pointGradients: {} };
    }
    // The library's types do not know auxiliary results that are trees.
    const differentiated = valueAndGrad(of as never, { argnums: [0, 1], hasAux: true }) as unknown as (
      own: Parameters,
      zeros: Arrays,
    ) => [[JaxArray, Observed<JaxArray>], [Arrays, Arrays]];
    const [[value, observed], [weightGradients, pointGradients]] = differentiated(by, probes);
    return { value, observed, weightGradients, pointGradients };
  }, backend);

  const run: Inspection['run'] = async (weights, tokens, inputs = {}) => {
    const names = Object.keys(weights);
    const pick = (keep: (name: string) => boolean) =>
      Object.fromEntries(names.filter(keep).map((name) => [name, weights[name]]));
    const probes = Object.fromEntries(
      points.map((point) => {
        const shape = shapeAt(config, point, tokens.shape[0], tokens.shape[1]);
        return [point, float32(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)))];
      }),
    );
    const made = await program(
      (differentiates ? pick(chosen) : {}) as never,
      probes as never,
      (differentiates ? pick((name) => !chosen(name)) : weights) as never,
      tokens,
      inputs as never,
    );
    const { value, ...rest } = made as unknown as Omit<Inspected, 'loss'> & { value: Tensor<'float32'> };
    return loss ? { ...rest, loss: value.data[0] } : rest;
  };

  const runAll: Inspection['runAll'] = async (weights, batches, after) => {
    let all: Inspected | undefined;
    let done = 0;
    for (const batch of batches) {
      const { tokens, inputs } = batch instanceof Tensor ? { tokens: batch, inputs: {} } : batch;
      const one = await run(weights, tokens, inputs);
      all = all ? joined(all, one, observe) : one;
      await after?.(++done);
    }
    return all ?? { observed: {}, weightGradients: {}, pointGradients: {} };
  };
  return { run, runAll, dispose: program.dispose };
}

function joined(into: Inspected, from: Inspected, observe: Readonly<Record<string, Observation>>): Inspected {
  const observed = Object.fromEntries(
    Object.entries(into.observed).map(([name, results]) => [
      name,
      results.map((result, l) => joinLeaves(result, from.observed[name][l], mergeOf(observe[name]))),
    ]),
  ) as Observed<Tensor<'float32'>>;
  const add = (a: ParameterTensors, b: ParameterTensors) => joinLeaves(a, b, added);
  return {
    observed,
    ...(into.loss !== undefined && { loss: into.loss + from.loss! }),
    weightGradients: add(into.weightGradients, from.weightGradients),
    pointGradients: add(into.pointGradients, from.pointGradients),
  };
}

/**
 * Joins two results leaf by leaf; a leaf that grew did so along its first axis.
 * @throws InputError for leaves that differ along another axis.
 */
export function joinLeaves<T>(into: T, from: T, merge: ReturnType<typeof mergeOf>): T {
  const [a, structure] = tree.flatten(into as never) as unknown as [Tensor<'float32'>[], never];
  const [b] = tree.flatten(from as never) as unknown as [Tensor<'float32'>[]];
  a.forEach(({ shape }, i) => {
    const other = b[i].shape;
    if (`${shape.slice(1)}` === `${other.slice(1)}`) return;
    throw new InputError(
      `results of shapes [${shape.join(', ')}] and [${other.join(', ')}] cannot be joined; batches of texts of one length can`,
    );
  });
  const data = merge(
    a.map((leaf) => leaf.data),
    b.map((leaf) => leaf.data),
  );
  const leaves = a.map(({ shape }, i) => {
    if (data[i].length === shape.reduce((product, n) => product * n, 1)) return new Tensor('float32', shape, data[i]);
    const rest = shape.slice(1).reduce((product, n) => product * n, 1);
    return new Tensor('float32', [data[i].length / rest, ...shape.slice(1)], data[i]);
  });
  return tree.unflatten(structure, leaves as never) as T;
}

export interface LayerInspection {
  /**
   * One layer on x [batch, tokens, width]: its output, same shape, and its observations (by name, one result). Positions are int32,
   * shape [tokens], ascending; by default 0, 1, 2, …, and others where tokens were taken out.
   */
  run(
    weights: ParameterTensors,
    x: Tensor<'float32'>,
    inputs?: Readonly<Record<string, Tensor>>,
    positions?: Tensor<'int32'>,
  ): Promise<{ output: Tensor<'float32'>; observed: Readonly<Record<string, unknown>> }>;
  dispose(): Promise<void>;
}

/**
 * Compiles one layer, for walks that hold one layer of a model at a time; layers of the same kind share the program. The weights'
 * names are without `model.layers.N.`; points are those of a layer.
 */
export function inspectLayer(
  config: DecoderConfig,
  n: number,
  options: Pick<InspectOptions, 'observe' | 'change' | keyof BackendOptions>,
): LayerInspection {
  const { observe = {}, change = [], ...backend } = options;
  const program = compile((weights: Parameters, x: JaxArray, inputs: Arrays, given: readonly JaxArray[]) => {
    const looks = Object.keys(observe).length > 0 || change.length > 0;
    const watch = looks ? watching(observe, change, inputs) : { tap: noTap, finish: () => ({}) };
    const [positions = np.arange(x.shape[1]).astype(np.int32)] = given;
    const rotation = rotationOf(positions, rotaryFrequencies(config.rotary, config.headSize));
    const output = decoderLayer(weights, config, n, x, { rotation, positions, tap: within(watch.tap, `layers.${n}.`) });
    const results: Observed<JaxArray> = watch.finish();
    const observed = Object.fromEntries(Object.entries(results).map(([name, [result]]) => [name, result]));
    return { output, observed };
  }, backend);
  return {
    run: async (weights, x, inputs = {}, positions) =>
      (await program(weights as never, x, inputs as never, positions ? [positions] : [])) as unknown as Awaited<
        ReturnType<LayerInspection['run']>
      >,
    dispose: program.dispose,
  };
}
