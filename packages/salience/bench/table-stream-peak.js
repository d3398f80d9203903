/**
 * @file One pass over a large file in a process of its own: `node table-stream-peak.js make|table|dataset|keep|count <file> [megabytes]`.
 * Prints the seconds and this process's peak memory.
 */

import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Run } from '../dist/core/run.js';
import { select } from '../dist/core/select.js';
import { openTableFile } from '../dist/models/table-files/open-table-file.js';
import { dataset } from '../dist/subjects/dataset/subject.js';
import { table } from '../dist/subjects/table/subject.js';

const [, , job, path, megabytes] = process.argv;
const run = new Run();
const started = performance.now();
const reading = { types: '', missing: '', header: 'auto', target: 'y' };
const jobs = {
  /** 20 numbers, 2 categories, a quoted text and a class in each row. */
  async make() {
    const random = run.random('table-stream');
    const file = await open(path, 'w');
    const names = [...Array.from({ length: 20 }, (_, c) => `x${c}`), 'town', 'size', 'note', 'y'];
    let written = 0;
    for (let block = [names.join(',')]; written < megabytes * 2 ** 20; block = []) {
      for (let i = 0; i < 2000; i++) {
        const x = Array.from({ length: 20 }, (_, c) => (c % 2 ? random.normal().toFixed(4) : random.integer(1000)));
        const words = [random.choice(['Rome', 'Oslo', 'Wien']), random.integer(5), `"row, ${i}"`, random.integer(3)];
        block.push([...x, ...words].join(','));
      }
      const { bytesWritten } = await file.write(`${block.join('\n')}\n`);
      written += bytesWritten;
    }
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
    const scores = { unit: 'example', values };
    await dataset.keep(
      loaded,
      { scores, selection: select(scores, '10%') },
      { path: `${path}.kept`, force: true },
      run,
    );
    await rm(`${path}.kept`);
    await rm(`${path}.kept.index.jsonl`);
    return loaded.examples;
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
