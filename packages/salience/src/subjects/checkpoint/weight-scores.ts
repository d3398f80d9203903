/** @file Scores of a checkpoint's weights as a stream: each tensor is a group, read in chunks that fit a processor's cache. */

import type { ScoreChunk, ScoreStream } from '../../core/scores.ts';
import type { Task } from '../../core/task.ts';
import { bytesOf } from '../../models/checkpoint/dtype.ts';
import type { TensorSource } from '../../models/checkpoint/tensor-chunk.ts';
import type { PrunableTensor } from './prunable.ts';

/** Some consecutive weights of one tensor, and where they lie. */
export interface WeightChunk extends ScoreChunk {
  readonly source: TensorSource;
}

/** Elements read at a time: 1 MiB of float32. */
const chunkLength = 2 ** 18;

/**
 * The scores of these tensors' weights, given a task that scores one chunk of them. What the task needs to know besides (plain
 * data) comes from `about`, called with the tensor and the chunk's first weight.
 */
export function weightScores<About extends object>(
  tensors: readonly PrunableTensor[],
  score: Task<WeightChunk & About, Float32Array>,
  about: (tensor: PrunableTensor, start: number) => About,
): ScoreStream {
  const groups = tensors.map(({ name, bytes, dtype }) => ({ name, size: bytes / bytesOf[dtype] }));
  const chunks = tensors.flatMap((tensor, group) => {
    const { path, dtype, offset } = tensor;
    const { size } = groups[group];
    return Array.from({ length: Math.ceil(size / chunkLength) }, (_, c): WeightChunk => {
      const start = c * chunkLength;
      const source = { path, dtype, offset: offset + start * bytesOf[dtype] };
      return { ...about(tensor, start), group, start, length: Math.min(chunkLength, size - start), source };
    });
  });
  return { unit: 'weight', groups, chunks, score: score as Task<ScoreChunk, Float32Array> };
}
