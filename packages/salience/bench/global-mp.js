/** @file Pruning a made-up 2 GB checkpoint against reading it twice and writing it once by cat and cp. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCheckpoint } from './made-checkpoint.js';
import { inTurns, seconds, timeCommand, times } from './timing.js';

const program = fileURLToPath(new URL('./with-memory.js', import.meta.url));

export async function bench() {
  const folder = mkdtempSync(join(tmpdir(), 'salience-bench-'));
  try {
    const model = join(folder, 'model');
    const bytes = makeCheckpoint(model);
    const shards = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
    const paths = shards.map((name) => join(model, name));
    let memory = 0;
    // Removing gigabytes frees memory that some machines hand back after a while; both sides are to find it in the same state.
    const removed = async (out) => {
      rmSync(out, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 5000));
    };
    const prune = (threads, out) => async () => {
      await removed(out);
      const args = [
        program,
        'keep',
        model,
        '--by',
        'global-mp',
        '--budget',
        '50%',
        '--out',
        out,
        '--threads',
        String(threads),
        '--quiet',
      ];
      const { seconds: taken, told } = timeCommand(process.execPath, args);
      memory = Math.max(memory, Number(told));
      return taken;
    };
    const cores = availableParallelism();
    const [one, many, copy] = ['one', 'many', 'copy'].map((name) => join(folder, name));
    const medians = await inTurns(3, {
      floor: async () => {
        await removed(copy);
        const read = timeCommand('sh', ['-c', 'cat "$@" > /dev/null', 'sh', ...paths]).seconds;
        return read + timeCommand('cp', ['-r', model, copy]).seconds;
      },
      many: prune(cores, many),
      one: prune(1, one),
    });
    const same = shards.every((name) => timeCommand('cmp', [join(one, name), join(many, name)]).stdout === '');
    const ratio = medians.many / medians.floor;
    return {
      title: 'Global magnitude pruning of a checkpoint',
      notes: [
        `${(bytes / 1e9).toFixed(2)} GB of F32 in ${shards.length} shards, pruned to 50%; outputs of 1 and of ${cores} threads are ${same ? 'bit-identical' : 'DIFFERENT'}.`,
        'The peer is the floor of the job done by the system’s own tools: cat reads all once, cp -r reads and writes all once. Each run begins 5 s after its old output was removed, so that all find the memory in the same state.',
      ],
      rows: [
        {
          case: `whole process, ${cores} threads`,
          ours: seconds(medians.many),
          peer: `cat + cp ${seconds(medians.floor)}`,
          ratio: times(ratio),
          target: 'at most 2.5×',
          met: ratio <= 2.5,
        },
        {
          case: 'whole process, 1 thread',
          ours: seconds(medians.one),
          peer: `cat + cp ${seconds(medians.floor)}`,
          ratio: times(medians.one / medians.floor),
          target: '',
          met: null,
        },
        {
          case: 'peak resident memory',
          ours: `${(memory / 1024).toFixed(0)} MiB`,
          peer: '',
          ratio: '',
          target: 'under 700 MB',
          met: memory * 1024 < 700e6,
        },
        {
          case: 'one thread and many agree',
          ours: same ? 'yes' : 'no',
          peer: '',
          ratio: '',
          target: 'bit-identical',
          met: same,
        },
      ],
    };
  } finally {
    if (existsSync(folder)) rmSync(folder, { recursive: true });
  }
}
