/**
 * @file A run in a process of its own. Not a thread: a thread shares the server's memory, and only its JavaScript heap can be limited;
 * a process can be measured whole, ended at any moment, native code or not, and takes nobody with it when it falls.
 */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Progress, WorkerMessage, WorkOrder } from './order.ts';
import type { RunResult } from './result.ts';

export interface Limits {
  readonly seconds: number;
  /** Bytes. */
  readonly memory: number;
  /** Bytes of what it may write, its input counted in. */
  readonly disk: number;
}

export type Outcome =
  | { readonly state: 'done'; readonly result: RunResult }
  | { readonly state: 'failed'; readonly error: string; readonly expected: boolean }
  /** The process ended without a word, or could not be started: nobody's fault that is known, and worth another try. */
  | { readonly state: 'fallen'; readonly error: string }
  /** The signal ended it. */
  | { readonly state: 'stopped' };

/** The built entry, from the sources as from the build. */
const entry = fileURLToPath(new URL('../../dist/runs/worker.js', import.meta.url));
/** Where the program and its packages lie; beside them may be what is no run's business: data, secrets, a history. */
const program = ['node_modules/*', 'packages/*', 'package.json']
  .map((place) => `../../../../${place}`)
  .concat(['../../node_modules/*', '../../dist/*', '../../package.json'])
  .map((place) => fileURLToPath(new URL(place, import.meta.url)));

/** The permission model's flag, by the version of Node.js. */
function permission(): string {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13) ? '--permission' : '--experimental-permission';
}

function flags({ folder }: WorkOrder, { memory }: Limits): string[] {
  return [
    '--no-warnings',
    `--max-old-space-size=${Math.floor((0.75 * memory) / 2 ** 20)}`,
    // A second line: the form lets no path through, and the process could not read one.
    permission(),
    ...program.map((place) => `--allow-fs-read=${place}`),
    `--allow-fs-read=${folder}/*`,
    `--allow-fs-write=${folder}/*`,
    '--allow-worker',
    '--allow-addons',
  ];
}

/** "1.5 GB". */
function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(2))} GB`;
}

/**
 * Runs an order to its end or its limits.
 * @param signal ends it at once.
 */
export function execute(
  order: WorkOrder,
  limits: Limits,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (progress: Progress) => void },
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...flags(order, limits), entry], {
      cwd: order.folder,
      env: {},
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let outcome: Outcome | undefined;
    let said = '';
    const end = (found: Outcome) => {
      outcome ??= found;
      child.kill('SIGKILL');
    };
    const tooLong = setTimeout(
      () =>
        end({
          state: 'failed',
          expected: true,
          error: `was not done after ${limits.seconds} s, which is all a run has here; the command line has no such limit`,
        }),
      1000 * limits.seconds,
    );
    const stop = () => end({ state: 'stopped' });
    signal.addEventListener('abort', stop, { once: true });
    child.stderr!.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-4000);
    });
    child.on('message', (message: WorkerMessage) => {
      if (message.type === 'progress') onProgress(message.progress);
      else if (message.type === 'done') outcome ??= { state: 'done', result: message.result };
      else outcome ??= { state: 'failed', error: message.message, expected: message.expected };
    });
    child.on('error', (error) => {
      outcome ??= { state: 'fallen', error: `could not be started: ${error.message}` };
    });
    child.on('close', () => {
      clearTimeout(tooLong);
      signal.removeEventListener('abort', stop);
      resolve(outcome ?? fallen(said, limits));
    });
    if (signal.aborted) stop();
    else child.send(order, () => {});
  });
}

/** What is said of a process that ended without a word. */
function fallen(said: string, { memory, disk }: Limits): Outcome {
  const over = (what: string): Outcome => ({
    state: 'failed',
    expected: true,
    error: `${what}, which is all a run has here; the command line has no such limit`,
  });
  if (/out of memory/.test(said)) return over(`needed more than ${gigabytes(memory)} of memory`);
  if (/out of disk/.test(said)) return over(`wrote more than ${gigabytes(disk)}`);
  const last = said.trim().split('\n').at(-1) ?? '';
  return { state: 'fallen', error: `ended unexpectedly${last && `: ${last}`}` };
}
