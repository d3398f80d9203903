/** @file Worker threads of Node that apply tasks: results in order, at most two inputs a worker ahead, cancel ends them all. */

import { Worker } from 'node:worker_threads';
import { CancelledError, InputError, OutputError, SalienceError } from './errors.ts';
import type { Task } from './task.ts';

interface Answer {
  result?: unknown;
  error?: { name: string; message: string; stack?: string };
}

const kinds: Record<string, typeof SalienceError> = { SalienceError, InputError, OutputError, CancelledError };

/** An error loses its class on the way between threads; the ones callers tell apart get it back. */
function revive(error: NonNullable<Answer['error']>): Error {
  const Kind = kinds[error.name] ?? Error;
  const revived = new Kind(error.message);
  if (!(error.name in kinds) && error.stack) revived.stack = error.stack;
  return revived;
}

export class WorkerPool {
  readonly #threads: number;
  readonly #signal: AbortSignal;
  #workers: Worker[] = [];
  #idle: Worker[] = [];
  #waiting: { resolve: (worker: Worker) => void; reject: (error: Error) => void }[] = [];

  constructor(threads: number, signal: AbortSignal) {
    this.#threads = threads;
    this.#signal = signal;
  }

  async *map<Input, Result>(task: Task<Input, Result>, inputs: Iterable<Input>): AsyncGenerator<Result> {
    const queue = inputs[Symbol.iterator]();
    const pending: Promise<Result>[] = [];
    const apply = async (input: Input): Promise<Result> => {
      const worker = await this.#acquire();
      try {
        return (await this.#ask(worker, { module: task.module, name: task.name, input })) as Result;
      } finally {
        this.#release(worker);
      }
    };
    for (;;) {
      while (pending.length < 2 * this.#threads) {
        const next = queue.next();
        if (next.done) break;
        const answer = apply(next.value);
        answer.catch(() => {}); // it is awaited below, in its turn, unless the map ends before
        pending.push(answer);
      }
      const first = pending.shift();
      if (!first) return;
      yield await first;
    }
  }

  /** Ends all workers; the next map starts new ones. */
  async close(): Promise<void> {
    const workers = this.#workers;
    const waiting = this.#waiting;
    this.#workers = [];
    this.#idle = [];
    this.#waiting = [];
    for (const { reject } of waiting) reject(new CancelledError('cancelled'));
    // Held until it is gone, so that the process does not end before.
    for (const worker of workers) worker.ref();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  // Workers are handed out in the order they were asked for.
  #acquire(): Promise<Worker> | Worker {
    const worker = this.#idle.pop() ?? this.#start();
    return worker ?? new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #start(): Worker | undefined {
    if (this.#workers.length === this.#threads) return undefined;
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    worker.unref();
    worker.on('exit', () => {
      this.#workers = this.#workers.filter((other) => other !== worker);
    });
    this.#workers.push(worker);
    return worker;
  }

  #release(worker: Worker): void {
    const next = this.#waiting.shift();
    const live = this.#workers.includes(worker) ? worker : next && this.#start();
    if (next && live) next.resolve(live);
    else if (next) next.reject(new SalienceError('a worker thread ended before it was asked'));
    else if (live) this.#idle.push(live);
  }

  #ask(worker: Worker, message: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        worker.off('message', onMessage);
        worker.off('error', onError);
        worker.off('exit', onExit);
        this.#signal.removeEventListener('abort', onAbort);
        // One being closed is held until it is gone, though an answer may still come in.
        if (this.#workers.includes(worker)) worker.unref();
      };
      const onMessage = (answer: Answer) => {
        settle();
        if (answer.error) reject(revive(answer.error));
        else resolve(answer.result);
      };
      const onError = (error: Error) => {
        settle();
        reject(error);
      };
      const onExit = () => {
        settle();
        reject(new SalienceError('a worker thread ended before it answered'));
      };
      const onAbort = () => {
        settle();
        reject(new CancelledError('cancelled'));
      };
      if (this.#signal.aborted) {
        reject(new CancelledError('cancelled'));
        return;
      }
      worker.on('message', onMessage);
      worker.on('error', onError);
      worker.on('exit', onExit);
      this.#signal.addEventListener('abort', onAbort);
      worker.ref();
      worker.postMessage(message);
    });
  }
}
