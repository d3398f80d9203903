/** @file The best few of many, without sorting them all. */

/**
 * Keeps the `most` best of what is offered; a heap whose worst stands first.
 * `before(a, b)` says whether item a precedes item b where their scores are equal.
 */
export class Best {
  readonly #before: (a: number, b: number) => boolean;
  readonly #items: Int32Array;
  readonly #scores: Float64Array;
  #size = 0;
  /** What a score must reach to be taken; −∞ until it is full. */
  floor = -Infinity;

  constructor(most: number, before: (a: number, b: number) => boolean) {
    this.#before = before;
    this.#items = new Int32Array(most);
    this.#scores = new Float64Array(most);
  }

  offer(item: number, score: number): void {
    const items = this.#items;
    const scores = this.#scores;
    if (score < this.floor || items.length === 0) return;
    if (this.#size < items.length) {
      // Up from the last place while the one above is better.
      let at = this.#size++;
      for (; at > 0; at = (at - 1) >> 1) {
        const up = (at - 1) >> 1;
        if (!this.#worse(item, score, items[up], scores[up])) break;
        items[at] = items[up];
        scores[at] = scores[up];
      }
      items[at] = item;
      scores[at] = score;
    } else {
      if (!this.#worse(items[0], scores[0], item, score)) return;
      // Down from the first place while one below is worse.
      let at = 0;
      for (;;) {
        let down = 2 * at + 1;
        if (down >= items.length) break;
        if (down + 1 < items.length && this.#worse(items[down + 1], scores[down + 1], items[down], scores[down]))
          down++;
        if (!this.#worse(items[down], scores[down], item, score)) break;
        items[at] = items[down];
        scores[at] = scores[down];
        at = down;
      }
      items[at] = item;
      scores[at] = score;
    }
    if (this.#size === items.length) this.floor = scores[0];
  }

  #worse(a: number, scoreOfA: number, b: number, scoreOfB: number): boolean {
    return scoreOfA < scoreOfB || (scoreOfA === scoreOfB && this.#before(b, a));
  }

  /** The items kept, best first. */
  ranked(): number[] {
    const items = this.#items;
    const scores = this.#scores;
    const order = Array.from({ length: this.#size }, (_, i) => i);
    order.sort((i, j) => scores[j] - scores[i] || (this.#before(items[i], items[j]) ? -1 : 1));
    return order.map((i) => items[i]);
  }
}
