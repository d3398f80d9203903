/** @file RAKE: words that keep company in long phrases. */

import type { IndexLists } from '../index-lists.ts';
import type { TermCounts } from './term-counts.ts';

/**
 * Sum over the words w of a term of deg(w) / freq(w), shape [n]: freq(w) counts the occurrences of w in the phrases of the
 * corpus, deg(w) adds up the lengths in words of the phrases of these occurrences. A word in no phrase adds nothing.
 * @param phrases the words of each phrase: a run of the text between stop words and punctuation.
 * Source: Rose, Engel, Cramer & Cowley 2010 (doi:10.1002/9780470689646.ch1).
 */
export function rake({ words }: Pick<TermCounts, 'words'>, phrases: IndexLists): Float64Array {
  let vocabulary = 0;
  for (const w of words.indices) vocabulary = Math.max(vocabulary, w + 1);
  for (const w of phrases.indices) vocabulary = Math.max(vocabulary, w + 1);
  const frequency = new Float64Array(vocabulary);
  const degree = new Float64Array(vocabulary);
  for (let p = 0; p + 1 < phrases.offsets.length; p++) {
    const length = phrases.offsets[p + 1] - phrases.offsets[p];
    for (let e = phrases.offsets[p]; e < phrases.offsets[p + 1]; e++) {
      frequency[phrases.indices[e]]++;
      degree[phrases.indices[e]] += length;
    }
  }
  const scores = new Float64Array(words.offsets.length - 1);
  for (let t = 0; t < scores.length; t++) {
    for (let e = words.offsets[t]; e < words.offsets[t + 1]; e++) {
      const w = words.indices[e];
      if (frequency[w] > 0) scores[t] += degree[w] / frequency[w];
    }
  }
  return scores;
}
