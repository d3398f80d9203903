/**
 * @file Small classifiers that methods train on a dataset: features → perceptron, or words → embedding → mean → perceptron, with one
 * self-attention layer before the mean where wanted.
 */

import type { Random } from '../../core/random.ts';
import { embedding, linear } from '../../nn/layers.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import type { Tap } from '../../nn/tap.ts';
import { float32, type JaxArray, nn, numpy as np, softmax } from '../../runtime/index.ts';

export interface ClassifierConfig {
  /** Numbers of an example, or its words as numbers, 0 where it is over. */
  readonly input:
    | { readonly kind: 'features'; readonly width: number }
    | {
        readonly kind: 'text';
        /** How many word numbers there are, 0 among them. */
        readonly words: number;
        /** Words of an example. */
        readonly length: number;
        /** Numbers of a word's embedding. */
        readonly width: number;
        /** One layer of self-attention with one head, its output added to its input. */
        readonly attention: boolean;
      };
  readonly hidden: number;
  readonly classes: number;
}

/**
 * A network that classifies examples of which none sees another. Its pass comes by points that a tap sees: `embeddings` [batch,
 * positions, width], which input gradients are taken of, and the inputs and outputs of its linear layers.
 */
export interface ExampleNetwork {
  readonly classes: number;
  /** Logits [batch, classes] of inputs [batch, numbers of an example]. */
  logits(parameters: Parameters, inputs: JaxArray, tap: Tap): JaxArray;
  /** 1 where a position of `embeddings` holds something and 0 where it pads, [batch, positions]. */
  positions(inputs: JaxArray): JaxArray;
  /**
   * Where embeddings go into the pass as their sum alone: the point of the sum [batch, width], and what each that holds something is
   * multiplied by there, [batch]. Their gradients are then that of the sum times this, the same at every position.
   */
  readonly sum?: { readonly point: string; weight(inputs: JaxArray): JaxArray };
}

/** The mean over words is so much larger than it is, for the mean of ten words to be about as large as one. */
const meanGain = 3;

/**
 * The classifier of a config. Points: `embeddings`, `attention.weights` [batch, length, length], `pooled` [batch, width] (of features:
 * themselves), `hidden.input` and `hidden` [batch, hidden], before and after ReLU, and `logits`.
 */
export function classifier({ input, classes }: ClassifierConfig): ExampleNetwork {
  const weight = (inputs: JaxArray) => np.reciprocal(np.maximum(positions(inputs).sum(1), 1)).mul(meanGain);
  const positions = (inputs: JaxArray) =>
    input.kind === 'text' ? np.where(np.greater(inputs, 0), 1, 0).astype(np.float32) : np.ones([inputs.shape[0], 1]);
  return {
    classes,
    positions,
    ...(input.kind === 'text' && !input.attention && { sum: { point: 'pooled', weight } }),
    logits(p, inputs, tap) {
      const pooled = tap('pooled', input.kind === 'text' ? ofWords(p, inputs) : ofFeatures(inputs));
      const before = tap('hidden.input', linear(pooled, p['hidden.weight'], p['hidden.bias']));
      const hidden = tap('hidden', nn.relu(before));
      return tap('logits', linear(hidden, p['output.weight'], p['output.bias']));

      function ofFeatures(x: JaxArray) {
        const [batch, width] = x.shape;
        return tap('embeddings', x.reshape([batch, 1, width])).reshape([batch, width]);
      }
      function ofWords(parameters: Parameters, words: JaxArray) {
        const [batch, length] = words.shape;
        const held = positions(words);
        let x = tap('embeddings', embedding(words, parameters['embedding.weight']));
        if ('attention.query.weight' in parameters) x = x.add(attended(parameters, x, held, tap));
        const weights = held.mul(weight(words).reshape([batch, 1])).reshape([batch, 1, length]);
        return np.matmul(weights, x).reshape([batch, x.shape[2]]);
      }
    },
  };
}

/**
 * Output of self-attention: softmax(q kᵀ / √width) v W_out, for x [batch, length, width]; words that pad are not looked at. The head is as
 * wide as x, so that the maps to queries and keys are one map between words, and those from values to outputs one too.
 */
function attended(p: Parameters, x: JaxArray, held: JaxArray, tap: Tap): JaxArray {
  const [batch, length, width] = x.shape;
  const weight = (name: string) => p[`attention.${name}.weight`];
  const between = np.matmul(np.transpose(weight('query')), weight('key')).mul(width ** -0.5);
  const unseen = held.sub(1).mul(1e30).reshape([batch, 1, length]);
  const scores = np.matmul(x, np.moveaxis(linear(x, between), -1, -2));
  const weights = tap('attention.weights', softmax(scores.add(unseen)));
  return np.matmul(weights, linear(x, np.matmul(weight('output'), weight('value'))));
}

/** Every tensor of a classifier by name; linear weights are [out, in]. */
function shapesOf({ input, hidden, classes }: ClassifierConfig): Record<string, readonly number[]> {
  const { width } = input;
  const ofWords = input.kind === 'text' && {
    'embedding.weight': [input.words, width],
    ...(input.attention &&
      Object.fromEntries(
        ['query', 'key', 'value', 'output'].map((part) => [`attention.${part}.weight`, [width, width]]),
      )),
  };
  return {
    ...ofWords,
    'hidden.weight': [hidden, width],
    'hidden.bias': [hidden],
    'output.weight': [classes, hidden],
    'output.bias': [classes],
  };
}

/** Fresh tensors: embeddings normal with deviation 0.3, weights and biases of a layer uniform within ±1/√(its inputs). */
export function initialClassifier(config: ClassifierConfig, random: Random): ParameterTensors {
  const shapes = shapesOf(config);
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const draws = random.stream(name);
      const size = shape.reduce((product, length) => product * length, 1);
      const fanIn = shapes[name.replace(/bias$/, 'weight')][1];
      const within = fanIn ** -0.5;
      const draw = name === 'embedding.weight' ? () => 0.3 * draws.normal() : () => within * (2 * draws.uniform() - 1);
      return [name, float32(shape, Float32Array.from({ length: size }, draw))];
    }),
  );
}
