/** @file Causal attention with grouped queries (arXiv:2305.13245) over the tokens at hand and, where there is one, a cache of earlier ones. */

import { type JaxArray, numpy as np, softmax } from '../runtime/index.ts';
import type { Tap } from './tap.ts';

/** Earlier keys and values. Each lane (a key/value head of a sequence) may hold entries of other positions. */
export interface CachedKeysAndValues {
  /** Turned by their positions, shape [batch, keyValueHeads, capacity, headSize]. */
  readonly keys: JaxArray;
  /** Shape [batch, keyValueHeads, capacity, headSize]. */
  readonly values: JaxArray;
  /** The position of each entry, −1 where a place is empty; int32, shape [batch, keyValueHeads, capacity]. */
  readonly positions: JaxArray;
}

interface Attention {
  /** Turned by their positions, shape [batch, heads, tokens, headSize]. */
  readonly queries: JaxArray;
  /** Turned, shape [batch, keyValueHeads, tokens, headSize]. */
  readonly keys: JaxArray;
  /** Shape [batch, keyValueHeads, tokens, headSize]. */
  readonly values: JaxArray;
  /** int32, shape [tokens]. */
  readonly positions: JaxArray;
  /** Positions a query sees, itself included; undefined: all before it. */
  readonly window?: number;
  readonly cache?: CachedKeysAndValues;
}

/** Added to the score of a key that a query does not see: finite, so that sums of scores stay numbers. */
const unseen = -1e30;

/**
 * softmax(q kᵀ / √headSize) v. Points: `scores` and `weights` [batch, heads, tokens, keys] (cached keys first) and `heads`.
 * @returns the heads' outputs, shape [batch, tokens, heads, headSize].
 */
export function attention({ queries, keys, values, positions, window, cache }: Attention, tap: Tap): JaxArray {
  const [batch, heads, tokens, size] = queries.shape;
  const groups = keys.shape[1];
  const rows = (heads / groups) * tokens;
  // The query heads that share a key head are rows of one product.
  const q = queries.mul(size ** -0.5).reshape([batch, groups, rows, size]);
  const scoresOf = (k: JaxArray, bias: JaxArray) =>
    np
      .matmul(q, np.moveaxis(k, -1, -2))
      .reshape([batch, heads, tokens, k.shape[2]])
      .add(bias);

  const own = scoresOf(keys, biasOf(positions.reshape([1, 1, 1, tokens]), positions, window));
  let scores = own;
  if (cache) {
    const capacity = cache.keys.shape[2];
    const at = np.repeat(cache.positions, heads / groups, 1).reshape([batch, heads, 1, capacity]);
    scores = np.concatenate([scoresOf(cache.keys, biasOf(at, positions, window)), own], -1);
  }
  const weights = tap('weights', softmax(tap('scores', scores)));

  const mixed = (w: JaxArray, v: JaxArray) => np.matmul(w.reshape([batch, groups, rows, v.shape[2]]), v);
  let outputs: JaxArray;
  if (cache) {
    const [ofCache, ofOwn] = np.split(weights, [cache.keys.shape[2]], -1);
    outputs = mixed(ofCache, cache.values).add(mixed(ofOwn, values));
  } else {
    outputs = mixed(weights, values);
  }
  return tap('heads', np.moveaxis(outputs.reshape([batch, heads, tokens, size]), 1, 2));
}

/** 0 where the query sees the key, else a very low number; keys [..., 1, keys], queries [tokens] → [..., tokens, keys]. */
function biasOf(keys: JaxArray, queries: JaxArray, window: number | undefined): JaxArray {
  const tokens = queries.shape[0];
  const at = queries.reshape([tokens, 1]);
  const before = np.lessEqual(keys, at).mul(np.greaterEqual(keys, 0));
  const seen = window === undefined ? before : before.mul(np.greater(keys, at.sub(window)));
  return np.where(seen, 0, unseen);
}
