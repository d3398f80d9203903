/** @file How well one example's gradient and another's lie in line, over several layers, with or without a random projection. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** One vector a layer. */
export type LayerVectors = readonly ArrayLike<number>[];

/**
 * ⟨u, v⟩ over all layers.
 * @throws InputError if they are not of the same layers, or a layer's lengths differ.
 */
export function innerProduct(u: LayerVectors, v: LayerVectors): number {
  if (u.length !== v.length)
    throw new InputError(`vectors of ${u.length} and ${v.length} layers are not of the same parameters`);
  let sum = 0;
  u.forEach((layer, l) => {
    const other = v[l];
    if (layer.length !== other.length) {
      throw new InputError(
        `in layer ${l} one vector has ${layer.length} numbers and the other ${other.length}; they must be of the same parameters`,
      );
    }
    for (let i = 0; i < layer.length; i++) sum += layer[i] * other[i];
  });
  return sum;
}

/**
 * ⟨u, v⟩ / (‖u‖ ‖v‖) over all layers; 0 where either is 0.
 * @throws InputError as innerProduct does.
 */
export function alignment(u: LayerVectors, v: LayerVectors): number {
  return ratio(innerProduct(u, v), innerProduct(u, u) * innerProduct(v, v));
}

/** inner / √squares, 0 where that is no number. */
function ratio(inner: number, squares: number): number {
  return squares > 0 ? inner / Math.sqrt(squares) : 0;
}

/**
 * Σ_t δ_t x_tᵀ for each example is never formed: ⟨V, Σ_t δ_t x_tᵀ⟩ = Σ_t δ_tᵀ V x_t.
 * @param v V, shape [rows · columns].
 * @param slopes δ, shape [tokens · rows].
 * @param inputs x, shape [tokens · columns].
 * @throws InputError where the lengths do not fit.
 */
export function factoredInnerProduct(
  v: ArrayLike<number>,
  slopes: ArrayLike<number>,
  inputs: ArrayLike<number>,
  rows: number,
  columns: number,
): number {
  const tokens = slopes.length / rows;
  if (v.length !== rows * columns || inputs.length !== tokens * columns) {
    throw new InputError(
      `slopes of ${tokens} × ${rows} and inputs of ${inputs.length / columns} × ${columns} are no gradient of ${v.length} numbers; they must be of the same parameters`,
    );
  }
  let sum = 0;
  for (let t = 0; t < tokens; t++) {
    for (let i = 0; i < rows; i++) {
      const d = slopes[t * rows + i];
      if (d === 0) continue;
      let along = 0;
      for (let j = 0; j < columns; j++) along += v[i * columns + j] * inputs[t * columns + j];
      sum += d * along;
    }
  }
  return sum;
}

/** ‖Σ_t δ_t x_tᵀ‖² = Σ_tu (δ_t · δ_u)(x_t · x_u), of the shapes of factoredInnerProduct. */
export function factoredSquaredNorm(
  slopes: ArrayLike<number>,
  inputs: ArrayLike<number>,
  rows: number,
  columns: number,
): number {
  const tokens = slopes.length / rows;
  const dot = (of: ArrayLike<number>, width: number, t: number, u: number) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += of[t * width + i] * of[u * width + i];
    return sum;
  };
  let sum = 0;
  for (let t = 0; t < tokens; t++) {
    for (let u = 0; u <= t; u++) {
      sum += (u < t ? 2 : 1) * dot(slopes, rows, t, u) * dot(inputs, columns, t, u);
    }
  }
  return Math.max(0, sum);
}

/** From the layers' vectors to fewer numbers, shape [dimension]. */
export type Projection = (vectors: LayerVectors) => Float64Array;

/**
 * A random projection with entries ±1 / √dimension, the same for every vector it is given (Achlioptas 2003). The entries are bits
 * of a hash of their place, so no matrix is held.
 * @param lengths numbers of each layer's vector.
 * @throws ParameterError for a dimension below 1; (when used) InputError for vectors of other lengths.
 */
export function signProjection(lengths: readonly number[], dimension: number, random: Random): Projection {
  if (!(Number.isSafeInteger(dimension) && dimension >= 1))
    throw new ParameterError(`a projection to ${dimension} dimensions; 1 or more`);
  const key = random.integer(2 ** 31);
  const scale = 1 / Math.sqrt(dimension);
  return (vectors) => {
    if (vectors.length !== lengths.length || vectors.some(({ length }, l) => length !== lengths[l])) {
      throw new InputError(
        `a projection of layers of ${lengths.join(', ')} numbers is given ${vectors.map(({ length }) => length).join(', ')}; it projects one set of parameters`,
      );
    }
    const out = new Float64Array(dimension);
    let place = 0;
    for (const vector of vectors) {
      for (let i = 0; i < vector.length; i++, place++) {
        const value = vector[i] * scale;
        if (value === 0) continue;
        for (let from = 0, word = 0; from < dimension; from += 32, word++) {
          let bits = mixed(key, place, word);
          const end = Math.min(dimension, from + 32);
          for (let d = from; d < end; d++, bits >>>= 1) out[d] += bits & 1 ? value : -value;
        }
      }
    }
    return out;
  };
}

/** 32 bits of a place: murmur3's mixer over the three numbers. */
function mixed(key: number, place: number, word: number): number {
  let h = key;
  for (const part of [place, word]) {
    h = Math.imul(h ^ part, 0xcc9e2d51);
    h = (h << 15) | (h >>> 17);
    h = Math.imul(h, 0x1b873593) + 0x9e3779b9;
    h ^= h >>> 16;
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
