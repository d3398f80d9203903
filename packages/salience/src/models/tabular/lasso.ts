/** @file The lasso: regression with an L1 penalty. */

import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { randomFolds } from '../../numerics/sampling/folds.ts';
import { type CentredProducts, centredProducts } from './centred-products.ts';
import type { FittedLinear, TrainingRows } from './estimator.ts';
import { linearImportance, linearScores } from './linear-scores.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface LassoOptions {
  /** λ, what the absolute weights count; by default the one of least squared error in cross-validation. */
  readonly strength?: number;
  /** Folds of the cross-validation; default 5. */
  readonly folds?: number;
  /** Strengths tried, from the least that gives no weights down to a thousandth of it; default 100. */
  readonly strengths?: number;
}

/** A lasso, with its λ. */
export interface FittedLasso extends FittedLinear {
  readonly strength: number;
}

/**
 * The lasso (Tibshirani 1996): the weights that minimise Σ (y − w·x − b)² / 2n + λ Σ |w|, by coordinate descent (Friedman et al.
 * 2010); weights of no use are exactly 0. Give it standardised columns where the penalty should treat them alike.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError.
 */
export async function fitLasso(data: TrainingRows, options: LassoOptions, run: Run): Promise<FittedLasso> {
  const { strength, folds = 5, strengths = 100 } = options;
  const name = 'lasso';
  checkTraining(data, { name, target: 'value' });
  if (strength !== undefined) checkOption('strength', strength, 0);
  checkOption('folds', folds, 2);
  checkOption('strengths', strengths, 1);
  const own = { strength, folds: Math.min(folds, data.y.length), strengths };
  const fitted = await run.drive(name, fit(data, own, run.random('lasso')));
  const intercepts = Float64Array.of(fitted.intercept);
  return {
    name,
    columns: data.columns,
    outputs: 1,
    strength: fitted.strength,
    weights: fitted.weights,
    intercepts,
    importance: linearImportance(fitted.weights, data.x, data.columns),
    async predict(rows) {
      countRows(rows, data.columns, name);
      return linearScores(rows, fitted.weights, intercepts);
    },
  };
}

function* fit(
  data: TrainingRows,
  { strength, folds, strengths }: { strength: number | undefined; folds: number; strengths: number },
  random: Random,
): Steps<{ weights: Float64Array; intercept: number; strength: number }> {
  const n = data.y.length;
  const products = yield* centredProducts(data);
  const weights = new Float64Array(data.columns);
  const path = pathOf(products, n, strengths);
  const chosen = strength ?? (yield* byCrossValidation(data, path, folds, random));
  // Down the path to the strength wanted: each solution is where the next begins.
  for (const step of path) if (step > chosen) yield* descend(products, n, step, weights);
  yield* descend(products, n, chosen, weights);
  const intercept = weights.reduce((b, weight, c) => b - weight * products.means[c], products.mean);
  return { weights, intercept, strength: chosen };
}

/** Strengths from max |(x − x̄)·(y − ȳ)| / n, where all weights are 0, to a thousandth of it, evenly in their logarithm. */
function pathOf({ moments }: CentredProducts, n: number, strengths: number): number[] {
  const most = moments.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / n;
  return Array.from({ length: strengths }, (_, i) => most * 0.001 ** (i / Math.max(1, strengths - 1)));
}

function* byCrossValidation(data: TrainingRows, path: readonly number[], folds: number, random: Random): Steps<number> {
  const { x, y, columns } = data;
  const errors = new Float64Array(path.length);
  for (const { train, test } of randomFolds(y.length, folds, random)) {
    const products = yield* centredProducts(data, train);
    const weights = new Float64Array(columns);
    for (const [s, strength] of path.entries()) {
      yield* descend(products, train.length, strength, weights);
      for (const i of test) {
        let error = products.mean - y[i];
        for (let c = 0; c < columns; c++) error += weights[c] * (x[i * columns + c] - products.means[c]);
        errors[s] += error * error;
      }
    }
  }
  return path[errors.indexOf(Math.min(...errors))];
}

/** Coordinate descent from the weights given, until the duality gap is below 1e-8 of Σ (y − ȳ)². */
function* descend(products: CentredProducts, n: number, strength: number, weights: Float64Array): Steps<void> {
  const { gram, moments, variation } = products;
  const d = weights.length;
  const penalty = strength * n;
  // Σ x (y − ŷ) of each column.
  const slopes = moments.slice();
  for (let c = 0; c < d; c++) {
    if (weights[c] !== 0) for (let b = 0; b < d; b++) slopes[b] -= weights[c] * gram[c * d + b];
  }
  for (let sweep = 0; sweep < 10_000; sweep++) {
    let largest = 0;
    for (let c = 0; c < d; c++) {
      const own = gram[c * d + c];
      if (own === 0) continue;
      const slope = slopes[c] + own * weights[c];
      const next = (slope > penalty ? slope - penalty : slope < -penalty ? slope + penalty : 0) / own;
      const step = next - weights[c];
      if (step === 0) continue;
      weights[c] = next;
      largest = Math.max(largest, step * step * own);
      for (let b = 0; b < d; b++) slopes[b] -= step * gram[c * d + b];
    }
    yield { done: sweep + 1 };
    // The gap is dear; no gap is small while steps are large.
    if (largest <= 1e-8 * variation && gap(products, penalty, weights, slopes) <= 1e-8 * variation) return;
  }
}

/** Primal less dual objective at scaled residuals, both times n. */
function gap(
  { moments, variation }: CentredProducts,
  penalty: number,
  weights: Float64Array,
  slopes: Float64Array,
): number {
  let steepest = 0;
  let absolute = 0;
  let explained = 0; // w · (moments + slopes), of which ‖y − ŷ‖² is what is left of the variation
  let fitted = 0;
  for (let c = 0; c < weights.length; c++) {
    steepest = Math.max(steepest, Math.abs(slopes[c]));
    absolute += Math.abs(weights[c]);
    explained += weights[c] * (moments[c] + slopes[c]);
    fitted += weights[c] * moments[c];
  }
  const residual = variation - explained;
  const scale = steepest > penalty ? penalty / steepest : 1;
  const crossed = variation - fitted; // (y − ŷ) · y
  return 0.5 * (1 + scale * scale) * residual + penalty * absolute - scale * crossed;
}
