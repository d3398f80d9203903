/** @file ComboBasic (Astrakhantsev 2015): Basic with a say in how specific the terms are. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { comboBasic as termhood } from '../../numerics/terms/combo-basic.ts';
import { document } from '../../subjects/document/document.ts';
import { termParams, termScores } from '../../subjects/document/term-scores.ts';

export const comboBasic = method({
  id: 'combo-basic',
  name: 'ComboBasic',
  source: 'arXiv:1611.07804',
  summary: 'Scores a term by length, frequency, the longer terms that hold it and the shorter ones it holds.',
  unit: 'term',
  subject: document,
  formula: '|t| · ln f(t) + α · e(t) + β · e′(t), e′(t) the number of terms nested in t',
  cost: 'O(words)',
  params: z.object({
    ...termParams,
    alpha: z.number().min(0).default(0.75).describe('α, what each longer term around a term is worth'),
    beta: z.number().min(0).default(0.1).describe('β, what each term within a term is worth'),
  }),
  score: (collection, params, run) => termScores(collection, params, run, (candidates) => termhood(candidates, params)),
});
