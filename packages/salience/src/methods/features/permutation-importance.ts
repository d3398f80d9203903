/** @file Permutation importance (Breiman 2001; arXiv:1801.01489): a feature matters by how much the model errs when its column is shuffled. */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import {
  jointShuffles,
  permutationEffects,
  permutationLosses,
} from '../../numerics/importance/permutation-importance.ts';
import { singles } from '../../numerics/shapley/value-function.ts';
import { blackBoxFor, modelParams } from '../../subjects/table/black-box-of.ts';
import { outcomesOf, rowsToExplain } from '../../subjects/table/explained-rows.ts';
import { table } from '../../subjects/table/subject.ts';
import { rowsOf } from '../../subjects/table/table.ts';

export const permutationImportance = method({
  id: 'permutation-importance',
  name: 'Permutation importance',
  source: 'arXiv:1801.01489',
  summary: 'Scores a feature by how much the loss of the model rises when the feature’s column is shuffled.',
  unit: 'feature',
  subject: table,
  formula: 'mean over shuffles of L(y, f(X with column j shuffled)) − L(y, f(X)), the same shuffles for each column',
  cost: 'rows · features · repeats predictions',
  params: z.object({
    ...modelParams.shape,
    loss: z
      .enum(['auto', 'logLoss', 'accuracy', 'auroc', 'squared'])
      .default('auto')
      .describe('what rises; auto is the log loss of classes and the squared error of values'),
    repeats: z.int().positive().default(10).describe('shuffles'),
    rows: z.int().positive().default(2000).describe('rows to test on that are used at the most, drawn by the seed'),
  }),
  async score(of, params, run) {
    const model = await blackBoxFor(of, params, run);
    const classes = model.positive !== undefined;
    const name = params.loss !== 'auto' ? params.loss : classes ? 'logLoss' : 'squared';
    if (!classes && name !== 'squared') {
      throw new ParameterError(
        `the target ${of.target!.name} is a value; ${name} is a loss of classes, squared one of values`,
      );
    }
    const { loss, of: what } = permutationLosses[name];
    const indices = rowsToExplain(of, -1, params.rows, run);
    const y = outcomesOf(of, indices, model.positive);
    if (indices.length < 2) throw new InputError(`${of.name}: ${indices.length} row cannot be shuffled`);
    if (name === 'auroc' && y.every((v) => v === y[0])) {
      throw new InputError(`${of.name}: the rows to test on are of one class, which has no ROC curve`);
    }
    const d = of.columns.length;
    const effects = new Float64Array(d);
    const errors = new Float64Array(d);
    const shuffles = jointShuffles(indices.length, params.repeats, run.random('permutation importance'));
    const data = { rows: rowsOf(of, indices), columns: d };
    let baseline = 0;
    for (const [c, set] of singles(d).entries()) {
      run.progress('columns', c, d);
      await run.breathe();
      const found = await permutationEffects((x) => model.predict(x), data, y, loss, [set], shuffles);
      baseline = found.baseline;
      effects[c] = found.effects[0];
      const variance =
        found.rises.reduce((sum, rise) => sum + (rise - effects[c]) ** 2, 0) / Math.max(1, params.repeats - 1);
      errors[c] = Math.sqrt(variance / params.repeats);
    }
    const labels = of.columns.map((column) => column.name);
    return {
      unit: 'feature',
      values: Float32Array.from(effects),
      labels,
      findings: [
        {
          kind: 'text',
          text: `${model.name}: ${what} ${Number(baseline.toPrecision(4))} on ${indices.length} rows as they are.`,
        },
        {
          kind: 'table',
          columns: ['feature', `rise of the ${what}`, 's.e.'],
          rows: labels.map((label, c) => [label, Number(effects[c].toPrecision(4)), Number(errors[c].toPrecision(2))]),
        },
      ],
    };
  },
});
