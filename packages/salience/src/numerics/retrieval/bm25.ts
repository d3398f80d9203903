/** @file BM25: how well documents fit the words of a query. */

import { ParameterError } from '../../core/errors.ts';
import type { InvertedIndex } from './inverted-index.ts';

export interface Bm25Options {
  /** How fast repeats of a word stop to count; 1.2 by default. */
  k1?: number;
  /** How much long documents are held back, 0 to 1; 0.75 by default. */
  b?: number;
}

/** ln(1 + (N − n + ½) / (n + ½)) for a term that n of N documents hold; above 0 for every n. */
export function bm25Idf(documents: number, holding: number): number {
  return Math.log(1 + (documents - holding + 0.5) / (holding + 0.5));
}

/** One thing that is asked for: a term, or several that count as one, such as the words with a common beginning. */
export type AskedTerm = number | readonly number[];

/**
 * Scores of all documents, shape [documents] (0 where no term occurs):
 *   Σ over the terms asked for, with repeats, of idf · f (k1 + 1) / (f + k1 (1 − b + b · length / mean length)).
 * Of terms that count as one the frequencies are summed.
 * @param into room for the scores, all 0 before; made where absent.
 * @throws ParameterError if k1 or b is out of range.
 * Source: Robertson & Zaragoza 2009 (Foundations and Trends in Information Retrieval 3), with the idf of Lucene.
 */
export function bm25(
  index: InvertedIndex,
  asked: readonly AskedTerm[],
  { k1 = 1.2, b = 0.75 }: Bm25Options = {},
  into = new Float64Array(index.documents),
): Float64Array {
  if (!(k1 >= 0)) throw new ParameterError(`k1 = ${k1} is not 0 or more`);
  if (!(b >= 0 && b <= 1)) throw new ParameterError(`b = ${b} is outside 0 to 1`);
  const { alive, lengths, meanLength } = index;
  const short = k1 * (1 - b);
  const long = (k1 * b) / meanLength;
  for (const one of asked) {
    if (typeof one === 'number') {
      const weight = bm25Idf(index.size, index.frequency(one)) * (k1 + 1);
      const postings = index.postings(one);
      for (let i = 0; i < postings.length; i++) {
        const document = postings[i] >>> 8;
        if (alive[document] === 0) continue;
        const count = postings[i] & 255;
        into[document] += (weight * count) / (count + short + long * lengths[document]);
      }
      continue;
    }
    const together = new Map<number, number>();
    for (const term of one) {
      for (const posting of index.postings(term)) {
        const document = posting >>> 8;
        if (alive[document] === 1) together.set(document, (together.get(document) ?? 0) + (posting & 255));
      }
    }
    const weight = bm25Idf(index.size, together.size) * (k1 + 1);
    for (const [document, count] of together) {
      into[document] += (weight * count) / (count + short + long * lengths[document]);
    }
  }
  return into;
}
