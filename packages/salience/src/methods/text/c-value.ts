/** @file C-value (Frantzi, Ananiadou & Mima 2000): long and frequent terms that do not only occur within longer ones. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { cValue as termhood } from '../../numerics/terms/c-value.ts';
import { document } from '../../subjects/document/document.ts';
import { termParams, termScores } from '../../subjects/document/term-scores.ts';

export const cValue = method({
  id: 'c-value',
  name: 'C-value',
  source: 'doi:10.1007/s007999900023',
  summary: 'Scores a term by length and frequency, less what it owes to longer terms around it.',
  unit: 'term',
  subject: document,
  formula: 'log₂(|t| + 1) · (f(t) − mean of f(b) over the longer terms b that hold t)',
  cost: 'O(words)',
  params: z.object(termParams),
  score: (collection, params, run) => termScores(collection, params, run, termhood),
});
