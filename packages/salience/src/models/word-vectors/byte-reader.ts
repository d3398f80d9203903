/** @file The bytes of a file in order, a part at a time: as much is held as one record needs. */

import type { FileHandle } from 'node:fs/promises';

const portion = 2 ** 20;

export class ByteReader {
  readonly #file: FileHandle;
  #buffer = new Uint8Array(portion);
  #start = 0;
  #end = 0;
  #ended = false;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** How many bytes are at hand. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Reads on until `count` bytes are at hand or the file ends; tells which. */
  async fill(count: number): Promise<boolean> {
    while (this.length < count && !this.#ended) {
      if (this.#end === this.#buffer.length) this.#makeRoom(count);
      const { bytesRead } = await this.#file.read(this.#buffer, this.#end, this.#buffer.length - this.#end);
      this.#end += bytesRead;
      this.#ended = bytesRead === 0;
    }
    return this.length >= count;
  }

  /** Where a byte first occurs among the bytes at hand, reading on to up to `limit` bytes; −1 if it does not. */
  async find(byte: number, limit: number): Promise<number> {
    for (let searched = 0; ; ) {
      const at = this.peek(limit).indexOf(byte, searched);
      if (at >= 0) return at;
      searched = this.length;
      if (searched >= limit || !(await this.fill(searched + 1))) return -1;
    }
  }

  /** A view of the first `count` bytes at hand, valid until the next read. */
  peek(count: number): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#start + Math.min(count, this.length));
  }

  /** Goes on behind the first `count` bytes at hand. */
  skip(count: number): void {
    this.#start += Math.min(count, this.length);
  }

  #makeRoom(count: number): void {
    const held = this.#buffer.subarray(this.#start, this.#end);
    const size = Math.max(portion, count, 2 * held.length);
    if (size > this.#buffer.length) {
      const wider = new Uint8Array(size);
      wider.set(held);
      this.#buffer = wider;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#end -= this.#start;
    this.#start = 0;
  }
}
