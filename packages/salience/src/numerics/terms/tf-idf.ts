/** @file Corpus-level tf-idf of terms. */

import type { TermCounts } from './term-counts.ts';

/**
 * f(t) · ln((1 + N) / df(t)), f the frequency of the term in the whole corpus, N the number of documents; shape [n]. The 1
 * keeps a term above 0 that is in all documents, and so the terms of a single document in order; without it this is the
 * TF-IDF of the term extraction toolkits.
 * Source: Spärck Jones 1972; at corpus level Zhang, Gao & Ciravegna, JATE 2.0 (LREC 2016).
 */
export function tfIdf({
  documents,
  frequency,
  documentFrequency,
}: Pick<TermCounts, 'documents' | 'frequency' | 'documentFrequency'>): Float64Array {
  return Float64Array.from(frequency, (f, t) => f * Math.log((1 + documents) / documentFrequency[t]));
}
