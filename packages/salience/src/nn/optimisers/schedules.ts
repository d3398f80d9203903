/** @file Schedules: the value of a rate (or a sparsity, or a rank) at each step, as plain functions. Steps count from 0. */

import { ParameterError } from '../../core/errors.ts';

/** From the number of steps before this one to a value. */
export type Schedule = (step: number) => number;

/** The same value at every step. */
export function constant(value: number): Schedule {
  return () => value;
}

/**
 * 0 at step 0, up by equal parts to `rate` at step `warmup`; from there on `then`, whose own steps begin at 0 (default: `rate`).
 * @throws ParameterError unless `warmup` is a whole number of 0 or more.
 */
export function linearWarmup(rate: number, warmup: number, then: Schedule = constant(rate)): Schedule {
  whole('warmup', warmup, 0);
  return (step) => (step < warmup ? (rate * step) / warmup : then(step - warmup));
}

interface DecayOptions {
  /** The value at step 0. */
  readonly rate: number;
  /** The step at which `end` is reached. */
  readonly steps: number;
  /** The value from then on; default 0. */
  readonly end?: number;
}

/**
 * From `rate` at step 0 down a straight line to `end` at step `steps`.
 * @throws ParameterError unless `steps` is a whole number of 1 or more.
 */
export function linearDecay({ rate, steps, end = 0 }: DecayOptions): Schedule {
  whole('steps', steps, 1);
  return (step) => end + (rate - end) * (1 - Math.min(1, step / steps));
}

/**
 * From `rate` at step 0 down half a cosine to `end` at step `steps` (arXiv:1608.03983, equation 5, without restarts).
 * @throws ParameterError unless `steps` is a whole number of 1 or more.
 */
export function cosine({ rate, steps, end = 0 }: DecayOptions): Schedule {
  whole('steps', steps, 1);
  return (step) => end + ((rate - end) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/**
 * `start` up to step `begin`, `end` from step `finish` on, and between them end + (start − end)(1 − (t − begin) / (finish − begin))³
 * (arXiv:1710.01878, equation 1).
 * @throws ParameterError unless `begin` is not after `finish`.
 */
export function cubic(of: {
  readonly start: number;
  readonly end: number;
  readonly begin: number;
  readonly finish: number;
}): Schedule {
  const { start, end, begin, finish } = of;
  if (!(begin <= finish))
    throw new ParameterError(`a schedule that finishes at step ${finish} cannot begin at ${begin}`);
  return (step) => {
    if (step <= begin) return start;
    if (step >= finish) return end;
    return end + (start - end) * (1 - (step - begin) / (finish - begin)) ** 3;
  };
}

function whole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new ParameterError(`${name} is a whole number of ${least} or more, not ${value}`);
  }
}
