/** @file Cut: what separates the kept from the rest in scores too many for a list of indices. */

/** Keep what lies above the threshold, and of the units equal to it the first `ties` in unit order (Infinity: all of them). */
export interface Cut {
  readonly threshold: number;
  readonly ties: number;
}

/** How many of some scores equal the threshold exactly. */
export function countTies(values: Float32Array, { threshold }: Cut): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === threshold) count++;
  return count;
}

/**
 * Hands the ties of a cut to chunks in unit order, also when chunks are worked on by several threads at once: each chunk
 * waits until the one before it has said how many ties have come so far. Its memory can be shared between threads.
 */
export class TieLedger {
  /** Per chunk the number of ties up to its end, or −1 while it has not said; shape [chunks]. */
  readonly buffer: ArrayBufferLike;
  readonly #upTo: BigInt64Array;

  constructor(chunks: number | ArrayBufferLike) {
    const Memory = typeof SharedArrayBuffer === 'undefined' ? ArrayBuffer : SharedArrayBuffer;
    this.buffer = typeof chunks === 'number' ? new Memory(8 * chunks) : chunks;
    this.#upTo = new BigInt64Array(this.buffer);
    if (typeof chunks === 'number') this.#upTo.fill(-1n);
  }

  /** Says that chunk `index` has `own` ties, and returns how many came before it since the chunk `first`. */
  enter(index: number, first: number, own: number): number {
    let before = 0n;
    if (index > first) {
      before = Atomics.load(this.#upTo, index - 1);
      if (before < 0n) {
        Atomics.wait(this.#upTo, index - 1, -1n);
        before = Atomics.load(this.#upTo, index - 1);
      }
    }
    Atomics.store(this.#upTo, index, before + BigInt(own));
    Atomics.notify(this.#upTo, index);
    return Number(before);
  }
}
