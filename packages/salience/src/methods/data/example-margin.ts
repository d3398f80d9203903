/** @file Margin: by how much a trained classifier prefers the label of each example. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { eachExample, marginOf } from '../../models/classifier/from-logits.ts';
import {
  classifierParams,
  exampleScores,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

export const exampleMargin = method({
  id: 'example-margin',
  name: 'Margin',
  source: 'baseline',
  summary: 'Keeps examples whose label a trained classifier prefers least to the best other class.',
  unit: 'example',
  subject: dataset,
  formula: 's = max over other classes of z − z_y',
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
      const margins = eachExample(logits, examples.labels.of, (z, y) => -marginOf(z, y));
      return exampleScores(data, margins, params.side);
    });
  },
});
