/** @file Features by the weights of linear models with an L1 penalty: the lasso for values, logistic regression for classes. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { fitLasso } from '../../models/tabular/lasso.ts';
import { fitLogistic } from '../../models/tabular/logistic.ts';
import { labelledInputs, scaledRows } from '../../subjects/table/labelled-inputs.ts';
import { table } from '../../subjects/table/subject.ts';

/** Σ over the feature's inputs of the mean over outputs of |weight|; weights [outputs · inputs] → shape [features]. */
export function weightSizes(weights: Float64Array, featureOf: readonly number[]): Float64Array {
  const inputs = featureOf.length;
  const outputs = weights.length / inputs;
  const sizes = new Float64Array(featureOf[inputs - 1] + 1);
  weights.forEach((weight, at) => {
    sizes[featureOf[at % inputs]] += Math.abs(weight) / outputs;
  });
  return sizes;
}

export const lasso = method({
  id: 'lasso',
  name: 'Lasso',
  source: 'doi:10.1111/j.2517-6161.1996.tb02080.x',
  summary: 'Scores a feature by its weight in a linear model whose penalty sets weights of no use to 0.',
  unit: 'feature',
  subject: table,
  formula:
    '|w| of min Σ (y − w·x − b)² / 2n + λ Σ |w|, λ by cross-validation; of classes, mean |w| of min C Σ −ln p + Σ |w|',
  cost: 'O(n d²) and O(d²) a step',
  params: z.object({
    cost: z.number().positive().default(0.1).describe('C: for classes, what the log loss counts against the penalty'),
    strength: z
      .number()
      .min(0)
      .optional()
      .describe('λ: for values, what absolute weights count; by default found by cross-validation'),
    folds: z.int().min(2).default(5).describe('parts of the cross-validation'),
  }),
  async score(of, { cost, strength, folds }, run) {
    const inputs = labelledInputs(of, 'lasso');
    const { y, classes, featureOf, features, rows } = inputs;
    const { x } = scaledRows(
      inputs,
      Array.from({ length: rows }, (_, i) => i),
    );
    const columns = featureOf.length;
    if (classes !== undefined) {
      const { weights } = await fitLogistic({ columns, x, y, classes }, { penalty: 'l1', cost }, run);
      return { unit: 'feature', values: Float32Array.from(weightSizes(weights, featureOf)), labels: features };
    }
    const { weights, strength: chosen } = await fitLasso({ columns, x, y }, { strength, folds }, run);
    run.log(
      `the lasso's λ is ${chosen.toPrecision(3)}; ${weights.filter((weight) => weight !== 0).length} of ${columns} weights are not 0`,
    );
    return { unit: 'feature', values: Float32Array.from(weightSizes(weights, featureOf)), labels: features };
  },
});
