/** @file GraNd: the norm of an example's loss gradient before any training, over several beginnings. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { initialClassifier } from '../../models/classifier/classifier.ts';
import { lastLayer } from '../../models/classifier/example-programs.ts';
import {
  classifierParams,
  exampleScores,
  meanOverTrainings,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

export const grand = method({
  id: 'grand',
  name: 'GraNd',
  source: 'arXiv:2107.07075',
  summary: 'Keeps examples whose loss has the largest gradient at initialisation, in the last layer.',
  unit: 'example',
  subject: dataset,
  formula:
    's = mean over beginnings of ‖∂loss / ∂(W, b)‖ = ‖softmax(z) − onehot(y)‖ √(‖h‖² + 1), W and b of the last layer',
  cost: 'a forward pass a beginning',
  params: z.object({
    runs: z.number().int().min(1).default(10).describe('beginnings that are averaged'),
    side: sideParam(),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async ({ config, examples, programs }) => {
      const norms = await meanOverTrainings(params.runs, examples.examples, async (stream) => {
        const initial = initialClassifier(config, run.random(`${stream}/initial`));
        return (await programs.gradientSquares(initial, examples, lastLayer, run)).map(Math.sqrt);
      });
      return exampleScores(data, norms, params.side);
    });
  },
});
