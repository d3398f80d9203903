/** @file PVI: how much an example's input tells a classifier about its label. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { blank } from '../../models/classifier/encode.ts';
import { eachExample, logProbability } from '../../models/classifier/from-logits.ts';
import {
  classifierParams,
  exampleScores,
  meanOverTrainings,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * Pointwise V-information in bits, −log₂ p_null(y) + log₂ p(y | x) (arXiv:2110.08420, definition 4.1): below 0 where the input misleads.
 * @param logProbability of the label given the input, in nats.
 * @param nullLogProbability of the label given nothing, in nats.
 */
export function pointwiseInformation(logProbability: number, nullLogProbability: number): number {
  return (logProbability - nullLogProbability) / Math.LN2;
}

export const pvi = method({
  id: 'pvi',
  name: 'PVI',
  source: 'arXiv:2110.08420',
  summary: 'Keeps examples whose input tells a classifier least about their label.',
  unit: 'example',
  subject: dataset,
  formula: 's = log₂ p_null(y) − log₂ p(y | x), p_null of the same classifier trained on empty inputs',
  cost: '2 × runs × epochs of training, and a forward pass each',
  params: z.object({
    epochs: z.number().int().min(1).default(2).describe('epochs of both trainings'),
    runs: z.number().int().min(1).default(10).describe('pairs of trainings that are averaged'),
    side: sideParam(),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async (task) => {
      const { examples, programs } = task;
      const labels = examples.labels.of;
      const empty = blank(examples);
      const trained = async (of: typeof examples, stream: string) => {
        const { parameters } = await recorded(
          { ...task, examples: of },
          { epochs: params.epochs, checkpoints: 0, stream },
          run,
        );
        return eachExample(await programs.logits(parameters, of, run), labels, logProbability);
      };
      const difficulty = await meanOverTrainings(params.runs, examples.examples, async (stream) => {
        const [given, nothing] = [await trained(examples, stream), await trained(empty, stream)];
        return given.map((log, i) => -pointwiseInformation(log, nothing[i]));
      });
      return exampleScores(data, difficulty, params.side);
    });
  },
});
