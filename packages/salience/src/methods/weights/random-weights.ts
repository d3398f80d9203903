/** @file Random pruning of a language model: what every pruning method must beat. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { languageModel } from '../../subjects/language-model/language-model.ts';
import { compareWithin, pruneLayers } from '../../subjects/language-model/prune-layers.ts';

export const randomWeights = method({
  id: 'random-weights',
  name: 'Random pruning of a language model',
  source: 'baseline',
  summary: 'Gives every weight of every matrix a random score.',
  unit: 'weight',
  subject: languageModel,
  formula: 's ~ U(0, 1)',
  cost: 'as magnitude',
  params: z.object({ compare: compareWithin('row') }),
  async score(model, { compare }, run) {
    return pruneLayers(
      model,
      {
        about: `random weights within each ${compare}, seed ${run.seed}`,
        prune({ tensor, weight, rows, columns }, choose) {
          const random = run.random(`random-weights/${tensor}`);
          const scores = weight.map(() => random.uniform());
          return { scores, kept: choose(scores, [rows, columns], compare) };
        },
      },
      run,
    );
  },
});
