/**
 * @file SparseGPT (arXiv:2301.00774): weights go column by column, and the columns to the right take over what each pruned weight
 * did; the next layer is seen on what the pruned ones before it give.
 */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { inputSecondMoments } from '../../models/decoder/linear-maps.ts';
import { sparseGptSteps } from '../../numerics/pruning/sparse-gpt.ts';
import { languageModel } from '../../subjects/language-model/language-model.ts';
import { pruneLayers } from '../../subjects/language-model/prune-layers.ts';

export const sparseGpt = method({
  id: 'sparsegpt',
  name: 'SparseGPT',
  source: 'arXiv:2301.00774',
  summary:
    'Removes the weights whose loss the others of their row can best make up for, and changes the others so that they do.',
  unit: 'weight',
  subject: languageModel,
  formula: 's = w² / U_cc², Uᵀ U = (Σ x xᵀ + λ I)⁻¹; then w_j −= U_cj · w / U_cc for the columns j after c',
  cost: 'as Wanda, and O(columns² · (rows + columns)) a matrix',
  params: z.object({
    damping: z.number().positive().default(0.01).describe('λ, as a share of the mean diagonal'),
    blockColumns: z
      .number()
      .int()
      .min(1)
      .default(128)
      .describe('columns whose mask is chosen together, with one threshold over all rows'),
  }),
  async score(model, { damping, blockColumns }, run) {
    return pruneLayers(
      model,
      {
        about: `sparsegpt, damping ${damping}, blocks of ${blockColumns} columns`,
        observe: ({ source }, n) => inputSecondMoments(source.config, n),
        prune: ({ tensor, weight, rows, columns, input }, choose) =>
          run.drive(
            `pruning ${tensor}`,
            sparseGptSteps(weight, [rows, columns], input!, choose, { damping, blockColumns }),
          ),
      },
      run,
    );
  },
});
