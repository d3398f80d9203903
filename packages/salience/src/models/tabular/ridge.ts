/** @file Ridge regression. */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { cholesky } from '../../numerics/linear-algebra/cholesky.ts';
import { centredProducts } from './centred-products.ts';
import type { FittedLinear, TrainingRows } from './estimator.ts';
import { linearImportance, linearScores } from './linear-scores.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface RidgeOptions {
  /** λ, what the squared weights count; default 1, as in scikit-learn. 0 is least squares. */
  readonly strength?: number;
}

/**
 * Ridge regression: the weights that minimise Σ (y − w·x − b)² + λ Σ w², by the normal equations of centred columns.
 * @throws InputError as `checkTraining` does, or where λ = 0 and columns depend on one another; ParameterError for λ below 0.
 */
export async function fitRidge(data: TrainingRows, options: RidgeOptions, run: Run): Promise<FittedLinear> {
  const { strength = 1 } = options;
  const name = 'ridge regression';
  checkTraining(data, { name, target: 'value' });
  checkOption('strength', strength, 0);
  const { weights, intercept } = await run.drive(name, fit(data, strength));
  const intercepts = Float64Array.of(intercept);
  return {
    name,
    columns: data.columns,
    outputs: 1,
    weights,
    intercepts,
    importance: linearImportance(weights, data.x, data.columns),
    async predict(rows) {
      countRows(rows, data.columns, name);
      return linearScores(rows, weights, intercepts);
    },
  };
}

function* fit(data: TrainingRows, strength: number): Steps<{ weights: Float64Array; intercept: number }> {
  const d = data.columns;
  const { gram, moments, means, mean } = yield* centredProducts(data);
  for (let c = 0; c < d; c++) gram[c * d + c] += strength;
  const factor = factorOf(gram, d);
  const weights = moments.slice();
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) weights[i] -= factor[i * d + j] * weights[j];
    weights[i] /= factor[i * d + i];
  }
  for (let i = d - 1; i >= 0; i--) {
    for (let j = i + 1; j < d; j++) weights[i] -= factor[j * d + i] * weights[j];
    weights[i] /= factor[i * d + i];
  }
  return { weights, intercept: weights.reduce((b, weight, c) => b - weight * means[c], mean) };
}

/** The Cholesky factor; of columns that depend on one another rounding may leave a pivot that is as good as 0. */
function factorOf(gram: Float64Array, d: number): Float64Array {
  const wrong = 'ridge regression: columns depend on one another or are constant; give a strength above 0';
  let factor: Float64Array;
  try {
    factor = cholesky(gram, d);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(wrong, { cause: error });
  }
  for (let c = 0; c < d; c++) {
    if (factor[c * d + c] ** 2 <= 1e-14 * d * gram[c * d + c]) throw new InputError(wrong);
  }
  return factor;
}
