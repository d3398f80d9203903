/** @file LIME for tables (arXiv:1602.04938): a weighted linear fit of a model around a row. No discretisation. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { weightedLeastSquares } from '../linear-algebra/weighted-least-squares.ts';
import { predictChecked, type RowFunction } from '../shapley/value-function.ts';
import { standardScaling } from '../statistics/standardise.ts';

/** Where perturbed rows are drawn from, by column. */
export interface LimeSpace {
  readonly columns: number;
  /** Shape [columns]; unused where there are categories. */
  readonly means: Float64Array;
  /** Shape [columns]; 0 where a column is constant, which is never drawn anew. */
  readonly deviations: Float64Array;
  /** Of a column of categories the codes that occur and the share of each among the rows; of a column of numbers nothing. Shape [columns]. */
  readonly categories: readonly ({ readonly codes: Float64Array; readonly shares: Float64Array } | undefined)[];
}

/** The space of rows, row-major, shape [n · columns]; missing values (NaN) count nowhere, but as a category of their own. */
export function limeSpace(rows: Float64Array, columns: number, categorical?: readonly boolean[]): LimeSpace {
  const n = rows.length / columns;
  if (n === 0) throw new InputError('there is no row to draw around');
  const { shift, scale } = standardScaling(rows, columns);
  const categories = Array.from({ length: columns }, (_, c) => {
    if (!categorical?.[c]) return undefined;
    const counts = new Map<number, number>();
    for (let r = 0; r < n; r++) counts.set(rows[r * columns + c], (counts.get(rows[r * columns + c]) ?? 0) + 1);
    const sorted = [...counts].sort(([a], [b]) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b));
    return {
      codes: Float64Array.from(sorted, ([code]) => code),
      shares: Float64Array.from(sorted, ([, count]) => count / n),
    };
  });
  const deviations = scale.map((deviation, c) => {
    for (let r = 1; r < n; r++) if (rows[r * columns + c] !== rows[c]) return deviation;
    return 0;
  });
  return { columns, means: shift, deviations, categories };
}

export interface LimeOptions {
  /** Perturbed rows, the row itself not among them. Default 5000. */
  samples?: number;
  /** Width of the kernel in standardised distance. Default 0.75 · √columns. */
  width?: number;
  /** Strength of the penalty on the coefficients. Default 1. */
  ridge?: number;
  random: Random;
}

export interface LimeExplanation {
  /** Coefficients by column: of a number for a deviation of it, of a category for being the row's own. Shape [columns]. */
  readonly weights: Float64Array;
  readonly intercept: number;
  /** Share of the weighted variance of the model's outputs around the row that the fit explains. */
  readonly fit: number;
}

/**
 * The coefficients of a ridge regression of the model's outputs on perturbed rows. Numbers are drawn from a normal distribution with the
 * column's mean and deviation (a missing one of the row's stays missing), categories by their shares, encoded as 1 where they are
 * the row's own. Rows at standardised distance D weigh √exp(−D² / width²), as the published code has it. The row itself is one of them.
 * @throws InputError if the row has another width, or the model gives something else than one finite number a row.
 */
export async function lime(
  predict: RowFunction,
  row: ArrayLike<number>,
  { columns, means, deviations, categories }: LimeSpace,
  { samples = 5000, width = 0.75 * Math.sqrt(columns), ridge = 1, random }: LimeOptions,
): Promise<LimeExplanation> {
  if (row.length !== columns) throw new InputError(`the row has ${row.length} columns and the space ${columns}`);
  if (!(samples >= 1)) throw new InputError(`${samples} perturbed rows give no fit; 1 or more are needed`);
  const n = samples + 1;
  const d = columns + 1;
  const drawn = new Float64Array(n * columns);
  const encoded = new Float64Array(n * d);
  for (let s = 0; s < n; s++) {
    encoded[s * d + columns] = 1;
    for (let c = 0; c < columns; c++) {
      const own = row[c];
      const category = categories[c];
      let value = own;
      if (s > 0) {
        if (category) value = drawCategory(category, random);
        else {
          const z = random.normal();
          if (!Number.isNaN(own)) value = means[c] + deviations[c] * z;
        }
      }
      drawn[s * columns + c] = value;
      encoded[s * d + c] = category
        ? Number(Object.is(value, own))
        : Number.isNaN(value) || deviations[c] === 0
          ? 0
          : (value - means[c]) / deviations[c];
    }
  }
  const predictions = await predictChecked(predict, drawn, columns);
  const weights = Float64Array.from({ length: n }, (_, s) => {
    let squared = 0;
    for (let c = 0; c < columns; c++) squared += (encoded[s * d + c] - encoded[c]) ** 2;
    return Math.exp(-squared / (2 * width * width));
  });
  // The intercept is not penalised; far from any row all weights may be 0 but the row's own, which is 1.
  const penalty = new Float64Array(d).fill(ridge);
  penalty[columns] = 0;
  const fitted = weightedLeastSquares(encoded, predictions, weights, d, penalty);
  if (!fitted) throw new InputError('the fit around the row is singular; it needs a ridge above 0 or more rows');
  let sum = 0;
  let mean = 0;
  for (let s = 0; s < n; s++) {
    sum += weights[s];
    mean += (weights[s] * (predictions[s] - mean)) / sum;
  }
  let left = 0;
  let total = 0;
  for (let s = 0; s < n; s++) {
    let local = 0;
    for (let j = 0; j < d; j++) local += fitted[j] * encoded[s * d + j];
    left += weights[s] * (predictions[s] - local) ** 2;
    total += weights[s] * (predictions[s] - mean) ** 2;
  }
  return {
    weights: fitted.slice(0, columns),
    intercept: fitted[columns],
    fit: total > 0 ? 1 - left / total : 1,
  };
}

function drawCategory({ codes, shares }: { codes: Float64Array; shares: Float64Array }, random: Random): number {
  let u = random.uniform();
  let k = 0;
  while (k < codes.length - 1 && u >= shares[k]) u -= shares[k++];
  return codes[k];
}
