/** @file A graph attention network over instances of a table: its tensors, its training on batches, and what it is asked afterwards. */

import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { attentionReceived, type Dropped, graphAttentionNetwork } from '../../nn/graph-attention.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { train } from '../../nn/training/train.ts';
import { compile, float32, type JaxArray, softmax, type Tensor } from '../../runtime/index.ts';

/** Nodes with a graph over them; batches of one training have one number of nodes. */
export interface GraphBatch {
  /** Shape [nodes, features]. */
  readonly x: Tensor<'float32'>;
  /** 1 where the node of the row listens to that of the column, itself among them; shape [nodes, nodes]. */
  readonly graph: Tensor<'bool'>;
  /** Shape [nodes]. */
  readonly labels: Tensor<'int32'>;
  /** 1 for instances, 0 for padding, shape [nodes]. */
  readonly weights: Tensor<'float32'>;
}

export interface InstanceNetworkOptions {
  /** Of both layers. */
  readonly heads: number;
  /** Features of a head of the first layer. */
  readonly hidden: number;
  /** Of Adam. */
  readonly rate: number;
  /** At the most. */
  readonly epochs: number;
  /** Epochs without a lower loss after which training ends; 0: never. */
  readonly patience: number;
  /** Share of the inputs of both layers that is dropped. */
  readonly dropout: number;
  /** Apart from the gradient, of weights. */
  readonly weightDecay: number;
}

/** Glorot's uniform tensors: ± √(6 / (in + out)); biases 0. */
export function initialInstanceNetwork(
  { heads, hidden }: Pick<InstanceNetworkOptions, 'heads' | 'hidden'>,
  columns: number,
  classes: number,
  random: Random,
): ParameterTensors {
  const uniform = (shape: readonly number[], fan: number) => {
    const bound = Math.sqrt(6 / fan);
    const size = shape.reduce((product, length) => product * length, 1);
    return float32(
      shape,
      Float32Array.from({ length: size }, () => bound * (2 * random.uniform() - 1)),
    );
  };
  const layer = (name: string, inputs: number, width: number, biases: number) => ({
    [`${name}.weight`]: uniform([heads, width, inputs], inputs + heads * width),
    [`${name}.destination`]: uniform([heads, width], width + 1),
    [`${name}.source`]: uniform([heads, width], width + 1),
    [`${name}.bias`]: float32([biases], new Float32Array(biases)),
  });
  return {
    ...layer('first', columns, hidden, heads * hidden),
    ...layer('last', heads * hidden, classes, classes),
  };
}

/** A batch as a step sees it. */
interface StepBatch {
  readonly x: JaxArray;
  readonly graph: JaxArray;
  readonly labels: JaxArray;
  readonly weights: JaxArray;
  readonly dropped?: Dropped;
}

/** Thrown by the policy of a training whose loss has stopped to fall. */
class Settled extends Error {
  readonly parameters: ParameterTensors;
  constructor(parameters: ParameterTensors) {
    super('the training loss has settled');
    this.parameters = parameters;
  }
}

/**
 * Trains a network on batches of one size, a step a batch, by cross-entropy over the instances.
 * @returns the tensors, and the mean loss of each epoch.
 * @throws SalienceError if a loss is not finite; CancelledError.
 */
export async function trainInstanceNetwork(
  batches: readonly GraphBatch[],
  initial: ParameterTensors,
  { epochs, rate, dropout, weightDecay, patience, heads, hidden }: InstanceNetworkOptions,
  run: Run,
): Promise<{ parameters: ParameterTensors; losses: number[] }> {
  const losses: number[] = [];
  let sum = 0;
  let order: Uint32Array = new Uint32Array(0);
  const [nodes, columns] = batches[0].x.shape;
  const dropping = (step: number): [Tensor, Tensor] => {
    const random = run.random(`graph attention/dropout ${step}`);
    const factors = (width: number) =>
      float32(
        [nodes, width],
        Float32Array.from({ length: nodes * width }, () => (random.uniform() < dropout ? 0 : 1 / (1 - dropout))),
      );
    return [factors(columns), factors(heads * hidden)];
  };
  try {
    const { parameters } = await train({
      name: 'graph attention',
      log: false,
      parameters: initial,
      loss: (tensors: Parameters, { x, graph, labels, weights, dropped }: StepBatch) =>
        crossEntropy(graphAttentionNetwork(tensors, x, graph, dropped).logits, labels, { weights }),
      optimiser: adamw({ decay: weightDecay, decays: (name) => name.endsWith('weight') }),
      schedule: () => rate,
      steps: epochs * batches.length,
      batches(step) {
        const at = step % batches.length;
        if (at === 0) order = run.random(`graph attention/order ${step / batches.length}`).permutation(batches.length);
        const { x, graph, labels, weights } = batches[order[at]];
        return { x, graph, labels, weights, ...(dropout > 0 && { dropped: dropping(step) }) } as never;
      },
      run,
      policy: {
        async after({ step, lossBefore, parameters: now }) {
          sum += lossBefore;
          if (step % batches.length === 0) {
            losses.push(sum / batches.length);
            sum = 0;
            const best = losses.indexOf(Math.min(...losses));
            if (patience > 0 && losses.length - 1 - best >= patience) throw new Settled(now);
          }
          if (step % 16 === 0) await run.breathe();
          return undefined;
        },
      },
    });
    return { parameters, losses };
  } catch (error) {
    if (error instanceof Settled) return { parameters: error.parameters, losses };
    throw error;
  }
}

/** What a network says of the nodes of a batch: the highest probability [nodes], and what each receives from the others [heads, nodes]. */
export function instanceProgram() {
  return compile((tensors: Parameters, x: JaxArray, graph: JaxArray) => {
    const { logits, attention } = graphAttentionNetwork(tensors, x, graph);
    return {
      probability: softmax(logits).max(-1),
      first: attentionReceived(attention[0]),
      last: attentionReceived(attention[1]),
    };
  });
}
