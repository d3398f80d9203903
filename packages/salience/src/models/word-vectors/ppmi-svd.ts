/** @file Word vectors trained on the text at hand: a truncated SVD of positive pointwise mutual information. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { IndexLists } from '../../numerics/index-lists.ts';
import type { SparseMatrix } from '../../numerics/linear-algebra/sparse-matrix.ts';
import { truncatedSvd } from '../../numerics/linear-algebra/truncated-svd.ts';

export interface PpmiOptions {
  /** Words up to this far on either side, within the sentence, are the context of a word. */
  window?: number;
  /** Context counts are raised to this power, which damps the pull of rare contexts; 1 leaves them. */
  smoothing?: number;
  /** Awaited now and then, so that a long training can be stopped. */
  pause?: () => Promise<void>;
}

/**
 * Vectors for a vocabulary of n words, shape [n, k] row after row, k = `dimensions` or the rank of the matrix where that is
 * lower: U · Σ^½ of the PPMI matrix. A word that never has company gets the zero vector.
 * @param sentences the words of each sentence, as numbers below n.
 * @throws ParameterError if dimensions or window are not 1 or more.
 * Source: Levy, Goldberg & Dagan 2015 (TACL 3, 211–225), with their context smoothing 0.75 and eigenvalue weighting ½.
 */
export async function ppmiSvd(
  sentences: IndexLists,
  n: number,
  dimensions: number,
  random: Random,
  options: PpmiOptions = {},
): Promise<{ readonly dimensions: number; readonly values: Float32Array }> {
  const { u, sigma, rank } = await truncatedSvd(ppmi(sentences, n, options), dimensions, random, options);
  return { dimensions: rank, values: Float32Array.from(u, (value, e) => value * Math.sqrt(sigma[e % rank])) };
}

/**
 * Positive pointwise mutual information of words and contexts, shape [n, n]: max(0, ln(P(w, c) / (P(w) P_s(c)))), with
 * P_s(c) ∝ count(c)^smoothing.
 */
export function ppmi(
  sentences: IndexLists,
  n: number,
  { window = 3, smoothing = 0.75 }: PpmiOptions = {},
): SparseMatrix {
  if (!(Number.isSafeInteger(window) && window >= 1)) throw new ParameterError(`window = ${window} is not 1 or more`);
  const { offsets, contexts } = contextsOf(sentences, n, window);
  const counts = new Float64Array(n);
  let smoothed = 0;
  for (let w = 0; w < n; w++) {
    counts[w] = offsets[w + 1] - offsets[w];
    if (counts[w] > 0) smoothed += counts[w] ** smoothing;
  }
  const rows = new Uint32Array(n + 1);
  const values = new Float64Array(contexts.length);
  let size = 0;
  for (let w = 0; w < n; w++) {
    const list = contexts.subarray(offsets[w], offsets[w + 1]).sort();
    for (let from = 0, to = 0; from < list.length; from = to) {
      const c = list[from];
      while (to < list.length && list[to] === c) to++;
      const information = Math.log(((to - from) * smoothed) / (counts[w] * counts[c] ** smoothing));
      if (information <= 0) continue;
      contexts[size] = c;
      values[size++] = information;
    }
    rows[w + 1] = size;
  }
  return { rows: n, columns: n, offsets: rows, indices: contexts.slice(0, size), values: values.slice(0, size) };
}

/** All contexts of all occurrences of each word, by a counting sort. */
function contextsOf({ offsets: sentences, indices: words }: IndexLists, n: number, window: number) {
  const offsets = new Uint32Array(n + 1);
  const eachPair = (visit: (w: number, c: number) => void) => {
    for (let s = 0; s + 1 < sentences.length; s++) {
      for (let i = sentences[s]; i < sentences[s + 1]; i++) {
        const end = Math.min(sentences[s + 1], i + window + 1);
        for (let j = Math.max(sentences[s], i - window); j < end; j++) if (j !== i) visit(words[i], words[j]);
      }
    }
  };
  eachPair((w) => {
    offsets[w + 1]++;
  });
  for (let w = 0; w < n; w++) offsets[w + 1] += offsets[w];
  const contexts = new Uint32Array(offsets[n]);
  const filled = offsets.slice(0, n);
  eachPair((w, c) => {
    contexts[filled[w]++] = c;
  });
  return { offsets, contexts };
}
