/** @file Basic (Bordea, Buitelaar & Polajnar 2013): frequent terms from which longer terms are built. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { basic as termhood } from '../../numerics/terms/basic.ts';
import { document } from '../../subjects/document/document.ts';
import { termParams, termScores } from '../../subjects/document/term-scores.ts';

export const basic = method({
  id: 'basic',
  name: 'Basic',
  source: 'Bordea, Buitelaar & Polajnar 2013, TIA',
  summary: 'Scores a term by length, frequency and the number of longer terms that hold it.',
  unit: 'term',
  subject: document,
  formula: '|t| · ln f(t) + α · e(t), e(t) the number of longer terms that hold t, for terms of two words or more',
  cost: 'O(words)',
  params: z.object({
    ...termParams,
    alpha: z.number().min(0).default(0.72).describe('α, what each longer term around a term is worth'),
  }),
  score: (collection, params, run) => termScores(collection, params, run, (candidates) => termhood(candidates, params)),
});
