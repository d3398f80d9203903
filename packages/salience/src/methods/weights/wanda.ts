/**
 * @file Wanda (arXiv:2306.11695): a weight matters as much as its magnitude times the norm of the input it meets; the lowest of
 * every output row go, and the next layer is seen on what the pruned ones before it give.
 */

import { z } from 'zod';
import { BudgetError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import { inputSquares } from '../../models/decoder/linear-maps.ts';
import { inputNorm, keepByCumulativeShare, wandaScores } from '../../numerics/pruning/wanda.ts';
import { languageModel } from '../../subjects/language-model/language-model.ts';
import { compareWithin, pruneLayers } from '../../subjects/language-model/prune-layers.ts';

export const wanda = method({
  id: 'wanda',
  name: 'Wanda',
  source: 'arXiv:2306.11695',
  summary: 'Keeps the weights whose magnitude times the norm of their input is largest in their output row.',
  unit: 'weight',
  subject: languageModel,
  formula: 's_ij = |W_ij| · x_j, x_j = √(Σ X_j² / N) over the tokens of N calibration texts',
  cost: 'two forward passes of each layer over the calibration texts; memory for one layer and the texts’ hidden states',
  params: z.object({
    compare: compareWithin('row'),
    variant: z
      .boolean()
      .default(false)
      .describe(
        'the paper’s variant: each row loses its lowest scores up to one share of its total, the share found so that the whole matrix is within 0.1% of the budget',
      ),
  }),
  async score(model, { compare, variant }, run) {
    return pruneLayers(
      model,
      {
        about: variant ? 'wanda, the variant' : `wanda within each ${compare}`,
        observe: ({ source }, n) => inputSquares(source.config, n),
        prune({ weight, rows, columns, input }, choose) {
          const x = inputNorm(input!, model.blocks().shape[0]);
          const scores = wandaScores(weight, rows, columns, x);
          if (!variant) return { scores, kept: choose(scores, [rows, columns], compare) };
          if (choose.every !== undefined) {
            throw new BudgetError(
              'Wanda’s variant prunes rows unevenly; N:M does not go with it, a share such as 50% does',
            );
          }
          const kept = choose(scores, [rows, columns], 'matrix').reduce((sum, one) => sum + one, 0);
          return { scores, kept: keepByCumulativeShare(scores, rows, columns, 1 - kept / scores.length).kept };
        },
      },
      run,
    );
  },
});
