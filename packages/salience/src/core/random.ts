/** @file The seeded random generator: one seed rules a run, and every use draws from a stream with a name of its own. */

import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** 32-bit FNV-1a of a string, finished with murmur3's mixer so that near names give far seeds. */
function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/**
 * A stream of random numbers (xoroshiro128+). Two streams of one seed with different names are independent, and drawing
 * from one never moves another, so adding a random step to a program leaves the others as they were.
 */
export class Random {
  readonly seed: number;
  readonly name: string;
  readonly #generator: RandomGenerator;
  #spare: number | undefined;

  constructor(seed: number, name = '') {
    this.seed = seed;
    this.name = name;
    this.#generator = xoroshiro128plus(hash32(`${seed}/${name}`));
  }

  /** The stream called `name` below this one. */
  stream(name: string): Random {
    return new Random(this.seed, this.name === '' ? name : `${this.name}/${name}`);
  }

  /** A float in [0, 1). */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** An integer in [0, below). */
  integer(below: number): number {
    return uniformInt(this.#generator, 0, below - 1);
  }

  /** A draw from the normal distribution with mean 0 and deviation 1 (Marsaglia's polar method). */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare;
      this.#spare = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s);
        this.#spare = v * scale;
        return u * scale;
      }
    }
  }

  /** One item of a non-empty list. */
  choice<T>(items: ArrayLike<T>): T {
    return items[this.integer(items.length)];
  }

  /** Puts the items into random order, in place (Fisher-Yates), and returns them. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    const a = items as { length: number; [index: number]: unknown };
    for (let i = a.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = a[i];
      a[i] = a[j];
      a[j] = held;
    }
    return items;
  }

  /** The numbers 0 to n − 1 in random order, shape [n]. */
  permutation(n: number): Uint32Array {
    return this.shuffle(Uint32Array.from({ length: n }, (_, i) => i));
  }
}
