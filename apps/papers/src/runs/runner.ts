/** @file The runner: takes runs from the queue and executes them, as many at a time as the machine has room for. */

import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { Site } from '../site.ts';
import { execute, type Limits } from './execute.ts';
import type { Progress } from './order.ts';
import {
  eventsOf,
  finishRun,
  giveBack,
  holdRun,
  type RunRow,
  runOf,
  takeRun,
  tryAgain,
  uploadOf,
  uploadPath,
} from './queue.ts';

export interface Runner {
  /** Takes no more; what runs is ended and put back for another instance or a later start. */
  stop(): Promise<void>;
}

/** What a run may take on the server. */
const usualLimits: Limits = { seconds: 60, memory: 1_500_000_000, disk: 500_000_000 };

/** Milliseconds from one look at the queue, and one sign of life of a run, to the next. */
const beat = 1000;

/** Milliseconds after which a run is given up whose upload is not here: long, since the instance that has it may be busy. */
const patience = 3_600_000;
/** Milliseconds for which an upload may be without its row. */
const rowless = 600_000;

/** Starts to work through the queue of runs. */
export function startRuns(
  site: Site,
  {
    slots = Math.max(1, Math.floor(availableParallelism() / 2)),
    limits = usualLimits,
  }: { slots?: number; limits?: Limits } = {},
): Runner {
  const stopping = new AbortController();
  const working = new Set<Promise<void>>();
  /** Runs whose upload lies elsewhere, and until when they are not looked at again. */
  const elsewhere = new Map<string, number>();
  let looking = false;
  let again = false;

  const look = async (): Promise<void> => {
    again = true;
    if (looking) return;
    looking = true;
    try {
      while (again && !stopping.signal.aborted) {
        again = false;
        while (working.size < slots && !stopping.signal.aborted) {
          const now = site.clock().getTime();
          for (const [id, until] of elsewhere) if (until < now) elsewhere.delete(id);
          const row = await takeRun(site, [...elsewhere.keys()]);
          if (!row) break;
          const work = perform(site, row, limits, stopping.signal)
            .then((done) => {
              if (!done) elsewhere.set(row.id, site.clock().getTime() + 5000);
            })
            .catch((error: Error) =>
              site.log.error('a run could not be seen to', { run: row.id, error: error.message }),
            )
            .finally(() => {
              working.delete(work);
              void look();
            });
          working.add(work);
        }
      }
    } catch (error) {
      if (!stopping.signal.aborted) site.log.error('the queue of runs', { error: (error as Error).message });
    } finally {
      looking = false;
    }
  };

  const events = eventsOf(site);
  events.on('queued', look);
  const timer = setInterval(look, beat);
  timer.unref();
  void sweep(site).then(look, (error: Error) => site.log.error('old uploads', { error: error.message }));
  return {
    async stop() {
      stopping.abort();
      clearInterval(timer);
      events.off('queued', look);
      await Promise.all(working);
    },
  };
}

/** Executes a run that was taken; false where its upload lies with another instance. */
async function perform(site: Site, row: RunRow, limits: Limits, stopping: AbortSignal): Promise<boolean> {
  const { input } = row;
  const bytes = await uploadOf(site, row);
  if (input.kind === 'file' && !bytes) {
    if (site.clock().getTime() - row.made.getTime() > patience) {
      await finishRun(site, row, { error: 'its file was lost' });
      return true;
    }
    await giveBack(site, row);
    return false;
  }
  const folder = await privateFolder();
  const ended = new AbortController();
  let progress: Progress | undefined;
  const end = () => ended.abort();
  const events = eventsOf(site);
  stopping.addEventListener('abort', end, { once: true });
  if (stopping.aborted) end();
  // Cancelled here, the row tells at once; cancelled elsewhere, with the next beat.
  const heartbeat = async () => {
    const held = await holdRun(site, row, progress).catch(() => true);
    if (!held) end();
  };
  const changed = () => void heartbeat();
  events.on(row.id, changed);
  const timer = setInterval(heartbeat, beat);
  try {
    const file =
      input.kind === 'file' && bytes
        ? { path: join(folder, `upload${extname(input.name).toLowerCase()}`), name: input.name }
        : undefined;
    if (file && bytes) await writeFile(file.path, bytes, { mode: 0o600 });
    const order = {
      method: row.method,
      params: row.params,
      options: row.options,
      budget: row.budget ?? '10%',
      seed: row.seed,
      folder,
      memory: limits.memory,
      disk: limits.disk,
      ...(file && { file }),
    };
    const outcome = await execute(order, limits, {
      signal: ended.signal,
      onProgress(now) {
        progress = now;
        events.emit(`${row.id} progress`, now);
      },
    });
    if (outcome.state === 'done') await finishRun(site, row, { result: outcome.result });
    else if (outcome.state === 'failed') {
      if (!outcome.expected) site.log.error('a run failed', { run: row.id, method: row.method, error: outcome.error });
      await finishRun(site, row, { error: outcome.error });
    } else if (outcome.state === 'fallen') {
      site.log.error('the process of a run fell', { run: row.id, method: row.method, error: outcome.error });
      await tryAgain(site, row, outcome.error);
    } else if (stopping.aborted) await giveBack(site, row);
  } finally {
    clearInterval(timer);
    events.off(row.id, changed);
    stopping.removeEventListener('abort', end);
    await rm(folder, { recursive: true, force: true });
  }
  return true;
}

const folderName = 'papers-run-';

async function privateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), folderName));
  await chmod(folder, 0o700);
  return folder;
}

/** Removes what killed instances left behind: uploads of runs that are over, folders of processes that are gone. */
async function sweep(site: Site): Promise<void> {
  const uploads = join(site.config.data, 'runs');
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  for (const name of await readdir(uploads)) {
    const [, id] = /^([\w-]{22})\.upload$/.exec(name) ?? [];
    if (id === undefined) continue;
    const row = await runOf(site, id);
    const waits = row?.state === 'queued' || row?.state === 'running';
    // One without a row yet may be about to get it.
    const { mtimeMs } = await stat(uploadPath(site, id)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (row ? !waits : Date.now() - mtimeMs > rowless) await rm(uploadPath(site, id), { force: true });
  }
  const dayAgo = Date.now() - 86_400_000;
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(folderName)) continue;
    const path = join(tmpdir(), name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (mtimeMs < dayAgo) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
