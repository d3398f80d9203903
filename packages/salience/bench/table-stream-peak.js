/**
 * @file One pass over a large file in a process of its own:
 * `node table-stream-peak.js make|table|dataset|keep|score|count <file.csv or .parquet> [megabytes]`. Prints the seconds and this
 * process's peak memory.
 */

import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { parseParams } from '../dist/core/method.js';
import { Run } from '../dist/core/run.js';
import { select } from '../dist/core/select.js';
import { grand } from '../dist/methods/data/grand.js';
import { openTableFile } from '../dist/models/table-files/open-table-file.js';
import { dataset } from '../dist/subjects/dataset/subject.js';
import { table } from '../dist/subjects/table/subject.js';

const [, , job, path, megabytes] = process.argv;
const run = new Run();
const started = performance.now();
const reading = { types: '', missing: '', header: 'auto', target: 'y' };
const names = [...Array.from({ length: 20 }, (_, c) => `x${c}`), 'town', 'size', 'note', 'y'];

/** 20 numbers, 2 categories, a quoted text and a class in each of so many rows. */
function madeRows(random, count) {
  return Array.from({ length: count }, (_, i) => {
    const x = Array.from({ length: 20 }, (_, c) => (c % 2 ? Number(random.normal().toFixed(4)) : random.integer(1000)));
    return [...x, random.choice(['Rome', 'Oslo', 'Wien']), random.integer(5), `row, ${i}`, random.integer(3)];
  });
}

async function writeCsv(file, random, bytes) {
  let { bytesWritten: written } = await file.write(`${names.join(',')}\n`);
  while (written < bytes) {
    const lines = madeRows(random, 2000).map((row) => row.with(22, `"${row[22]}"`).join(','));
    written += (await file.write(`${lines.join('\n')}\n`)).bytesWritten;
  }
}

async function writeParquet(file, random, bytes) {
  const writer = new ByteWriter();
  let written = 0;
  const flush = async () => {
    written += (await file.write(writer.getBytes())).bytesWritten;
    writer.index = 0;
  };
  Object.assign(writer, { flush, finish: flush });
  const column = (name, c) => ({
    name,
    repetition_type: 'REQUIRED',
    ...([20, 22].includes(c) ? { type: 'BYTE_ARRAY', converted_type: 'UTF8' } : { type: 'DOUBLE' }),
  });
  const schema = [{ name: 'root', num_children: names.length }, ...names.map(column)];
  const made = new ParquetWriter({ writer, schema });
  while (written < bytes) {
    const rows = madeRows(random, 20_000);
    const columnData = names.map((name, c) => ({ name, data: rows.map((row) => row[c]) }));
    await made.write({ columnData, rowGroupSize: rows.length });
  }
  await made.finish();
}

const kept = async (loaded, scores) => {
  await dataset.keep(loaded, { scores, selection: select(scores, '10%') }, { path: `${path}.kept`, force: true }, run);
  await rm(`${path}.kept`);
  await rm(`${path}.kept.index.jsonl`);
  return loaded.examples;
};

const jobs = {
  async make() {
    const file = await open(path, 'w');
    const write = path.endsWith('.parquet') ? writeParquet : writeCsv;
    await write(file, run.random('table-stream'), megabytes * 2 ** 20);
    await file.close();
  },
  async table() {
    return (await table.load([path], { ...reading, testShare: 0.25, maxRows: 20_000, drop: '' }, run)).rows;
  },
  async dataset() {
    const loaded = await dataset.load([path], reading, run);
    for (const chunk of loaded.chunks) await loaded.read(chunk);
    return loaded.examples;
  },
  async keep() {
    const loaded = await dataset.load([path], reading, run);
    const values = Float32Array.from({ length: loaded.examples }, (_, i) => (i * 7919) % 10_007);
    return kept(loaded, { unit: 'example', values });
  },
  /** GraNd from one beginning, then a tenth kept. */
  async score() {
    const loaded = await dataset.load([path], reading, run);
    return kept(loaded, await grand.score(loaded, parseParams(grand, { runs: 1 }), run));
  },
  /** Cells read as text and no more: what splitting costs. */
  async count() {
    const file = await openTableFile(path);
    let cells = 0;
    for await (const batch of file.batches(run))
      for (let c = 0; c < file.names.length; c++) cells += batch.column(c).length;
    return cells;
  },
  /** The bytes alone: the least that any reader takes. */
  async bytes() {
    let bytes = 0;
    for await (const block of createReadStream(path, { highWaterMark: 2 ** 20 })) bytes += block.length;
    return bytes;
  },
};
const count = await jobs[job]();
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ count, seconds, bytes: process.resourceUsage().maxRSS * 1024 }));
