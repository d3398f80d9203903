/** @file The tensors a decoder is made of: their published names and shapes, how many numbers they hold, and fresh ones to train. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32 } from '../../runtime/index.ts';
import type { Checkpoint } from '../checkpoint/checkpoint-files.ts';
import { isFloatType } from '../checkpoint/dtype.ts';
import type { DecoderConfig } from './config.ts';

/** Every tensor of a decoder by its published name, in the order data flows through them; linear weights are [out, in]. */
export function weightShapes(config: DecoderConfig): ReadonlyMap<string, readonly number[]> {
  const { width, headSize, experts } = config;
  const queries = config.heads * headSize;
  const keys = config.keyValueHeads * headSize;
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, out: number, into: number, bias = false) => {
    shapes.set(`${name}.weight`, [out, into]);
    if (bias) shapes.set(`${name}.bias`, [out]);
  };
  shapes.set('model.embed_tokens.weight', [config.vocabulary, width]);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `model.layers.${layer}`;
    shapes.set(`${at}.input_layernorm.weight`, [width]);
    linear(`${at}.self_attn.q_proj`, queries, width, config.queryKeyValueBias);
    linear(`${at}.self_attn.k_proj`, keys, width, config.queryKeyValueBias);
    linear(`${at}.self_attn.v_proj`, keys, width, config.queryKeyValueBias);
    if (config.queryKeyNorm) {
      shapes.set(`${at}.self_attn.q_norm.weight`, [headSize]);
      shapes.set(`${at}.self_attn.k_norm.weight`, [headSize]);
    }
    linear(`${at}.self_attn.o_proj`, width, queries, config.outputBias);
    shapes.set(`${at}.post_attention_layernorm.weight`, [width]);
    if (!config.sparse[layer] || !experts) {
      linear(`${at}.mlp.gate_proj`, config.hidden, width, config.mlpBias);
      linear(`${at}.mlp.up_proj`, config.hidden, width, config.mlpBias);
      linear(`${at}.mlp.down_proj`, width, config.hidden, config.mlpBias);
      continue;
    }
    const mixtral = experts.naming === 'mixtral';
    const block = `${at}.${mixtral ? 'block_sparse_moe' : 'mlp'}`;
    const [gate, up, down] = mixtral ? ['w1', 'w3', 'w2'] : ['gate_proj', 'up_proj', 'down_proj'];
    linear(`${block}.gate`, experts.count, width);
    for (let e = 0; e < experts.count; e++) {
      linear(`${block}.experts.${e}.${gate}`, experts.hidden, width);
      linear(`${block}.experts.${e}.${up}`, experts.hidden, width);
      linear(`${block}.experts.${e}.${down}`, width, experts.hidden);
    }
  }
  shapes.set('model.norm.weight', [width]);
  if (!config.tied) linear('lm_head', config.vocabulary, width);
  return shapes;
}

/** How many numbers a decoder's tensors hold; a tied head counts once. */
export function parameterCount(config: DecoderConfig): number {
  let count = 0;
  for (const shape of weightShapes(config).values()) count += shape.reduce((product, length) => product * length, 1);
  return count;
}

/**
 * Checks that a checkpoint holds just the tensors its config calls for. Rotary frequencies, which some tools store though they
 * follow from the config, and a head beside a tied embedding are let be.
 * @throws InputError naming the tensor that is missing, has another shape (both are told), is not of floats, or is not expected.
 */
export function checkWeights({ path, tensors }: Pick<Checkpoint, 'path' | 'tensors'>, config: DecoderConfig): void {
  for (const { name, dtype } of tensors) {
    if (isFloatType(dtype) || isSuperfluous(name, config)) continue;
    throw new InputError(`${path}: tensor "${name}" is of ${dtype}; a decoder's weights are F32, F16 or BF16`);
  }
  checkShapes(new Map(tensors.map(({ name, shape }) => [name, shape])), config, path);
}

/**
 * Checks names and shapes of tensors against a config.
 * @throws InputError as checkWeights does.
 */
export function checkShapes(
  shapes: ReadonlyMap<string, readonly number[]>,
  config: DecoderConfig,
  where: string,
): void {
  const expected = weightShapes(config);
  for (const [name, shape] of expected) {
    const found = shapes.get(name);
    if (!found) {
      const tied =
        name === 'lm_head.weight' ? '; if the head is the embedding, "tie_word_embeddings" should be true' : '';
      throw new InputError(`${where}: lacks tensor "${name}" of shape [${shape.join(', ')}]${tied}`);
    }
    if (found.length !== shape.length || found.some((length, axis) => length !== shape[axis])) {
      throw new InputError(
        `${where}: tensor "${name}" has shape [${found.join(', ')}]; by the config it should be [${shape.join(', ')}]`,
      );
    }
  }
  for (const name of shapes.keys()) {
    if (expected.has(name) || isSuperfluous(name, config)) continue;
    throw new InputError(`${where}: holds tensor "${name}", which a ${config.family} decoder of this config has not`);
  }
}

function isSuperfluous(name: string, { tied }: DecoderConfig): boolean {
  return name.endsWith('rotary_emb.inv_freq') || (tied && name === 'lm_head.weight');
}

/** Projections whose output is added to the residual stream. */
const residual = /\.(o_proj|down_proj|w2)\.weight$/;

/**
 * Fresh weights: normal with deviation 0.02, that of projections into the residual stream divided by √(2 · layers), so that the
 * stream does not grow with depth (GPT-2's rule); norms 1, biases 0. Each tensor draws from a stream of its own name.
 */
export function initialWeights(config: DecoderConfig, random: Random): ParameterTensors {
  const weights: ParameterTensors = Object.fromEntries(
    [...weightShapes(config)].map(([name, shape]) => {
      const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
      if (/norm\.weight$/.test(name)) values.fill(1);
      else if (!name.endsWith('.bias')) {
        const deviation = residual.test(name) ? 0.02 / Math.sqrt(2 * config.layers) : 0.02;
        const stream = random.stream(name);
        for (let i = 0; i < values.length; i++) values[i] = deviation * stream.normal();
      }
      return [name, float32(shape, values)] as const;
    }),
  );
  return weights;
}
