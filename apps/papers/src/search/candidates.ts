/** @file The papers that may be nearest to a query, by cosines that are rounded. */

import { Best } from './best.ts';

/** What rounding may do to a cosine in single precision, and a hundred times more. */
const rounding = 1e-5;

/** Takes cosines block by block and keeps the slots that the highest `most` of the exact cosines are among. */
export class Candidates {
  readonly #best: Best;
  #slots: number[] = [];
  #cosines: number[] = [];

  constructor(most: number) {
    this.#best = new Best(most, () => false);
  }

  /**
   * Takes the cosines of the slots from `first` on, shape [count], that begin at `start` of a list. Those that are not above 0 are
   * left out, and so are slots where `allowed` is not 1.
   */
  take(cosines: Float32Array, start: number, count: number, first: number, allowed: Uint8Array): void {
    let floor = this.#floor;
    for (let j = 0; j < count; j++) {
      const cosine = cosines[start + j];
      if (cosine < floor || allowed[first + j] !== 1) continue;
      this.#best.offer(first + j, cosine);
      this.#slots.push(first + j);
      this.#cosines.push(cosine);
      floor = this.#floor;
    }
  }

  get #floor(): number {
    return Math.max(this.#best.floor - rounding, Number.MIN_VALUE);
  }

  /** The slots, ascending: those asked for, and all whose cosines are within rounding of the last of them. */
  slots(): Int32Array {
    const floor = this.#floor;
    return Int32Array.from(this.#slots.filter((_, i) => this.#cosines[i] >= floor));
  }
}
