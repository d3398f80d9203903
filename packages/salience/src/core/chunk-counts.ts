/** @file What one chunk of scores adds to a selection over a stream: counts by the upper or the lower half of the float's key. */

import { InputError } from './errors.ts';
import { halves, keyOfBits } from './float-order.ts';
import type { ScoreChunk, ScoreStream } from './scores.ts';
import { resolveTask, type Task } from './task.ts';

/** `coarse` counts by upper half, `fine` by lower half among those of one upper half, `above` how many reach a threshold. */
export type Question =
  | { readonly kind: 'coarse'; readonly sums: boolean }
  | { readonly kind: 'fine'; readonly upper: number }
  | { readonly kind: 'above'; readonly threshold: number };

export interface ChunkCounts {
  /** Shape [65536], or [1] for `above`. */
  readonly counts: Uint32Array;
  /** Sum of the scores by upper half, shape [65536]; only where asked for. */
  readonly sums?: Float64Array;
}

interface Input {
  readonly chunk: ScoreChunk;
  readonly unit: string;
  readonly groupName: string;
  readonly question: Question;
  readonly score: { readonly module?: string; readonly name?: string };
}

/** Asks a question of every chunk, each its own; answers come in chunk order. */
export function countChunks(stream: ScoreStream, questionOf: (group: number) => Question) {
  const { unit, groups, chunks, score } = stream;
  const inputs = function* (): Generator<Input> {
    for (const chunk of chunks) {
      const { name } = groups[chunk.group];
      const { module, name: exported } = score;
      yield { chunk, unit, groupName: name, question: questionOf(chunk.group), score: { module, name: exported } };
    }
  };
  const counting: Task<Input, ChunkCounts> = {
    call: async (input) => countScores(await score.call(input.chunk), input),
    module: score.module && import.meta.url,
    name: countChunk.name,
  };
  return { counting, inputs: inputs() };
}

/** The same on another thread, where the scoring task is found by its name. @worker */
export async function countChunk(input: Input): Promise<ChunkCounts> {
  const score = await resolveTask<ScoreChunk, Float32Array>(input.score);
  return countScores(await score(input.chunk), input);
}

function countScores(values: Float32Array, { chunk, unit, groupName, question }: Input): ChunkCounts {
  if (values.length !== chunk.length) {
    throw new InputError(`${groupName}: ${values.length} scores for ${chunk.length} ${unit}s`);
  }
  switch (question.kind) {
    case 'coarse':
      return coarse(values, question.sums, (i) => {
        throw new InputError(
          `${groupName}: the score of ${unit} ${chunk.start + i} is ${values[i]}; scores must be finite`,
        );
      });
    case 'fine':
      return { counts: fine(values, question.upper) };
    case 'above':
      return { counts: Uint32Array.of(values.reduce((n, value) => n + Number(value >= question.threshold), 0)) };
  }
}

function coarse(values: Float32Array, withSums: boolean, refuse: (index: number) => never): ChunkCounts {
  const counts = new Uint32Array(halves);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    counts[b >= 0 ? (b >>> 16) | 0x8000 : keyOfBits(b) >>> 16]++;
  }
  // Infinities and NaN have all exponent bits set: the ends of the key's range.
  for (let upper = 0; upper < 0x80; upper++) {
    if (counts[upper] > 0 || counts[halves - 1 - upper] > 0)
      refuse(values.findIndex((value) => !Number.isFinite(value)));
  }
  if (!withSums) return { counts };
  const sums = new Float64Array(halves);
  for (let i = 0; i < bits.length; i++) sums[keyOfBits(bits[i]) >>> 16] += values[i];
  return { counts, sums };
}

function fine(values: Float32Array, upper: number): Uint32Array {
  const counts = new Uint32Array(halves);
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i];
    if ((b >= 0 ? (b >>> 16) | 0x8000 : keyOfBits(b) >>> 16) === upper) counts[keyOfBits(b) & 0xffff]++;
  }
  return counts;
}
