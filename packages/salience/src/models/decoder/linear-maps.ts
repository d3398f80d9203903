/** @file The matrices inside a decoder's layers and what each of them reads: what pruning and quantisation work on. */

import type { Observation } from '../../nn/observation.ts';
import { type JaxArray, numpy as np } from '../../runtime/index.ts';
import type { DecoderConfig } from './config.ts';

/** A matrix [rows, columns] = [out, in] of a layer. */
export interface LinearMap {
  /** Name of its weight after `model.layers.N.`. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** The input it reads, shared by several matrices: a point of the layer. */
  readonly input: string;
}

/** The matrices of layer n in the order of the data: queries, keys, values, output, gate, up, down. Routers are not among them. */
export function linearMaps(config: DecoderConfig, n: number): LinearMap[] {
  const { width, heads, keyValueHeads, headSize, hidden, sparse, experts } = config;
  const map = (name: string, rows: number, columns: number, input: string): LinearMap => ({
    name: `${name}.weight`,
    rows,
    columns,
    input,
  });
  const attention = [
    map('self_attn.q_proj', heads * headSize, width, 'attention.input'),
    map('self_attn.k_proj', keyValueHeads * headSize, width, 'attention.input'),
    map('self_attn.v_proj', keyValueHeads * headSize, width, 'attention.input'),
    map('self_attn.o_proj', width, heads * headSize, 'attention.heads'),
  ];
  if (!sparse[n]) {
    return [
      ...attention,
      map('mlp.gate_proj', hidden, width, 'mlp.input'),
      map('mlp.up_proj', hidden, width, 'mlp.input'),
      map('mlp.down_proj', width, hidden, 'mlp.hidden'),
    ];
  }
  const { count, hidden: inner, naming } = experts!;
  const [block, gate, up, down] =
    naming === 'mixtral' ? ['block_sparse_moe', 'w1', 'w3', 'w2'] : ['mlp', 'gate_proj', 'up_proj', 'down_proj'];
  return [
    ...attention,
    ...Array.from({ length: count }, (_, e) => [
      map(`${block}.experts.${e}.${gate}`, inner, width, `mlp.experts.${e}.input`),
      map(`${block}.experts.${e}.${up}`, inner, width, `mlp.experts.${e}.input`),
      map(`${block}.experts.${e}.${down}`, width, inner, `mlp.experts.${e}.hidden`),
    ]).flat(),
  ];
}

/** What the matrices of one layer read, as rows of channels; an expert reads the tokens that are sent to it, the others are 0. */
function inputOf(input: string, see: (point: string) => JaxArray): JaxArray {
  const x = see(input);
  const channels = input === 'attention.heads' ? x.shape[2] * x.shape[3] : x.shape[x.shape.length - 1];
  return x.reshape([-1, channels]);
}

/** For each input of layer n, by its name: Σ x² of each channel, shape [columns], over all tokens. */
export function inputSquares(config: DecoderConfig, n: number): Observation {
  return statistics(config, n, (x) => x.mul(x).sum(0));
}

/** For each input of layer n, by its name: Σ xᵀx over all tokens, shape [columns, columns]. */
export function inputSecondMoments(config: DecoderConfig, n: number): Observation {
  return statistics(config, n, (x) => np.matmul(np.transpose(x), x));
}

function statistics(config: DecoderConfig, n: number, reduce: (x: JaxArray) => JaxArray): Observation {
  const inputs = [...new Set(linearMaps(config, n).map(({ input }) => input))];
  return {
    scope: 'layer',
    reduce: (see) => Object.fromEntries(inputs.map((input) => [input, reduce(inputOf(input, see))])),
  };
}
