/** @file Tree ensembles as flat arrays: what is predicted with and what exact tree Shapley values read. */

/**
 * Binary trees in one set of arrays, shape [nodes]. The output of a row is `base` plus the sum over the trees of the value of the
 * leaf it falls into; a mean over trees has the division in its leaf values.
 */
export interface TreeEnsemble {
  /** The node each tree begins at, shape [trees]. */
  readonly roots: Int32Array;
  /** The column a node asks about; -1 in a leaf. */
  readonly feature: Int32Array;
  /** A row goes left where x ≤ threshold. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** 1 where a missing value (NaN) goes left. */
  readonly missingLeft: Uint8Array;
  /** The value of a leaf; in an inner node the mean that training saw there. */
  readonly value: Float64Array;
  /** How many training rows, by weight, went through a node. */
  readonly cover: Float64Array;
  readonly base: number;
}
