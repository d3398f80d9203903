/** @file Decision and regression trees (CART), with exact splits. */

import type { Run } from '../../core/run.ts';
import { predictTrees } from '../../numerics/trees/predict-trees.ts';
import type { TreeEnsemble } from '../../numerics/trees/tree-ensemble.ts';
import { codeColumns } from './coded-columns.ts';
import type { Fitted, TrainingRows } from './estimator.ts';
import { Grove, Grower, type Growth } from './grow-tree.ts';
import { bothClasses } from './linear-scores.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface TreeOptions {
  /** Questions from the root to a leaf at most; default no bound. */
  readonly depth?: number;
  /** Rows a leaf has at least; default 1. */
  readonly minLeaf?: number;
  /** Rows a node has at least to be split; default 2. */
  readonly minSplit?: number;
}

/** A fitted predictor that is made of trees. */
export type FittedTrees = Fitted & Required<Pick<Fitted, 'importance' | 'trees' | 'treesGive'>>;

/**
 * A classification tree by Gini's impurity or a regression tree by squared error (Breiman et al. 1984). Every threshold between two
 * neighbouring values is looked at; the first best is taken, columns in their order, thresholds ascending. Missing values (NaN) go
 * where the split is better, or with most rows where training saw none in the node. Importance is the drop of impurity, its sum 1.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError.
 */
export async function fitTree(data: TrainingRows, options: TreeOptions, run: Run): Promise<FittedTrees> {
  const name = data.classes === undefined ? 'regression tree' : 'decision tree';
  checkTraining(data, { name, missing: true });
  checkTreeOptions(options);
  run.check();
  const target = treeTarget(data);
  const n = data.y.length;
  const ones = new Float64Array(n).fill(1);
  const grove = new Grove(target.outputs);
  const grower = new Grower({
    ...target.growth,
    ...growthOf(options),
    columns: codeColumns(data.x, data.columns),
    weights: ones,
    counts: ones,
    tried: data.columns,
  });
  const { gains } = await run.drive(name, grower.grow(grove));
  return treesPredictor(name, data, grove.ensembles(1, target.bases), shares(gains));
}

/** @throws ParameterError for options out of range. */
export function checkTreeOptions({ depth = 1, minLeaf = 1, minSplit = 2 }: TreeOptions): void {
  if (depth !== Infinity) checkOption('depth', depth, 0);
  checkOption('minLeaf', minLeaf, 1);
  checkOption('minSplit', minSplit, 2);
}

/** The options of a growth, with defaults. */
export function growthOf({ depth = Infinity, minLeaf = 1, minSplit = 2 }: TreeOptions) {
  return { depth, minLeaf, minSplit, shrinkage: 0 };
}

/**
 * What trees that average are grown to fit: 1 in the rows of class 1, or in the rows of each class where they are more than two;
 * values less their mean.
 */
export function treeTarget({ y, classes }: TrainingRows) {
  const n = y.length;
  const outputs = classes === undefined || classes === 2 ? 1 : classes;
  const bases = new Float64Array(outputs);
  const sums = new Float64Array(n * outputs);
  if (classes === undefined) {
    for (let i = 0; i < n; i++) bases[0] += y[i] / n;
    for (let i = 0; i < n; i++) sums[i] = y[i] - bases[0];
  } else if (classes === 2) sums.set(y);
  else for (let i = 0; i < n; i++) sums[i * classes + y[i]] = 1;
  const growth: Pick<Growth, 'outputs' | 'sums' | 'alike'> = { outputs, sums, alike: y };
  return { outputs, bases, growth };
}

/** Divided by their sum; 0 where that is 0. */
export function shares(gains: Float64Array): Float64Array {
  const sum = gains.reduce((a, b) => a + b, 0);
  return sum > 0 ? gains.map((gain) => gain / sum) : new Float64Array(gains.length);
}

/** The predictor of trees whose sums are probabilities or values. */
export function treesPredictor(
  name: string,
  { columns, classes }: TrainingRows,
  trees: readonly TreeEnsemble[],
  importance: Float64Array,
): FittedTrees {
  return {
    name,
    columns,
    outputs: classes ?? 1,
    importance,
    trees,
    treesGive: classes === undefined ? 'value' : 'probability',
    async predict(rows) {
      countRows(rows, columns, name);
      const sums = predictTrees(trees, rows, columns);
      // Rounding may take a sum of shares past 1.
      if (classes !== undefined) for (let i = 0; i < sums.length; i++) sums[i] = Math.min(1, sums[i]);
      return classes === 2 ? bothClasses(sums, 'probability') : sums;
    },
  };
}
