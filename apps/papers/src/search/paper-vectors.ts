/** @file The vectors of all papers in memory, and the nearest ones to a query: all that wait are answered by one product. */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Candidates } from './candidates.ts';
import { cosineOf } from './vector-bytes.ts';
import type { BlockMessage, EndMessage, Found, QueriesMessage } from './vector-worker.ts';

/** Vectors in a block of memory, and of one product. */
const blockSize = 8192;
/** Below so many products of numbers a loop is quicker than a thread. */
const smallWork = 2_000_000;
/** Numbers of queries that programs are made for. */
const batchSizes = [1, 8, 32, 64];
const entry = fileURLToPath(new URL('../../dist/search/vector-worker.js', import.meta.url));

interface Waiting {
  readonly query: Float32Array;
  readonly allowed: Uint8Array;
  readonly most: number;
  readonly resolve: (nearest: Nearest[]) => void;
  readonly reject: (error: unknown) => void;
}

export interface Nearest {
  readonly slot: number;
  readonly cosine: number;
}

export class PaperVectors {
  readonly width: number;
  /** In memory that the thread sees too. */
  readonly #blocks: Float32Array[] = [];
  readonly #hashes: (string | undefined)[] = [];
  readonly #before: (a: number, b: number) => boolean;
  #waiting: Waiting[] = [];
  /** Fulfilled when all who wait are answered; undefined where nobody waits. */
  #done: Promise<void> | undefined;
  #closed = false;
  /** Started with the first large product: it takes a moment. */
  #worker: Worker | undefined;
  /** Blocks that the thread knows. */
  #sent = 0;

  /** `before(a, b)`: whether slot a comes before slot b where their cosines are equal. */
  constructor(width: number, before: (a: number, b: number) => boolean) {
    this.width = width;
    this.#before = before;
  }

  /** Hash of the text that the vector of a slot was made from; undefined where it has none. */
  hashAt(slot: number): string | undefined {
    return this.#hashes[slot];
  }

  set(slot: number, vector: Float32Array, hash: string): void {
    while (this.#blocks.length * blockSize <= slot) {
      this.#blocks.push(new Float32Array(new SharedArrayBuffer(4 * blockSize * this.width)));
    }
    this.#blocks[Math.floor(slot / blockSize)].set(vector, (slot % blockSize) * this.width);
    this.#hashes[slot] = hash;
  }

  /** The vector of a slot; a view. */
  at(slot: number): Float32Array | undefined {
    if (this.#hashes[slot] === undefined) return undefined;
    const start = (slot % blockSize) * this.width;
    return this.#blocks[Math.floor(slot / blockSize)].subarray(start, start + this.width);
  }

  /** The allowed slots with the highest cosines above 0, best first, at most so many: exact, ties as the order says. */
  nearest(query: Float32Array, allowed: Uint8Array, most: number): Promise<Nearest[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ query, allowed, most, resolve, reject });
      // Others that come in this turn of the loop go along.
      this.#done ??= new Promise<void>((next) => setImmediate(next)).then(() => this.#work());
    });
  }

  /**
   * Answers all who wait and lets the thread end by itself: one that is ended from outside in the middle of a product takes the
   * process along. Who asks later is answered by a loop.
   */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#done;
    const worker = this.#worker;
    if (!worker) return;
    worker.ref();
    const gone = once(worker, 'exit');
    worker.postMessage({ kind: 'end' } satisfies EndMessage);
    await gone;
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSizes[batchSizes.length - 1]);
      try {
        const small = this.#closed || this.#hashes.length * this.width * batch.length < smallWork;
        const candidates = small ? batch.map((one) => this.#scan(one)) : await this.#ask(batch);
        batch.forEach((one, i) => {
          one.resolve(this.#ranked(one, candidates[i]));
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#done = undefined;
  }

  #ranked({ query, allowed, most }: Waiting, candidates: Int32Array): Nearest[] {
    return (
      Array.from(candidates)
        // What has been removed meanwhile has no place in an order.
        .filter((slot) => allowed[slot] === 1)
        .map((slot) => ({ slot, cosine: cosineOf(query, this.at(slot)!) }))
        .sort((a, c) => c.cosine - a.cosine || (this.#before(a.slot, c.slot) ? -1 : 1))
        .slice(0, most)
    );
  }

  /** The candidates of one query. */
  #scan({ query, allowed, most }: Waiting): Int32Array {
    const candidates = new Candidates(most);
    for (const [b, block] of this.#blocks.entries()) {
      const first = b * blockSize;
      const count = Math.min(blockSize, this.#hashes.length - first);
      const cosines = new Float32Array(count);
      for (let j = 0; j < count; j++) {
        let sum = 0;
        for (let k = 0; k < this.width; k++) sum += query[k] * block[j * this.width + k];
        cosines[j] = sum;
      }
      candidates.take(cosines, 0, count, first, allowed);
    }
    return candidates.slots();
  }

  /** The candidates of each query, by the thread. */
  #ask(batch: readonly Waiting[]): Promise<readonly Int32Array[]> {
    const { width } = this;
    this.#worker ??= this.#started();
    const worker = this.#worker;
    for (; this.#sent < this.#blocks.length; this.#sent++) {
      const block: BlockMessage = { kind: 'block', at: this.#sent, rows: this.#blocks[this.#sent] };
      worker.postMessage(block);
    }
    const queries = new Float32Array(batchSizes.find((size) => size >= batch.length)! * width);
    batch.forEach(({ query }, i) => {
      queries.set(query, i * width);
    });
    const asked = batch.map(({ most, allowed }) => ({ most, allowed }));
    const slots = this.#hashes.length;
    return new Promise((resolve, reject) => {
      const settled = () => {
        worker.off('message', answered).off('error', failed).off('exit', ended);
        worker.unref();
      };
      const answered = (answer: Found) => {
        settled();
        if ('found' in answer) resolve(answer.found);
        else reject(new Error(`the nearest papers were not found: ${answer.error}`));
      };
      const failed = (error: Error) => {
        settled();
        reject(error);
      };
      const ended = () => failed(new Error('the thread that finds the nearest papers has ended'));
      worker.on('message', answered).on('error', failed).on('exit', ended);
      worker.ref();
      worker.postMessage({ kind: 'queries', width, slots, queries, asked } satisfies QueriesMessage);
    });
  }

  #started(): Worker {
    const worker = new Worker(entry);
    worker.unref();
    // One that has failed is replaced by the next query.
    worker.on('error', () => {});
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#sent = 0;
    });
    return worker;
  }
}
