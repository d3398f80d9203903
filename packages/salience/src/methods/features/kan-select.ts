/**
 * @file Features by what a Kolmogorov–Arnold network makes of them (arXiv:2509.23366): KAN-L1, KAN-L2, KAN-SI and KAN-KO.
 *
 * A network with layers φ_{o,j} (B-splines plus silu) is trained on each fold; of its first layer, on the fold's validation rows,
 *   L1: mean |φ_{o,j}(x_j)|     L2: √ mean φ_{o,j}(x_j)²     SI: mean |∂ Σ_o |f_o(x)| / ∂x_j|     KO: max(0, loss without j − loss),
 * each divided by its sum, and the mean over the folds.
 */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import { evaluateKans, type KanEvaluation } from '../../models/kan/evaluate-kans.ts';
import type { KanConfig } from '../../models/kan/kan.ts';
import { type KanRows, type Kans, trainKans } from '../../models/kan/train-kans.ts';
import { macroF1, mostProbable, rSquared } from '../../numerics/statistics/classification.ts';
import { meanAbsoluteCorrelation, meanJaccard } from '../../numerics/statistics/feature-sets.ts';
import { foldsOf, type LabelledInputs, labelledInputs, scaledRows } from '../../subjects/table/labelled-inputs.ts';
import { table } from '../../subjects/table/subject.ts';
import type { Table } from '../../subjects/table/table.ts';

/** The four selectors. */
export const selectors = ['l1', 'l2', 'si', 'ko'] as const;
export type Selector = (typeof selectors)[number];
/** A vector for each selector. */
export type BySelector<Of> = Readonly<Record<Selector, Of>>;

/** What the importances are made of. */
export interface ImportanceOptions {
  /** L1 and L2 from contributions on rows (the paper's code), or from spline coefficients alone (its text). */
  readonly mode: 'contrib' | 'coef';
  /** SI from the sum of the outputs' sizes, or from each output. */
  readonly siReduce: 'sum' | 'perOutput';
  /** KO: a feature whose absence lowers the loss scores 0. */
  readonly clipNegative: boolean;
}

/** Σ_{o,c} |s_{o,j} W_{o,j,c}| and √ Σ_{o,c} (s_{o,j} W_{o,j,c})² of the first layer of network m, shape [features]. */
export function coefficientImportance(
  { weights }: Pick<Kans, 'weights'>,
  m: number,
  featureOf: readonly number[],
): { readonly l1: Float64Array; readonly l2: Float64Array } {
  const spline = weights['layers.0.spline_weight'];
  const scale = weights['layers.0.spline_scaler'];
  const [, out, inputs, c] = spline.shape;
  const l1 = new Float64Array(featureOf[inputs - 1] + 1);
  const squares = new Float64Array(l1.length);
  for (let o = 0; o < out; o++) {
    for (let j = 0; j < inputs; j++) {
      const at = (m * out + o) * inputs + j;
      for (let k = 0; k < c; k++) {
        const coefficient = scale.data[at] * spline.data[at * c + k];
        l1[featureOf[j]] += Math.abs(coefficient);
        squares[featureOf[j]] += coefficient * coefficient;
      }
    }
  }
  return { l1, l2: squares.map(Math.sqrt) };
}

/** The four importances of network m before they are normalised, shape [features] each. */
export function importancesOf(
  kans: Pick<Kans, 'weights'>,
  m: number,
  evaluation: KanEvaluation,
  featureOf: readonly number[],
  { mode, siReduce, clipNegative }: ImportanceOptions,
): BySelector<Float64Array> {
  const { contribution, contributionSquare, gradient, outputGradient, loss, lossWithout } = evaluation;
  const { l1, l2 } =
    mode === 'coef'
      ? coefficientImportance(kans, m, featureOf)
      : { l1: contribution, l2: contributionSquare.map(Math.sqrt) };
  return {
    l1,
    l2,
    si: siReduce === 'sum' ? gradient : outputGradient,
    ko: lossWithout.map((without) => (clipNegative ? Math.max(0, without - loss) : without - loss)),
  };
}

/** Divided by the sum of their sizes; all 0 where that is below 1e-12. */
export function normalised(values: Float64Array): Float64Array {
  const sum = values.reduce((all, value) => all + Math.abs(value), 0);
  return values.map((value) => (sum < 1e-12 ? 0 : value / sum));
}

const params = z.object({
  selector: z
    .enum(selectors)
    .default('si')
    .describe('l1 or l2: size of what a feature adds; si: gradient; ko: loss when it is knocked out'),
  mode: z
    .enum(['contrib', 'coef'])
    .default('contrib')
    .describe("l1 and l2 from what features add on rows (the paper's code), or from spline coefficients (its text)"),
  siReduce: z.enum(['sum', 'perOutput']).default('sum').describe('si of the sum of all outputs, or of each output'),
  clipNegative: z.boolean().default(true).describe('ko: a feature without which the loss is lower scores 0'),
  centred: z
    .boolean()
    .default(false)
    .describe('l1 and l2 less their mean over the rows: a constant column then scores 0'),
  intervals: z.int().min(1).max(64).default(2).describe('G: intervals of the splines'),
  order: z.int().min(0).max(6).default(1).describe('k: order of the splines, 1 for hats'),
  range: z.number().positive().default(1).describe('splines have their knots from −range to range, in deviations'),
  hidden: z.int().min(1).optional().describe('hidden units; by default 2 · inputs + 1'),
  epochs: z.int().min(1).default(100).describe('times that each row is trained on'),
  batch: z.int().min(1).default(64).describe('rows a step'),
  rate: z.number().positive().default(1e-3).describe("Adam's rate"),
  folds: z.int().min(2).default(5).describe('parts of the training rows; each is scored by a network of the others'),
});

/** What the networks of all folds say. */
export interface KanImportances {
  readonly inputs: LabelledInputs;
  /** Means over the folds, shape [features], sum 1 (or all 0). */
  readonly mean: BySelector<Float64Array>;
  /** Of each fold. */
  readonly folds: BySelector<readonly Float64Array[]>;
  /** The same of other options, from the same networks. */
  readonly under: (options: ImportanceOptions) => BySelector<Float64Array>;
  /** Mean share of the training inputs that no spline reaches. */
  readonly outside: number;
  /** Mean over the folds of macro-F1 or R² of the networks on validation rows. */
  readonly quality: number;
}

/**
 * Trains a network on each fold's training rows, standardised by these (a value to be predicted, too), and reads importances off on
 * its validation rows. Rows to test on are not looked at.
 * @throws InputError as `labelledInputs` and `trainKans` do.
 */
export async function kanImportances(
  of: Table,
  { intervals, order, range, hidden, folds, centred, ...rest }: z.infer<typeof params>,
  run: Run,
): Promise<KanImportances> {
  const inputs = labelledInputs(of, 'kan-select');
  const { y, classes, featureOf } = inputs;
  const width = featureOf.length;
  const config: KanConfig = {
    widths: [width, hidden ?? 2 * width + 1, classes ?? 1],
    grid: { intervals, order, low: -range, high: range },
  };
  const parts = foldsOf(inputs, folds, run.random('folds')).map(({ train, test }) => {
    const { x, scaling } = scaledRows(inputs, train);
    const goal = targetScaling(y, train, classes);
    const rows = (at: Uint32Array, values: Float64Array): KanRows => ({ x: values, y: Float64Array.from(at, goal) });
    return { train: rows(train, x), validation: rows(test, scaledRows(inputs, test, scaling).x) };
  });
  const kans = await trainKans(
    config,
    parts.map(({ train }) => train),
    { classes: classes !== undefined, ...rest },
    run.random('kan'),
    run,
  );
  const validation = parts.map((part) => part.validation);
  const evaluations = await evaluateKans(kans, validation, { centred, features: featureOf }, run);
  const byFold = (options: ImportanceOptions) =>
    evaluations.map((evaluation, m) => importancesOf(kans, m, evaluation, featureOf, options));
  const perFold = (options: ImportanceOptions) => {
    const all = byFold(options);
    return forEachSelector((selector) => all.map((own) => normalised(own[selector])));
  };
  const own = perFold(rest);
  const meansOf = (of: BySelector<readonly Float64Array[]>) => forEachSelector((selector) => meanVector(of[selector]));
  const quality = evaluations.map(({ outputs }, m) =>
    classes === undefined
      ? rSquared(validation[m].y, outputs)
      : macroF1(validation[m].y, mostProbable(outputs, classes), classes),
  );
  return {
    inputs,
    mean: meansOf(own),
    folds: own,
    under: (options) => meansOf(perFold(options)),
    outside: meanOf(kans.outside),
    quality: meanOf(quality),
  };
}

/** Classes as they are; values less the mean of the rows to train on, divided by their deviation. */
function targetScaling(y: Float64Array, train: Uint32Array, classes: number | undefined): (row: number) => number {
  if (classes !== undefined) return (row) => y[row];
  const mean = meanOf(Array.from(train, (row) => y[row]));
  const deviation = Math.sqrt(meanOf(Array.from(train, (row) => (y[row] - mean) ** 2))) || 1;
  return (row) => (y[row] - mean) / deviation;
}

function forEachSelector<Of>(fn: (selector: Selector) => Of): BySelector<Of> {
  return { l1: fn('l1'), l2: fn('l2'), si: fn('si'), ko: fn('ko') };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanVector(vectors: readonly Float64Array[]): Float64Array {
  return vectors[0].map((_, j) => meanOf(vectors.map((vector) => vector[j])));
}

/** Places of the `count` greatest, the lower place first among equals. */
export function topFeatures(values: Float64Array, count: number): number[] {
  const order = Array.from(values, (_, j) => j).sort((a, b) => values[b] - values[a] || a - b);
  return order.slice(0, Math.min(values.length, Math.max(1, count)));
}

/** All four selectors side by side, how steady they are over the folds, and how redundant what they select is. */
function findings({ inputs, mean, folds, outside, quality }: KanImportances, chosenBy: Selector): Block[] {
  const { features, classes, missing, rows, x, featureOf } = inputs;
  const d = features.length;
  const share = Math.max(1, Math.round(0.4 * d));
  const short = (value: number) => Number(value.toPrecision(3));
  const width = featureOf.length;
  /** Columns of one input, what is missing as their mean. */
  const columnOf = (feature: number) => {
    const at = featureOf.indexOf(feature);
    if (featureOf[at + 1] === feature) return undefined;
    const values = Float64Array.from({ length: rows }, (_, i) => x[i * width + at]);
    const known = values.filter((value) => !Number.isNaN(value));
    const middle = known.reduce((sum, value) => sum + value / known.length, 0);
    return values.map((value) => (Number.isNaN(value) ? middle : value));
  };
  const redundancy = (of: readonly number[]) =>
    short(meanAbsoluteCorrelation(of.map(columnOf).filter((column) => column !== undefined)));
  const all = redundancy(features.map((_, j) => j));
  const order = topFeatures(mean[chosenBy], d);
  return [
    {
      kind: 'table',
      columns: ['feature', ...selectors.map((selector) => `KAN-${selector.toUpperCase()}`)],
      rows: order.map((j) => [features[j], ...selectors.map((selector) => short(mean[selector][j]))]),
    },
    {
      kind: 'table',
      columns: ['selector', `first ${share}`, 'Jaccard over folds', 'mean |correlation|', 'of all features'],
      rows: selectors.map((selector) => {
        const chosen = topFeatures(mean[selector], share);
        const steady = meanJaccard(folds[selector].map((own) => topFeatures(own, share)));
        const more = chosen.length > 8 ? ` and ${chosen.length - 8} more` : '';
        const names =
          chosen
            .slice(0, 8)
            .map((j) => features[j])
            .join(', ') + more;
        return [`KAN-${selector.toUpperCase()}`, names, short(steady), redundancy(chosen), all];
      }),
    },
    {
      kind: 'text',
      text:
        `On validation rows the networks have a mean ${classes === undefined ? 'R²' : 'macro-F1'} of ${short(quality)}; ` +
        `${(100 * outside).toFixed(1)}% of the inputs lie beyond the splines' knots, where only the silu part speaks.` +
        (missing > 0 ? ` ${missing} missing values count as the mean of their column.` : ''),
    },
  ];
}

export const kanSelect = method({
  id: 'kan-select',
  name: 'KAN-Select',
  source: 'arXiv:2509.23366',
  summary: 'Scores a feature by what small Kolmogorov–Arnold networks make of it, in one of four ways.',
  unit: 'feature',
  subject: table,
  formula:
    'I_j = mean over folds of S_j / Σ S; S = mean |φ_{o,j}|, √mean φ_{o,j}², mean |∂Σ|f|/∂x_j|, or max(0, loss without j − loss)',
  cost: 'O(epochs · n · inputs · hidden · (G + k)) a fold',
  params,
  async score(of, given, run) {
    const made = await kanImportances(of, given, run);
    if (made.outside > 0.2) {
      run.log(
        `${(100 * made.outside).toFixed(0)}% of the inputs lie beyond the splines' knots; a wider range reaches them`,
      );
    }
    return {
      unit: 'feature',
      values: Float32Array.from(made.mean[given.selector]),
      labels: made.inputs.features,
      findings: findings(made, given.selector),
    };
  },
});
