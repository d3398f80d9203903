/** @file Training of Kolmogorov–Arnold networks side by side: one program whose tensors have a first axis for the networks. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adam } from '../../nn/optimisers/adam.ts';
import { constant } from '../../nn/optimisers/schedules.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { train } from '../../nn/training/train.ts';
import { splineKnots } from '../../numerics/splines/b-spline.ts';
import { float32, int32, type JaxArray } from '../../runtime/index.ts';
import { initialKan, type KanConfig, kan } from './kan.ts';

/** Rows for a network. */
export interface KanRows {
  /** Standardised, row-major, shape [rows · inputs]. */
  readonly x: Float64Array;
  /** A class code or a value for each row, shape [rows]. */
  readonly y: Float64Array;
}

export interface KanTraining {
  /** Whether y is a class; default true where the network has several outputs. */
  readonly classes?: boolean;
  /** Default 100. */
  readonly epochs?: number;
  /** Rows a step; default 64. */
  readonly batch?: number;
  /** Adam's rate; default 1e-3. */
  readonly rate?: number;
}

/** Networks of one config side by side. */
export interface Kans {
  readonly config: KanConfig;
  readonly classes: boolean;
  /** As `initialKan` names them, with a first axis for the networks. */
  readonly weights: ParameterTensors;
  readonly count: number;
  /** Share of a network's training inputs that no spline reaches, shape [networks]. */
  readonly outside: readonly number[];
  /** Mean loss of the batches of the first and of the last epoch, shape [networks] together. */
  readonly losses: { readonly first: number; readonly last: number };
}

/** Networks of equal tensors, ready for `evaluateKans`: tensors gain a first axis. */
export function kansOf(config: KanConfig, classes: boolean, each: readonly ParameterTensors[]): Kans {
  const weights = Object.fromEntries(
    Object.entries(each[0]).map(([name, { shape, data }]) => {
      const all = new Float32Array(each.length * data.length);
      each.forEach((own, m) => {
        all.set(own[name].data, m * data.length);
      });
      return [name, float32([each.length, ...shape], all)];
    }),
  );
  return { config, classes, weights, count: each.length, outside: each.map(() => 0), losses: { first: 0, last: 0 } };
}

/**
 * Trains one network for each set of rows by cross entropy (classes) or mean squared error, with Adam. The loss is the sum over the
 * networks and Adam works number by number, so each network is trained as if it were alone. All begin with the same tensors and go
 * through their rows in the same shuffled order.
 * @throws InputError for rows that are no finite numbers, class codes out of range, fewer than 2 rows, a class that a set lacks, and
 * where no spline reaches more than half of the inputs.
 */
export async function trainKans(
  config: KanConfig,
  sets: readonly KanRows[],
  { classes = config.widths[config.widths.length - 1] > 1, epochs = 100, batch = 64, rate = 1e-3 }: KanTraining,
  random: Random,
  run: Run,
): Promise<Kans> {
  const outside = sets.map((set) => checkedRows(config, set, classes));
  const inputs = config.widths[0];
  const m = sets.length;
  const counts = sets.map(({ y }) => y.length);
  const size = Math.min(batch, Math.max(...counts));
  const stepsEach = Math.ceil(Math.max(...counts) / size);
  const steps = epochs * stepsEach;

  let epoch = -1;
  let orders: readonly Uint32Array[] = [];
  const batches = (step: number) => {
    const now = Math.floor(step / stepsEach);
    if (now !== epoch) {
      epoch = now;
      orders = counts.map((n) => random.stream(`epochs/${now}`).permutation(n));
    }
    const x = new Float32Array(m * size * inputs);
    const y = new Float32Array(m * size);
    const weights = new Float32Array(m * size);
    sets.forEach((set, s) => {
      const n = counts[s];
      let from = (step % stepsEach) * size;
      // A set that is shorter than the others by its whole last batch takes its first batch once more.
      if (from >= n) from = 0;
      const rows = Math.min(size, n - from);
      for (let i = 0; i < rows; i++) {
        const row = orders[s][from + i];
        x.set(set.x.subarray(row * inputs, (row + 1) * inputs), (s * size + i) * inputs);
        y[s * size + i] = set.y[row];
        weights[s * size + i] = 1 / rows;
      }
    });
    return {
      x: float32([m, size, inputs], x),
      y: targets([m, size], y, classes),
      weights: float32([m, size], weights),
    };
  };
  const { parameters, losses } = await train({
    log: false,
    name: m === 1 ? 'training the network' : `training ${m} networks`,
    parameters: kansOf(
      config,
      classes,
      sets.map(() => initialKan(config, random.stream('weights'))),
    ).weights,
    loss: (weights, of: { x: JaxArray; y: JaxArray; weights: JaxArray }) =>
      kanLosses(kan(weights, config, of.x), of.y, classes)
        .mul(of.weights)
        .sum(),
    optimiser: adam(),
    schedule: constant(rate),
    steps,
    batches: batches as never,
    run,
  });
  const meanOf = (from: number) =>
    losses.slice(from, from + stepsEach).reduce((sum, loss) => sum + loss, 0) / stepsEach / m;
  return {
    config,
    classes,
    weights: parameters,
    count: m,
    outside,
    losses: { first: meanOf(0), last: meanOf(Math.max(0, steps - stepsEach)) },
  };
}

/** A loss for each row: cross entropy of outputs [..., classes], or the squared error of outputs [..., 1]; y [...]. */
export function kanLosses(outputs: JaxArray, y: JaxArray, classes: boolean): JaxArray {
  if (classes) return crossEntropy(outputs, y, { reduction: 'none' });
  const error = outputs.reshape(y.shape).sub(y);
  return error.mul(error);
}

/** y as the loss wants it: int32 class codes, or float32 values. */
export function targets(shape: readonly number[], y: Float32Array, classes: boolean) {
  return classes ? int32(shape, Int32Array.from(y)) : float32(shape, y);
}

/** Share of numbers that no spline of the grid reaches: those beyond the extended knots. */
function shareOutside(x: Float64Array, { grid }: KanConfig): number {
  const knots = splineKnots(grid);
  const [low, high] = [knots[0], knots[knots.length - 1]];
  let outside = 0;
  for (const value of x) if (value < low || value > high) outside++;
  return outside / Math.max(1, x.length);
}

/** Checks rows to train on; returns the share outside of the knots. */
function checkedRows(config: KanConfig, { x, y }: KanRows, classes: boolean): number {
  const inputs = config.widths[0];
  const outputs = config.widths[config.widths.length - 1];
  if (inputs < 1) throw new InputError('a network needs a feature');
  if (y.length < 2) throw new InputError(`a network is trained on 2 rows or more, not ${y.length}`);
  if (x.length !== y.length * inputs) {
    throw new InputError(`${y.length} rows of ${inputs} inputs are ${y.length * inputs} numbers, not ${x.length}`);
  }
  const bad = x.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new InputError(
      `row ${Math.floor(bad / inputs)} has ${x[bad]} in column ${bad % inputs}; a network needs finite numbers`,
    );
  }
  checkTargets(y, classes ? outputs : undefined);
  if (classes) {
    const seen = new Set(y);
    for (let c = 0; c < outputs; c++) {
      if (!seen.has(c))
        throw new InputError(`no row to train on is of class ${c}; give more rows of it, or fewer folds`);
    }
  }
  const outside = shareOutside(x, config);
  if (outside > 0.5) {
    throw new InputError(
      `${Math.round(100 * outside)}% of the numbers lie beyond the splines' knots; standardise the rows, or widen the range`,
    );
  }
  return outside;
}

/** @throws InputError for a target that is no finite number, or no code of so many classes. */
export function checkTargets(y: Float64Array, classes: number | undefined): void {
  const wrong = y.findIndex((value) =>
    classes === undefined ? !Number.isFinite(value) : !(Number.isSafeInteger(value) && value >= 0 && value < classes),
  );
  if (wrong < 0) return;
  throw new InputError(
    classes === undefined
      ? `the target of row ${wrong} is ${y[wrong]}; a value is a finite number`
      : `the class of row ${wrong} is ${y[wrong]}; classes are whole numbers from 0 to ${classes - 1}`,
  );
}
