/** @file EL2N: how far the probabilities are from the label early in training, over several trainings. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { eachExample, probabilitiesOf } from '../../models/classifier/from-logits.ts';
import {
  classifierParams,
  exampleScores,
  meanOverTrainings,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** ‖softmax(z) − onehot(y)‖₂ of one example (arXiv:2107.07075, definition 2). */
export function errorNorm(logits: ArrayLike<number>, label: number): number {
  const p = probabilitiesOf(logits);
  p[label] -= 1;
  return Math.hypot(...p);
}

export const el2n = method({
  id: 'el2n',
  name: 'EL2N',
  source: 'arXiv:2107.07075',
  summary: 'Keeps examples whose predicted probabilities are far from their label early in training.',
  unit: 'example',
  subject: dataset,
  formula: 's = mean over trainings of ‖softmax(z) − onehot(y)‖₂ after a few epochs',
  cost: 'runs × epochs of training, and a forward pass each',
  params: z.object({
    epochs: z.number().int().min(1).default(2).describe('epochs of training; late errors tell little'),
    runs: z.number().int().min(1).default(10).describe('trainings that are averaged'),
    side: sideParam(),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async (task) => {
      const { examples, programs } = task;
      const errors = await meanOverTrainings(params.runs, examples.examples, async (stream) => {
        const { parameters } = await recorded(task, { epochs: params.epochs, checkpoints: 0, stream }, run);
        return eachExample(await programs.logits(parameters, examples, run), examples.labels.of, errorNorm);
      });
      return exampleScores(data, errors, params.side);
    });
  },
});
