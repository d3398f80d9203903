/** @file What linear predictors share: their sums, and the importance of their columns. */

import { standardScaling } from '../../numerics/statistics/standardise.ts';

/** x · weightsᵀ + intercepts: rows [n · columns], weights [outputs · columns] → [n · outputs]. */
export function linearScores(rows: Float64Array, weights: Float64Array, intercepts: Float64Array): Float64Array {
  const outputs = intercepts.length;
  const columns = weights.length / outputs;
  const n = rows.length / columns;
  const out = new Float64Array(n * outputs);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < outputs; k++) {
      let sum = intercepts[k];
      for (let c = 0; c < columns; c++) sum += rows[i * columns + c] * weights[k * columns + c];
      out[i * outputs + k] = sum;
    }
  }
  return out;
}

/** |weight| · deviation of each column in the training rows, the mean over the outputs; shape [columns]. */
export function linearImportance(weights: Float64Array, x: Float64Array, columns: number): Float64Array {
  const { scale } = standardScaling(x, columns);
  const outputs = weights.length / columns;
  const importance = new Float64Array(columns);
  weights.forEach((weight, i) => {
    importance[i % columns] += (Math.abs(weight) * scale[i % columns]) / outputs;
  });
  return importance;
}

/** Softmax of each row of sums in place, shape [n · classes]. */
export function softmaxRows(scores: Float64Array, classes: number): Float64Array {
  for (let row = 0; row < scores.length; row += classes) {
    let most = -Infinity;
    for (let k = 0; k < classes; k++) most = Math.max(most, scores[row + k]);
    let sum = 0;
    for (let k = 0; k < classes; k++) {
      scores[row + k] = Math.exp(scores[row + k] - most);
      sum += scores[row + k];
    }
    for (let k = 0; k < classes; k++) scores[row + k] /= sum;
  }
  return scores;
}

/** Probabilities of both classes from those of class 1, or from log-odds: [n] → [n · 2]. */
export function bothClasses(scores: Float64Array, from: 'probability' | 'log-odds'): Float64Array {
  const out = new Float64Array(scores.length * 2);
  for (let i = 0; i < scores.length; i++) {
    const p = from === 'probability' ? scores[i] : sigmoid(scores[i]);
    out[2 * i] = 1 - p;
    out[2 * i + 1] = p;
  }
  return out;
}

/** 1 / (1 + e⁻ˢ). */
export function sigmoid(s: number): number {
  return s >= 0 ? 1 / (1 + Math.exp(-s)) : Math.exp(s) / (1 + Math.exp(s));
}
