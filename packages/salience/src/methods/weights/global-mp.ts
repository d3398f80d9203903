/**
 * @file Global Magnitude Pruning (arXiv:2209.14624): the weights of smallest magnitude go, by one threshold over the whole
 * network; at high sparsity a minimum of survivors in every layer keeps layers from collapsing.
 */

import { z } from 'zod';
import { BudgetError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Allocate } from '../../core/select-stream.ts';
import { task } from '../../core/task.ts';
import { readTensorChunk } from '../../models/checkpoint/tensor-chunk.ts';
import { largestRemainders, waterFill } from '../../numerics/allocation/water-filling.ts';
import { cubicSparsity } from '../../numerics/schedules/cubic-sparsity.ts';
import { checkpoint } from '../../subjects/checkpoint/checkpoint.ts';
import { prunableParams, prunableTensors } from '../../subjects/checkpoint/prunable.ts';
import { type WeightChunk, weightScores } from '../../subjects/checkpoint/weight-scores.ts';

/** s = |w| for a run of weights, shape [chunk.length]. */
export function magnitude({ source, length }: WeightChunk): Float32Array {
  const { values } = readTensorChunk(source, length);
  const bits = new Int32Array(values.buffer, values.byteOffset, length);
  for (let i = 0; i < length; i++) bits[i] &= 0x7fffffff; // all but the sign
  return values;
}

/**
 * The minimum threshold (MT): how many weights each layer keeps when none may keep fewer than M = ⌊N · mt / 100⌋.
 * The sparsities p⁰ that the global threshold gave are scaled by one factor, p = min(C p⁰, 1 − M/w), so that the network's
 * sparsity stays what it was; layers of M weights or fewer stay dense.
 * @param sizes w, weights a layer, shape [layers].
 * @param counts weights the global threshold keeps in each layer, shape [layers].
 * @param minimum mt, survivors a layer in percent of all N weights.
 * @returns weights to keep in each layer, shape [layers]; as many in all as `counts`.
 * @throws BudgetError if so many cannot be removed, with the highest sparsity that can.
 */
export function minimumThreshold(sizes: readonly number[], counts: readonly number[], minimum: number): number[] {
  const n = sizes.reduce((sum, w) => sum + w, 0);
  const removed = n - counts.reduce((sum, count) => sum + count, 0);
  const survivors = Math.floor((n * minimum) / 100);
  const sparsities = sizes.map((w, l) => (w > survivors ? 1 - counts[l] / w : 0));
  const caps = sizes.map((w) => Math.max(0, 1 - survivors / w));
  const most = sizes.reduce((sum, w, l) => sum + (sparsities[l] > 0 ? w - survivors : 0), 0);
  if (removed > most) {
    throw new BudgetError(
      `a minimum of ${survivors} weights in each layer allows a sparsity of ${((100 * most) / n).toFixed(4)}% at most; the budget asks for ${((100 * removed) / n).toFixed(4)}%`,
    );
  }
  const { shares } = waterFill(sizes, sparsities, caps, removed);
  const gone = largestRemainders(
    shares.map((p, l) => p * sizes[l]),
    removed,
  );
  return sizes.map((w, l) => w - gone[l]);
}

/**
 * Gradual pruning as a plan: the share of weights kept after each step, all weights ranked anew each time; train between steps.
 * The paper names the idea; the cubic schedule is the field's usual one.
 */
export function gradualPlan(keep: number, steps: number): number[] {
  return cubicSparsity(1 - keep, steps).map((sparsity) => 1 - sparsity);
}

export const globalMp = method({
  id: 'global-mp',
  name: 'Global Magnitude Pruning',
  source: 'arXiv:2209.14624',
  summary: 'Keeps the weights of largest magnitude, by one threshold over all layers.',
  unit: 'weight',
  subject: checkpoint,
  formula: 's = |w|; MT: sparsity of a layer p = min(C · p⁰, 1 − M/w), M = N · minimum / 100',
  cost: 'two reads of the weights, one write; memory for a few chunks',
  params: z.object({
    ...prunableParams,
    minimum: z
      .number()
      .min(0)
      .max(100)
      .default(0)
      .describe(
        'MT: weights each layer keeps at the least, in percent of all weights (0: off; the paper’s code uses 0.05)',
      ),
  }),
  allocation({ minimum }): Allocate | undefined {
    return minimum === 0 ? undefined : (sizes, counts) => minimumThreshold(sizes, counts, minimum);
  },
  async score(subject, params) {
    return weightScores(prunableTensors(subject, params), task(import.meta.url, magnitude), () => ({}));
  },
});
