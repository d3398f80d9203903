/** @file Bench: CSV and Parquet files larger than memory should be: time to split cells, and the peak memory of a table and a dataset. */

import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse';
import { inTurns, seconds, timeCommand, times } from './timing.js';

const script = fileURLToPath(new URL('./table-stream-peak.js', import.meta.url));
const run = (job, path, ...more) =>
  JSON.parse(timeCommand(process.execPath, [script, job, path, ...more.map(String)]).stdout || '{}');

async function peerSeconds(path) {
  const started = performance.now();
  for await (const _ of createReadStream(path).pipe(parse()));
  return (performance.now() - started) / 1000;
}

export async function bench() {
  const folder = await mkdtemp(join(tmpdir(), 'table-stream-'));
  try {
    const [small, large] = [join(folder, 'small.csv'), join(folder, 'large.csv')];
    const columns = { few: join(folder, 'small.parquet'), many: join(folder, 'large.parquet'), most: 1024 };
    run('make', small, 50);
    run('make', large, 400);
    run('make', columns.few, 50);
    run('make', columns.many, 400);
    const medians = await inTurns(3, { ours: () => run('count', small).seconds, peer: () => peerSeconds(small) });
    const rows = [
      {
        case: '50 MB of CSV with quotes into cells, against csv-parse',
        ours: seconds(medians.ours),
        peer: seconds(medians.peer),
        ratio: times(medians.peer / medians.ours),
        target: 'at least 2×',
        met: medians.peer / medians.ours >= 2,
      },
    ];
    const megabytes = ({ bytes }) => `${Math.round(bytes / 2 ** 20)} MB`;
    for (const [job, what, { few: fewer, many: more, most } = { few: small, many: large, most: 512 }] of [
      ['table', 'a table of 20,000 sampled rows'],
      ['dataset', 'a dataset, every chunk read'],
      ['keep', 'a dataset, a tenth kept'],
      ['score', 'a dataset scored by GraNd, a tenth kept'],
      ['score', 'a dataset of Parquet scored by GraNd, a tenth kept', columns],
    ]) {
      const [few, many] = [run(job, fewer), run(job, more)];
      rows.push({
        case: `${what}: peak memory at 400 MB, and at 50 MB`,
        ours: `${megabytes(many)} in ${seconds(many.seconds)}`,
        peer: megabytes(few),
        ratio: times(few.bytes / many.bytes),
        target: `under ${most} MB`,
        met: many.bytes < most * 2 ** 20,
      });
    }
    return {
      title: 'Tables and datasets from files',
      notes: [
        '24 columns: 20 numbers, a town, a size, a quoted text and a class. What is kept in memory beside a chunk is a number for each row: its class, its score.',
      ],
      rows,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
