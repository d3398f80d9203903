/** @file Support vector machines, with kernels and linear. */

import { ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import { stratifiedFolds } from '../../numerics/sampling/folds.ts';
import { standardScaling } from '../../numerics/statistics/standardise.ts';
import type { Fitted, FittedLinear, TrainingRows } from './estimator.ts';
import { lbfgs } from './lbfgs.ts';
import { bothClasses, linearImportance, linearScores, sigmoid } from './linear-scores.ts';
import { plattScaling } from './platt-scaling.ts';
import { sequentialMinimal } from './sequential-minimal.ts';
import { checkOption, checkTraining, countRows } from './training-rows.ts';

export interface SvmOptions {
  /** rbf: exp(−γ |x − z|²) (default); polynomial: (γ x·z + offset)^degree. A linear one is `fitLinearSvm`. */
  readonly kernel?: 'rbf' | 'polynomial';
  /** C, what a row on the wrong side counts; default 1. */
  readonly cost?: number;
  /** γ; default 1 / (columns · variance of all numbers), scikit-learn's `scale`. */
  readonly gamma?: number;
  /** Of the polynomial; default 3. */
  readonly degree?: number;
  /** Of the polynomial; default 0. */
  readonly offset?: number;
  /** By how much the conditions of the optimum may be missed; default 1e-3. */
  readonly tolerance?: number;
}

/** A support vector machine: decision values beside the probabilities. */
export interface Margins {
  /** Above 0 on the side of the class: of class 1 for two classes [n], else of each class against the rest [n · classes]. */
  decide(rows: Float64Array): Float64Array;
}

/**
 * A support vector machine with hinge loss: ½ |w|² + C Σ max(0, 1 − y f(x)), each class against the rest where there are more than
 * two. Probabilities are Platt's, from the decision values of 5 folds (made when first asked for), and those of classes against the
 * rest divided by their sum. Give it standardised columns.
 * @throws InputError as `checkTraining` does; ParameterError for options out of range; CancelledError, in predictions too.
 */
export async function fitSvm(data: TrainingRows, options: SvmOptions, run: Run): Promise<Fitted & Margins> {
  const { kernel = 'rbf', cost = 1, degree = 3, offset = 0, tolerance = 1e-3 } = options;
  const name = 'support vector machine';
  checkTraining(data, { name, target: 'class' });
  if (kernel !== 'rbf' && kernel !== 'polynomial') {
    throw new ParameterError(`there is no kernel "${kernel}"; there are rbf and polynomial, and fitLinearSvm`);
  }
  const gamma = options.gamma ?? scaleGamma(data);
  checkOption('cost', cost, 0, true);
  checkOption('gamma', gamma, 0, true);
  checkOption('degree', degree, 1);
  checkOption('tolerance', tolerance, 0, true);
  const value: Kernel =
    kernel === 'rbf'
      ? (product, own, other) => Math.exp(-gamma * Math.max(0, own + other - 2 * product))
      : (product) => (gamma * product + offset) ** degree;
  const train: Trainer = (x, sides) => kernelMachine(x, data.columns, sides, value, cost, tolerance);
  const machines = await run.drive(name, againstTheRest(data, train));
  return { name, ...predictor(name, data, machines, train, run) };
}

/**
 * A linear support vector machine with squared hinge loss, ½ |w|² + C Σ max(0, 1 − y (w·x + b))² with a free b, by L-BFGS; each class
 * against the rest where there are more than two. Probabilities as of `fitSvm`. Its weights are what recursive elimination ranks by.
 * @throws InputError as `checkTraining` does; ParameterError for a cost that is not above 0; CancelledError, in predictions too.
 */
export async function fitLinearSvm(
  data: TrainingRows,
  options: Pick<SvmOptions, 'cost'>,
  run: Run,
): Promise<FittedLinear & Margins> {
  const { cost = 1 } = options;
  const name = 'linear support vector machine';
  checkTraining(data, { name, target: 'class' });
  checkOption('cost', cost, 0, true);
  const { columns } = data;
  const train = (x: Float64Array, sides: Float64Array) => linearMachine(x, columns, sides, cost);
  const machines = await run.drive(name, againstTheRest(data, train));
  const weights = Float64Array.from(machines.flatMap((machine) => [...machine.weights]));
  const intercepts = Float64Array.from(machines, ({ intercept }) => intercept);
  return {
    name,
    weights,
    intercepts,
    importance: linearImportance(weights, data.x, columns),
    ...predictor(name, data, machines, train, run),
  };
}

/** One side against the other. */
interface Machine {
  /** Decision values, shape [n]. */
  decide(rows: Float64Array): Float64Array;
}

type Trainer<Made extends Machine = Machine> = (x: Float64Array, sides: Float64Array) => Steps<Made>;

/** A kernel from x·z, x·x and z·z. */
type Kernel = (product: number, own: number, other: number) => number;

/** 1 in the rows of the class, −1 in the others. */
function sidesOf(y: Float64Array, of: number): Float64Array {
  return y.map((own) => (own === of ? 1 : -1));
}

/** Classes that have a machine of their own: class 1 of two, or all. */
function ownMachines(classes: number): number[] {
  return classes === 2 ? [1] : Array.from({ length: classes }, (_, c) => c);
}

function* againstTheRest<Made extends Machine>({ x, y, classes }: TrainingRows, train: Trainer<Made>): Steps<Made[]> {
  const machines: Made[] = [];
  for (const c of ownMachines(classes!)) machines.push(yield* train(x, sidesOf(y, c)));
  return machines;
}

function predictor(
  name: string,
  data: TrainingRows,
  machines: readonly Machine[],
  train: Trainer,
  run: Run,
): Omit<Fitted, 'name'> & Margins {
  const { columns } = data;
  const classes = data.classes!;
  let scalings: ReturnType<typeof plattScaling>[] | undefined;
  const decide = (rows: Float64Array) => {
    const n = countRows(rows, columns, name);
    const values = machines.map((machine) => machine.decide(rows));
    if (values.length === 1) return values[0];
    return Float64Array.from({ length: n * classes }, (_, at) => values[at % classes][Math.floor(at / classes)]);
  };
  return {
    columns,
    outputs: classes,
    decide,
    async predict(rows) {
      const values = decide(rows);
      scalings ??= await run.drive(`${name}: probabilities`, calibrate(data, machines, train, run));
      const width = machines.length;
      const p = values.map((value, at) => {
        const { slope, offset } = scalings![at % width];
        return sigmoid(slope * value + offset);
      });
      if (width === 1) return bothClasses(p, 'probability');
      for (let row = 0; row < p.length; row += classes) {
        const sum = p.subarray(row, row + classes).reduce((a, b) => a + b, 0);
        for (let c = row; c < row + classes; c++) p[c] /= sum;
      }
      return p;
    },
  };
}

/** Platt's scaling of each machine, from rows that it was not trained on where there are enough of both sides. */
function* calibrate(
  { x, y, columns, classes }: TrainingRows,
  machines: readonly Machine[],
  train: Trainer,
  run: Run,
): Steps<ReturnType<typeof plattScaling>[]> {
  const scalings: ReturnType<typeof plattScaling>[] = [];
  for (const [m, of] of ownMachines(classes!).entries()) {
    const own = y.map((code) => Number(code === of));
    const ones = own.reduce((a, b) => a + b, 0);
    const folds = Math.min(5, ones, y.length - ones);
    let values = machines[m].decide(x);
    if (folds >= 2) {
      values = new Float64Array(y.length);
      for (const { train: rows, test } of stratifiedFolds(own, folds, run.random(`Platt scaling ${of}`))) {
        const machine = yield* train(
          take(x, columns, rows),
          Float64Array.from(rows, (i) => (own[i] === 1 ? 1 : -1)),
        );
        const decided = machine.decide(take(x, columns, test));
        test.forEach((i, at) => {
          values[i] = decided[at];
        });
      }
    }
    scalings.push(plattScaling(values, own));
  }
  return scalings;
}

function take(x: Float64Array, columns: number, rows: Uint32Array): Float64Array {
  const out = new Float64Array(rows.length * columns);
  rows.forEach((i, at) => {
    out.set(x.subarray(i * columns, (i + 1) * columns), at * columns);
  });
  return out;
}

function scaleGamma({ x, columns }: TrainingRows): number {
  const { shift, scale } = standardScaling(x, 1);
  const variance = x.some((value) => value !== shift[0]) ? scale[0] ** 2 : 1;
  return 1 / (columns * variance);
}

function* kernelMachine(
  x: Float64Array,
  d: number,
  sides: Float64Array,
  kernel: Kernel,
  cost: number,
  tolerance: number,
): Steps<Machine> {
  const n = sides.length;
  const squares = squaresOf(x, d);
  const row = (i: number, out: Float64Array) => {
    for (let j = 0; j < n; j++) out[j] = kernel(dot(x, i * d, x, j * d, d), squares[i], squares[j]);
  };
  const diagonal = squares.map((square) => kernel(square, square, square));
  const { coefficients, intercept } = yield* sequentialMinimal(row, diagonal, sides, cost, tolerance);
  const support = Uint32Array.from(coefficients.keys()).filter((i) => coefficients[i] !== 0);
  const vectors = take(x, d, support);
  const own = Float64Array.from(support, (i) => coefficients[i]);
  const ownSquares = Float64Array.from(support, (i) => squares[i]);
  return {
    decide(rows) {
      const rowSquares = squaresOf(rows, d);
      return rowSquares.map((square, i) => {
        let sum = intercept;
        for (let s = 0; s < own.length; s++) {
          sum += own[s] * kernel(dot(rows, i * d, vectors, s * d, d), square, ownSquares[s]);
        }
        return sum;
      });
    },
  };
}

function* linearMachine(
  x: Float64Array,
  d: number,
  sides: Float64Array,
  cost: number,
): Steps<Machine & { weights: Float64Array; intercept: number }> {
  const n = sides.length;
  const { shift, scale } = standardScaling(x, d);
  // As in logistic regression, steps are taken in w / size, so that all columns bend the loss alike.
  const size = scale.map((deviation) => 1 / Math.sqrt(2 * deviation * deviation + 1 / (cost * n)));
  const loss = (u: Float64Array, gradient: Float64Array) => {
    gradient.fill(0);
    let value = 0;
    for (let i = 0; i < n; i++) {
      let f = u[d];
      for (let c = 0; c < d; c++) f += u[c] * size[c] * (x[i * d + c] - shift[c]);
      const lack = 1 - sides[i] * f;
      if (lack <= 0) continue;
      value += (lack * lack) / n;
      const error = (-2 * lack * sides[i]) / n;
      for (let c = 0; c < d; c++) gradient[c] += error * size[c] * (x[i * d + c] - shift[c]);
      gradient[d] += error;
    }
    for (let c = 0; c < d; c++) {
      const weight = u[c] * size[c];
      value += (weight * weight) / (2 * cost * n);
      gradient[c] += (weight * size[c]) / (cost * n);
    }
    return value;
  };
  const u = new Float64Array(d + 1);
  yield* lbfgs(loss, u, { tolerance: 1e-8, iterations: 1000 });
  const weights = size.map((own, c) => u[c] * own);
  const intercept = weights.reduce((b, weight, c) => b - weight * shift[c], u[d]);
  return { weights, intercept, decide: (rows) => linearScores(rows, weights, Float64Array.of(intercept)) };
}

function squaresOf(x: Float64Array, d: number): Float64Array {
  return Float64Array.from({ length: x.length / d }, (_, i) => dot(x, i * d, x, i * d, d));
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += a[i + k] * b[j + k];
  return sum;
}
