/** @file Features by what random forests lose when their values are shuffled (Breiman 2001). */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { fitForest } from '../../models/tabular/forest.ts';
import { jointShuffles, type MeanLoss, permutationEffects } from '../../numerics/importance/permutation-importance.ts';
import { accuracy, meanSquaredError, mostProbable } from '../../numerics/statistics/classification.ts';
import { foldsOf, labelledInputs, scaledRows } from '../../subjects/table/labelled-inputs.ts';
import { table } from '../../subjects/table/subject.ts';

export const forestImportance = method({
  id: 'forest-importance',
  name: 'Forest permutation importance',
  source: 'doi:10.1023/A:1010933404324',
  summary:
    'Scores a feature by how much worse a random forest predicts other rows once the feature is shuffled in them.',
  unit: 'feature',
  subject: table,
  formula:
    'mean over folds and shuffles of the rise of the error (of classes) or squared error (of values) on validation rows',
  cost: 'O(trees · n log n · √d) a fold, and d · repeats predictions',
  params: z.object({
    trees: z.int().min(1).default(200).describe('trees of a forest'),
    repeats: z.int().min(1).default(5).describe('times that each feature is shuffled'),
    folds: z.int().min(2).default(5).describe('parts of the training rows; each is scored by a forest of the others'),
  }),
  async score(of, { trees, repeats, folds }, run) {
    const inputs = labelledInputs(of, 'forest-importance');
    const { y, classes, featureOf, features } = inputs;
    const columns = featureOf.length;
    const sets = features.map((_, feature) => featureOf.flatMap((own, j) => (own === feature ? [j] : [])));
    const loss: MeanLoss = classes === undefined ? meanSquaredError : (right, given) => 1 - accuracy(right, given);
    const values = new Float32Array(features.length);
    const splits = foldsOf(inputs, folds, run.random('folds'));
    for (const [f, { train, test }] of splits.entries()) {
      run.progress('forests', f, folds);
      const at = (rows: Uint32Array) => Float64Array.from(rows, (row) => y[row]);
      const { x, scaling } = scaledRows(inputs, train);
      const forest = await fitForest({ columns, x, y: at(train), classes }, { trees }, run);
      const { effects } = await permutationEffects(
        async (rows) => {
          const made = await forest.predict(rows);
          return classes === undefined ? made : mostProbable(made, classes);
        },
        { rows: scaledRows(inputs, test, scaling).x, columns },
        at(test),
        loss,
        sets,
        jointShuffles(test.length, repeats, run.random(`shuffles/${f}`)),
      );
      effects.forEach((effect, j) => {
        values[j] += effect / folds;
      });
      await run.breathe();
    }
    return { unit: 'feature', values, labels: features };
  },
});
