/** @file Pruning a language model layer by layer: the scores of each layer are taken on what the pruned layers before it give. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { ChooseInRows, ScoreSequence } from '../../core/scores.ts';
import type { SequenceSelection } from '../../core/select-sequence.ts';
import type { WalkedLayer } from '../../models/decoder/layer-walk.ts';
import { walkLayers } from '../../models/decoder/layer-walk.ts';
import { type LinearMap, linearMaps } from '../../models/decoder/linear-maps.ts';
import type { Observation } from '../../nn/observation.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { Tensor } from '../../runtime/index.ts';
import { refuseNotFinite } from './finite.ts';
import type { LanguageModel } from './language-model.ts';

/** The parameter `compare` of methods that rank weights: among which others. */
export function compareWithin(byDefault: 'row' | 'matrix') {
  return z
    .enum(['row', 'matrix'])
    .default(byDefault)
    .describe(
      'a share is kept of each output row on its own, or of a matrix by one threshold over its rows (“per layer” in the papers)',
    );
}

/** A matrix of a layer, as a method is given it. */
interface PrunableMatrix extends Omit<LinearMap, 'input'> {
  /** Name of its tensor in the checkpoint. */
  readonly tensor: string;
  readonly layer: number;
  /** [rows, columns], row after row. */
  readonly weight: Float32Array;
  /** What was observed of its input, if anything. */
  readonly input?: Float32Array;
}

/** What a method makes of a matrix. */
interface PrunedMatrix {
  readonly scores: Float32Array;
  /** 1 where kept. */
  readonly kept: Uint8Array;
  /** New values, where those kept change too. */
  readonly values?: Float32Array;
}

export interface LayerPruning {
  /** The method and its parameters, so that a walk that was cut off goes on only as itself. */
  readonly about: string;
  /** What to observe of the inputs of layer n's matrices, by the input's name; without it no calibration text is read. */
  readonly observe?: (model: LanguageModel, n: number) => Observation;
  prune(matrix: PrunableMatrix, choose: ChooseInRows): PrunedMatrix | Promise<PrunedMatrix>;
}

/**
 * The weights of a model's matrices as a sequence of scores, in the order of the layers.
 * @throws InputError without a calibration text where one is observed; while walked, for weights or inputs that are not finite.
 */
export function pruneLayers(model: LanguageModel, { about, observe, prune }: LayerPruning, run: Run): ScoreSequence {
  const { source } = model;
  const { config } = source;
  // A text that is missing is told before any work.
  const blocks = observe && model.blocks();
  const tensorOf = (n: number, name: string) => `model.layers.${n}.${name}`;
  const layers = Array.from({ length: config.layers }, (_, n) => linearMaps(config, n));

  async function* walked(): AsyncGenerator<WalkedLayer> {
    if (observe && blocks) {
      const look = (n: number) => ({ inputs: observe(model, n) });
      yield* walkLayers(source, blocks, { observe: look, run, state: model.walk });
      return;
    }
    for (let n = (await model.walk?.load())?.next ?? 0; n < config.layers; n++) {
      run.check();
      yield { n, weights: { ...(await source.layer(n)) }, observed: {} };
      await model.walk?.save(n + 1, new Float32Array());
      run.progress('layers', n + 1, config.layers);
      await run.breathe();
    }
  }

  return {
    unit: 'weight',
    about,
    groups: layers.flatMap((maps, n) =>
      maps.map(({ name, rows, columns }) => ({ name: tensorOf(n, name), size: rows * columns })),
    ),
    get settled() {
      return model.walk?.settled;
    },
    async *walk(choose) {
      for await (const { n, weights, observed } of walked()) {
        const inputs = observed.inputs as Readonly<Record<string, Tensor<'float32'>>> | undefined;
        for (const [name, { data }] of Object.entries(weights)) refuseNotFinite(data, tensorOf(n, name));
        for (const map of layers[n]) {
          const tensor = tensorOf(n, map.name);
          const { shape, data } = weights[map.name];
          const input = inputs?.[map.input].data;
          if (input) refuseNotFinite(input, `the input of ${tensor}`);
          let pruned: PrunedMatrix;
          try {
            pruned = await prune({ ...map, tensor, layer: n, weight: data, input }, choose);
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
            throw new InputError(`${tensor}: ${error.message}`, { cause: error });
          }
          weights[map.name] = new Tensor('float32', shape, pruned.values ?? masked(data, pruned.kept));
          yield { name: tensor, shape: [map.rows, map.columns], ...pruned };
          await run.breathe();
        }
      }
    },
  };
}

/**
 * Walks a sequence to its end: the weights it leaves of a model in memory, by their published names; tensors without units are as
 * they were.
 */
export async function prunedWeights(weights: ParameterTensors, { walk }: SequenceSelection): Promise<ParameterTensors> {
  const left = { ...weights };
  for await (const { name, kept, values } of walk()) {
    const { shape, data } = weights[name];
    left[name] = new Tensor('float32', shape, values ?? masked(data, kept));
  }
  return left;
}

/** The values where they are kept, else 0. */
function masked(values: Float32Array, kept: Uint8Array): Float32Array {
  const left = new Float32Array(values.length);
  for (let i = 0; i < left.length; i++) if (kept[i] === 1) left[i] = values[i];
  return left;
}
