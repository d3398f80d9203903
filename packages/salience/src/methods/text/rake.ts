/** @file RAKE (Rose, Engel, Cramer & Cowley 2010): a term of words that keep company in long phrases. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { document } from '../../subjects/document/document.ts';
import { baseScores, termParams, termScores } from '../../subjects/document/term-scores.ts';

export const rake = method({
  id: 'rake',
  name: 'RAKE',
  source: 'doi:10.1002/9780470689646.ch1',
  summary: 'Scores a term by how long the phrases are that its words occur in.',
  unit: 'term',
  subject: document,
  formula: 'Σ over the words of t of deg(w) / freq(w), both over the phrases between stop words and punctuation',
  cost: 'O(words)',
  params: z.object(termParams),
  score: (collection, params, run) =>
    termScores(collection, params, run, (candidates) => baseScores('rake', candidates, collection)),
});
