/** @file Small decoders of every kind, with weights in which no two numbers are alike. */

import { Random } from '../src/core/random.ts';
import type { DecoderConfig } from '../src/models/decoder/config.ts';
import { readConfig } from '../src/models/decoder/read-config.ts';
import { weightShapes } from '../src/models/decoder/weights.ts';
import type { ParameterTensors } from '../src/nn/parameters.ts';
import { float32, int32, type Tensor } from '../src/runtime/index.ts';

const sizes = {
  vocab_size: 13,
  hidden_size: 16,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
};

/** What config.json would say of each. */
export const madeConfigs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'dense, tied': { ...sizes, model_type: 'llama', tie_word_embeddings: true },
  'with biases': { ...sizes, model_type: 'llama', attention_bias: true, mlp_bias: true },
  'with a window': { ...sizes, model_type: 'mistral', sliding_window: 3 },
  'with norms of queries and keys': { ...sizes, model_type: 'qwen3', head_dim: 6 },
  'of experts, as Mixtral names them': {
    ...sizes,
    model_type: 'mixtral',
    num_local_experts: 4,
    num_experts_per_tok: 2,
  },
  'of one dense layer and one of experts, as Qwen names them': {
    ...sizes,
    model_type: 'qwen3_moe',
    head_dim: 4,
    num_experts: 5,
    num_experts_per_tok: 2,
    moe_intermediate_size: 6,
    norm_topk_prob: false,
    mlp_only_layers: [0],
  },
};

/** What config.json would say of one whose text is long enough for its cache to be cut. */
export const cachedConfig = {
  ...sizes,
  model_type: 'llama',
  vocab_size: 31,
  hidden_size: 24,
  head_dim: 8,
  intermediate_size: 32,
  max_position_embeddings: 96,
  tie_word_embeddings: false,
};

export interface MadeDecoder {
  readonly config: DecoderConfig;
  readonly weights: ParameterTensors;
}

/** A decoder by the name of its config, or of a config's JSON. */
export function madeDecoder(of: string | Readonly<Record<string, unknown>>, seed = 0): MadeDecoder {
  const config = readConfig(typeof of === 'string' ? madeConfigs[of] : of, 'a made config');
  const random = new Random(seed, 'made decoder');
  const weights = Object.fromEntries(
    [...weightShapes(config)].map(([name, shape]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const [middle, spread] = /norm\.weight$/.test(name) ? [1, 0.2] : [0, shape.length > 1 ? 0.4 : 0.2];
      return [
        name,
        float32(
          shape,
          Float32Array.from({ length: size }, () => middle + spread * random.normal()),
        ),
      ];
    }),
  );
  return { config, weights };
}

/** Tokens drawn evenly, shape [batch, length]. */
export function madeTokens(batch: number, length: number, seed = 0, vocabulary = 13): Tensor<'int32'> {
  const random = new Random(seed, 'made tokens');
  return int32(
    [batch, length],
    Int32Array.from({ length: batch * length }, () => random.integer(vocabulary)),
  );
}
