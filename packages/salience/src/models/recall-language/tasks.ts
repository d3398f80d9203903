/**
 * @file Small tasks for small networks: two on which cache methods are checked (one needs the same token at every step, the other
 * another one each time), and sequences of a Markov chain or of a repeated string on which pruning and quantisation are.
 */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** Rows to train or test on; all arrays of shape [batch, length]. */
export interface TaskBatch {
  readonly batch: number;
  readonly length: number;
  readonly tokens: Int32Array;
  /** What the network is to say at each position; 0 where the weight is 0. */
  readonly targets: Int32Array;
  /** Weight of each position's loss, 0 or 1. */
  readonly weights: Float32Array;
}

function emptyBatch(batch: number, length: number): TaskBatch {
  const size = batch * length;
  return {
    batch,
    length,
    tokens: new Int32Array(size),
    targets: new Int32Array(size),
    weights: new Float32Array(size),
  };
}

/** The persistent task: tokens 0 to 23 are symbols, 24 to 31 rules; 96 a row, answers 0 to 7. */
export const ruleTask = { length: 96, symbols: 24, rules: 8, vocabulary: 32, answers: 8 } as const;

/**
 * Rows of 96 independent symbols with one rule token in place of one at positions 1 to 15. At every later position the answer is
 * (⌊symbol / 3⌋ + rule) mod 8; answers are never shown, so the rule's token is needed at every step.
 */
export function ruleBatch(random: Random, batch: number): TaskBatch {
  const { length, symbols, rules, answers } = ruleTask;
  const made = emptyBatch(batch, length);
  for (let row = 0; row < batch; row++) {
    const place = 1 + random.integer(15);
    const rule = random.integer(rules);
    for (let t = 0; t < length; t++) {
      const at = row * length + t;
      const symbol = random.integer(symbols);
      made.tokens[at] = t === place ? symbols + rule : symbol;
      if (t <= place) continue;
      made.targets[at] = (Math.floor(symbol / 3) + rule) % answers;
      made.weights[at] = 1;
    }
  }
  return made;
}

/**
 * The non-persistent task: tokens 0 to 191 are pairs (8 · key + value), 192 to 215 queries (192 + key), 216 to 231 filler;
 * 96 a row, answers 0 to 7.
 */
export const pairTask = {
  length: 96,
  keys: 24,
  values: 8,
  pairs: 8,
  hot: 2,
  queryShare: 0.3,
  firstQuery: 192,
  firstFiller: 216,
  vocabulary: 232,
  answers: 8,
} as const;

/**
 * Rows with 8 pairs of different keys among filler in the first half, and queries among filler, each position one with chance
 * 0.3, in the second. The answer to a query is its key's value.
 * @param options.hot ρ, chance that a query is for one of the row's 2 hot keys; otherwise it is for any of the 8, all alike.
 * @throws ParameterError if ρ is outside [0, 1].
 */
export function pairBatch(random: Random, batch: number, { hot }: { readonly hot: number }): TaskBatch {
  if (!(hot >= 0 && hot <= 1)) throw new ParameterError(`the share of hot queries is in [0, 1], not ${hot}`);
  const { length, keys, values, pairs, queryShare, firstQuery, firstFiller, vocabulary } = pairTask;
  const half = length / 2;
  const made = emptyBatch(batch, length);
  for (let row = 0; row < batch; row++) {
    const own = random.permutation(keys).subarray(0, pairs);
    const held = Array.from(own, () => random.integer(values));
    const places = random.permutation(half).subarray(0, pairs);
    const start = row * length;
    for (let t = 0; t < length; t++) made.tokens[start + t] = firstFiller + random.integer(vocabulary - firstFiller);
    for (let p = 0; p < pairs; p++) made.tokens[start + places[p]] = own[p] * values + held[p];
    for (let at = start + half; at < start + length; at++) {
      if (random.uniform() >= queryShare) continue;
      // own[] is in random order, so its first two are hot
      const p = random.integer(random.uniform() < hot ? pairTask.hot : pairs);
      made.tokens[at] = firstQuery + own[p];
      made.targets[at] = held[p];
      made.weights[at] = 1;
    }
  }
  return made;
}

/** A Markov chain of order 2: for each context of two tokens, the tokens that may follow. */
export interface MarkovChain {
  readonly vocabulary: number;
  /** Shape [vocabulary, vocabulary, 4]: successors of (token before last, last), most likely first. */
  readonly successors: Int32Array;
}

/** Chances of a context's four successors; their entropy is 1.11 nats. */
export const successorChances = [0.55, 0.25, 0.15, 0.05] as const;

/**
 * A chain with four different successors for each context, drawn once.
 * @throws ParameterError if there are fewer than 4 tokens.
 */
export function markovChain(random: Random, vocabulary = 16): MarkovChain {
  const width = successorChances.length;
  if (!(vocabulary >= width)) throw new ParameterError(`a chain needs ${width} tokens or more, not ${vocabulary}`);
  const successors = new Int32Array(vocabulary * vocabulary * width);
  for (let context = 0; context < vocabulary * vocabulary; context++) {
    successors.set(random.permutation(vocabulary).subarray(0, width), context * width);
  }
  return { vocabulary, successors };
}

/** One of the chain's sequences, shape [length]; its first two tokens are any. */
function walk(random: Random, { vocabulary, successors }: MarkovChain, length: number): Int32Array {
  const width = successorChances.length;
  const tokens = new Int32Array(length);
  for (let t = 0; t < length; t++) {
    if (t < 2) {
      tokens[t] = random.integer(vocabulary);
      continue;
    }
    let u = random.uniform();
    let rank = 0;
    while (rank < width - 1 && u >= successorChances[rank]) u -= successorChances[rank++];
    tokens[t] = successors[(tokens[t - 2] * vocabulary + tokens[t - 1]) * width + rank];
  }
  return tokens;
}

/** A string of independent tokens that fills half the sequence, and the same again; shape [length]. */
function repeated(random: Random, vocabulary: number, length: number): Int32Array {
  const half = Math.ceil(length / 2);
  const tokens = new Int32Array(length);
  for (let t = 0; t < length; t++) tokens[t] = t < half ? random.integer(vocabulary) : tokens[t - half];
  return tokens;
}

/**
 * Rows of next-token prediction: sequences of `length` + 1 tokens, the inputs all but the last and the targets all but the first.
 * All weights are 1.
 * @param options.length 31 gives the sequences of 32 tokens of the checks.
 * @param options.copies chance that a row is a repeated random string instead of a walk on the chain; 0.5 for the mixture.
 * @throws ParameterError if `copies` is outside [0, 1].
 */
export function markovBatch(
  random: Random,
  chain: MarkovChain,
  batch: number,
  { length = 31, copies = 0 }: { readonly length?: number; readonly copies?: number } = {},
): TaskBatch {
  if (!(copies >= 0 && copies <= 1)) throw new ParameterError(`the share of copies is in [0, 1], not ${copies}`);
  const made = emptyBatch(batch, length);
  for (let row = 0; row < batch; row++) {
    const copy = random.uniform() < copies;
    const tokens = copy ? repeated(random, chain.vocabulary, length + 1) : walk(random, chain, length + 1);
    made.tokens.set(tokens.subarray(0, length), row * length);
    made.targets.set(tokens.subarray(1), row * length);
  }
  made.weights.fill(1);
  return made;
}
