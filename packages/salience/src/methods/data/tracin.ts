/** @file TracIn self-influence: what training on an example did to its own loss, summed over checkpoints. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import type { EncodedExamples } from '../../models/classifier/encode.ts';
import {
  type ExamplePrograms,
  hiddenLayer,
  type LinearLayer,
  lastLayer,
} from '../../models/classifier/example-programs.ts';
import { checkSameExamples, type TrainingRecord } from '../../models/classifier/record-training.ts';
import {
  classifierParams,
  exampleScores,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * Σ over checkpoints of rate · ‖∂loss / ∂(W, b)‖² for the weight and bias of one layer (arXiv:2002.08484, section 3.2 with z = z′).
 * Shape [examples], 0 or more.
 * @throws InputError for examples other than those trained on.
 */
export async function selfInfluence(
  record: TrainingRecord,
  { examples, programs }: { readonly examples: EncodedExamples; readonly programs: ExamplePrograms },
  layer: LinearLayer,
  run: Run,
): Promise<Float64Array> {
  checkSameExamples(record, examples);
  const sums = new Float64Array(examples.examples);
  for (const { parameters, rate } of record.checkpoints) {
    const squares = await programs.gradientSquares(parameters, examples, layer, run);
    for (let i = 0; i < sums.length; i++) sums[i] += rate * squares[i];
  }
  return sums;
}

export const tracIn = method({
  id: 'tracin',
  name: 'TracIn self-influence',
  source: 'arXiv:2002.08484',
  summary: 'Keeps examples whose own training steps changed their loss most, over checkpoints of a training.',
  unit: 'example',
  subject: dataset,
  formula: 's = Σ over checkpoints of rate · ‖∂loss / ∂(W, b)‖², W and b of the last hidden layer',
  cost: 'one training, then a forward and a backward pass a checkpoint',
  params: z.object({
    checkpoints: z
      .number()
      .int()
      .min(1)
      .default(10)
      .describe('ends of epochs that are summed; so long is the training'),
    layer: z
      .enum(['hidden', 'last'])
      .default('hidden')
      .describe('whose gradients: the hidden layer’s, or the last one’s'),
    side: sideParam(),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async (task) => {
      const record = await recorded(task, { epochs: params.checkpoints, stream: 'training 0' }, run);
      const layer = params.layer === 'hidden' ? hiddenLayer : lastLayer;
      return exampleScores(data, await selfInfluence(record, task, layer, run), params.side);
    });
  },
});
