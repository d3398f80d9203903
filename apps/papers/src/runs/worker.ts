/**
 * @file The process of one run: takes an order, loads its subject, scores and keeps, and sends the result back. It has no network and
 * none of the server's environment, and ends with its parent.
 */

import { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { choose, find, InputError, keep, parseParams, type Report, Run, SalienceError } from 'salience';
import { openTableFile } from 'salience/models';
import type { LanguageModel, Prompt } from 'salience/subjects';
import { folderOf, library, readingInWords } from './bundled-model.ts';
import { acceptedFor, mostCells } from './inputs.ts';
import type { WorkerMessage, WorkOrder } from './order.ts';
import { type RunResult, ranking, type ScoredUnits, shadedSentences, tidy } from './result.ts';

/** Closes the ways out: whatever connects in Node.js, fetch among it, does so through a socket. */
function closeNetwork(): void {
  Socket.prototype.connect = () => {
    throw new Error('a run has no network');
  };
}

function send(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => process.send!(message, () => resolve()));
}

/** Kinds whose samples are made in memory and have no file that could be written like. */
const inMemory = new Set(['dataset', 'preferences']);

async function work(order: WorkOrder): Promise<RunResult> {
  const method = await find(order.method).load();
  const { subject: kind, unit } = method;
  const remarks: string[] = [];
  let sent = 0;
  const run = new Run({
    seed: order.seed,
    onLog: (message) => remarks.push(message),
    onProgress: (progress) => {
      if (performance.now() - sent < 200) return;
      sent = performance.now();
      void send({ type: 'progress', progress });
    },
  });
  const { reading } = acceptedFor(kind.kind);
  const load = async ({ path }: { path: string }) => {
    if (path.endsWith('.parquet')) await refuseMany(path);
    const options = reading ? { ...order.options, [reading.option]: path } : order.options;
    return kind.load(
      [reading ? folderOf(reading) : path],
      parseParams({ id: kind.kind, params: kind.options }, options),
      run,
    );
  };
  const subject = order.file ? await load(order.file) : await kind.sample(run);
  if (order.file && reading) remarks.push(...(await readingInWords(subject as Prompt | LanguageModel, reading)));
  const choice = { params: order.params, run };
  if (inMemory.has(kind.kind) && !order.file) {
    const { scores, selection } = await choose(method, subject, order.budget, choice);
    const units = scores as ScoredUnits;
    const kept = 'kept' in selection ? selection.kept : undefined;
    return {
      title: `${kept?.length ?? 0} of ${selection.of.toLocaleString('en-US')} ${unit}s kept, highest score first`,
      blocks: [ranking(units, kept), ...(units.findings ?? [])],
      remarks,
    };
  }
  const output = {
    force: false,
    ...(kind.needsOutput && { path: join(order.folder, `kept${endingOf(order, kind.kind)}`) }),
  };
  const { scores, report } = await keep(method, subject, order.budget, { ...choice, output });
  return { title: report.title, blocks: blocksOf(report, scores as ScoredUnits | object, subject), remarks };
}

/** A few bytes of Parquet can stand for any number of rows. */
async function refuseMany(path: string): Promise<void> {
  const { rows = 0, names } = await openTableFile(path);
  if (rows * names.length <= mostCells) return;
  const [many, most] = [rows, mostCells].map((n) => n.toLocaleString('en-US'));
  throw new InputError(
    `${path}: has ${many} rows of ${names.length} columns; ${most} cells are taken here, and the command line has no such limit`,
  );
}

const said = { kind: 'text', text: 'All scores, the highest first:' } as const;

function blocksOf(report: Report, scores: ScoredUnits | object, subject: unknown): RunResult['blocks'] {
  if (!('values' in scores)) return report.blocks;
  const { unit, findings = [] } = scores;
  if (unit === 'sentence') {
    const { sentences } = subject as { sentences: readonly { text: string }[] };
    return [...report.blocks, ...shadedSentences(sentences, scores.values), ...findings];
  }
  const shown = unit === 'term' || report.blocks.some(({ kind }) => kind === 'strip');
  return [...report.blocks, ...(shown ? [] : [said, ranking(scores)]), ...findings];
}

/** A checkpoint from a file goes to a file, a model to a folder; rows are written as they came. */
function endingOf({ file }: WorkOrder, kind: string): string {
  return file && !acceptedFor(kind).reading ? (/\.[a-z]+$/.exec(file.path)?.[0] ?? '') : '';
}

async function answer(order: WorkOrder): Promise<void> {
  // No thread of the method's own can keep this one from looking.
  new Worker(new URL('./watchdog.js', import.meta.url), {
    workerData: { memory: order.memory, disk: order.disk, folder: order.folder, parent: process.ppid },
  }).unref();
  const rename = (text: string) => {
    const { path = '', name = '' } = order.file ?? {};
    // Whole, and as titles have it.
    const named = path === '' ? text : text.replaceAll(path, name).replaceAll(basename(path), name);
    return named.replaceAll(`${order.folder}/`, '').replaceAll(`${library}/`, '');
  };
  try {
    const result = await work(order);
    await send({ type: 'done', result: tidy(result, rename) });
  } catch (error) {
    const message = rename(error instanceof Error ? error.message : String(error)).slice(0, 2000);
    await send({ type: 'failed', message, expected: error instanceof SalienceError });
  }
  process.exit(0);
}

closeNetwork();
process.on('disconnect', () => process.exit(1));
process.once('message', (order) => void answer(order as WorkOrder));
