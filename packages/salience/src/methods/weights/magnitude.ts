/** @file Magnitude pruning, layer by layer: the baseline that needs no text. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { languageModel } from '../../subjects/language-model/language-model.ts';
import { compareWithin, pruneLayers } from '../../subjects/language-model/prune-layers.ts';

export const magnitudePruning = method({
  id: 'magnitude',
  name: 'Magnitude pruning',
  source: 'baseline',
  summary: 'Keeps the weights of largest magnitude of every matrix.',
  unit: 'weight',
  subject: languageModel,
  formula: 's_ij = |W_ij|',
  cost: 'one read and one write of the weights; memory for one layer',
  params: z.object({ compare: compareWithin('matrix') }),
  async score(model, { compare }, run) {
    return pruneLayers(
      model,
      {
        about: `magnitude within each ${compare}`,
        prune({ weight, rows, columns }, choose) {
          const scores = weight.map(Math.abs);
          return { scores, kept: choose(scores, [rows, columns], compare) };
        },
      },
      run,
    );
  },
});
