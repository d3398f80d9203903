/** @file What a model under explanation is to the numerics: a function from rows to numbers. */

/**
 * A black box: one number a row, a probability of the wanted class, a label (0 or 1), or a value. `rows` holds n rows of one number a
 * column each, row-major, shape [n · columns]; a category is its code, what is missing is NaN.
 */
export type Predict = (rows: Float64Array) => Float32Array | Float64Array | Promise<Float32Array | Float64Array>;
