/** @file How good predictions of classes and of values are. */

import { InputError } from '../../core/errors.ts';

/** Counts of (true class, predicted class), row-major, shape [classes · classes]; classes are codes 0 to classes − 1. */
export function confusionMatrix(y: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): Float64Array {
  checkPairs(y, predicted);
  const counts = new Float64Array(classes * classes);
  for (let i = 0; i < y.length; i++) {
    for (const code of [y[i], predicted[i]]) {
      if (!(Number.isInteger(code) && code >= 0 && code < classes)) {
        throw new InputError(`row ${i}: ${code} is no code of ${classes} classes`);
      }
    }
    counts[y[i] * classes + predicted[i]]++;
  }
  return counts;
}

/** The class of the greatest probability of each row, the first where several are greatest; probabilities [n · classes] → [n]. */
export function mostProbable(probabilities: ArrayLike<number>, classes: number): Float64Array {
  const n = probabilities.length / classes;
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (probabilities[i * classes + c] > probabilities[i * classes + best]) best = c;
    out[i] = best;
  }
  return out;
}

/** The share of rows whose class is predicted, 0 to 1. */
export function accuracy(y: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkPairs(y, predicted);
  let right = 0;
  for (let i = 0; i < y.length; i++) if (y[i] === predicted[i]) right++;
  return right / y.length;
}

/** The mean over the classes that occur of the share of their rows that is predicted, 0 to 1. */
export function balancedAccuracy(y: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const counts = confusionMatrix(y, predicted, classes);
  let sum = 0;
  let occurring = 0;
  for (let c = 0; c < classes; c++) {
    const own = counts.subarray(c * classes, (c + 1) * classes).reduce((a, b) => a + b, 0);
    if (own === 0) continue;
    sum += counts[c * classes + c] / own;
    occurring++;
  }
  return sum / occurring;
}

/** The mean over the classes that occur or are predicted of F1 = 2 TP / (2 TP + FP + FN), 0 to 1. */
export function macroF1(y: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const counts = confusionMatrix(y, predicted, classes);
  let sum = 0;
  let occurring = 0;
  for (let c = 0; c < classes; c++) {
    let both = 0; // rows of the class and rows predicted to be
    for (let k = 0; k < classes; k++) both += counts[c * classes + k] + counts[k * classes + c];
    if (both === 0) continue;
    sum += (2 * counts[c * classes + c]) / both;
    occurring++;
  }
  return sum / occurring;
}

/**
 * Matthews' correlation of classes with predicted classes, for any number of classes (Gorodkin 2004), −1 to 1; 0 where either
 * is constant.
 */
export function matthewsCorrelation(y: ArrayLike<number>, predicted: ArrayLike<number>, classes: number): number {
  const counts = confusionMatrix(y, predicted, classes);
  const n = y.length;
  let right = 0;
  let crossed = 0;
  let trueSquares = 0;
  let predictedSquares = 0;
  for (let c = 0; c < classes; c++) {
    let own = 0;
    let given = 0;
    for (let k = 0; k < classes; k++) {
      own += counts[c * classes + k];
      given += counts[k * classes + c];
    }
    right += counts[c * classes + c];
    crossed += own * given;
    trueSquares += own * own;
    predictedSquares += given * given;
  }
  const scale = Math.sqrt((n * n - trueSquares) * (n * n - predictedSquares));
  return scale === 0 ? 0 : (right * n - crossed) / scale;
}

/**
 * The area under the ROC curve: the chance that a row of class 1 has a higher score than one of class 0, ties counting half,
 * 0 to 1; NaN where a class is missing. O(n log n).
 * @param y 0 or 1 for each row, shape [n].
 * @throws InputError if the lengths differ, or for another class or a score that is NaN.
 */
export function auroc(y: ArrayLike<number>, scores: ArrayLike<number>): number {
  checkPairs(y, scores);
  const n = y.length;
  const order = Uint32Array.from({ length: n }, (_, i) => {
    if (y[i] !== 0 && y[i] !== 1)
      throw new InputError(`row ${i}: the area under the ROC curve wants 0 or 1, not ${y[i]}`);
    if (Number.isNaN(scores[i])) throw new InputError(`row ${i}: its score is NaN`);
    return i;
  }).sort((a, b) => scores[a] - scores[b]);
  let positives = 0;
  let won = 0;
  let negatives = 0;
  for (let low = 0, high = 0; low < n; low = high) {
    let ones = 0;
    while (high < n && scores[order[high]] === scores[order[low]]) ones += y[order[high++]];
    const zeros = high - low - ones;
    won += ones * (negatives + zeros / 2);
    positives += ones;
    negatives += zeros;
  }
  return won / (positives * negatives);
}

/**
 * The mean of −ln p(true class), in nats; probabilities below 1e-15 count as that.
 * @param probabilities row-major, shape [n · classes].
 */
export function logLoss(y: ArrayLike<number>, probabilities: ArrayLike<number>, classes: number): number {
  if (probabilities.length !== y.length * classes) {
    throw new InputError(`${y.length} rows of ${classes} classes have not ${probabilities.length} probabilities`);
  }
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum -= Math.log(Math.max(1e-15, probabilities[i * classes + y[i]]));
  return sum / y.length;
}

/** R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)², at most 1; for a constant y, 1 where all is predicted and else 0. */
export function rSquared(y: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkPairs(y, predicted);
  let mean = 0;
  for (let i = 0; i < y.length; i++) mean += y[i] / y.length;
  let left = 0;
  let all = 0;
  for (let i = 0; i < y.length; i++) {
    left += (y[i] - predicted[i]) ** 2;
    all += (y[i] - mean) ** 2;
  }
  if (all === 0) return left === 0 ? 1 : 0;
  return 1 - left / all;
}

/** The mean of (y − ŷ)². */
export function meanSquaredError(y: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkPairs(y, predicted);
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += (y[i] - predicted[i]) ** 2;
  return sum / y.length;
}

/** The mean of |y − ŷ|. */
export function meanAbsoluteError(y: ArrayLike<number>, predicted: ArrayLike<number>): number {
  checkPairs(y, predicted);
  let sum = 0;
  for (let i = 0; i < y.length; i++) sum += Math.abs(y[i] - predicted[i]);
  return sum / y.length;
}

function checkPairs(y: ArrayLike<number>, predicted: ArrayLike<number>): void {
  if (y.length !== predicted.length || y.length === 0) {
    throw new InputError(`${y.length} true values do not go with ${predicted.length} predicted ones`);
  }
}
