/**
 * @file What a network says of single examples, as array programs over batches: logits, gradients of the true class's logit with respect
 * to the embeddings and their spread over checkpoints, and norms of the loss's gradient. Examples do not mix, so one backward pass of a
 * sum over the batch has the gradients of all.
 */

import { SalienceError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { noTap } from '../../nn/tap.ts';
import { type Compiled, compile, grad, type JaxArray, nn, numpy as np, Tensor } from '../../runtime/index.ts';
import { type OrderedBatch, orderedBatches } from './batches.ts';
import type { ExampleNetwork } from './classifier.ts';
import type { EncodedExamples } from './encode.ts';

/** Spread of a coordinate over checkpoints: the population's variance, or its root. */
export type Spread = 'var' | 'std';

/** A linear layer by the points of its input and its output. */
export interface LinearLayer {
  readonly input: string;
  readonly output: string;
}

/** The classifier's layers: the one before its ReLU, and the last. */
export const hiddenLayer: LinearLayer = { input: 'pooled', output: 'hidden.input' };
export const lastLayer: LinearLayer = { input: 'hidden', output: 'logits' };

/** Values of the pass at a point. */
function valueAt(network: ExampleNetwork, parameters: Parameters, inputs: JaxArray, point: string): JaxArray {
  let found: JaxArray | undefined;
  network.logits(parameters, inputs, (name, value) => {
    if (name === point) found = value;
    return value;
  });
  if (!found) throw new SalienceError(`the network's pass has no point "${point}"`);
  return found;
}

/** The slope of a sum of the logits along the value at a point, of that value's shape: [batch, …]. */
function slopeAt(
  network: ExampleNetwork,
  parameters: Parameters,
  inputs: JaxArray,
  point: string,
  objective: (logits: JaxArray) => JaxArray,
): JaxArray {
  return grad((given: JaxArray) =>
    objective(network.logits(parameters, inputs, (name, value) => (name === point ? given : value))),
  )(valueAt(network, parameters, inputs, point));
}

/**
 * Gradient of each example's pre-softmax output at its label with respect to its embeddings: one backward pass with the one-hot labels
 * upstream. [batch, positions, width], or with one position where it is the same at all.
 */
function inputGradients(network: ExampleNetwork, parameters: Parameters, inputs: JaxArray, labels: JaxArray): JaxArray {
  const oneHot = nn.oneHot(labels, network.classes);
  const atLabels = (logits: JaxArray) => logits.mul(oneHot).sum();
  const { sum } = network;
  if (!sum) return slopeAt(network, parameters, inputs, 'embeddings', atLabels);
  const ofSum = slopeAt(network, parameters, inputs, sum.point, atLabels);
  const [batch, width] = ofSum.shape;
  return ofSum.mul(sum.weight(inputs).reshape([batch, 1])).reshape([batch, 1, width]);
}

/** 1 where a position of the input gradients counts, [batch, positions]. */
function gradientPositions(network: ExampleNetwork, inputs: JaxArray): JaxArray {
  const positions = network.positions(inputs);
  return network.sum ? positions.max(1, { keepdims: true }) : positions;
}

/**
 * Mean over positions that hold something, and over their coordinates, of the spread over checkpoints (arXiv:2311.16298, appendix B.1). Sums
 * and sums of squares of what each checkpoint is apart from the first are carried on, so a batch is all that is held.
 * @param gradients of each checkpoint, [batch, positions, width].
 * @param positions 1 or 0, [batch, positions].
 * @returns shape [batch]; 0 for an example without a position.
 */
export function spreadOverCheckpoints(
  gradients: readonly JaxArray[],
  positions: JaxArray,
  aggregate: Spread,
): JaxArray {
  const n = gradients.length;
  const minusFirst = gradients[0].mul(-1);
  let sum: JaxArray | undefined;
  let squares: JaxArray | undefined;
  for (const gradient of gradients.slice(1)) {
    const apart = gradient.add(minusFirst);
    sum = sum ? sum.add(apart) : apart;
    squares = squares ? squares.add(apart.mul(apart)) : apart.mul(apart);
  }
  if (!sum || !squares) return positions.sum(1).mul(0);
  // n² times the variance; rounding may bring it just below 0.
  const spread = np.maximum(squares.mul(n).sub(sum.mul(sum)), 0);
  const each = aggregate === 'std' ? np.sqrt(spread).mul(1 / n) : spread.mul(1 / n ** 2);
  const count = np.maximum(positions.sum(1), 1).mul(gradients[0].shape[2]);
  return each.sum(2).mul(positions).sum(1).div(count);
}

/**
 * Squared norm of each example's loss gradient with respect to a linear layer's weight and bias, ‖δ‖² (‖h‖² + 1) with h what goes into the
 * layer and δ the loss's gradient of what comes out: the gradient of the weight is their outer product. [batch].
 */
function layerGradientSquares(
  network: ExampleNetwork,
  parameters: Parameters,
  inputs: JaxArray,
  labels: JaxArray,
  { input, output }: LinearLayer,
): JaxArray {
  const h = valueAt(network, parameters, inputs, input);
  const delta = slopeAt(network, parameters, inputs, output, (logits) =>
    crossEntropy(logits, labels, { reduction: 'sum' }),
  );
  return delta.mul(delta).sum(1).mul(h.mul(h).sum(1).add(1));
}

/** Examples of a pass. */
const passSize = 512;

/** The programs of one network, compiled once each; parameters are their inputs. */
export class ExamplePrograms {
  readonly network: ExampleNetwork;
  readonly #logits: Compiled<[Parameters, JaxArray], JaxArray>;
  readonly #spreads: Record<Spread, Compiled<[readonly Parameters[], JaxArray, JaxArray], JaxArray>>;
  readonly #squares: Readonly<Record<string, Compiled<[Parameters, JaxArray, JaxArray], JaxArray>>>;

  constructor(network: ExampleNetwork, layers: readonly LinearLayer[] = [hiddenLayer, lastLayer]) {
    this.network = network;
    this.#logits = compile((parameters: Parameters, inputs: JaxArray) => network.logits(parameters, inputs, noTap), {
      programs: 4,
    });
    const spread = (aggregate: Spread) =>
      compile(
        (checkpoints: readonly Parameters[], inputs: JaxArray, labels: JaxArray) =>
          spreadOverCheckpoints(
            checkpoints.map((parameters) => inputGradients(network, parameters, inputs, labels)),
            gradientPositions(network, inputs),
            aggregate,
          ),
        { programs: 4 },
      );
    this.#spreads = { var: spread('var'), std: spread('std') };
    this.#squares = Object.fromEntries(
      layers.map((layer) => [
        layer.output,
        compile(
          (parameters: Parameters, inputs: JaxArray, labels: JaxArray) =>
            layerGradientSquares(network, parameters, inputs, labels, layer),
          { programs: 4 },
        ),
      ]),
    );
  }

  /** Logits of all examples, shape [examples · classes]. */
  async logits(parameters: ParameterTensors, examples: EncodedExamples, run: Run): Promise<Float32Array> {
    const { classes } = this.network;
    const all = new Float32Array(examples.examples * classes);
    await this.#pass(examples, run, undefined, async ({ start, length, inputs }) => {
      const { data } = (await this.#logits(parameters as never, inputs as never)) as Tensor<'float32'>;
      all.set(data.subarray(0, length * classes), start * classes);
    });
    return all;
  }

  /**
   * The spread over checkpoints of each example's input gradients, shape [examples].
   * @throws SalienceError if an example's gradient depends on the examples beside it, as with batch statistics or dropout.
   */
  async spreads(
    checkpoints: readonly ParameterTensors[],
    examples: EncodedExamples,
    aggregate: Spread,
    run: Run,
  ): Promise<Float32Array> {
    const all = new Float32Array(examples.examples);
    const program = this.#spreads[aggregate];
    const of = async ({ inputs, labels }: Pick<OrderedBatch, 'inputs' | 'labels'>) =>
      (await program(checkpoints as never, inputs as never, labels as never)).data as Float32Array;
    await this.#pass(examples, run, 'gradients', async (batch) => {
      const made = await of(batch);
      if (batch.start === 0) checkApart(made, (await of(backwards(batch))).reverse(), batch.length);
      all.set(made.subarray(0, batch.length), batch.start);
    });
    return all;
  }

  /** Squared norms of each example's loss gradient with respect to a layer, shape [examples]. */
  async gradientSquares(
    parameters: ParameterTensors,
    examples: EncodedExamples,
    layer: LinearLayer,
    run: Run,
  ): Promise<Float32Array> {
    const all = new Float32Array(examples.examples);
    const program = this.#squares[layer.output];
    await this.#pass(examples, run, undefined, async ({ start, length, inputs, labels }) => {
      const { data } = (await program(parameters as never, inputs as never, labels as never)) as Tensor<'float32'>;
      all.set(data.subarray(0, length), start);
    });
    return all;
  }

  async #pass(
    examples: EncodedExamples,
    run: Run,
    what: string | undefined,
    each: (batch: OrderedBatch) => Promise<void>,
  ): Promise<void> {
    for await (const batch of orderedBatches(examples, passSize)) {
      run.check();
      await each(batch);
      if (what !== undefined) run.progress(what, batch.start + batch.length, examples.examples);
    }
  }

  async dispose(): Promise<void> {
    const programs = [this.#logits, ...Object.values(this.#spreads), ...Object.values(this.#squares)];
    await Promise.all(programs.map((program) => program.dispose()));
  }
}

/** The batch with its last row first. */
function backwards({ inputs, labels }: OrderedBatch): { inputs: Tensor; labels: Tensor } {
  const [rows, width] = inputs.shape;
  const turned = inputs.data.slice() as Float32Array;
  for (let i = 0; i < rows; i++) {
    turned.set((inputs.data as Float32Array).subarray(i * width, (i + 1) * width), (rows - 1 - i) * width);
  }
  return {
    inputs: new Tensor(inputs.type, inputs.shape, turned),
    labels: new Tensor(labels.type, labels.shape, (labels.data as Int32Array).slice().reverse()),
  };
}

function checkApart(first: Float32Array, again: Float32Array, length: number): void {
  const scale = first.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let i = 0; i < length; i++) {
    if (Math.abs(first[i] - again[i]) <= 1e-3 * scale) continue;
    throw new SalienceError(
      `example ${i} scores ${first[i]} in one batch and ${again[i]} in the same one backwards: batch statistics or dropout are on, or examples see each other; score a network in inference mode`,
    );
  }
}
