/** @file The checkpoint subject: the weights of a trained network in safetensors files. Keeping zeroes the weights that are not kept. */

import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { InputError, OutputError } from '../../core/errors.ts';
import type { Block, Report } from '../../core/report.ts';
import { isStream } from '../../core/scores.ts';
import type { SubjectKind } from '../../core/subject.ts';
import { type Checkpoint, openCheckpoint } from '../../models/checkpoint/checkpoint-files.ts';
import { writeBeside } from '../writing.ts';
import { writeKept } from './keep-weights.ts';

const bundled = new URL('../../../examples/digits-mlp', import.meta.url);

export const checkpoint: SubjectKind<Checkpoint> = {
  kind: 'checkpoint',
  accepts: 'a .safetensors file, or a folder with model.safetensors or with shards and their index',
  options: z.object({}),
  needsOutput: true,

  async load(paths) {
    if (paths.length !== 1) throw new InputError(`a checkpoint is one file or one folder; ${paths.length} were given`);
    if (paths[0] === '-')
      throw new InputError('a checkpoint cannot be read from standard input; name its file or folder');
    return openCheckpoint(paths[0]);
  },

  sample: () => openCheckpoint(fileURLToPath(bundled)),

  async keep(subject, { scores, selection }, { path, force }, run) {
    if (path === undefined) throw new OutputError('keeping weights writes a checkpoint; name where with --out');
    if (!isStream(scores) || !('cuts' in selection)) {
      throw new InputError(`a checkpoint keeps weights, not ${scores.unit}s`);
    }
    let kept: number[] = [];
    await writeBeside(path, { force }, async (temporary) => {
      kept = await writeKept(subject, scores, selection, temporary, run);
    });
    return reportOf(subject, scores.groups, kept, path);
  },
};

/** How many weights each tensor kept, and which tensors kept none. */
function reportOf(
  { path }: Checkpoint,
  groups: readonly { name: string; size: number }[],
  kept: readonly number[],
  out: string,
): Report {
  const total = groups.reduce((sum, { size }) => sum + size, 0);
  const count = kept.reduce((sum, n) => sum + n, 0);
  const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)}%`;
  const collapsed = groups.filter((_, g) => kept[g] === 0).map(({ name }) => name);
  const blocks: Block[] = [
    {
      kind: 'table',
      columns: ['tensor', 'weights', 'kept', 'share'],
      rows: groups.map(({ name, size }, g) => [name, size, kept[g], percent(kept[g], size)]),
    },
    {
      kind: 'text',
      text: `Written to ${out}: the same files, with ${(total - count).toLocaleString('en-US')} weights zero.`,
    },
  ];
  if (collapsed.length > 0) {
    blocks.push({ kind: 'text', text: `Collapsed: ${collapsed.join(', ')} kept no weight.` });
  }
  return {
    title: `${count.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} weights of ${path} kept (${percent(count, total)})`,
    blocks,
  };
}
