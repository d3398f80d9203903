/** @file Training a classifier with a record of how it went: checkpoints, learning rates, and looks at all examples on the way. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adam } from '../../nn/optimisers/adam.ts';
import { constant } from '../../nn/optimisers/schedules.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { noTap } from '../../nn/tap.ts';
import { train } from '../../nn/training/train.ts';
import { type ExampleBatch, shuffledBatches } from './batches.ts';
import type { ExampleNetwork } from './classifier.ts';
import type { EncodedExamples } from './encode.ts';
import type { ExamplePrograms } from './example-programs.ts';

/** The network after so many steps. */
interface Checkpoint {
  readonly step: number;
  /** The learning rate of the step before it. */
  readonly rate: number;
  readonly parameters: ParameterTensors;
}

/** The artefacts of one training that example scores are made of. */
export interface TrainingRecord {
  readonly network: ExampleNetwork;
  /** The labels it was trained with, in the order of the examples. */
  readonly labels: Uint32Array;
  readonly initial: ParameterTensors;
  readonly checkpoints: readonly Checkpoint[];
  readonly parameters: ParameterTensors;
  readonly steps: number;
}

export interface RecordedTraining {
  readonly network: ExampleNetwork;
  readonly initial: ParameterTensors;
  readonly examples: EncodedExamples;
  readonly epochs: number;
  /** Examples of a step; all of them where there are fewer. */
  readonly batch: number;
  /** Learning rate of Adam. */
  readonly rate: number;
  /** Steps between checkpoints; default: those of an epoch. */
  readonly checkpointEvery?: number;
  /** Checkpoints that are kept, the first ones; default all. */
  readonly checkpoints?: number;
  /** Looks at the logits of all examples, shape [examples · classes], after every so many steps. */
  readonly look?: {
    readonly every: number;
    readonly programs: ExamplePrograms;
    readonly see: (logits: Float32Array, step: number) => void;
  };
  /** Name of the stream that orders the examples; default `order`. */
  readonly order?: string;
}

/** Steps of an epoch. */
export function stepsPerEpoch({ examples }: EncodedExamples, batch: number): number {
  return Math.ceil(examples / Math.min(batch, examples));
}

/**
 * Trains by cross-entropy with Adam, examples shuffled within chunks by the run's seed.
 * @throws ParameterError for steps between checkpoints that are no whole number of 1 or more.
 */
export async function recordTraining(options: RecordedTraining, run: Run): Promise<TrainingRecord> {
  const { network, initial, examples, epochs, rate, look, order = 'order' } = options;
  const batch = Math.min(options.batch, examples.examples);
  const { perEpoch, at } = shuffledBatches(examples, batch, run.random(order));
  const every = options.checkpointEvery ?? perEpoch;
  if (!(Number.isSafeInteger(every) && every >= 1)) {
    throw new ParameterError(`checkpoints are taken every 1 or more whole steps, not ${every}`);
  }
  const checkpoints: Checkpoint[] = [];
  const steps = epochs * perEpoch;
  const { parameters, losses } = await train({
    name: 'training',
    log: false, // a method may train twenty times: one line each is enough
    parameters: initial,
    loss: (weights, of: ExampleBatch) =>
      crossEntropy(network.logits(weights, of.inputs, noTap), of.labels, { weights: of.weights }),
    optimiser: adam(),
    schedule: constant(rate),
    steps,
    batches: at as never,
    policy: {
      async after({ step, parameters: now }) {
        if (step % every === 0 && checkpoints.length < (options.checkpoints ?? Infinity)) {
          checkpoints.push({ step, rate, parameters: { ...now } });
        }
        if (look && step % look.every === 0) look.see(await look.programs.logits(now, examples, run), step);
        return undefined;
      },
    },
    run,
  });
  run.log(
    `trained on ${examples.examples} examples, ${steps} steps; the last loss was ${losses.at(-1)?.toPrecision(3)}`,
  );
  return { network, labels: examples.labels.of, initial, checkpoints, parameters, steps };
}

/**
 * Refuses examples in another order than those that a training was recorded on, or with other labels: the scores would be of other
 * examples.
 * @throws InputError naming the first that differs.
 */
export function checkSameExamples({ labels }: TrainingRecord, { name, labels: { of } }: EncodedExamples): void {
  const other = of.length === labels.length ? of.findIndex((label, i) => label !== labels[i]) : -1;
  if (of.length === labels.length && other < 0) return;
  throw new InputError(
    of.length === labels.length
      ? `${name}: example ${other} has label ${of[other]} and had ${labels[other]} when the training was recorded; score the examples in the same order with the same labels`
      : `${name}: has ${of.length} examples, and the training was recorded on ${labels.length}`,
  );
}
