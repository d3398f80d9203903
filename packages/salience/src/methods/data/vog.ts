/** @file VoG: how much the gradient of the true class's logit with respect to the input varies over checkpoints of a training. */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import type { EncodedExamples, ExampleLabels } from '../../models/classifier/encode.ts';
import type { ExamplePrograms, Spread } from '../../models/classifier/example-programs.ts';
import { checkSameExamples, type TrainingRecord } from '../../models/classifier/record-training.ts';
import { samplingKeys } from '../../numerics/sampling/without-replacement.ts';
import { standardise, standardiseWithin } from '../../numerics/statistics/class-standardise.ts';
import {
  classifierParams,
  exampleScores,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * v_i = mean over positions and coordinates of Var_c(∂A_i / ∂E_i) over checkpoints c, A the pre-softmax output at the label and E the
 * embeddings (arXiv:2311.16298, appendix B.1, by its pseudo-code); for `std` of its root, as in arXiv:2008.11600. Positions that pad do
 * not count. Shape [examples].
 * @throws ParameterError for fewer than 2 checkpoints; InputError for examples other than those trained on; SalienceError for a network
 * whose examples see each other.
 */
export async function varianceOfGradients(
  record: TrainingRecord,
  { examples, programs }: { readonly examples: EncodedExamples; readonly programs: ExamplePrograms },
  aggregate: Spread,
  run: Run,
): Promise<Float64Array> {
  checkSameExamples(record, examples);
  if (record.checkpoints.length < 2) {
    throw new ParameterError(`VoG compares 2 checkpoints or more, not ${record.checkpoints.length}`);
  }
  const checkpoints = record.checkpoints.map(({ parameters }) => parameters);
  return Float64Array.from(await programs.spreads(checkpoints, examples, aggregate, run));
}

/** Scores minus their mean over their deviation, of each class or of all; 0 where all are equal (section 3.2). Shape [n]. */
export function normalisedBy(
  how: 'class' | 'dataset' | 'none',
  values: Float64Array,
  { of, classes }: ExampleLabels,
): Float64Array {
  if (how === 'none') return values;
  return how === 'class' ? standardiseWithin(values, { of, count: classes.length }) : standardise(values);
}

export const vog = method({
  id: 'vog',
  name: 'VoG',
  source: 'arXiv:2311.16298',
  summary: 'Keeps examples whose input gradients change most while a classifier is trained; easy ones settle early.',
  unit: 'example',
  subject: dataset,
  formula:
    'v = mean over positions and coordinates of Var over checkpoints of ∂z_y / ∂embedding, standardised within the class',
  cost: 'one training, then a forward and a backward pass a checkpoint',
  params: z.object({
    checkpoints: z
      .number()
      .int()
      .min(2)
      .default(10)
      .describe('ends of epochs that are compared; so long is the training'),
    normalise: z.enum(['class', 'dataset', 'none']).default('class').describe('within which examples are standardised'),
    aggregate: z.enum(['var', 'std']).default('var').describe('spread of a coordinate: variance, or its root'),
    side: sideParam(),
    sampling: z
      .enum(['cut', 'softmax', 'linear'])
      .default('cut')
      .describe('keep the highest, or draw with chances by exp(score), or by the score on a line from eps to 1'),
    eps: z.number().gt(0).lt(1).default(0.01).describe('chance of the lowest score as a share of that of the highest'),
    ...classifierParams,
  }),
  score(data, params, run) {
    const { checkpoints, aggregate, normalise, side, sampling, eps } = params;
    return withClassification(data, params, run, async (task) => {
      const record = await recorded(task, { epochs: checkpoints, stream: 'training 0' }, run);
      const values = await varianceOfGradients(record, task, aggregate, run);
      const sign = side === 'easy' ? 1 : -1;
      const toKeep = normalisedBy(normalise, values, task.examples.labels).map((value) => sign * value);
      const keys = samplingKeys(toKeep, { sampling, epsilon: eps }, run.random('sampling'));
      return exampleScores(data, keys, 'easy');
    });
  },
});
