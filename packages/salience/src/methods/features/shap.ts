/**
 * @file SHAP (arXiv:1705.07874; of trees arXiv:1905.04610): a feature matters by how far it moves the model's output from the usual, over all
 * orders in which features become known. The measure that several systems here are compared with.
 */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import { singles } from '../../numerics/shapley/value-function.ts';
import { blackBoxFor, modelParams, type TableModel } from '../../subjects/table/black-box-of.ts';
import { backgroundOf, rowsToExplain } from '../../subjects/table/explained-rows.ts';
import { outputOf, shapleySwarm, shapleyWaterfall } from '../../subjects/table/shapley-charts.ts';
import { meanSizes, type ShapleyOfRows, shapleyOf } from '../../subjects/table/shapley-of.ts';
import { table } from '../../subjects/table/subject.ts';
import { rowsOf, type Table } from '../../subjects/table/table.ts';

export const shap = method({
  id: 'shap',
  name: 'SHAP',
  source: 'arXiv:1705.07874',
  summary:
    'Scores a feature by the mean size of its Shapley value: its share of what moves the model from its usual output.',
  unit: 'feature',
  subject: table,
  formula:
    'mean over rows of |φ_j|, φ_j = Σ over S without j of |S|! (M − |S| − 1)! / M! · (v(S ∪ j) − v(S)), v(S) = mean over the background of f(x_S, b_rest)',
  cost: 'of trees d · 2^d a leaf and d a row and leaf, d features on a path; else coalitions · background predictions a row',
  params: z.object({
    ...modelParams.shape,
    row: z.int().min(-1).default(-1).describe('number of the one row to explain; -1 explains those to test on'),
    rows: z.int().positive().default(100).describe('rows explained at the most, drawn by the seed'),
    background: z
      .int()
      .positive()
      .default(100)
      .describe('training rows that stand for what is usual, drawn by the seed'),
    way: z
      .enum(['auto', 'tree', 'exact', 'kernel', 'permutation'])
      .default('auto')
      .describe(
        'auto: exactly by the trees of a tree or forest, exactly over all coalitions up to 10 features, else by sampled orders; tree explains boosting in log-odds',
      ),
    samples: z
      .int()
      .positive()
      .default(1000)
      .describe('coalitions of the kernel where it cannot have all; 2 a feature or more'),
    orders: z
      .int()
      .positive()
      .default(20)
      .describe('orders of permutation sampling, every second the reverse of the one before'),
  }),
  async score(of, params, run) {
    const model = await blackBoxFor(of, params, run);
    const indices = rowsToExplain(of, params.row, params.rows, run);
    const background = backgroundOf(of, params.background, run);
    const d = of.columns.length;
    const found = await shapleyOf(model, rowsOf(of, indices), background, singles(d), params, run);
    const scores = Float32Array.from(meanSizes(found.values, d));
    return {
      unit: 'feature',
      values: scores,
      labels: of.columns.map(({ name }) => name),
      findings: findingsOf(of, model, found, indices, scores, params.background),
    };
  },
});

const words = {
  tree: 'by the trees, exactly',
  exact: 'over all coalitions',
  kernel: 'by the kernel',
  permutation: 'by sampled orders',
};

function findingsOf(
  of: Table,
  model: TableModel,
  found: ShapleyOfRows,
  indices: Uint32Array,
  scores: Float32Array,
  background: number,
): Block[] {
  const { empty, way, gap, error } = found;
  const output = outputOf(model, found);
  const four = (x: number) => Number(x.toPrecision(4));
  return [
    {
      kind: 'text',
      text:
        `${model.name}: the ${output} of ${indices.length} ${indices.length === 1 ? 'row' : 'rows'}, ${four(empty)} on average over ${Math.min(background, of.train.length)} training rows, ${words[way]}. ` +
        `Each row’s values add up to its output to within ${gap.toExponential(1)}.` +
        (error === undefined ? '' : ` The largest standard error of a value is ${four(error)}.`),
    },
    ...(indices.length > 1 ? [shapleySwarm(of, found, indices, scores, output)] : []),
    shapleyWaterfall(of, found, indices, 0, output),
  ];
}
