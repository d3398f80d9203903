/** @file The black box that a method explains: a predictor trained on a table, an ONNX file, or an endpoint. */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { BlackBox } from '../../models/black-box/black-box.ts';
import { httpBlackBox } from '../../models/black-box/http.ts';
import { onnxBlackBox } from '../../models/black-box/onnx.ts';
import { fitBoosting } from '../../models/tabular/boosting.ts';
import type { Fitted, TrainingRows } from '../../models/tabular/estimator.ts';
import { fitForest } from '../../models/tabular/forest.ts';
import { fitLasso } from '../../models/tabular/lasso.ts';
import { fitLogistic } from '../../models/tabular/logistic.ts';
import { fitNeighbours } from '../../models/tabular/neighbours.ts';
import { fitPerceptron } from '../../models/tabular/perceptron.ts';
import { fitRidge } from '../../models/tabular/ridge.ts';
import { fitLinearSvm, fitSvm } from '../../models/tabular/svm.ts';
import { fitTree } from '../../models/tabular/tree.ts';
import {
  accuracy,
  auroc,
  balancedAccuracy,
  logLoss,
  macroF1,
  matthewsCorrelation,
  meanAbsoluteError,
  meanSquaredError,
  rSquared,
} from '../../numerics/statistics/classification.ts';
import { type Design, designOf } from './design.ts';
import { rowsOf, type Table } from './table.ts';

/** Predictors by the name they are asked for; those of classes alone refuse values, and ridge and lasso classes. */
const predictors: Readonly<
  Record<
    string,
    {
      readonly fit: (data: TrainingRows, run: Run) => Promise<Fitted>;
      readonly trees?: true;
      readonly of?: 'classes' | 'values';
    }
  >
> = {
  logistic: { fit: (data, run) => (data.classes === undefined ? fitRidge(data, {}, run) : fitLogistic(data, {}, run)) },
  lasso: {
    fit: (data, run) =>
      data.classes === undefined ? fitLasso(data, {}, run) : fitLogistic(data, { penalty: 'l1' }, run),
  },
  tree: { fit: (data, run) => fitTree(data, { depth: 6, minLeaf: 5 }, run), trees: true },
  forest: { fit: (data, run) => fitForest(data, {}, run), trees: true },
  boosting: { fit: (data, run) => fitBoosting(data, {}, run), trees: true },
  neighbours: { fit: (data, run) => fitNeighbours(data, {}, run) },
  svm: { fit: (data, run) => fitSvm(data, {}, run), of: 'classes' },
  'linear-svm': { fit: (data, run) => fitLinearSvm(data, {}, run), of: 'classes' },
  perceptron: { fit: (data, run) => fitPerceptron(data, {}, run) },
};

/** The parameters of every method that explains a model. */
export const modelParams = z.object({
  model: z
    .string()
    .default('logistic')
    .describe(
      `what is explained: ${Object.keys(predictors).join(', ')} (trained on the training rows; of a value logistic is ridge), a file.onnx, or an http(s) address`,
    ),
  positive: z
    .string()
    .optional()
    .describe('the class whose probability is explained, against all others; default the last'),
  modelSeed: z.int().min(0).optional().describe('seed of the model alone; default that of the run'),
});

/** A black box of a table's rows, with what is known of its inside. */
export interface TableModel extends BlackBox {
  /** The class that a probability is of; absent where values are predicted. */
  readonly positive?: string;
  /** The predictor, where it was trained here; its columns are those of the design. */
  readonly fitted?: Fitted;
  /** From rows of the table to the predictor's columns. Of trees these are the table's columns one for one, unchanged. */
  readonly design?: Design;
  /** Measured on the rows to test on, where there are any; an endpoint is not asked for it. */
  readonly quality?: Readonly<Record<string, number>>;
}

/** Rows that are encoded and predicted together. */
const batch = 16_384;

/**
 * The model that the parameters name, for the table's rows. Trained predictors see the training rows alone: linear ones, neighbours,
 * support vector machines and the perceptron columns of mean 0 and deviation 1, a column for each category, medians for what is
 * missing (a category that training did not see, or that is missing, has 0 in all of its columns); trees the codes as they are, what is
 * missing among them. They give the probability of the positive class against all others, or the value. An ONNX file gets the codes
 * as they are, an endpoint texts for categories.
 * @throws InputError if the table has no target, or one class among its training rows; ParameterError for a model or a class that there
 * is not; what the adapters throw; CancelledError.
 */
export async function blackBoxFor(table: Table, params: z.infer<typeof modelParams>, run: Run): Promise<TableModel> {
  const { model, modelSeed } = params;
  const goal = goalOf(table, params.positive);
  const gives = goal.positive === undefined ? 'value' : 'probability';
  const seeded = modelSeed === undefined ? run : run.withSeed(modelSeed);
  if (/^https?:\/\//.test(model)) {
    const box = httpBlackBox(model, { columns: table.columns, gives, signal: run.signal });
    return { ...box, ...(goal.positive !== undefined && { positive: goal.positive }) };
  }
  if (model.toLowerCase().endsWith('.onnx')) {
    const columns = table.columns.length;
    const box = await onnxBlackBox(model, { columns, gives, ...(goal.code !== undefined && { positive: goal.code }) });
    return withQuality({ ...box, positive: goal.positive }, table, goal);
  }
  const predictor = Object.hasOwn(predictors, model) ? predictors[model] : undefined;
  if (!predictor) {
    throw new ParameterError(
      `there is no model "${model}"; there are ${Object.keys(predictors).join(', ')}, a file that ends in .onnx, and an http(s) address`,
    );
  }
  if (predictor.of === 'classes' && goal.positive === undefined) {
    throw new ParameterError(`${model} predicts classes, and the target ${table.target!.name} is a value`);
  }
  const design = designOf(table, predictor.trees ? { categories: 'codes', missing: 'keep' } : { scale: true });
  const y = Float64Array.from(table.train, (row) => goal.values[row]);
  if (goal.positive !== undefined && y.every((code) => code === y[0])) {
    throw new InputError(
      `${table.name}: the ${y.length} training rows are all ${y[0] === 1 ? '' : 'other than '}${goal.positive}; training needs rows of both`,
    );
  }
  const rows = design.x(rowsOf(table, table.train));
  const data = { columns: design.names.length, x: rows, y, ...(goal.positive !== undefined && { classes: 2 }) };
  const fitted = await predictor.fit(data, seeded);
  const width = table.columns.length;
  const box: TableModel = {
    name: fitted.name,
    columns: width,
    gives,
    positive: goal.positive,
    fitted,
    design,
    async predict(all) {
      const n = all.length / width;
      if (!Number.isInteger(n))
        throw new InputError(`${fitted.name}: ${all.length} numbers are no rows of ${width} columns`);
      const out = new Float64Array(n);
      for (let low = 0; low < n; low += batch) {
        const high = Math.min(n, low + batch);
        const found = await fitted.predict(design.x(all.subarray(low * width, high * width)));
        const { outputs } = fitted;
        for (let i = low; i < high; i++) out[i] = found[(i - low) * outputs + outputs - 1];
        if (high < n) await run.breathe();
      }
      return out;
    },
  };
  return withQuality(box, table, goal);
}

/** What is predicted: 1 in the rows of the positive class and 0 in others, or the values. */
interface Goal {
  readonly values: Float64Array;
  readonly positive?: string;
  readonly code?: number;
}

function goalOf({ target, name, train, test }: Table, wanted: string | undefined): Goal {
  if (!target) throw new InputError(`${name}: has no target; name the column to be predicted (--target)`);
  const { levels, values } = target;
  for (const rows of [train, test]) {
    const bad = rows.find((row) => !Number.isFinite(values[row]));
    if (bad !== undefined) throw new InputError(`${name}: row ${bad} has no value of the target ${target.name}`);
  }
  if (!levels) {
    if (wanted !== undefined) {
      throw new ParameterError(`positive is a class, and the target ${target.name} of ${name} is a value`);
    }
    return { values };
  }
  const code = wanted === undefined ? levels.length - 1 : levels.indexOf(wanted);
  if (code < 0) {
    throw new ParameterError(
      `the target ${target.name} of ${name} has no class "${wanted}"; it has ${levels.join(', ')}`,
    );
  }
  return { values: values.map((own) => Number(own === code)), positive: levels[code], code };
}

async function withQuality(box: TableModel, table: Table, { values, positive }: Goal): Promise<TableModel> {
  if (table.test.length === 0) return box;
  const y = Float64Array.from(table.test, (row) => values[row]);
  const found = await box.predict(rowsOf(table, table.test));
  if (positive === undefined) {
    const mse = meanSquaredError(y, found);
    return {
      ...box,
      quality: {
        'R²': rSquared(y, found),
        'root mean squared error': Math.sqrt(mse),
        'mean absolute error': meanAbsoluteError(y, found),
      },
    };
  }
  const predicted = found.map((p) => Number(p > 0.5));
  const both = Float64Array.from({ length: 2 * y.length }, (_, i) => (i % 2 === 1 ? found[i >> 1] : 1 - found[i >> 1]));
  const several = y.some((code) => code !== y[0]);
  return {
    ...box,
    quality: {
      accuracy: accuracy(y, predicted),
      'balanced accuracy': balancedAccuracy(y, predicted, 2),
      'macro F1': macroF1(y, predicted, 2),
      ...(several && { AUROC: auroc(y, found) }),
      'Matthews correlation': matthewsCorrelation(y, predicted, 2),
      'log loss': logLoss(y, both, 2),
    },
  };
}
