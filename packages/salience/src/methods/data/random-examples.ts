/** @file Random examples: what every method that chooses examples must beat. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import { stratifiedScores } from '../../numerics/sampling/stratified.ts';
import { exampleScores } from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

export const randomExamples = method({
  id: 'random-examples',
  name: 'Random examples',
  source: 'baseline',
  summary: 'Gives every example a random score.',
  unit: 'example',
  subject: dataset,
  formula: 's ~ U(0, 1)',
  cost: 'O(n)',
  params: z.object({
    stratified: z.boolean().default(false).describe('whether each class keeps its share of the examples'),
  }),
  async score(data, { stratified }, run) {
    const random = run.random('random-examples');
    if (stratified && !data.labels) {
      throw new InputError(
        `${data.name}: has no labels to keep the shares of; name the column of the classes with --target`,
      );
    }
    const scores =
      stratified && data.labels
        ? stratifiedScores(data.labels.of, data.labels.classes.length, random)
        : Float64Array.from({ length: data.examples }, () => random.uniform());
    return exampleScores(data, scores, 'easy');
  },
});
