/** @file What the logits of an example and its label say: probabilities, loss, margin, error, whether it is right. */

/** softmax(z) of one example, shape [classes]. */
export function probabilitiesOf(logits: ArrayLike<number>): Float64Array {
  let most = -Infinity;
  for (let c = 0; c < logits.length; c++) most = Math.max(most, logits[c]);
  const powers = Float64Array.from(logits, (z) => Math.exp(z - most));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** log softmax(z)_y in nats, exact where the probability is too small for a float. */
export function logProbability(logits: ArrayLike<number>, label: number): number {
  let most = -Infinity;
  for (let c = 0; c < logits.length; c++) most = Math.max(most, logits[c]);
  let sum = 0;
  for (let c = 0; c < logits.length; c++) sum += Math.exp(logits[c] - most);
  return logits[label] - most - Math.log(sum);
}

/** z_y − max over other classes of z: above 0 where the example is right. */
export function marginOf(logits: ArrayLike<number>, label: number): number {
  let other = -Infinity;
  for (let c = 0; c < logits.length; c++) if (c !== label) other = Math.max(other, logits[c]);
  return logits[label] - other;
}

/** A number for each example from its logits and its label; logits of shape [examples · classes]. Shape [examples]. */
export function eachExample(
  logits: Float32Array,
  labels: Uint32Array,
  of: (logits: Float32Array, label: number) => number,
): Float64Array {
  const classes = logits.length / labels.length;
  return Float64Array.from(labels, (label, i) => of(logits.subarray(i * classes, (i + 1) * classes), label));
}
