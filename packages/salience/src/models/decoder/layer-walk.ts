/**
 * @file A walk through a decoder layer by layer: each layer is seen on what the layers before it, as they are left, make of some
 * calibration texts. One layer's weights are in memory at a time.
 */

import { SalienceError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { mergeOf, type Observation } from '../../nn/observation.ts';
import { type ParameterTensors, under } from '../../nn/parameters.ts';
import { float32, type Tensor } from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';
import { inspectLayer, joinLeaves, type LayerInspection } from './inspect.ts';
import { tokensAtOnce } from './memory.ts';

/** Where the weights come from: memory, or files. */
export interface LayerSource {
  readonly config: DecoderConfig;
  /** The weights of layer n, without `model.layers.N.`. */
  layer(n: number): Promise<ParameterTensors>;
  /** Embeddings of some tokens, shape [tokens, width]. */
  embeddings(tokens: Int32Array): Promise<Float32Array>;
}

/** Weights in memory as a source. */
export function layersInMemory({ config, weights }: { config: DecoderConfig; weights: ParameterTensors }): LayerSource {
  const table = weights['model.embed_tokens.weight'].data;
  const { width } = config;
  return {
    config,
    layer: async (n) => under(weights, `model.layers.${n}.`),
    embeddings: async (tokens) => {
      const rows = new Float32Array(tokens.length * width);
      for (const [t, token] of tokens.entries())
        rows.set(table.subarray(token * width, (token + 1) * width), t * width);
      return rows;
    },
  };
}

/** A layer on the way. */
export interface WalkedLayer {
  readonly n: number;
  /** Its weights, without `model.layers.N.`; what is replaced here is what the layers after it see. */
  readonly weights: Record<string, Tensor<'float32'>>;
  /** Observations by name, joined over all texts. */
  readonly observed: Readonly<Record<string, unknown>>;
}

/** Where a walk is between two layers, so that a killed one can go on. */
export interface WalkState {
  /** The layer to walk next, and the hidden states that enter it, all texts one after the other. */
  load(): Promise<{ next: number; hidden: Float32Array } | undefined>;
  save(next: number, hidden: Float32Array): Promise<void>;
}

export interface WalkOptions {
  /** What to observe in layer n. */
  readonly observe: (n: number) => Readonly<Record<string, Observation>>;
  readonly run: Run;
  readonly state?: WalkState;
}

/**
 * Walks the layers in order. When the next layer is asked for, the texts go through the current one with the weights as they then are.
 * @param blocks texts of one length, int32, shape [blocks, length].
 * @throws SalienceError where a layer's output is not finite, naming the layer.
 */
export async function* walkLayers(
  source: LayerSource,
  blocks: Tensor<'int32'>,
  { observe, run, state }: WalkOptions,
): AsyncGenerator<WalkedLayer> {
  const { config } = source;
  const [count, length] = blocks.shape;
  const { width, layers } = config;
  const side = Math.max(1, Math.min(count, Math.floor(tokensAtOnce / length)));
  const saved = await state?.load();
  const hidden = saved?.hidden ?? (await source.embeddings(blocks.data));
  const programs = new Map<string, LayerInspection>();
  const passes = Math.ceil(count / side);

  // Layers of one kind share their programs.
  const programOf = (n: number, observing: boolean) => {
    const key = `${config.sparse[n]} ${config.windows[n]} ${observing}`;
    if (!programs.has(key)) programs.set(key, inspectLayer(config, n, { observe: observing ? observe(n) : {} }));
    return programs.get(key)!;
  };
  const through = async (
    n: number,
    weights: ParameterTensors,
    observing: boolean,
    take: (pass: { output: Tensor<'float32'>; observed: Readonly<Record<string, unknown>> }, at: number) => void,
  ) => {
    const program = programOf(n, observing);
    for (let b = 0, pass = 0; b < count; b += side, pass++) {
      run.check();
      const size = Math.min(side, count - b);
      const at = b * length * width;
      const x = float32([size, length, width], hidden.subarray(at, at + size * length * width));
      take(await program.run(weights, x), at);
      run.progress(`layer ${n + 1} of ${layers}${observing ? '' : ', onwards'}`, pass + 1, passes);
      await run.breathe();
    }
  };

  try {
    for (let n = saved?.next ?? 0; n < layers; n++) {
      const weights: Record<string, Tensor<'float32'>> = { ...(await source.layer(n)) };
      const looks = observe(n);
      let observed: Record<string, unknown> | undefined;
      await through(n, weights, true, (pass) => {
        observed = observed
          ? Object.fromEntries(
              Object.entries(pass.observed).map(([name, value]) => [
                name,
                joinLeaves(observed![name], value, mergeOf(looks[name])),
              ]),
            )
          : pass.observed;
      });
      yield { n, weights, observed: observed! };
      // Nothing reads what the last layer gives.
      if (n === layers - 1) {
        await state?.save(layers, new Float32Array());
        break;
      }
      await through(n, weights, false, ({ output }, at) => {
        if (!output.data.every(Number.isFinite))
          throw new SalienceError(`the output of layer ${n} is not finite; are its weights whole?`);
        hidden.set(output.data, at);
      });
      await state?.save(n + 1, hidden);
    }
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
}
