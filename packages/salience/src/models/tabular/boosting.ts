/** @file Gradient boosting of trees. */

import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { predictTrees } from '../../numerics/trees/predict-trees.ts';
import { codeColumns } from './coded-columns.ts';
import type { TrainingRows } from './estimator.ts';
import { Grove, Grower, within } from './grow-tree.ts';
import { bothClasses, sigmoid, softmaxRows } from './linear-scores.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';
import { checkTreeOptions, type FittedTrees, shares, type TreeOptions } from './tree.ts';

export interface BoostingOptions extends TreeOptions {
  /** Rounds of one tree, or one a class where they are more than two; default 100. */
  readonly rounds?: number;
  /** What a tree counts; default 0.1. */
  readonly rate?: number;
  /** Default 6. */
  readonly depth?: number;
  /** Default 20. */
  readonly minLeaf?: number;
  /** λ, what the squared values of leaves count; default 1. */
  readonly shrinkage?: number;
  /** Levels a column has at most, of about equally many rows each; default 255. */
  readonly bins?: number;
}

/**
 * Gradient boosting with second-order steps (Chen & Guestrin, arXiv:1603.02754): each tree fits the negative gradients over the
 * second derivatives of the log loss (of classes) or the squared error (of values). Its trees' sums are log-odds, of more than two
 * classes the sums under the softmax. Importance is the gain of the splits, its sum 1. Takes missing values as `fitTree` does.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError.
 */
export async function fitBoosting(data: TrainingRows, options: BoostingOptions, run: Run): Promise<FittedTrees> {
  const name = 'gradient boosting';
  const { rounds = 100, rate = 0.1, depth = 6, minLeaf = 20, minSplit = 2, shrinkage = 1, bins = 255 } = options;
  checkTraining(data, { name, missing: true });
  checkTreeOptions({ depth, minLeaf, minSplit });
  checkOption('rounds', rounds, 1);
  checkOption('rate', rate, 0, true);
  checkOption('shrinkage', shrinkage, 0);
  checkOption('bins', bins, 2);
  return run.drive(name, boost(name, data, { rounds, rate, depth, minLeaf, minSplit, shrinkage, bins }));
}

function* boost(
  name: string,
  data: TrainingRows,
  { rounds, rate, bins, ...limits }: Required<BoostingOptions>,
): Steps<FittedTrees> {
  const { x, y, columns, classes } = data;
  const n = y.length;
  const outputs = classes === undefined || classes === 2 ? 1 : classes;
  const bases = priorOf(data, outputs);
  const scores = new Float64Array(n * outputs);
  for (let i = 0; i < scores.length; i++) scores[i] = bases[i % outputs];
  const sums = new Float64Array(n);
  const weights = new Float64Array(n).fill(1);
  const counts = new Float64Array(n).fill(1);
  const grower = new Grower({
    ...limits,
    columns: codeColumns(x, columns, bins),
    outputs: 1,
    sums,
    weights,
    counts,
    tried: columns,
  });
  const groves = Array.from({ length: outputs }, () => new Grove(1));
  const gain = new Float64Array(columns);
  for (let round = 0; round < rounds; round++) {
    const probabilities = outputs > 1 ? softmaxRows(scores.slice(), outputs) : undefined;
    for (let k = 0; k < outputs; k++) {
      for (let i = 0; i < n; i++) {
        if (classes === undefined) sums[i] = y[i] - scores[i];
        else {
          const p = probabilities ? probabilities[i * outputs + k] : sigmoid(scores[i]);
          sums[i] = (outputs === 1 ? y[i] : Number(y[i] === k)) - p;
          weights[i] = Math.max(1e-16, p * (1 - p));
        }
      }
      const { gains, leaves } = yield* within(round, rounds, grower.grow(groves[k]));
      for (let c = 0; c < columns; c++) gain[c] += gains[c];
      for (let i = 0; i < n; i++) scores[i * outputs + k] += rate * groves[k].value(leaves[i]);
    }
    yield { done: round + 1, total: rounds };
  }
  const trees = groves.flatMap((grove, k) => grove.ensembles(rate, [bases[k]]));
  return {
    name,
    columns,
    outputs: classes ?? 1,
    importance: shares(gain),
    trees,
    treesGive: classes === undefined ? 'value' : 'margin',
    async predict(rows) {
      countRows(rows, columns, name);
      const margins = predictTrees(trees, rows, columns);
      if (classes === undefined) return margins;
      return classes === 2 ? bothClasses(margins, 'log-odds') : softmaxRows(margins, classes);
    },
  };
}

/** What is predicted without trees: the mean, the log-odds, or the logarithm of each class's share. */
function priorOf({ y, classes }: TrainingRows, outputs: number): Float64Array {
  const n = y.length;
  if (outputs > 1) {
    const counts = new Float64Array(outputs);
    for (const code of y) counts[code]++;
    return counts.map((count) => Math.log(Math.max(count, 0.5) / n));
  }
  const mean = y.reduce((sum, value) => sum + value / n, 0);
  return Float64Array.of(classes === undefined ? mean : Math.log(mean / (1 - mean)));
}
