/** @file Random samples in which every class has its share. */

import type { Random } from '../../core/random.ts';

/**
 * Random scores in (0, 1] whose highest are a sample with the shares of the classes: in a class of m, one falls in each m-th part.
 * @param of the class of each example, shape [n], below `count`.
 */
export function stratifiedScores(of: Uint32Array, count: number, random: Random): Float64Array {
  const sizes = new Uint32Array(count);
  for (const c of of) sizes[c]++;
  const places = new Uint32Array(count);
  const scores = new Float64Array(of.length);
  for (const i of random.permutation(of.length)) {
    const c = of[i];
    scores[i] = 1 - (places[c]++ + random.uniform()) / sizes[c];
  }
  return scores;
}
