/** @file Times of whole processes and functions, taken in turns so that a machine that speeds up or slows down does so for all. */

import { execFileSync, spawnSync } from 'node:child_process';

/** The middle value. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Seconds that a command takes, and what it wrote on descriptor 3 if it has one. Throws if it fails. */
export function timeCommand(command, args, options = {}) {
  const started = performance.now();
  const { status, output, error } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
    ...options,
  });
  const seconds = (performance.now() - started) / 1000;
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${output[2]}`);
  return { seconds, stdout: String(output[1]), told: String(output[3] ?? '') };
}

/** Medians of several rounds of the same functions, each giving seconds, called in turns. */
export async function inTurns(rounds, functions) {
  const times = Object.fromEntries(Object.keys(functions).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(functions)) times[name].push(await run());
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)]));
}

export const seconds = (s) => (s < 1 ? `${(1000 * s).toFixed(0)} ms` : `${s.toFixed(2)} s`);
export const times = (ratio) => `${ratio.toPrecision(3)}×`;

/** A Python with PyTorch, if there is one. */
export function torchPython() {
  return ['python3', '/usr/bin/python3'].find((name) => {
    try {
      execFileSync(name, ['-c', 'import torch'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}
