/** @file The best few of many, without sorting them all. */

/**
 * Keeps the `most` best of what is offered; a heap whose worst stands first.
 * `before(a, b)` says whether item a precedes item b where their scores are equal.
 */
export class Best {
  readonly #most: number;
  readonly #before: (a: number, b: number) => boolean;
  readonly #items: number[] = [];
  readonly #scores: number[] = [];
  /** What a score must reach to be taken; −∞ until it is full. */
  floor = -Infinity;

  constructor(most: number, before: (a: number, b: number) => boolean) {
    this.#most = most;
    this.#before = before;
  }

  offer(item: number, score: number): void {
    if (score < this.floor || this.#most === 0) return;
    const items = this.#items;
    const scores = this.#scores;
    if (items.length < this.#most) {
      let at = items.push(item) - 1;
      scores.push(score);
      for (let up = (at - 1) >> 1; at > 0 && this.#worse(at, up); up = (at - 1) >> 1) {
        this.#swap(at, up);
        at = up;
      }
    } else {
      if (score === scores[0] && !this.#before(item, items[0])) return;
      items[0] = item;
      scores[0] = score;
      this.#sink();
    }
    if (items.length === this.#most) this.floor = scores[0];
  }

  #sink(): void {
    const size = this.#items.length;
    for (let at = 0; ; ) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < size && this.#worse(child, worst)) worst = child;
      if (worst === at) return;
      this.#swap(at, worst);
      at = worst;
    }
  }

  #worse(i: number, j: number): boolean {
    const difference = this.#scores[i] - this.#scores[j];
    return difference < 0 || (difference === 0 && this.#before(this.#items[j], this.#items[i]));
  }

  #swap(i: number, j: number): void {
    const item = this.#items[i];
    const score = this.#scores[i];
    this.#items[i] = this.#items[j];
    this.#scores[i] = this.#scores[j];
    this.#items[j] = item;
    this.#scores[j] = score;
  }

  /** The items kept, best first. */
  ranked(): number[] {
    const order = [...this.#items.keys()].sort((i, j) => (this.#worse(j, i) ? -1 : 1));
    return order.map((i) => this.#items[i]);
  }
}
