/** @file Standardising: values minus their mean over their deviation, of all together or of each class. */

/** (v − mean) / deviation with the population's deviation; all 0 where it is 0. Shape [n]. */
export function standardise(values: ArrayLike<number>): Float64Array {
  return standardiseWithin(values, { of: new Uint32Array(values.length), count: 1 });
}

/**
 * (v − mean of its class) / deviation of its class, the population's; 0 in a class whose values are all equal.
 * @param classes `of`: the class of each value, shape [n], below `count`.
 */
export function standardiseWithin(
  values: ArrayLike<number>,
  { of, count }: { readonly of: Uint32Array; readonly count: number },
): Float64Array {
  const sizes = new Float64Array(count);
  const means = new Float64Array(count);
  const squares = new Float64Array(count);
  for (let i = 0; i < values.length; i++) {
    const c = of[i];
    const apart = values[i] - means[c];
    means[c] += apart / ++sizes[c];
    squares[c] += apart * (values[i] - means[c]);
  }
  return Float64Array.from(values, (value, i) => {
    const c = of[i];
    const deviation = Math.sqrt(squares[c] / sizes[c]);
    return deviation > 0 ? (value - means[c]) / deviation : 0;
  });
}
