/** @file Consecutive numbers for pairs of numbers: a hash table in typed arrays, as a Map holds no more than 2²⁴ entries. */

/** Gives each distinct pair (a, b) of 32-bit numbers the next number from 0, in the order of first sight. */
export class PairIndex {
  #size = 0;
  #first = new Uint32Array(1024);
  #second = new Uint32Array(1024);
  /** Open addressing; a slot holds 1 + the pair's number, 0 is free. Twice as many slots as numbers at the least. */
  #slots = new Uint32Array(4096);

  /** How many distinct pairs there are. */
  get size(): number {
    return this.#size;
  }

  /** The number of a pair, a new one where it is new. */
  of(a: number, b: number): number {
    let slot = this.#slotOf(a, b);
    for (;;) {
      const held = this.#slots[slot];
      if (held === 0) break;
      if (this.#first[held - 1] === a && this.#second[held - 1] === b) return held - 1;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    const number = this.#size++;
    if (number === this.#first.length) this.#grow();
    this.#first[number] = a;
    this.#second[number] = b;
    this.#insert(number);
    return number;
  }

  first(number: number): number {
    return this.#first[number];
  }

  second(number: number): number {
    return this.#second[number];
  }

  #slotOf(a: number, b: number): number {
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    return (h ^ (h >>> 13)) & (this.#slots.length - 1);
  }

  #insert(number: number): void {
    let slot = this.#slotOf(this.#first[number], this.#second[number]);
    while (this.#slots[slot] !== 0) slot = (slot + 1) & (this.#slots.length - 1);
    this.#slots[slot] = number + 1;
  }

  #grow(): void {
    const [first, second] = [this.#first, this.#second];
    this.#first = new Uint32Array(first.length * 2);
    this.#first.set(first);
    this.#second = new Uint32Array(second.length * 2);
    this.#second.set(second);
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < first.length; number++) this.#insert(number);
  }
}
