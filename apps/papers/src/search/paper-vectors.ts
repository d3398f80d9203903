/** @file The vectors of all papers in memory, and the nearest ones to a query: all that wait are answered by one product. */

import type { Compiled, JaxArray, Tensor } from 'salience/runtime';
import { Best } from './best.ts';
import { cosineOf } from './vector-bytes.ts';

/** Vectors in a block of memory, and of one product. */
const blockSize = 8192;
/** Below so many products of numbers a loop is quicker than a call of the runtime. */
const smallWork = 2_000_000;
/** Numbers of queries that programs are made for. */
const batchSizes = [1, 8, 32, 64];
/** Rounding may swap neighbours; more are looked at than asked for, then told apart exactly. */
const spare = 8;

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
  readonly #blocks: Float32Array[] = [];
  readonly #hashes: (string | undefined)[] = [];
  readonly #before: (a: number, b: number) => boolean;
  #waiting: Waiting[] = [];
  #working = false;
  #product: Compiled<[JaxArray, JaxArray], JaxArray> | undefined;
  /** Loaded with the first product: it takes a moment. */
  #runtime: typeof import('salience/runtime') | undefined;

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
    while (this.#blocks.length * blockSize <= slot) this.#blocks.push(new Float32Array(blockSize * this.width));
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
      if (this.#working) return;
      this.#working = true;
      // Others that come in this turn of the loop go along.
      setImmediate(() => void this.#work());
    });
  }

  async close(): Promise<void> {
    await this.#product?.dispose();
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchSizes[batchSizes.length - 1]);
      try {
        const found = await this.#scan(batch);
        batch.forEach(({ resolve }, i) => {
          resolve(found[i]);
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#working = false;
  }

  async #scan(batch: readonly Waiting[]): Promise<Nearest[][]> {
    const { width } = this;
    const best = batch.map(({ most }) => new Best(most + spare, this.#before));
    const slots = this.#hashes.length;
    const small = slots * width * batch.length < smallWork;
    const padded = batchSizes.find((size) => size >= batch.length)!;
    const queries = new Float32Array(padded * width);
    batch.forEach(({ query }, i) => {
      queries.set(query, i * width);
    });
    for (const [b, block] of this.#blocks.entries()) {
      const first = b * blockSize;
      const count = Math.min(blockSize, slots - first);
      const cosines = small
        ? productOf(queries, batch.length, block, count, width)
        : (await this.#multiply(queries, padded, block)).data;
      const row = small ? count : blockSize;
      batch.forEach(({ allowed }, i) => {
        const kept = best[i];
        const start = i * row;
        let floor = Math.max(kept.floor, 0);
        for (let j = 0; j < count; j++) {
          const cosine = cosines[start + j];
          if (cosine < floor || cosine === 0 || allowed[first + j] !== 1) continue;
          kept.offer(first + j, cosine);
          floor = Math.max(kept.floor, 0);
        }
      });
    }
    return batch.map(({ query, most, allowed }, i) =>
      best[i]
        .ranked()
        // What has been removed meanwhile has no place in an order.
        .filter((slot) => allowed[slot] === 1)
        .map((slot) => ({ slot, cosine: cosineOf(query, this.at(slot)!) }))
        .sort((a, c) => c.cosine - a.cosine || (this.#before(a.slot, c.slot) ? -1 : 1))
        .slice(0, most),
    );
  }

  async #multiply(queries: Float32Array, n: number, block: Float32Array): Promise<Tensor<'float32'>> {
    this.#runtime ??= await import('salience/runtime');
    const { compile, float32, numpy } = this.#runtime;
    this.#product ??= compile((q: JaxArray, rows: JaxArray) => numpy.matmul(q, numpy.transpose(rows)), { threads: 1 });
    const product = this.#product(float32([n, this.width], queries), float32([blockSize, this.width], block));
    return product as Promise<Tensor<'float32'>>;
  }
}

/** The first `count` rows of a block times each query, shape [queries, count]. */
function productOf(queries: Float32Array, n: number, block: Float32Array, count: number, width: number): Float32Array {
  const result = new Float32Array(n * count);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < count; j++) {
      let sum = 0;
      for (let k = 0; k < width; k++) sum += queries[i * width + k] * block[j * width + k];
      result[i * count + j] = sum;
    }
  }
  return result;
}
