/** @file Floats as whole numbers of the same order, so that a rank can be found by counting bits. */

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** Upper and lower halves of a key each have this many values. */
export const halves = 65536;

/** The 32-bit key of a float's bits: keys order as the floats do, and −0 has the key of 0. */
export function keyOfBits(b: number): number {
  if (b >= 0) return (b | 0x80000000) >>> 0;
  return b === -2147483648 ? 0x80000000 : ~b >>> 0;
}

export function keyOf(value: number): number {
  float[0] = value;
  return keyOfBits(bits[0]);
}

/** The float whose key this is. */
export function floatOfKey(key: number): number {
  bits[0] = key >= 0x80000000 ? key & 0x7fffffff : ~key;
  return float[0];
}
