/** @file A dataset as a small classifier is trained on it, and the scores of its examples that come of that. */

import { z } from 'zod';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import {
  type ClassifierConfig,
  classifier,
  type ExampleNetwork,
  initialClassifier,
} from '../../models/classifier/classifier.ts';
import { type EncodedExamples, type Encoder, encoded, fitEncoder } from '../../models/classifier/encode.ts';
import { ExamplePrograms } from '../../models/classifier/example-programs.ts';
import { type RecordedTraining, recordTraining, type TrainingRecord } from '../../models/classifier/record-training.ts';
import type { Dataset } from './dataset.ts';

const whole = (least: number, byDefault: number) => z.number().int().min(least).default(byDefault);

/** Parameters of methods that train a classifier on the dataset. */
export const classifierParams = {
  hidden: whole(1, 48).describe('hidden units of the classifier'),
  width: whole(1, 16).describe('numbers of a word’s embedding'),
  attention: z
    .boolean()
    .default(false)
    .describe('whether texts go through a layer of self-attention before the mean of their words'),
  vocabulary: whole(1, 20_000).describe('words that have an embedding of their own, the most frequent ones'),
  length: whole(1, 64).describe('words of a text that are read'),
  batch: whole(1, 100).describe('examples of a training step'),
  rate: z.number().positive().default(5e-3).describe('learning rate of Adam'),
};

/** The parameter `side` of methods that score examples by how hard they are. */
export function sideParam(byDefault: 'easy' | 'hard' = 'easy') {
  return z
    .enum(['easy', 'hard'])
    .default(byDefault)
    .describe('which examples score low and go first: easy ones, or hard ones');
}

type Classifying = z.infer<z.ZodObject<typeof classifierParams>>;

/** A dataset with the classifier for it. */
export interface Classification {
  readonly encoder: Encoder;
  readonly examples: EncodedExamples;
  readonly config: ClassifierConfig;
  readonly network: ExampleNetwork;
  readonly programs: ExamplePrograms;
  readonly batch: number;
  readonly rate: number;
}

/**
 * Reads a dataset once to learn its encoding.
 * @throws InputError if it has no labels, one class, neither text nor features, or a feature that is no finite number.
 */
async function classificationOf(dataset: Dataset, params: Classifying, run: Run): Promise<Classification> {
  const encoder = await fitEncoder(dataset, params, run);
  const examples = encoded(dataset, encoder, dataset.labels);
  const { hidden, width, attention, batch, rate } = params;
  const config: ClassifierConfig = {
    input:
      encoder.kind === 'text'
        ? { kind: 'text', words: encoder.numbers.size + 2, length: encoder.length, width, attention }
        : { kind: 'features', width: examples.width },
    hidden,
    classes: examples.labels.classes.length,
  };
  const network = classifier(config);
  return { encoder, examples, config, network, programs: new ExamplePrograms(network), batch, rate };
}

/** Does something with the classification of a dataset and frees its programs. */
export async function withClassification<Result>(
  dataset: Dataset,
  params: Classifying,
  run: Run,
  use: (classification: Classification) => Promise<Result>,
): Promise<Result> {
  const classification = await classificationOf(dataset, params, run);
  try {
    return await use(classification);
  } finally {
    await classification.programs.dispose();
  }
}

/** Trains the classifier from fresh tensors with a record; initial tensors and order are of streams under `stream`. */
export function recorded(
  { network, config, examples, batch, rate }: Classification,
  options: Pick<RecordedTraining, 'epochs' | 'checkpoints' | 'look'> & {
    readonly stream: string;
  } & Partial<RecordedTraining>,
  run: Run,
): Promise<TrainingRecord> {
  const { stream } = options;
  return recordTraining(
    {
      network,
      initial: initialClassifier(config, run.random(`${stream}/initial`)),
      examples,
      batch,
      rate,
      order: `${stream}/order`,
      ...options,
    },
    run,
  );
}

/**
 * Scores of a dataset's examples from how hard each is, its classes as groups.
 * @param difficulty higher is harder, shape [examples].
 */
export function exampleScores(
  { labels }: Dataset,
  difficulty: Float64Array,
  side: 'easy' | 'hard',
  findings: readonly Block[] = [],
): Scores {
  const values = Float32Array.from(difficulty, (value) => (side === 'easy' ? value : -value));
  return {
    unit: 'example',
    values,
    ...(labels && { groups: { names: labels.classes, of: labels.of } }),
    findings,
  };
}

/** Adds up numbers of several trainings, each from streams of its own, and divides by how many there were. Shape [examples]. */
export async function meanOverTrainings(
  count: number,
  examples: number,
  one: (stream: string) => Promise<ArrayLike<number>>,
): Promise<Float64Array> {
  const mean = new Float64Array(examples);
  for (let r = 0; r < count; r++) {
    const values = await one(`training ${r}`);
    for (let i = 0; i < examples; i++) mean[i] += values[i] / count;
  }
  return mean;
}
