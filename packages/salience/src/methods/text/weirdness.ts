/** @file Weirdness (Ahmad, Gillam & Tostevin 1999): words that are more frequent here than in the language at large. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { document } from '../../subjects/document/document.ts';
import { baseScores, termParams, termScores } from '../../subjects/document/term-scores.ts';

export const weirdness = method({
  id: 'weirdness',
  name: 'Weirdness',
  source: 'Ahmad, Gillam & Tostevin 1999, TREC-8',
  summary:
    'Scores a term by how much more frequent its words are here than in general language: the background where one is given, else for English the subtitles of films.',
  unit: 'term',
  subject: document,
  formula: 'geometric mean over the words of t of (f(w) / F) / ((f_general(w) + 1) / F_general)',
  cost: 'O(words)',
  params: z.object(termParams),
  score: (collection, params, run) =>
    termScores(collection, params, run, (candidates) => baseScores('weirdness', candidates, collection)),
});
