/** @file Softmax regression on random features: one linear layer, whose gradients and curvature are closed forms. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { factoredInnerProduct, factoredSquaredNorm } from '../../numerics/influence/gradient-alignment.ts';
import type { LayerBasis } from '../../numerics/influence/kronecker-curvature.ts';
import { groupMoments } from '../../numerics/statistics/standardise.ts';
import type { ExampleGradients } from './example-gradients.ts';

/** Maps rows of numbers to features. */
export interface FeatureMap {
  readonly inputs: number;
  readonly outputs: number;
  /** Features of a row, shape [outputs]; the row is `inputs` numbers from `at`. */
  apply(rows: ArrayLike<number>, at?: number): Float64Array;
}

/**
 * max(0, W x + b) of random W and b, after each input was put to mean 0 and deviation 1 by the moments of a sample; of order 1.
 * @param sample row-major, shape [rows · inputs].
 * @throws ParameterError for less than one input or output; InputError for no row.
 */
export function randomReluFeatures(
  sample: ArrayLike<number>,
  { inputs, outputs, random }: { readonly inputs: number; readonly outputs: number; readonly random: Random },
): FeatureMap {
  for (const [name, value] of Object.entries({ inputs, outputs })) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ParameterError(`${name} = ${value} is not a whole number of 1 or more`);
  }
  const rows = sample.length / inputs;
  if (!(Number.isInteger(rows) && rows >= 1))
    throw new InputError(`a sample of ${sample.length} numbers is no rows of ${inputs}`);
  const { means: mean, deviations } = groupMoments(sample, inputs, (i) => i % inputs);
  const inverse = deviations.map((deviation) => (deviation > 0 ? 1 / deviation : 0));
  const spread = 1 / Math.sqrt(inputs);
  const w = Float64Array.from({ length: outputs * inputs }, () => spread * random.normal());
  const b = Float64Array.from({ length: outputs }, () => random.normal());
  return {
    inputs,
    outputs,
    apply(values, at = 0) {
      const out = new Float64Array(outputs);
      for (let o = 0; o < outputs; o++) {
        let sum = b[o];
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i] * (values[at + i] - mean[i]) * inverse[i];
        if (sum > 0) out[o] = sum;
      }
      return out;
    },
  };
}

/** A row's features and its class. */
export interface LabelledFeatures {
  readonly x: Float64Array;
  readonly label: number;
}

/** Chances of the classes, shape [classes], of weights of shape [classes · features]. */
export function classProbabilities(weights: Float64Array, x: ArrayLike<number>): Float64Array {
  const width = x.length;
  const p = new Float64Array(weights.length / width);
  let largest = -Infinity;
  for (let c = 0; c < p.length; c++) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += weights[c * width + i] * x[i];
    p[c] = sum;
    largest = Math.max(largest, sum);
  }
  let total = 0;
  for (let c = 0; c < p.length; c++) total += p[c] = Math.exp(p[c] - largest);
  return p.map((value) => value / total);
}

/**
 * Weights [classes · features] after so many steps of gradient descent with Nesterov's momentum 0.9 from 0, on all examples at once;
 * the rate is 1 over a bound of the loss's curvature.
 * @throws InputError for no example, or a label that is no class.
 */
export function trainSoftmax(
  examples: readonly LabelledFeatures[],
  { classes, steps }: { readonly classes: number; readonly steps: number },
): Float64Array {
  if (examples.length === 0) throw new InputError('softmax regression needs an example');
  const odd = examples.findIndex(({ label }) => !(label >= 0 && label < classes));
  if (odd >= 0) throw new InputError(`example ${odd} is of class ${examples[odd].label}; there are ${classes}`);
  const width = examples[0].x.length;
  // The curvature is at most half the largest eigenvalue of E[x xᵀ], which power iteration finds from below: hence 1.1.
  const rate = 1 / Math.max(1e-12, 0.55 * largestMoment(examples));
  const weights = new Float64Array(classes * width);
  const ahead = new Float64Array(classes * width);
  const velocity = new Float64Array(classes * width);
  const gradient = new Float64Array(classes * width);
  for (let step = 0; step < steps; step++) {
    gradient.fill(0);
    for (const { x, label } of examples) {
      const p = classProbabilities(ahead, x);
      p[label] -= 1;
      for (let c = 0; c < classes; c++) {
        const slope = p[c];
        for (let i = 0; i < width; i++) gradient[c * width + i] += slope * x[i];
      }
    }
    for (let i = 0; i < weights.length; i++) {
      const before = velocity[i];
      velocity[i] = 0.9 * before - (rate / examples.length) * gradient[i];
      weights[i] = ahead[i] - (rate / examples.length) * gradient[i];
      ahead[i] = weights[i] + 0.9 * velocity[i];
    }
  }
  return weights;
}

/** The largest eigenvalue of E[x xᵀ], by 30 power iterations. */
function largestMoment(examples: readonly LabelledFeatures[]): number {
  let v = new Float64Array(examples[0].x.length).fill(1);
  let norm = 0;
  for (let k = 0; k < 30; k++) {
    const next = new Float64Array(v.length);
    for (const { x } of examples) {
      let along = 0;
      for (let i = 0; i < x.length; i++) along += x[i] * v[i];
      for (let i = 0; i < x.length; i++) next[i] += (along * x[i]) / examples.length;
    }
    norm = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0));
    if (norm === 0) return 0;
    v = next.map((value) => value / norm);
  }
  return norm;
}

/** Mean cross entropy in nats, and the share of examples whose likeliest class is theirs. */
export function softmaxLoss(
  weights: Float64Array,
  examples: readonly LabelledFeatures[],
): { readonly loss: number; readonly accuracy: number } {
  let loss = 0;
  let right = 0;
  for (const { x, label } of examples) {
    const p = classProbabilities(weights, x);
    loss -= Math.log(Math.max(p[label], 1e-300));
    if (p.every((value, c) => c === label || value < p[label])) right++;
  }
  return { loss: loss / examples.length, accuracy: right / examples.length };
}

/** Gradients (p − y) xᵀ of softmax regression. */
export function softmaxGradients(weights: Float64Array, width: number): ExampleGradients<LabelledFeatures> {
  const classes = weights.length / width;
  const slopesOf = ({ x, label }: LabelledFeatures) => {
    if (x.length !== width) throw new InputError(`an example has ${x.length} features; the model reads ${width}`);
    const slopes = classProbabilities(weights, x);
    slopes[label] -= 1;
    return slopes;
  };
  return {
    layers: [{ name: 'softmax', rows: classes, columns: width }],
    async moments(examples) {
      if (examples.length === 0) throw new InputError('moments of no example');
      const s = new Float64Array(classes * classes);
      const a = new Float64Array(width * width);
      for (const example of examples) {
        addOuter(s, slopesOf(example), examples.length);
        addOuter(a, example.x, examples.length);
      }
      return [{ s, a }];
    },
    async *gradients(examples, bases) {
      for (const [place, example] of examples.entries()) {
        const [slopes, x] = [slopesOf(example), example.x];
        const [d, y] = bases ? [turned(bases[0].s, slopes), turned(bases[0].a, x)] : [slopes, x];
        const gradient = new Float64Array(classes * width);
        for (let c = 0; c < classes; c++) for (let i = 0; i < width; i++) gradient[c * width + i] = d[c] * y[i];
        yield { example: place, predictions: 1, layers: [gradient] };
      }
    },
    async along(examples, directions) {
      const inner = new Float64Array(examples.length);
      const squares = new Float64Array(examples.length);
      for (const [place, example] of examples.entries()) {
        const slopes = slopesOf(example);
        inner[place] = factoredInnerProduct(directions[0], slopes, example.x, classes, width);
        squares[place] = factoredSquaredNorm(slopes, example.x, classes, width);
      }
      return { inner, squares, predictions: new Float64Array(examples.length).fill(1) };
    },
    async dispose() {},
  };
}

function addOuter(sum: Float64Array, x: Float64Array, count: number): void {
  const n = x.length;
  for (let i = 0; i < n; i++) {
    if (x[i] !== 0) for (let j = 0; j < n; j++) sum[i * n + j] += (x[i] * x[j]) / count;
  }
}

/** Qᵀ x. */
function turned({ vectors }: LayerBasis['s'], x: Float64Array): Float64Array {
  const n = x.length;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    if (x[i] !== 0) for (let k = 0; k < n; k++) out[k] += vectors[i * n + k] * x[i];
  }
  return out;
}
