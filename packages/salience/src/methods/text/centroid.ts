/**
 * @file Centroid (Radev, Jing, Styś & Tam 2004): a sentence matters if it holds the words that are typical of the collection.
 * The baseline of LexRank's paper.
 */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { document } from '../../subjects/document/document.ts';
import {
  collectionVectors,
  type SentenceVectors,
  sentenceScores,
  vectorParams,
} from '../../subjects/document/sentence-vectors.ts';

export interface CentroidOptions {
  /** How many documents the sentences come from. */
  documents: number;
  /** How many words the centroid holds at the most; 100 by default. */
  size?: number;
  /** The weight a word of the centroid exceeds; 0 by default. */
  cutOff?: number;
}

/**
 * The centroid of a collection: for each word its tf·idf on average over the documents, tf counted in a whole document; 0 for
 * words at or below the cut-off and beyond the `size` highest (the earlier word first among equals). Shape [V].
 */
export function centroidOf(
  { tfIdf, counts, idf }: SentenceVectors,
  { documents, size = 100, cutOff = 0 }: CentroidOptions,
): Float64Array {
  const weights = new Float64Array(tfIdf.columns);
  tfIdf.indices.forEach((w, e) => {
    weights[w] += (counts[e] * idf[w]) / documents;
  });
  const order = Uint32Array.from(weights.keys()).sort((v, w) => weights[w] - weights[v] || v - w);
  order.forEach((w, rank) => {
    if (rank >= size || weights[w] <= cutOff) weights[w] = 0;
  });
  return weights;
}

/** The score of each sentence: the centroid's weights of its distinct words, summed; shape [n]. */
export function centroidScores({ tfIdf }: SentenceVectors, centroid: Float64Array): Float64Array {
  return Float64Array.from({ length: tfIdf.rows }, (_, s) =>
    tfIdf.indices.subarray(tfIdf.offsets[s], tfIdf.offsets[s + 1]).reduce((sum, w) => sum + centroid[w], 0),
  );
}

export const centroid = method({
  id: 'centroid',
  name: 'Centroid',
  source: 'doi:10.1016/j.ipm.2003.10.006',
  summary: 'Scores a sentence by the weights of its words in the average document of the collection.',
  unit: 'sentence',
  subject: document,
  formula: 'Σ over the distinct words of a sentence that are in the centroid of the mean tf · idf over the documents',
  cost: 'O(words)',
  params: z.object({
    size: z.int().positive().default(100).describe('how many words the centroid holds at the most'),
    cutOff: z.number().min(0).default(0).describe('the average tf·idf that a word of the centroid exceeds'),
    ...vectorParams,
  }),
  async score(collection, params, run) {
    const sentences = collectionVectors(collection, params, run);
    const weights = centroidOf(sentences, { ...params, documents: collection.documents.length });
    return sentenceScores(collection, sentences, Float32Array.from(centroidScores(sentences, weights)));
  },
});
