/** @file What a decoder is made of, in the field's words; `readConfig` makes it of a published config.json. */

import type { Rotary } from '../../nn/rotary.ts';

/** The experts of mixture-of-experts layers. */
export interface Experts {
  readonly count: number;
  /** Experts each token is sent to. */
  readonly perToken: number;
  /** Width of one expert. */
  readonly hidden: number;
  /** Whether the gates of the chosen experts are divided by their sum. */
  readonly normalised: boolean;
  /** How the tensors are named: `block_sparse_moe.experts.0.w1` or `mlp.experts.0.gate_proj`. */
  readonly naming: 'mixtral' | 'qwen';
}

export interface DecoderConfig {
  /** `model_type` of the config. */
  readonly family: 'llama' | 'mistral' | 'mixtral' | 'qwen2' | 'qwen3' | 'qwen3_moe';
  readonly vocabulary: number;
  /** Width of the residual stream. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Width inside a dense MLP. */
  readonly hidden: number;
  /** Greatest number of positions. */
  readonly positions: number;
  readonly normEpsilon: number;
  readonly rotary: Rotary;
  /** Whether the head is the embedding. */
  readonly tied: boolean;
  /** Biases of the query, key and value projections. */
  readonly queryKeyValueBias: boolean;
  /** Bias of the attention's output projection. */
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** RMS norms over each head's queries and keys (Qwen3). */
  readonly queryKeyNorm: boolean;
  /** Positions a query sees, itself included, for each layer; undefined: all before it. */
  readonly windows: readonly (number | undefined)[];
  /** For each layer, whether it has experts in place of one MLP. */
  readonly sparse: readonly boolean[];
  readonly experts?: Experts;
  readonly beginToken?: number;
  readonly endTokens: readonly number[];
}
