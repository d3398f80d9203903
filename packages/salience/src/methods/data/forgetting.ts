/** @file Forgetting: how often an example goes from right to wrong while a classifier is trained. */

import { z } from 'zod';
import { ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import { eachExample, marginOf } from '../../models/classifier/from-logits.ts';
import { stepsPerEpoch } from '../../models/classifier/record-training.ts';
import { samplingKeys } from '../../numerics/sampling/without-replacement.ts';
import {
  classifierParams,
  exampleScores,
  meanOverTrainings,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** Counts forgetting events (arXiv:1812.05159): checks at which an example is wrong and was right at the one before. */
export class ForgettingEvents {
  /** Shape [examples]. */
  readonly events: Uint32Array;
  /** 1 where it was ever right, shape [examples]. */
  readonly everLearned: Uint8Array;
  readonly #right: Uint8Array;

  constructor(examples: number) {
    this.events = new Uint32Array(examples);
    this.everLearned = new Uint8Array(examples);
    this.#right = new Uint8Array(examples);
  }

  /** One check: whether each example is right now, shape [examples]. */
  see(right: ArrayLike<number | boolean>): void {
    for (let i = 0; i < this.events.length; i++) {
      const now = Number(right[i]);
      if (this.#right[i] > now) this.events[i]++;
      this.#right[i] = now;
      this.everLearned[i] |= now;
    }
  }
}

export const forgetting = method({
  id: 'forgetting',
  name: 'Forgetting events',
  source: 'arXiv:1812.05159',
  summary: 'Keeps examples that a classifier gets right and then wrong again most often while it is trained.',
  unit: 'example',
  subject: dataset,
  formula: 's = mean over trainings of the number of checks at which the example went from right to wrong',
  cost: 'seeds × epochs of training, and a forward pass a check',
  params: z.object({
    every: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe('steps between checks; default 50, or fewer so that there are 10 checks'),
    epochs: z.number().int().min(1).default(2).describe('epochs of training'),
    runs: z.number().int().min(1).default(3).describe('trainings that are averaged'),
    side: sideParam(),
    sampling: z
      .enum(['cut', 'softmax'])
      .default('cut')
      .describe('keep the highest, or draw with chances by exp(score), as the paper does for this score'),
    ...classifierParams,
  }),
  score(data, params, run) {
    const { epochs, runs, side, sampling } = params;
    return withClassification(data, params, run, async (task) => {
      const { examples, programs, batch } = task;
      const steps = epochs * stepsPerEpoch(examples, batch);
      const every = params.every ?? Math.max(1, Math.min(50, Math.floor(steps / 10)));
      if (2 * every > steps) {
        throw new ParameterError(
          `forgetting: every = ${every} gives fewer than 2 checks in ${steps} steps; lower every, or add epochs`,
        );
      }
      const never = new Float64Array(examples.examples);
      const events = await meanOverTrainings(runs, examples.examples, async (stream) => {
        const counts = new ForgettingEvents(examples.examples);
        const see = (logits: Float32Array) =>
          counts.see(eachExample(logits, examples.labels.of, (z, y) => Number(marginOf(z, y) > 0)));
        await recorded(task, { epochs, checkpoints: 0, stream, look: { every, programs, see } }, run);
        for (let i = 0; i < never.length; i++) never[i] += 1 - counts.everLearned[i];
        return counts.events;
      });
      const unlearned = never.reduce((count, times) => count + Number(times === runs), 0);
      const sign = side === 'easy' ? 1 : -1;
      const keys = samplingKeys(
        events.map((count) => sign * count),
        { sampling, epsilon: 0 },
        run.random('sampling'),
      );
      return exampleScores(data, keys, 'easy', [
        {
          kind: 'text',
          text: `${unlearned.toLocaleString('en-US')} of ${never.length.toLocaleString('en-US')} examples were never right in any training; what was never learnt cannot be forgotten and has 0 events.`,
        },
      ]);
    });
  },
});
