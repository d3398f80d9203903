/** @file Weirdness: words that are more at home here than in the language at large. */

import { InputError } from '../../core/errors.ts';
import type { TermCounts } from './term-counts.ts';

/** How often each word of a vocabulary occurs, shape [vocabulary], and all words together. */
export interface WordFrequencies {
  readonly frequency: ArrayLike<number>;
  readonly total: number;
}

/**
 * Geometric mean over the words of a term of their relative frequency here over their relative frequency in general
 * language, shape [n]. One occurrence is added to each word of the general corpus, so that an unseen word does not divide
 * by 0. For single words this is the paper's ratio; the mean over words is that of the term extraction toolkits, which
 * average its logarithm: the order is the same, and no score is negative.
 * @throws InputError if a corpus has no words.
 * Source: Ahmad, Gillam & Tostevin 1999 (TREC-8).
 */
export function weirdness(
  { words }: Pick<TermCounts, 'words'>,
  here: WordFrequencies,
  general: WordFrequencies,
): Float64Array {
  if (!(here.total > 0 && general.total > 0)) {
    throw new InputError(`weirdness compares two corpora; they have ${here.total} and ${general.total} words`);
  }
  const generalTotal = general.total + general.frequency.length;
  const scores = new Float64Array(words.offsets.length - 1);
  for (let t = 0; t < scores.length; t++) {
    let sum = 0;
    for (let e = words.offsets[t]; e < words.offsets[t + 1]; e++) {
      const w = words.indices[e];
      sum += Math.log(here.frequency[w] / here.total / ((general.frequency[w] + 1) / generalTotal));
    }
    scores[t] = Math.exp(sum / (words.offsets[t + 1] - words.offsets[t]));
  }
  return scores;
}
