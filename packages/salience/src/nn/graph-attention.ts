/** @file Graph attention (arXiv:1710.10903) over the nodes of one dense graph. */

import { type JaxArray, nn, numpy as np, softmax } from '../runtime/index.ts';
import type { Parameters } from './parameters.ts';

/** One layer of H heads, each from `in` to `width` features. */
export interface GraphAttentionTensors {
  /** Shape [heads, width, in]. */
  readonly weight: JaxArray;
  /** For the node that listens, shape [heads, width]. */
  readonly destination: JaxArray;
  /** For the node that is heard, shape [heads, width]. */
  readonly source: JaxArray;
}

/** Finite, so that sums of scores stay numbers. */
const unjoined = -1e30;

/**
 * z = W x; e_ij = LeakyReLU₀.₂(a_dst · z_i + a_src · z_j) for each edge j → i; α_ij = softmax of e_i over the neighbours of i and
 * itself; out_i = Σ_j α_ij z_j.
 * @param x shape [nodes, in].
 * @param graph bool, shape [nodes, nodes]: row i has the nodes that i listens to, itself among them.
 * @returns `outputs` [heads, nodes, width] and `attention` α [heads, nodes, nodes].
 */
export function graphAttention(
  x: JaxArray,
  graph: JaxArray,
  { weight, destination, source }: GraphAttentionTensors,
): { readonly outputs: JaxArray; readonly attention: JaxArray } {
  const [heads, width, inputs] = weight.shape;
  const nodes = x.shape[0];
  const z = np.matmul(x, weight.reshape([heads * width, inputs]).transpose()).reshape([nodes, heads, width]);
  const perHead = z.transpose([1, 0, 2]);
  const of = (a: JaxArray) => np.matmul(perHead, a.reshape([heads, width, 1]));
  const listening = of(destination);
  const heard = of(source).reshape([heads, 1, nodes]);
  const scores = nn.leakyRelu(listening.add(heard), 0.2);
  const attention = softmax(np.where(graph, scores, unjoined));
  return { outputs: np.matmul(attention, perHead), attention };
}

/** Factors of 0 or 1/keep for the inputs of each layer, [nodes, in] and [nodes, heads · hidden]: dropout. */
export type Dropped = readonly [JaxArray, JaxArray];

/**
 * Two layers: heads side by side with ELU between, then `classes` outputs a head, averaged.
 * @param parameters `first.weight` [heads, hidden, in], `first.destination`, `first.source` [heads, hidden], `first.bias`
 * [heads · hidden], and `last.…` alike with width `classes` and bias [classes].
 * @returns `logits` [nodes, classes] and the attention of each layer, [heads, nodes, nodes].
 */
export function graphAttentionNetwork(
  parameters: Parameters,
  x: JaxArray,
  graph: JaxArray,
  dropped?: Dropped,
): { readonly logits: JaxArray; readonly attention: readonly [JaxArray, JaxArray] } {
  const layer = (name: string): GraphAttentionTensors => ({
    weight: parameters[`${name}.weight`],
    destination: parameters[`${name}.destination`],
    source: parameters[`${name}.source`],
  });
  const first = graphAttention(dropped ? x.mul(dropped[0]) : x, graph, layer('first'));
  const nodes = x.shape[0];
  const [heads, , width] = first.outputs.shape;
  const beside = first.outputs
    .transpose([1, 0, 2])
    .reshape([nodes, heads * width])
    .add(parameters['first.bias']);
  const hidden = nn.elu(beside);
  const last = graphAttention(dropped ? hidden.mul(dropped[1]) : hidden, graph, layer('last'));
  return {
    logits: last.outputs.mean(0).add(parameters['last.bias']),
    attention: [first.attention, last.attention],
  };
}

/** What each node is given by the others: Σ_{i ≠ j} α_ij for each head and node j; α [heads, nodes, nodes] → [heads, nodes]. */
export function attentionReceived(attention: JaxArray): JaxArray {
  const nodes = attention.shape[1];
  return attention.mul(np.eye(nodes).mul(-1).add(1)).sum(1);
}
