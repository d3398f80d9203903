/** @file Mixture of experts: a router sends each token to a few of many MLPs and mixes their outputs by its gates. */

import { type JaxArray, numpy as np, softmax } from '../runtime/index.ts';
import { linear } from './layers.ts';
import { type Tap, within } from './tap.ts';

/**
 * The gates of the k experts with the highest scores, 0 for the others; scores [..., experts] → [..., experts].
 * The lower index goes first among equals.
 */
export function topKGates(scores: JaxArray, k: number, normalised: boolean): JaxArray {
  const gates = softmax(scores);
  const experts = scores.shape[scores.shape.length - 1];
  let left = scores;
  let chosen: JaxArray | undefined;
  for (let i = 0; i < k; i++) {
    const best = np.equal(np.argmax(left, -1, { keepdims: true }), np.arange(experts)).astype(np.float32);
    chosen = chosen ? chosen.add(best) : best;
    left = left.sub(best.mul(2e30));
  }
  const kept = gates.mul(chosen!);
  return normalised ? kept.div(kept.sum(-1, { keepdims: true })) : kept;
}

/**
 * Σ gate · expert(x), x [..., width] → [..., width]. An expert reads zeros in place of the tokens at which its gate is 0: one that is
 * beyond a float there has no say, neither in the values nor, by 0 · ∞, in the slopes.
 * Points: `router.scores`, `router.gates`, `experts.E.input` and what `expert` taps under `experts.E.`, `output`.
 */
export function mixtureOfExperts(
  x: JaxArray,
  router: JaxArray,
  { count, perToken, normalised }: { readonly count: number; readonly perToken: number; readonly normalised: boolean },
  expert: (e: number, x: JaxArray, tap: Tap) => JaxArray,
  tap: Tap,
): JaxArray {
  const scores = tap('router.scores', linear(x, router));
  const gates = tap('router.gates', topKGates(scores, perToken, normalised));
  const each = np.split(gates, count, -1);
  let sum: JaxArray | undefined;
  for (let e = 0; e < count; e++) {
    const inner = within(tap, `experts.${e}.`);
    const sent = inner('input', np.where(np.notEqual(each[e], 0), x, 0));
    const part = expert(e, sent, inner).mul(each[e]);
    sum = sum ? sum.add(part) : part;
  }
  return tap('output', sum!);
}
