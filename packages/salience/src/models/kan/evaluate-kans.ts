/** @file What can be read off trained Kolmogorov–Arnold networks on rows: contributions, gradients of inputs, losses without a feature. */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { kanContributions, kanLayer } from '../../nn/kan.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { compile, float32, grad, type JaxArray, numpy as np, type Tensor } from '../../runtime/index.ts';
import { type KanConfig, kan, kanTensors } from './kan.ts';
import { checkTargets, type KanRows, type Kans, kanLosses, targets } from './train-kans.ts';

/** What one network says of each feature, on the rows it was given. Φ_{o,f} is the sum of φ_{o,j} over the inputs j of feature f. */
export interface KanEvaluation {
  /** Mean over rows and units of the first layer of |Φ_{o,f}|, shape [features]. */
  readonly contribution: Float64Array;
  /** Mean over rows and units of the first layer of Φ_{o,f}², shape [features]. */
  readonly contributionSquare: Float64Array;
  /** Sum over the feature's inputs of the mean over rows of |∂(Σ_o |f_o|) / ∂x_j|, shape [features]. */
  readonly gradient: Float64Array;
  /** Sum over the feature's inputs of the mean over rows and outputs of |∂f_o / ∂x_j|, shape [features]. */
  readonly outputGradient: Float64Array;
  /** Mean loss over the rows. */
  readonly loss: number;
  /** Mean loss over the rows with the feature's part of the first layer set to 0, shape [features]. */
  readonly lossWithout: Float64Array;
  /** Shape [rows · outputs]. */
  readonly outputs: Float64Array;
}

export interface KanEvaluationOptions {
  /** Contributions are taken less their mean over the rows, so that a constant column has none; default false. */
  readonly centred?: boolean;
  /** The feature of each input, in ascending order from 0; default: each input is a feature. */
  readonly features?: readonly number[];
}

/** Numbers that the largest array of a program may have. */
const mostNumbers = 4e6;

/**
 * Evaluates networks side by side, each on its own rows, in chunks of bounded size.
 * @throws InputError for rows or targets that do not fit the networks.
 */
export async function evaluateKans(
  kans: Kans,
  sets: readonly KanRows[],
  { centred = false, features }: KanEvaluationOptions,
  run: Run,
): Promise<KanEvaluation[]> {
  const { config, classes, weights, count } = kans;
  const { widths, grid } = config;
  const [inputs, units] = widths;
  const outputs = widths[widths.length - 1];
  checkRows(kans, sets);
  const featureOf = features ?? Array.from({ length: inputs }, (_, j) => j);
  const d = featureOf[inputs - 1] + 1;
  const programs = kanPrograms(config, classes, features && { of: features, count: d });
  const rowsMost = most(sets);
  const chunk = (each: number) => Math.max(1, Math.min(rowsMost, Math.floor(mostNumbers / (count * each))));
  const cells = grid.intervals + 2 * grid.order;
  const byContribution = chunk(inputs * units);
  const byGradient = chunk(widths.reduce((sum, width) => sum + width) * cells);
  const byLoss = chunk((d + 1) * units * (widths.length > 2 ? cells : 1));
  const under = weights as never;
  try {
    const centre = new Float64Array(count * d * units);
    if (centred) {
      for (const { x, share } of chunksOf(sets, inputs, byContribution)) {
        run.check();
        add(centre, (await programs.means(under, x, share)) as Tensor);
      }
    }
    const shift = float32([count, d, 1, units], Float32Array.from(centre));
    const [sizes, squares] = [0, 1].map(() => new Float64Array(count * d));
    for (const { x, share } of chunksOf(sets, inputs, byContribution)) {
      run.check();
      const made = (await programs.contributions(under, x, share, shift)) as Tensor[];
      add(sizes, made[0]);
      add(squares, made[1]);
    }
    const [together, each] = [0, 1].map(() => new Float64Array(count * inputs));
    const values = sets.map(({ y }) => new Float64Array(y.length * outputs));
    for (const { from, x, share } of chunksOf(sets, inputs, byGradient)) {
      run.check();
      const [of, ofEach, made] = (await programs.gradients(under, x, share)) as Tensor[];
      add(together, of);
      add(each, ofEach);
      values.forEach((own, m) => {
        const length = Math.min(byGradient * outputs, own.length - from * outputs);
        for (let i = 0; i < length; i++) own[from * outputs + i] = made.data[m * byGradient * outputs + i];
      });
    }
    const losses = new Float64Array(count * (d + 1));
    for (const { from, x, y, share } of chunksOf(sets, inputs, byLoss)) {
      run.check();
      const of = (await programs.losses(under, x, targets(share.shape, y, classes) as never)) as Tensor;
      for (let s = 0; s < losses.length; s++) {
        const own = Math.floor(s / (d + 1)) * byLoss;
        for (let i = 0; i < byLoss; i++) losses[s] += of.data[s * byLoss + i] * share.data[own + i];
      }
      run.progress('knocking out features', Math.min(from + byLoss, rowsMost), rowsMost);
    }
    const ofFeatures = (slopes: Float64Array, m: number) => {
      const sums = new Float64Array(d);
      featureOf.forEach((feature, j) => {
        sums[feature] += slopes[m * inputs + j];
      });
      return sums;
    };
    return sets.map((_, m) => ({
      contribution: sizes.slice(m * d, (m + 1) * d),
      contributionSquare: squares.slice(m * d, (m + 1) * d),
      gradient: ofFeatures(together, m),
      outputGradient: ofFeatures(each, m),
      loss: losses[m * (d + 1)],
      lossWithout: losses.slice(m * (d + 1) + 1, (m + 1) * (d + 1)),
      outputs: values[m],
    }));
  } finally {
    await Promise.all(Object.values(programs).map((program) => program.dispose()));
  }
}

function checkRows({ config: { widths }, classes, count }: Kans, sets: readonly KanRows[]): void {
  if (sets.length !== count) {
    throw new InputError(`${count} networks are evaluated on ${count} sets of rows, not ${sets.length}`);
  }
  for (const { x, y } of sets) {
    if (y.length === 0 || x.length !== y.length * widths[0] || !x.every(Number.isFinite)) {
      throw new InputError(`a network is evaluated on one row or more of ${widths[0]} finite numbers`);
    }
    checkTargets(y, classes ? widths[widths.length - 1] : undefined);
  }
}

/** The programs; arrays have a first axis for the networks, `share` [networks, rows] is what each row counts. */
function kanPrograms(
  config: KanConfig,
  classes: boolean,
  features: { readonly of: readonly number[]; readonly count: number } | undefined,
) {
  const { grid, widths } = config;
  const outputs = widths[widths.length - 1];
  /** Φ [networks, features, rows, units]. */
  const contributions = (weights: Parameters, x: JaxArray) => {
    const phi = kanContributions(x, kanTensors(weights, 0), grid);
    if (!features) return phi;
    const [m, inputs, rows, units] = phi.shape;
    const { of, count } = features;
    const sums = np.array(Array.from({ length: count }, (_, f) => of.map((own) => Number(own === f))));
    // Spread out over the networks: matmul of a matrix and a stack puts the matrix's rows first.
    const spreadOut = np.broadcastTo(sums.reshape([1, count, inputs]), [m, count, inputs]);
    return np.matmul(spreadOut, phi.reshape([m, inputs, rows * units])).reshape([m, count, rows, units]);
  };
  const overRows = (values: JaxArray, share: JaxArray) =>
    values.mul(share.reshape([share.shape[0], 1, share.shape[1], 1])).sum(2);
  const meanSlope = (weights: Parameters, x: JaxArray, share: JaxArray, of: (y: JaxArray) => JaxArray) => {
    const slopes = grad((at: JaxArray) => of(kan(weights, config, at)).sum())(x) as unknown as JaxArray;
    return np
      .abs(slopes)
      .mul(share.reshape([...share.shape, 1]))
      .sum(1);
  };
  return {
    means: compile((weights: Parameters, x: JaxArray, share: JaxArray) => overRows(contributions(weights, x), share)),
    contributions: compile((weights: Parameters, x: JaxArray, share: JaxArray, shift: JaxArray) => {
      const phi = contributions(weights, x).sub(shift);
      return [np.abs(phi), phi.mul(phi)].map((of) => overRows(of, share).mean(-1));
    }),
    gradients: compile((weights: Parameters, x: JaxArray, share: JaxArray) => {
      const together = meanSlope(weights, x, share, np.abs);
      const only = (o: number) => np.array(Array.from({ length: outputs }, (_, c) => Number(c === o)));
      const each =
        outputs === 1
          ? together
          : Array.from({ length: outputs }, (_, o) => meanSlope(weights, x, share, (y) => y.mul(only(o))))
              .reduce((sum, of) => sum.add(of))
              .mul(1 / outputs);
      return [together, each, kan(weights, config, x)];
    }),
    losses: compile((weights: Parameters, x: JaxArray, y: JaxArray) => {
      const [m, rows] = x.shape;
      const phi = contributions(weights, x);
      const whole = phi.sum(1, { keepdims: true });
      const d = phi.shape[1];
      let values = np.concatenate([whole, whole.sub(phi)], 1);
      for (let layer = 1; layer + 1 < widths.length; layer++) values = kanLayer(values, spread(weights, layer), grid);
      return kanLosses(values, np.broadcastTo(y.reshape([m, 1, rows]), [m, d + 1, rows]), classes);
    }),
  };
}

/** A layer's tensors with an axis after that of the networks. */
function spread(weights: Parameters, layer: number) {
  const { base, spline, scale } = kanTensors(weights, layer);
  const wider = (of: JaxArray) => of.reshape([of.shape[0], 1, ...of.shape.slice(1)]);
  return { base: wider(base), spline: wider(spline), scale: wider(scale) };
}

function most(sets: readonly KanRows[]): number {
  return Math.max(...sets.map(({ y }) => y.length));
}

/** Rows in chunks of one size, zeros where a set has no more; `share` is 1 / rows of the set, 0 where there is no row. */
function* chunksOf(sets: readonly KanRows[], inputs: number, size: number) {
  for (let from = 0; from < most(sets); from += size) {
    const x = new Float32Array(sets.length * size * inputs);
    const y = new Float32Array(sets.length * size);
    const share = new Float32Array(sets.length * size);
    sets.forEach((set, s) => {
      const rows = Math.max(0, Math.min(size, set.y.length - from));
      x.set(set.x.subarray(from * inputs, (from + rows) * inputs), s * size * inputs);
      y.set(set.y.subarray(from, from + rows), s * size);
      share.fill(1 / set.y.length, s * size, s * size + rows);
    });
    yield { from, x: float32([sets.length, size, inputs], x), y, share: float32([sets.length, size], share) };
  }
}

function add(into: Float64Array, { data }: Tensor): void {
  for (let i = 0; i < into.length; i++) into[i] += data[i];
}
