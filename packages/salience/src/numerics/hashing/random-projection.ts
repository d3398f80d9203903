/** @file Hashing by random projections: a bit says on which side of a random hyperplane a row lies, or a whole number in which slab. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** Random directions, normal in each column, row after row, shape [count · columns]. */
export function gaussianDirections(count: number, columns: number, random: Random): Float64Array {
  return Float64Array.from({ length: count * columns }, () => random.normal());
}

/**
 * The sign code of each row: bit 1 where (x − centre) · r ≥ 0 (Charikar 2002), the first direction the highest of `bits` bits.
 * Two rows at an angle θ from the centre have a bit in common with probability 1 − θ/π.
 * @param rows shape [n · columns].
 * @param directions shape [bits · columns], 1 to 32 of them.
 * @param centre shape [columns]; default the origin.
 * @returns shape [n].
 * @throws InputError if the shapes do not fit; ParameterError for more than 32 directions or none.
 */
export function signCodes(
  rows: ArrayLike<number>,
  columns: number,
  directions: Float64Array,
  centre: ArrayLike<number> = new Float64Array(columns),
): Uint32Array {
  const bits = directions.length / columns;
  if (!(Number.isInteger(rows.length / columns) && Number.isInteger(bits) && centre.length === columns)) {
    throw new InputError(
      `${rows.length} numbers and ${directions.length} of directions do not have ${columns} columns`,
    );
  }
  if (!(bits >= 1 && bits <= 32)) throw new ParameterError(`a sign code has 1 to 32 bits, not ${bits}`);
  const codes = new Uint32Array(rows.length / columns);
  for (let i = 0; i < codes.length; i++) {
    let code = 0;
    for (let b = 0; b < bits; b++) {
      let product = 0;
      for (let c = 0; c < columns; c++) product += (rows[i * columns + c] - centre[c]) * directions[b * columns + c];
      code = (code << 1) | Number(product >= 0);
    }
    codes[i] = code;
  }
  return codes;
}

/** In how many bits two codes differ. */
export function hamming(a: number, b: number): number {
  let x = a ^ b;
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * The bucket of each row when space is cut into slabs ⌊(x · r + b) / width⌋ along each direction (Datar et al. 2004): rows in one
 * slab along all directions share a bucket. Buckets are numbered as they are met.
 * @param offsets b, each from 0 to width, shape [directions].
 * @returns shape [n].
 * @throws ParameterError if the width is not above 0.
 */
export function slabBuckets(
  rows: ArrayLike<number>,
  columns: number,
  directions: Float64Array,
  offsets: ArrayLike<number>,
  width: number,
): Uint32Array {
  if (!(width > 0 && width < Infinity)) throw new ParameterError(`slabs need a width above 0, not ${width}`);
  const numbers = new Map<string, number>();
  return Uint32Array.from({ length: rows.length / columns }, (_, i) => {
    let key = '';
    for (let h = 0; h < offsets.length; h++) {
      let product = offsets[h];
      for (let c = 0; c < columns; c++) product += rows[i * columns + c] * directions[h * columns + c];
      key += `${Math.floor(product / width)},`;
    }
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, numbers.size);
    return numbers.size - 1;
  });
}
