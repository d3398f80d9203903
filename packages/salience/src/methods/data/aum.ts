/** @file AUM: the margin of each example averaged over the epochs of a training. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { eachExample, marginOf } from '../../models/classifier/from-logits.ts';
import { stepsPerEpoch } from '../../models/classifier/record-training.ts';
import {
  classifierParams,
  exampleScores,
  recorded,
  sideParam,
  withClassification,
} from '../../subjects/dataset/classification.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** Area under the margin (arXiv:2001.10528, equation 1): the mean over epochs of z_y − max over other classes of z. */
export class AreaUnderMargin {
  readonly #sums: Float64Array;
  #epochs = 0;

  constructor(examples: number) {
    this.#sums = new Float64Array(examples);
  }

  /** The margins of one epoch, shape [examples]. */
  see(margins: ArrayLike<number>): void {
    this.#epochs++;
    for (let i = 0; i < this.#sums.length; i++) this.#sums[i] += margins[i];
  }

  /** Shape [examples]. */
  get area(): Float64Array {
    return this.#sums.map((sum) => sum / this.#epochs);
  }
}

export const aum = method({
  id: 'aum',
  name: 'AUM',
  source: 'arXiv:2001.10528',
  summary:
    'Drops examples whose label a classifier holds for wrong all through its training: those that are likely mislabelled.',
  unit: 'example',
  subject: dataset,
  formula: 's = mean over epochs of z_y − max over other classes of z (negated for side = easy)',
  cost: 'one training, and a forward pass an epoch',
  params: z.object({
    epochs: z.number().int().min(1).default(10).describe('epochs of training'),
    side: sideParam('hard'),
    ...classifierParams,
  }),
  score(data, params, run) {
    return withClassification(data, params, run, async (task) => {
      const { examples, programs, batch } = task;
      const area = new AreaUnderMargin(examples.examples);
      const look = {
        every: stepsPerEpoch(examples, batch),
        programs,
        see: (logits: Float32Array) => area.see(eachExample(logits, examples.labels.of, marginOf)),
      };
      await recorded(task, { epochs: params.epochs, checkpoints: 0, stream: 'training 0', look }, run);
      const difficulty = area.area.map((margin) => -margin);
      return exampleScores(data, difficulty, params.side);
    });
  },
});
