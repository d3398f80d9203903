/** @file Random features: what every selector must beat. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { table } from '../../subjects/table/subject.ts';

export const randomFeatures = method({
  id: 'random-features',
  name: 'Random features',
  source: 'baseline',
  summary: 'Gives every feature a random score.',
  unit: 'feature',
  subject: table,
  formula: 's ~ U(0, 1)',
  cost: 'O(d)',
  params: z.object({}),
  async score({ columns }, _, run) {
    const random = run.random('random-features');
    return {
      unit: 'feature',
      values: Float32Array.from(columns, () => random.uniform()),
      labels: columns.map(({ name }) => name),
    };
  },
});
