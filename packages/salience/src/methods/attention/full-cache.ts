/** @file The full cache: what every eviction is compared with. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { fullCache as everything } from '../../models/generation/cache-policy.ts';
import { cacheScores, evenly } from '../../subjects/prompt/cache-scores.ts';
import { type CacheScores, prompt } from '../../subjects/prompt/prompt.ts';

export const fullCache = method({
  id: 'full-cache',
  name: 'Full cache',
  source: 'baseline',
  summary: 'Keeps every cache entry; a budget below 100% cuts the prompt to its last.',
  unit: 'cached token',
  subject: prompt,
  formula: 's = position',
  cost: 'nothing; no attention is read',
  allocation: () => evenly,
  params: z.object({}),
  score(subject, _params, run): Promise<CacheScores> {
    return cacheScores(subject, run, {
      score: ({ length }) => Float32Array.from({ length }, (_, position) => position),
      policy: () => everything,
    });
  },
});
