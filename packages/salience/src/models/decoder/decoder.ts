/** @file A decoder of the Llama, Mistral, Qwen2 and Qwen3 families, dense or with experts, as its data flows: top to bottom. */

import { attention, type CachedKeysAndValues } from '../../nn/attention.ts';
import { mixtureOfExperts } from '../../nn/experts.ts';
import { embedding, linear } from '../../nn/layers.ts';
import { type Parameters, under } from '../../nn/parameters.ts';
import { type Rotation, rotaryFrequencies, rotate, rotationOf } from '../../nn/rotary.ts';
import { swiglu } from '../../nn/swiglu.ts';
import { noTap, type Tap, within } from '../../nn/tap.ts';
import { type JaxArray, numpy as np, rmsNorm } from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';

/** What a pass may be given besides weights and tokens. */
export interface DecoderPass {
  /** Looks into the pass; the points are in points.ts. */
  readonly tap?: Tap;
  /** Positions of the tokens, int32, shape [tokens]; by default 0, 1, 2, … */
  readonly positions?: JaxArray;
  /** Earlier keys and values, one a layer. */
  readonly caches?: readonly CachedKeysAndValues[];
  /** Only this token of each sequence (int32, shape [1]) goes to the head; by default all do. */
  readonly only?: JaxArray;
}

/** Logits of the next token, shape [batch, tokens, vocabulary], from tokens, int32, shape [batch, tokens]. */
export function decoder(
  weights: Parameters,
  config: DecoderConfig,
  tokens: JaxArray,
  { tap = noTap, positions = np.arange(tokens.shape[1]).astype(np.int32), caches, only }: DecoderPass = {},
): JaxArray {
  const rotation = rotationOf(positions, rotaryFrequencies(config.rotary, config.headSize));
  let x = tap('embeddings', embedding(tokens, weights['model.embed_tokens.weight']));
  for (let n = 0; n < config.layers; n++) {
    const at = { rotation, positions, cache: caches?.[n], tap: within(tap, `layers.${n}.`) };
    x = decoderLayer(under(weights, `model.layers.${n}.`), config, n, x, at);
  }
  if (only) x = np.take(x, only, 1);
  return decoderHead(weights, config, x, tap);
}

interface LayerPass {
  readonly rotation: Rotation;
  readonly positions: JaxArray;
  readonly cache?: CachedKeysAndValues;
  readonly tap: Tap;
}

/** One layer: x [batch, tokens, width] → the same shape. The weights' names are without `model.layers.N.`. */
export function decoderLayer(
  weights: Parameters,
  config: DecoderConfig,
  n: number,
  x: JaxArray,
  pass: LayerPass,
): JaxArray {
  const { tap } = pass;
  const { normEpsilon } = config;
  const input = tap('input', x);
  const attended = selfAttention(
    weights,
    config,
    n,
    tap('attention.input', rmsNorm(input, weights['input_layernorm.weight'], normEpsilon)),
    pass,
  );
  const middle = tap('middle', input.add(attended));
  const normed = tap('mlp.input', rmsNorm(middle, weights['post_attention_layernorm.weight'], normEpsilon));
  const transformed = config.sparse[n] ? experts(weights, config, normed, tap) : mlp(weights, normed, tap);
  return tap('output', middle.add(transformed));
}

function selfAttention(
  weights: Parameters,
  { heads, keyValueHeads, headSize, normEpsilon, queryKeyNorm, windows }: DecoderConfig,
  n: number,
  x: JaxArray,
  { rotation, positions, cache, tap }: LayerPass,
): JaxArray {
  const [batch, tokens] = x.shape;
  const projected = (name: string, count: number) => {
    const y = linear(x, weights[`self_attn.${name}_proj.weight`], weights[`self_attn.${name}_proj.bias`]);
    return y.reshape([batch, tokens, count, headSize]);
  };
  const normed = (y: JaxArray, name: string) =>
    queryKeyNorm ? rmsNorm(y, weights[`self_attn.${name}_norm.weight`], normEpsilon) : y;
  const byHead = (y: JaxArray) => np.moveaxis(y, 1, 2);
  const q = tap('attention.queriesUnrotated', byHead(normed(projected('q', heads), 'q')));
  const k = tap('attention.keysUnrotated', byHead(normed(projected('k', keyValueHeads), 'k')));
  const queries = tap('attention.queries', rotate(q, rotation));
  const keys = tap('attention.keys', rotate(k, rotation));
  const values = tap('attention.values', byHead(projected('v', keyValueHeads)));
  const mixed = attention({ queries, keys, values, positions, window: windows[n], cache }, within(tap, 'attention.'));
  const joined = mixed.reshape([batch, tokens, heads * headSize]);
  return tap('attention.output', linear(joined, weights['self_attn.o_proj.weight'], weights['self_attn.o_proj.bias']));
}

function mlp(weights: Parameters, x: JaxArray, tap: Tap): JaxArray {
  const of = (name: string, kind: string) => weights[`mlp.${name}_proj.${kind}`];
  return swiglu(
    x,
    {
      gate: of('gate', 'weight'),
      up: of('up', 'weight'),
      down: of('down', 'weight'),
      gateBias: of('gate', 'bias'),
      upBias: of('up', 'bias'),
      downBias: of('down', 'bias'),
    },
    within(tap, 'mlp.'),
  );
}

function experts(weights: Parameters, config: DecoderConfig, x: JaxArray, tap: Tap): JaxArray {
  const { naming } = config.experts!;
  const names =
    naming === 'mixtral'
      ? { block: 'block_sparse_moe', gate: 'w1', up: 'w3', down: 'w2' }
      : { block: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
  const expert = (e: number, y: JaxArray, inner: Tap) => {
    const of = (name: string) => weights[`${names.block}.experts.${e}.${name}.weight`];
    return swiglu(y, { gate: of(names.gate), up: of(names.up), down: of(names.down) }, inner);
  };
  return mixtureOfExperts(x, weights[`${names.block}.gate.weight`], config.experts!, expert, within(tap, 'mlp.'));
}

/** The last norm and the head: x [batch, tokens, width] → logits [batch, tokens, vocabulary]. */
export function decoderHead(weights: Parameters, config: DecoderConfig, x: JaxArray, tap: Tap): JaxArray {
  const final = tap('final', rmsNorm(x, weights['model.norm.weight'], config.normEpsilon));
  const head = weights[config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight'];
  return tap('logits', linear(final, head));
}
