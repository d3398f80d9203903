/** @file Random pruning: the baseline every pruning method must beat. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { task } from '../../core/task.ts';
import { readTensorChunk } from '../../models/checkpoint/tensor-chunk.ts';
import { checkpoint } from '../../subjects/checkpoint/checkpoint.ts';
import { prunableParams, prunableTensors } from '../../subjects/checkpoint/prunable.ts';
import { type WeightChunk, weightScores } from '../../subjects/checkpoint/weight-scores.ts';

interface Stream {
  readonly seed: number;
  readonly stream: string;
}

/**
 * A uniform number for each weight of a chunk, shape [chunk.length], from a random stream of the chunk's own. A weight that is
 * not finite is its own score, so that it is refused.
 */
export function randomScores({ source, length, seed, stream }: WeightChunk & Stream): Float32Array {
  const random = new Random(seed, stream);
  const { values } = readTensorChunk(source, length);
  for (let i = 0; i < length; i++) if (Number.isFinite(values[i])) values[i] = random.uniform();
  return values;
}

export const randomPruning = method({
  id: 'random-pruning',
  name: 'Random pruning',
  source: 'baseline',
  summary: 'Gives every weight a random score.',
  unit: 'weight',
  subject: checkpoint,
  formula: 's ~ U(0, 1)',
  cost: 'as global-mp',
  params: z.object(prunableParams),
  async score(subject, params, { seed }) {
    return weightScores(prunableTensors(subject, params), task(import.meta.url, randomScores), ({ name }, start) => ({
      seed,
      stream: `random-pruning/${name}/${start}`,
    }));
  },
});
