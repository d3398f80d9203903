/** @file The nearest points met so far, the farthest on top. */

/** A heap of a fixed number of points, ordered by squared distance, the higher index farther among equals. */
export class NearestHeap {
  /** Squared distance of the farthest point held, Infinity while there is room. */
  worst = Infinity;
  readonly #at: Uint32Array;
  readonly #square: Float64Array;
  #size = 0;

  constructor(capacity: number) {
    this.#at = new Uint32Array(capacity);
    this.#square = new Float64Array(capacity);
  }

  clear(): void {
    this.#size = 0;
    this.worst = Infinity;
  }

  /** Takes a point in if it is nearer than the farthest, or as near with a lower index. */
  offer(at: number, square: number): void {
    const [ats, squares] = [this.#at, this.#square];
    const capacity = ats.length;
    if (this.#size < capacity) {
      let i = this.#size++;
      for (; i > 0; ) {
        const parent = (i - 1) >> 1;
        if (squares[parent] > square || (squares[parent] === square && ats[parent] > at)) break;
        squares[i] = squares[parent];
        ats[i] = ats[parent];
        i = parent;
      }
      squares[i] = square;
      ats[i] = at;
      if (this.#size === capacity) this.worst = squares[0];
      return;
    }
    if (square > squares[0] || (square === squares[0] && at > ats[0])) return;
    this.#sink(at, square, capacity);
    this.worst = squares[0];
  }

  /** Puts a point in the place of the top of the first `size`. */
  #sink(at: number, square: number, size: number): void {
    const [ats, squares] = [this.#at, this.#square];
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= size) break;
      if (child + 1 < size) {
        const [s, t] = [squares[child], squares[child + 1]];
        if (t > s || (t === s && ats[child + 1] > ats[child])) child++;
      }
      if (squares[child] < square || (squares[child] === square && ats[child] < at)) break;
      squares[i] = squares[child];
      ats[i] = ats[child];
      i = child;
    }
    squares[i] = square;
    ats[i] = at;
  }

  /** Writes what it holds from `start` on, the nearest first, and is empty afterwards. */
  write(indices: Uint32Array, distances: Float64Array, start: number): void {
    for (let size = this.#size; size > 0; size--) {
      indices[start + size - 1] = this.#at[0];
      distances[start + size - 1] = Math.sqrt(this.#square[0]);
      this.#sink(this.#at[size - 1], this.#square[size - 1], size - 1);
    }
    this.clear();
  }
}
