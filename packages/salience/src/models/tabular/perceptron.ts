/** @file The multilayer perceptron for tables, trained on the runtime. */

import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import { cosine } from '../../nn/optimisers/schedules.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { initialPerceptron, perceptron } from '../../nn/perceptron.ts';
import { train } from '../../nn/training/train.ts';
import { standardScaling } from '../../numerics/statistics/standardise.ts';
import { float32, int32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import type { Fitted, TrainingRows } from './estimator.ts';
import { softmaxRows } from './linear-scores.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface PerceptronOptions {
  /** Units of each hidden layer; default one of 64. */
  readonly hidden?: readonly number[];
  /** Steps of the training; default 1000. */
  readonly steps?: number;
  /** Rows of a step, drawn without replacement until all were drawn; default 128, or all where there are fewer. */
  readonly batch?: number;
  /** The rate at the first step, from where it goes down half a cosine; default 0.005. */
  readonly rate?: number;
  /** Weight decay; default 0.01. */
  readonly decay?: number;
}

interface Batch<Array> {
  readonly x: Array;
  readonly y: Array;
}

/**
 * A perceptron with ReLU, trained by AdamW to small cross entropy (classes) or squared error (values, scaled to deviation 1). Give it
 * standardised columns.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError.
 */
export async function fitPerceptron(data: TrainingRows, options: PerceptronOptions, run: Run): Promise<Fitted> {
  const { hidden = [64], steps = 1000, rate = 0.005, decay = 0.01 } = options;
  const name = 'perceptron';
  const n = checkTraining(data, { name });
  const size = Math.min(n, options.batch ?? 128);
  for (const units of hidden) checkOption('hidden', units, 1);
  checkOption('steps', steps, 1);
  checkOption('batch', size, 1);
  checkOption('rate', rate, 0, true);
  checkOption('decay', decay, 0);
  const { columns, classes } = data;
  const outputs = classes ?? 1;
  const scaling = classes === undefined ? standardScaling(data.y, 1) : undefined;
  const widths = [columns, ...hidden, outputs];
  const random = run.random(name);
  const { parameters } = await train<Batch<JaxArray>>({
    name,
    log: false,
    run,
    steps,
    parameters: initialPerceptron(widths, random.stream('weights')),
    loss: (p: Parameters, { x, y }: Batch<JaxArray>) => {
      const out = perceptron(p, x, widths.length - 1);
      if (classes !== undefined) return crossEntropy(out, y);
      const wrong = out.reshape(y.shape).sub(y);
      return wrong.mul(wrong).mean();
    },
    optimiser: adamw({ decay, decays: (tensor) => tensor.endsWith('weight') }),
    schedule: cosine({ rate, steps }),
    batches: batchesOf(data, size, scaling && ((y) => (y - scaling.shift[0]) / scaling.scale[0]), random),
  });
  return {
    name,
    columns,
    outputs,
    async predict(rows) {
      let values = rows;
      const count = countRows(rows, columns, name);
      for (let l = 1; l < widths.length; l++) {
        values = layer(values, count, widths[l - 1], parameters[`${l}.weight`].data, parameters[`${l}.bias`].data);
        if (l < widths.length - 1) for (let i = 0; i < values.length; i++) if (values[i] < 0) values[i] = 0;
      }
      return scaling ? values.map((y) => y * scaling.scale[0] + scaling.shift[0]) : softmaxRows(values, outputs);
    },
  };
}

/** The batch of each step: the rows of an epoch in an order of its own, what is left at its end left out. */
function batchesOf(
  { x, y, columns, classes }: TrainingRows,
  size: number,
  scaled: ((y: number) => number) | undefined,
  random: Random,
) {
  const perEpoch = Math.floor(y.length / size);
  let epoch = -1;
  let order: Uint32Array = new Uint32Array();
  return (step: number): Batch<Tensor> => {
    if (Math.floor(step / perEpoch) !== epoch) {
      epoch = Math.floor(step / perEpoch);
      order = random.stream(`epoch ${epoch}`).permutation(y.length);
    }
    const rows = order.subarray((step % perEpoch) * size, ((step % perEpoch) + 1) * size);
    const taken = new Float32Array(size * columns);
    rows.forEach((i, at) => {
      taken.set(x.subarray(i * columns, (i + 1) * columns), at * columns);
    });
    const targets = Array.from(rows, (i) => (scaled ? scaled(y[i]) : y[i]));
    return {
      x: float32([size, columns], taken),
      y: classes === undefined ? float32([size], targets) : int32([size], targets),
    };
  };
}

/**
 * x · weightᵀ + bias: x [n · from], weight [to · from] → [n · to]. Two rows by four outputs at a time, so that what is read is used more
 * than once; each sum is in the order of the columns.
 */
function layer(x: Float64Array, n: number, from: number, weight: Float32Array, bias: Float32Array): Float64Array {
  const to = bias.length;
  const padded = 4 * Math.ceil(to / 4);
  const start = new Float64Array(padded);
  start.set(bias);
  const w = new Float64Array(padded * from); // [padded / 4, from, 4]
  for (let k = 0; k < to; k++) {
    for (let c = 0; c < from; c++) w[(k - (k % 4)) * from + 4 * c + (k % 4)] = weight[k * from + c];
  }
  const out = new Float64Array(n * padded);
  for (let i = 0; i < n; i += 2) {
    const next = Math.min(i + 1, n - 1); // of a row without a neighbour, itself
    const row = i * from;
    const below = next * from;
    let at = 0;
    for (let k = 0; k < padded; k += 4) {
      let a0 = start[k];
      let a1 = start[k + 1];
      let a2 = start[k + 2];
      let a3 = start[k + 3];
      let [b0, b1, b2, b3] = [a0, a1, a2, a3];
      for (let c = 0; c < from; c++, at += 4) {
        const a = x[row + c];
        const b = x[below + c];
        const w0 = w[at];
        const w1 = w[at + 1];
        const w2 = w[at + 2];
        const w3 = w[at + 3];
        a0 += a * w0;
        a1 += a * w1;
        a2 += a * w2;
        a3 += a * w3;
        b0 += b * w0;
        b1 += b * w1;
        b2 += b * w2;
        b3 += b * w3;
      }
      const first = i * padded + k;
      out[first] = a0;
      out[first + 1] = a1;
      out[first + 2] = a2;
      out[first + 3] = a3;
      const second = next * padded + k;
      out[second] = b0;
      out[second + 1] = b1;
      out[second + 2] = b2;
      out[second + 3] = b3;
    }
  }
  if (padded === to) return out;
  const dense = new Float64Array(n * to);
  for (let i = 0; i < n; i++) for (let k = 0; k < to; k++) dense[i * to + k] = out[i * padded + k];
  return dense;
}
