/** @file What some chunks of scores add to a selection over a stream: counts by the upper or the lower half of the float's key. */

import { InputError } from './errors.ts';
import { halves, keyOfBits } from './float-order.ts';
import { batchesOf, type ScoreChunk, type ScoreStream } from './scores.ts';
import { resolveTask, type Task } from './task.ts';

/**
 * `coarse` counts by upper half, `fine` by lower half among those of one upper half, `above` how many reach a threshold, and
 * `equal` how many of each chunk equal one.
 */
export type Question =
  | { readonly kind: 'coarse'; readonly sums: boolean }
  | { readonly kind: 'fine'; readonly upper: number }
  | { readonly kind: 'above' | 'equal'; readonly threshold: number };

export interface ChunkCounts {
  /** Shape [65536]; [1] for `above`; [chunks of the batch] for `equal`. */
  readonly counts: Uint32Array;
  /** Sum of the scores by upper half, shape [65536]; only where asked for. */
  readonly sums?: Float64Array;
}

interface Input {
  /** Consecutive chunks of one group. */
  readonly chunks: readonly ScoreChunk[];
  readonly unit: string;
  readonly groupName: string;
  readonly question: Question;
  readonly score: { readonly module?: string; readonly name?: string };
}

type Score = (chunk: ScoreChunk) => Float32Array | Promise<Float32Array>;

/** Asks a question of each group, batch by batch of its chunks; answers come in unit order, one for each of `batches`. */
export function countChunks(stream: ScoreStream, questionOf: (group: number) => Question) {
  const { unit, groups, score } = stream;
  const { module, name } = score;
  const batches = batchesOf(stream.chunks);
  const inputs = batches.map((chunks): Input => {
    const { group } = chunks[0];
    return { chunks, unit, groupName: groups[group].name, question: questionOf(group), score: { module, name } };
  });
  const counting: Task<Input, ChunkCounts> = {
    call: (input) => count(input, score.call),
    module: module && import.meta.url,
    name: countBatch.name,
  };
  return { counting, inputs };
}

/**
 * The same on another thread, where the scoring task is found by its name.
 * @worker
 */
export async function countBatch(input: Input): Promise<ChunkCounts> {
  return count(input, await resolveTask(input.score));
}

async function count({ chunks, unit, groupName, question }: Input, score: Score): Promise<ChunkCounts> {
  const counts = new Uint32Array(question.kind === 'above' ? 1 : question.kind === 'equal' ? chunks.length : halves);
  const sums = question.kind === 'coarse' && question.sums ? new Float64Array(halves) : undefined;
  for (const [c, chunk] of chunks.entries()) {
    const values = await score(chunk);
    if (values.length !== chunk.length) {
      throw new InputError(`${groupName}: ${values.length} scores for ${chunk.length} ${unit}s`);
    }
    switch (question.kind) {
      case 'coarse':
        coarse(values, counts, sums);
        if (hasNonFinite(counts)) {
          const i = values.findIndex((value) => !Number.isFinite(value));
          throw new InputError(
            `${groupName}: the score of ${unit} ${chunk.start + i} is ${values[i]}; scores must be finite`,
          );
        }
        break;
      case 'fine':
        fine(values, question.upper, counts);
        break;
      case 'above':
        for (let i = 0; i < values.length; i++) counts[0] += Number(values[i] >= question.threshold);
        break;
      case 'equal':
        for (let i = 0; i < values.length; i++) if (values[i] === question.threshold) counts[c]++;
        break;
    }
  }
  return { counts, sums };
}

function coarse(values: Float32Array, counts: Uint32Array, sums: Float64Array | undefined): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    counts[b >= 0 ? (b >>> 16) | 0x8000 : keyOfBits(b) >>> 16]++;
  }
  if (sums) for (let i = 0; i < bits.length; i++) sums[keyOfBits(bits[i]) >>> 16] += values[i];
}

/** Infinities and NaN have all exponent bits set: the two ends of the key's range. */
function hasNonFinite(counts: Uint32Array): boolean {
  for (let upper = 0; upper < 0x80; upper++) if (counts[upper] > 0 || counts[halves - 1 - upper] > 0) return true;
  return false;
}

function fine(values: Float32Array, upper: number, counts: Uint32Array): void {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    if ((b >= 0 ? (b >>> 16) | 0x8000 : keyOfBits(b) >>> 16) === upper) counts[keyOfBits(b) & 0xffff]++;
  }
}
