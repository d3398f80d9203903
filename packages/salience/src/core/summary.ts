/** @file Plain statistics of scores in chunks or part by part, group by group. */

import type { Run } from './run.ts';
import type { ScoreChunk, ScoreSequence, ScoreStream } from './scores.ts';
import { walkAll } from './select-sequence.ts';
import { resolveTask, type Task } from './task.ts';

export interface GroupSummary {
  readonly name: string;
  readonly size: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

interface Input {
  readonly chunk: ScoreChunk;
  readonly score: { readonly module?: string; readonly name?: string };
}

/** Sum, least and greatest, shape [3]. */
function summariseValues(values: Float32Array): Float64Array {
  let sum = 0;
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return Float64Array.of(sum, min, max);
}

/** One chunk on another thread. @worker */
export async function summariseChunk({ chunk, score }: Input): Promise<Float64Array> {
  return summariseValues(await (await resolveTask<ScoreChunk, Float32Array>(score))(chunk));
}

/** Mean, least and greatest score of each group, in one read. */
export async function summarise({ groups, chunks, score, unit }: ScoreStream, run: Run): Promise<GroupSummary[]> {
  const { module, name } = score;
  const inputs = chunks.map((chunk): Input => ({ chunk, score: { module, name } }));
  const task: Task<Input, Float64Array> = {
    call: async ({ chunk }) => summariseValues(await score.call(chunk)),
    module: module && import.meta.url,
    name: summariseChunk.name,
  };
  const totals = groups.map(() => ({ sum: 0, min: Infinity, max: -Infinity }));
  let at = 0;
  for await (const [sum, min, max] of run.map(task, inputs, `reading ${unit}s`, chunks.length)) {
    const total = totals[chunks[at++].group];
    total.sum += sum;
    total.min = Math.min(total.min, min);
    total.max = Math.max(total.max, max);
  }
  return groups.map(({ name: group, size }, g) => {
    const { sum, min, max } = totals[g];
    return { name: group, size, mean: sum / size, min, max };
  });
}

/** Mean, least and greatest score of each matrix of a sequence, in one walk that keeps everything. */
export async function summariseSequence(scores: ScoreSequence): Promise<GroupSummary[]> {
  const summaries: GroupSummary[] = [];
  for await (const part of walkAll(scores)) {
    const size = part.scores.length;
    const [sum, min, max] = summariseValues(part.scores);
    summaries.push({ name: part.name, size, mean: sum / size, min, max });
  }
  return summaries;
}
