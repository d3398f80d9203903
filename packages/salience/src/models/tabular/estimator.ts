/** @file What the predictors of tables share: what they are trained on and what they are afterwards. */

import type { TreeEnsemble } from '../../numerics/trees/tree-ensemble.ts';

/** Rows to train on. */
export interface TrainingRows {
  readonly columns: number;
  /** Row-major, shape [n · columns]; no missing values unless the predictor says it takes them. */
  readonly x: Float64Array;
  /** A class code (0 to classes − 1) or a value for each row, shape [n]. */
  readonly y: Float64Array;
  /** How many classes there are; absent where y is a value. */
  readonly classes?: number;
}

/** A trained predictor. */
export interface Fitted {
  readonly name: string;
  readonly columns: number;
  /** Probabilities a row: one for each class, or 1 value. */
  readonly outputs: number;
  /** Shape [n · outputs], row-major. */
  predict(rows: Float64Array): Promise<Float64Array>;
  /** The predictor's own importance of each column (impurity, gain, |standardised coefficient|), shape [columns], where it has one. */
  readonly importance?: Float64Array;
  /** Its trees, where it is made of trees: for two classes those of class 1, else one ensemble an output. */
  readonly trees?: readonly TreeEnsemble[];
  /** What the sum of its trees is: of a forest the probability, of boosting for classes the log-odds. */
  readonly treesGive?: 'probability' | 'margin' | 'value';
}

/** A trained predictor whose outputs follow from sums Σ weight · x + intercept. */
export interface FittedLinear extends Fitted {
  readonly importance: Float64Array;
  /** One row for class 1 of two classes or for a value, else one a class; in the units of the columns. Shape [rows · columns]. */
  readonly weights: Float64Array;
  /** Shape [rows]. */
  readonly intercepts: Float64Array;
}
