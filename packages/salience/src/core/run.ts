/** @file Run: the seed, the signal, the progress and the threads of one piece of work, passed to whatever can take long. */

import { CancelledError } from './errors.ts';
import { Random } from './random.ts';
import type { Steps } from './steps.ts';
import type { Task } from './task.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What a caller sees of the progress: `done` of `total` (absent where unknown) of the step called `what`. */
export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total?: number;
}

export interface RunOptions {
  /** Rules all randomness; default 0. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  onLog?: (message: string) => void;
  /** Threads for work that can be split; default 1: everything on the calling thread. The result never depends on it. */
  threads?: number;
}

/** One piece of work: cancellable, reporting progress, reproducible from its seed. */
export class Run {
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly threads: number;
  readonly #options: RunOptions;
  #pool: WorkerPool | undefined;

  constructor(options: RunOptions = {}) {
    this.seed = options.seed ?? 0;
    this.signal = options.signal ?? new AbortController().signal;
    this.threads = Math.max(1, Math.floor(options.threads ?? 1));
    this.#options = options;
  }

  /** The random stream called `name`; the same name gives the same numbers again. */
  random(name: string): Random {
    return new Random(this.seed, name);
  }

  progress(what: string, done: number, total?: number): void {
    this.#options.onProgress?.({ what, done, total });
  }

  log(message: string): void {
    this.#options.onLog?.(message);
  }

  /** Throws a CancelledError if the run was cancelled. */
  check(): void {
    if (this.signal.aborted) throw new CancelledError('cancelled');
  }

  /** Lets other work of this thread happen (a cancel among it), then checks. */
  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setTimeout(resolve));
    this.check();
  }

  /** Runs steps to their end, with progress under the name `what`, and lets a cancel through at each pause. */
  async drive<Result>(what: string, steps: Steps<Result>): Promise<Result> {
    let last = performance.now();
    for (;;) {
      const next = steps.next();
      if (next.done) return next.value;
      if (performance.now() - last < 50) continue;
      this.progress(what, next.value.done, next.value.total);
      await this.breathe();
      last = performance.now();
    }
  }

  /** The same run with another seed, for repetitions; where it starts threads they are its own, to be closed with it. */
  withSeed(seed: number): Run {
    return new Run({ ...this.#options, seed });
  }

  /**
   * Applies a task to each input and gives the results in the order of the inputs, on worker threads where the run has
   * them and the task can travel, else in place.
   */
  async *map<Input, Result>(
    task: Task<Input, Result>,
    inputs: Iterable<Input>,
    what?: string,
    total?: number,
  ): AsyncGenerator<Result> {
    const results = this.#canTravel(task) ? await this.#onWorkers(task, inputs) : this.#inPlace(task, inputs);
    let done = 0;
    for await (const result of results) {
      this.check();
      yield result;
      if (what !== undefined) this.progress(what, ++done, total);
    }
  }

  /** Ends the worker threads. A run without threads needs no closing. */
  async close(): Promise<void> {
    await this.#pool?.close();
    this.#pool = undefined;
  }

  // A worker loads built modules; sources under a test runner or a bundle run in place.
  #canTravel(task: Task<never, unknown>): boolean {
    return this.threads > 1 && task.module?.startsWith('file:') === true && task.module.endsWith('.js');
  }

  async #onWorkers<Input, Result>(task: Task<Input, Result>, inputs: Iterable<Input>): Promise<AsyncIterable<Result>> {
    if (!this.#pool) {
      const { WorkerPool } = await import('./worker-pool.ts');
      this.#pool = new WorkerPool(this.threads, this.signal);
    }
    return this.#pool.map(task, inputs);
  }

  async *#inPlace<Input, Result>(task: Task<Input, Result>, inputs: Iterable<Input>): AsyncGenerator<Result> {
    let last = performance.now();
    for (const input of inputs) {
      this.check();
      yield await task.call(input);
      if (performance.now() - last > 50) {
        await this.breathe();
        last = performance.now();
      }
    }
  }
}
