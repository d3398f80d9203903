/** @file A run for the command line: progress and remarks on standard error, cancelled by Ctrl-C. */

import { Run } from '../core/run.ts';

/** Starts a run; `finish` clears the progress line and ends the threads. */
export function startRun({ seed, threads, quiet }: { seed: number; threads: number; quiet: boolean }): {
  run: Run;
  finish: () => Promise<void>;
} {
  const controller = new AbortController();
  const onInterrupt = () => {
    if (controller.signal.aborted) process.exit(130); // asked twice
    controller.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  const live = process.stderr.isTTY && !quiet;
  let drawn = 0;
  const clear = () => {
    if (drawn > 0) process.stderr.write('\r\u001b[K');
    drawn = 0;
  };
  const run = new Run({
    seed,
    threads,
    signal: controller.signal,
    onProgress: ({ what, done, total }) => {
      if (!live || performance.now() - drawn < 100) return;
      drawn = performance.now();
      const share = total ? ` ${String(Math.floor((100 * done) / total)).padStart(3)}%` : '';
      process.stderr.write(`\r\u001b[K${what}${share} (${done}${total ? ` of ${total}` : ''})`);
    },
    onLog: (message) => {
      if (quiet) return;
      clear();
      process.stderr.write(`${message}\n`);
    },
  });
  return {
    run,
    finish: async () => {
      clear();
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
      await run.close();
    },
  };
}
