/** @file TF-IDF of terms over a whole collection (Spärck Jones 1972): f(t) · ln((1 + N) / df(t)). */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { tfIdf as termhood } from '../../numerics/terms/tf-idf.ts';
import { document } from '../../subjects/document/document.ts';
import { termParams, termScores } from '../../subjects/document/term-scores.ts';

export const tfIdf = method({
  id: 'tf-idf',
  name: 'TF-IDF',
  source: 'doi:10.1108/eb026526',
  summary: 'Scores a term by how often it occurs in the collection and in how few of its documents.',
  unit: 'term',
  subject: document,
  formula: 'f(t) · ln((1 + N) / df(t)), f in the whole collection of N documents',
  cost: 'O(words)',
  params: z.object(termParams),
  score: (collection, params, run) => termScores(collection, params, run, termhood),
});
