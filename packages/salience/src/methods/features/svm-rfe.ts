/** @file Features by recursive elimination with a linear support vector machine (Guyon et al. 2002). */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import type { Steps } from '../../core/steps.ts';
import type { TrainingRows } from '../../models/tabular/estimator.ts';
import { lbfgs } from '../../models/tabular/lbfgs.ts';
import { fitLinearSvm } from '../../models/tabular/svm.ts';
import { scaled, standardScaling } from '../../numerics/statistics/standardise.ts';
import { labelledInputs, scaledRows } from '../../subjects/table/labelled-inputs.ts';
import { table } from '../../subjects/table/subject.ts';

/**
 * The weights of linear support vector regression, min ½ |w|² + C Σ max(0, |y − w·x − b| − ε)², shape [columns].
 * @param epsilon ε: errors up to it cost nothing.
 */
export function* supportVectorRegression(
  { x, y, columns }: Pick<TrainingRows, 'x' | 'y' | 'columns'>,
  cost: number,
  epsilon: number,
): Steps<Float64Array> {
  const n = y.length;
  const weights = new Float64Array(columns + 1); // and b
  const loss = (w: Float64Array, gradient: Float64Array) => {
    let value = 0;
    gradient.fill(0);
    for (let i = 0; i < n; i++) {
      let error = w[columns] - y[i];
      for (let c = 0; c < columns; c++) error += w[c] * x[i * columns + c];
      const beyond = Math.abs(error) - epsilon;
      if (beyond <= 0) continue;
      value += (cost * beyond * beyond) / n;
      const slope = (2 * cost * beyond * Math.sign(error)) / n;
      for (let c = 0; c < columns; c++) gradient[c] += slope * x[i * columns + c];
      gradient[columns] += slope;
    }
    for (let c = 0; c < columns; c++) {
      value += (w[c] * w[c]) / (2 * n);
      gradient[c] += w[c] / n;
    }
    return value;
  };
  yield* lbfgs(loss, weights, { tolerance: 1e-7, iterations: 1000 });
  return weights.slice(0, columns);
}

/**
 * Scores by the order of elimination: what a round removes is below all that stays, and within a round the smaller is below.
 * @param sizes of the features named, shape [features named]; the largest stays longest.
 * @param step features removed a round.
 * @returns (place in the order, from 1) / d: 1 for the last one left; shape [d].
 */
export async function eliminationScores(
  d: number,
  step: number,
  sizes: (left: readonly number[]) => Promise<ArrayLike<number>>,
): Promise<Float64Array> {
  const scores = new Float64Array(d);
  let left = Array.from({ length: d }, (_, j) => j);
  let place = 0;
  while (left.length > 0) {
    const own = left.length > 1 ? await sizes(left) : [1];
    // Among equals the higher place goes first, as a budget keeps the lower.
    const order = left.map((_, at) => at).sort((a, b) => own[a] - own[b] || b - a);
    const out = order.slice(0, Math.min(step, left.length));
    for (const at of out) scores[left[at]] = ++place / d;
    left = left.filter((_, at) => !out.includes(at));
  }
  return scores;
}

export const svmRfe = method({
  id: 'svm-rfe',
  name: 'SVM-RFE',
  source: 'doi:10.1023/A:1012487302797',
  summary: 'Removes the features with the least weight in a linear support vector machine, trains again, and so on.',
  unit: 'feature',
  subject: table,
  formula: 'order of elimination / d; each round removes the features with the least Σ w²',
  cost: 'O(1 / step) machines of O(n d) a step',
  params: z.object({
    step: z
      .number()
      .gt(0)
      .lte(1)
      .default(0.1)
      .describe('share of the features that a round removes, 1 feature or more'),
    cost: z.number().positive().default(1).describe('C: what a row on the wrong side counts'),
    epsilon: z.number().min(0).default(0.1).describe('for values: errors up to so many deviations cost nothing'),
  }),
  async score(of, { step, cost, epsilon }, run) {
    const inputs = labelledInputs(of, 'svm-rfe');
    const { y, classes, featureOf, features, rows } = inputs;
    const d = features.length;
    const { x } = scaledRows(
      inputs,
      Array.from({ length: rows }, (_, i) => i),
    );
    const target = classes === undefined ? scaled(y, standardScaling(y, 1)) : y;
    let done = 0;
    const scores = await eliminationScores(d, Math.max(1, Math.floor(step * d)), async (left) => {
      run.progress('elimination', done++, Math.ceil(d / Math.max(1, Math.floor(step * d))));
      await run.breathe();
      const kept = featureOf.flatMap((feature, j) => (left.includes(feature) ? [j] : []));
      const own = columnsOf(x, featureOf.length, kept);
      const weights = await weightsOf({ columns: kept.length, x: own, y: target, classes }, cost, epsilon, run);
      const sizes = new Map<number, number>();
      weights.forEach((weight, at) => {
        const feature = featureOf[kept[at % kept.length]];
        sizes.set(feature, (sizes.get(feature) ?? 0) + weight * weight);
      });
      return left.map((feature) => sizes.get(feature) ?? 0);
    });
    return { unit: 'feature', values: Float32Array.from(scores), labels: features };
  },
});

async function weightsOf(data: TrainingRows, cost: number, epsilon: number, run: Run): Promise<Float64Array> {
  if (data.classes !== undefined) return (await fitLinearSvm(data, { cost }, run)).weights;
  return run.drive('support vector regression', supportVectorRegression(data, cost, epsilon));
}

/** Some columns of row-major rows. */
function columnsOf(x: Float64Array, columns: number, kept: readonly number[]): Float64Array {
  const n = x.length / columns;
  return Float64Array.from({ length: n * kept.length }, (_, at) => {
    return x[Math.floor(at / kept.length) * columns + kept[at % kept.length]];
  });
}
