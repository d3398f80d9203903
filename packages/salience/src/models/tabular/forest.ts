/** @file Random forests. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { codeColumns } from './coded-columns.ts';
import type { TrainingRows } from './estimator.ts';
import { Grove, Grower, within } from './grow-tree.ts';
import { checkOption, checkTraining } from './training-rows.ts';
import {
  checkTreeOptions,
  type FittedTrees,
  growthOf,
  shares,
  type TreeOptions,
  treesPredictor,
  treeTarget,
} from './tree.ts';

export interface ForestOptions extends TreeOptions {
  /** How many; default 100. */
  readonly trees?: number;
  /** Columns looked at for a split: a number, or √columns (`sqrt`, default for classes) or all (default for values). */
  readonly maxFeatures?: number | 'sqrt' | 'all';
  /** Whether each tree has rows of its own, drawn with replacement; default true. */
  readonly bootstrap?: boolean;
}

/**
 * A random forest (Breiman 2001): CART trees of drawn rows, each split from drawn columns; probabilities (or values) are the mean
 * over the trees. Importance is the mean over the trees of their drops of impurity, its sum 1. Takes missing values as `fitTree` does.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError.
 */
export async function fitForest(data: TrainingRows, options: ForestOptions, run: Run): Promise<FittedTrees> {
  const name = 'random forest';
  checkTraining(data, { name, missing: true });
  checkTreeOptions(options);
  const { trees = 100, maxFeatures = data.classes === undefined ? 'all' : 'sqrt', bootstrap = true } = options;
  checkOption('trees', trees, 1);
  const tried = triedColumns(maxFeatures, data.columns);
  return run.drive(name, grow(name, data, { ...options, trees, tried, bootstrap }, run.random('random forest')));
}

function triedColumns(maxFeatures: number | 'sqrt' | 'all', columns: number): number {
  if (maxFeatures === 'all') return columns;
  if (maxFeatures === 'sqrt') return Math.max(1, Math.floor(Math.sqrt(columns)));
  if (!(Number.isInteger(maxFeatures) && maxFeatures >= 1)) {
    throw new ParameterError(`maxFeatures is a whole number of 1 or more, sqrt or all, not ${maxFeatures}`);
  }
  return Math.min(columns, maxFeatures);
}

function* grow(
  name: string,
  data: TrainingRows,
  options: TreeOptions & { readonly trees: number; readonly tried: number; readonly bootstrap: boolean },
  random: Random,
): Steps<FittedTrees> {
  const { trees, tried, bootstrap } = options;
  const n = data.y.length;
  const target = treeTarget(data);
  const ones = target.growth.sums;
  const sums = ones.slice();
  const counts = new Float64Array(n).fill(1);
  const grower = new Grower({
    ...target.growth,
    ...growthOf(options),
    columns: codeColumns(data.x, data.columns),
    sums,
    weights: counts,
    counts,
    tried,
  });
  const grove = new Grove(target.outputs);
  const importance = new Float64Array(data.columns);
  for (let t = 0; t < trees; t++) {
    const own = random.stream(`tree ${t}`);
    if (bootstrap) {
      counts.fill(0);
      for (let i = 0; i < n; i++) counts[own.integer(n)]++;
      for (let i = 0; i < sums.length; i++) sums[i] = ones[i] * counts[Math.floor(i / target.outputs)];
    }
    const { gains } = yield* within(t, trees, grower.grow(grove, own));
    shares(gains).forEach((share, c) => {
      importance[c] += share;
    });
    yield { done: t + 1, total: trees };
  }
  return treesPredictor(name, data, grove.ensembles(1 / trees, target.bases), shares(importance));
}
