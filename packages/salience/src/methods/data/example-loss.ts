/** @file Loss: what a trained classifier's cross-entropy says of each example. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { eachExample, logProbability } from '../../models/classifier/from-logits.ts';
import {
  classifierParams,
  exampleScores,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

export const exampleLoss = method({
  id: 'example-loss',
  name: 'Loss',
  source: 'baseline',
  summary: 'Keeps examples with the greatest loss at the end of a training.',
  unit: 'example',
  subject: dataset,
  formula: 's = −log softmax(z)_y',
  cost: 'one training and a forward pass',
  params: z.object({
    epochs: z.number().int().min(1).default(10).describe('epochs of training'),
    side: sideParam(),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async (task) => {
      const { examples, programs } = task;
      const { parameters } = await recorded(task, { epochs: params.epochs, checkpoints: 0, stream: 'training 0' }, run);
      const logits = await programs.logits(parameters, examples, run);
      const losses = eachExample(logits, examples.labels.of, (z, y) => -logProbability(z, y));
      return exampleScores(data, losses, params.side);
    });
  },
});
