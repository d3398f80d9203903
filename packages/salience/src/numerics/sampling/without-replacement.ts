/** @file Weighted samples without replacement as keys: the k highest keys are a sample of k. */

import type { Random } from '../../core/random.ts';

/**
 * Keys log wᵢ + Gumbel noise (arXiv:1903.06059): sorting by them downwards draws one unit after the other, each with the chance of its
 * weight among those that are left. Exact selection of the k highest is then a weighted sample of k without replacement.
 * @param logWeights log of each weight, up to one constant for all, shape [n].
 */
export function gumbelKeys(logWeights: ArrayLike<number>, random: Random): Float64Array {
  return Float64Array.from(logWeights, (log) => log - Math.log(Math.max(1e-300, -Math.log1p(-random.uniform()))));
}

/**
 * Scores mapped by a straight line to [epsilon, 1], the least to epsilon and the greatest to 1; all 1 where all are equal.
 * Shape [n].
 */
export function linearWeights(scores: ArrayLike<number>, epsilon: number): Float64Array {
  let [least, greatest] = [Infinity, -Infinity];
  for (let i = 0; i < scores.length; i++) {
    least = Math.min(least, scores[i]);
    greatest = Math.max(greatest, scores[i]);
  }
  const range = greatest - least;
  return Float64Array.from(scores, (score) => (range > 0 ? epsilon + ((1 - epsilon) * (score - least)) / range : 1));
}

/** How units are chosen by their scores: the highest, or drawn with chances by exp(score), or by the score on a line from epsilon to 1. */
export type Sampling = 'cut' | 'softmax' | 'linear';

/** Keys whose k highest are the units that a way of sampling keeps; for `cut` the scores themselves. Shape [n]. */
export function samplingKeys(
  scores: Float64Array,
  { sampling, epsilon }: { readonly sampling: Sampling; readonly epsilon: number },
  random: Random,
): Float64Array {
  if (sampling === 'cut') return scores;
  return gumbelKeys(sampling === 'softmax' ? scores : linearWeights(scores, epsilon).map(Math.log), random);
}
