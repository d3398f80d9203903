/** @file Logistic regression, for two classes and for more, with L2 or L1 penalty. */

import { ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { standardScaling } from '../../numerics/statistics/standardise.ts';
import type { FittedLinear, TrainingRows } from './estimator.ts';
import { lbfgs } from './lbfgs.ts';
import { bothClasses, linearImportance, linearScores, softmaxRows } from './linear-scores.ts';
import { proximalGradient } from './proximal-gradient.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface LogisticOptions {
  /** l2: ½ Σ w² (default); l1: Σ |w|, which sets weights to exactly 0; none. Intercepts are free. */
  readonly penalty?: 'l2' | 'l1' | 'none';
  /** C, what the log loss counts against the penalty: the loss is C · Σ −ln p + penalty. Default 1, as in scikit-learn. */
  readonly cost?: number;
  /** The largest gradient left, of the mean loss in standardised columns; default 1e-8. */
  readonly tolerance?: number;
  /** Default 1000. */
  readonly iterations?: number;
}

/**
 * Logistic regression: p = softmax(W x + b), of two classes the sigmoid of one sum. Minimised by L-BFGS, with an L1 penalty by
 * accelerated proximal gradients, in columns scaled so that their order of magnitude does not matter. Give it standardised columns
 * where the penalty should treat them alike.
 * @throws InputError as `checkTraining` does; ParameterError for a cost, a tolerance or iterations out of range; CancelledError.
 */
export async function fitLogistic(data: TrainingRows, options: LogisticOptions, run: Run): Promise<FittedLinear> {
  const { penalty = 'l2', cost = 1, tolerance = 1e-8, iterations = 1000 } = options;
  const name = 'logistic regression';
  checkTraining(data, { name, target: 'class' });
  if (!['l2', 'l1', 'none'].includes(penalty))
    throw new ParameterError(`there is no penalty "${penalty}"; there are l2, l1 and none`);
  checkOption('cost', cost, 0, true);
  checkOption('tolerance', tolerance, 0);
  checkOption('iterations', iterations, 1);
  const classes = data.classes!;
  const { weights, intercepts } = await run.drive(name, fit(data, { penalty, cost, tolerance, iterations }));
  return {
    name,
    columns: data.columns,
    outputs: classes,
    weights,
    intercepts,
    importance: linearImportance(weights, data.x, data.columns),
    async predict(rows) {
      countRows(rows, data.columns, name);
      const scores = linearScores(rows, weights, intercepts);
      return classes === 2 ? bothClasses(scores, 'log-odds') : softmaxRows(scores, classes);
    },
  };
}

function* fit(
  { x, y, columns, classes }: TrainingRows,
  { penalty, cost, tolerance, iterations }: Required<LogisticOptions>,
): Steps<{ weights: Float64Array; intercepts: Float64Array }> {
  const n = y.length;
  const sums = classes === 2 ? 1 : classes!;
  const { shift, scale } = standardScaling(x, columns);
  // Steps are taken in u = w / size; with these sizes a unit of any u bends the loss about as much.
  const ridge = penalty === 'l2' ? 1 / (cost * n) : 0;
  const size = scale.map((deviation) => 1 / Math.sqrt((deviation * deviation) / 4 + ridge));
  const z = new Float64Array(n * columns);
  for (let i = 0, c = 0; i < z.length; i++, c = c + 1 === columns ? 0 : c + 1) z[i] = (x[i] - shift[c]) * size[c];
  const width = columns + 1; // of one sum: its weights, its intercept
  const loss = logLossOf(z, y, columns, sums);
  const u = new Float64Array(sums * width);
  if (penalty === 'l1') {
    const penalties = new Float64Array(u.length);
    for (let k = 0; k < sums; k++) for (let c = 0; c < columns; c++) penalties[k * width + c] = size[c] / (cost * n);
    yield* proximalGradient(loss, u, penalties, { tolerance, iterations: 20 * iterations });
  } else {
    const penalised = (at: Float64Array, gradient: Float64Array) => {
      let value = loss(at, gradient);
      for (let k = 0; k < sums; k++) {
        for (let c = 0; c < columns; c++) {
          const weight = at[k * width + c] * size[c];
          value += (ridge / 2) * weight * weight;
          gradient[k * width + c] += ridge * weight * size[c];
        }
      }
      return value;
    };
    yield* lbfgs(penalised, u, { tolerance, iterations });
  }
  const weights = new Float64Array(sums * columns);
  const intercepts = new Float64Array(sums);
  for (let k = 0; k < sums; k++) {
    intercepts[k] = u[k * width + columns];
    for (let c = 0; c < columns; c++) {
      weights[k * columns + c] = u[k * width + c] * size[c];
      intercepts[k] -= weights[k * columns + c] * shift[c];
    }
  }
  return { weights, intercepts };
}

/** The mean of −ln p(y) and its gradient; parameters are, for each sum, its weights and its intercept. */
function logLossOf(z: Float64Array, y: Float64Array, columns: number, sums: number) {
  const n = y.length;
  const width = columns + 1;
  const errors = new Float64Array(sums);
  return (u: Float64Array, gradient: Float64Array): number => {
    gradient.fill(0);
    let value = 0;
    for (let i = 0; i < n; i++) {
      const row = i * columns;
      for (let k = 0; k < sums; k++) {
        let sum = u[k * width + columns];
        for (let c = 0; c < columns; c++) sum += z[row + c] * u[k * width + c];
        errors[k] = sum;
      }
      value += sums === 1 ? twoClassError(errors, y[i]) : classError(errors, y[i]);
      for (let k = 0; k < sums; k++) {
        const error = errors[k];
        if (error === 0) continue;
        for (let c = 0; c < columns; c++) gradient[k * width + c] += error * z[row + c];
        gradient[k * width + columns] += error;
      }
    }
    for (let i = 0; i < gradient.length; i++) gradient[i] /= n;
    return value / n;
  };
}

/** −ln p of the row's class; the log-odds become p − y. */
function twoClassError(sums: Float64Array, y: number): number {
  const s = sums[0];
  const small = Math.exp(-Math.abs(s));
  const p = s >= 0 ? 1 / (1 + small) : small / (1 + small);
  sums[0] = p - y;
  return Math.log1p(small) + (y === 1 ? Math.max(0, -s) : Math.max(0, s));
}

/** −ln p of the row's class; the sums become p − [k = y]. */
function classError(sums: Float64Array, y: number): number {
  let most = -Infinity;
  for (let k = 0; k < sums.length; k++) if (sums[k] > most) most = sums[k];
  const own = sums[y];
  let total = 0;
  for (let k = 0; k < sums.length; k++) {
    sums[k] = Math.exp(sums[k] - most);
    total += sums[k];
  }
  for (let k = 0; k < sums.length; k++) sums[k] /= total;
  sums[y] -= 1;
  return Math.log(total) + most - own;
}
