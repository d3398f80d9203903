/** @file A k-d tree whose nodes know the box their points lie in: exact nearest neighbours where columns are few. */

import quickselect from 'quickselect';
import type { NearestHeap } from './nearest-heap.ts';

/** Points of a leaf at the most. */
const leafSize = 16;

/**
 * Points halved again and again across the widest side of their box. A box is passed over only if its nearest corner, summed in the
 * same order as a distance, is farther than what is held: rounding is monotone, so no neighbour is ever lost.
 */
export class BoxTree {
  readonly #columns: number;
  /** Points in the order of the leaves, and their indices. */
  readonly #points: Float64Array;
  readonly #order: Uint32Array;
  /** Node i has the children 2i + 1 and 2i + 2, and the points from `starts[i]` to before `ends[i]`. */
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #firstLeaf: number;

  /** @param points finite, shape [n · columns], n ≥ 1. */
  constructor(points: Float32Array | Float64Array, columns: number) {
    const n = points.length / columns;
    const depth = Math.max(0, Math.ceil(Math.log2(n / leafSize)));
    const nodes = 2 ** (depth + 1) - 1;
    this.#columns = columns;
    this.#firstLeaf = 2 ** depth - 1;
    this.#order = Uint32Array.from({ length: n }, (_, i) => i);
    this.#starts = new Uint32Array(nodes);
    this.#ends = new Uint32Array(nodes);
    this.#low = new Float64Array(nodes * columns).fill(Infinity);
    this.#high = new Float64Array(nodes * columns).fill(-Infinity);
    this.#ends[0] = n;
    for (let node = 0; node < nodes; node++) this.#open(points, node);
    this.#points = new Float64Array(n * columns);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < columns; c++) this.#points[i * columns + c] = points[this.#order[i] * columns + c];
    }
  }

  /** Finds the box of a node, and halves its points for its children. */
  #open(points: Float32Array | Float64Array, node: number): void {
    const [columns, order, low, high] = [this.#columns, this.#order, this.#low, this.#high];
    const [start, end, box] = [this.#starts[node], this.#ends[node], node * columns];
    for (let i = start; i < end; i++) {
      for (let c = 0, p = order[i] * columns; c < columns; c++) {
        const value = points[p + c];
        if (value < low[box + c]) low[box + c] = value;
        if (value > high[box + c]) high[box + c] = value;
      }
    }
    if (node >= this.#firstLeaf) return;
    let widest = 0;
    for (let c = 1; c < columns; c++) {
      if (high[box + c] - low[box + c] > high[box + widest] - low[box + widest]) widest = c;
    }
    const middle = (start + end) >> 1;
    const along = (a: number, b: number) => points[a * columns + widest] - points[b * columns + widest];
    quickselect(order as unknown as number[], middle, start, end - 1, along);
    this.#starts[2 * node + 1] = start;
    this.#ends[2 * node + 1] = middle;
    this.#starts[2 * node + 2] = middle;
    this.#ends[2 * node + 2] = end;
  }

  /** Offers to the heap every point that may be among the nearest of a query, but the one of index `except`. */
  search(queries: Float32Array | Float64Array, query: number, except: number, heap: NearestHeap): void {
    this.#visit(queries, query * this.#columns, 0, except, heap);
  }

  #visit(queries: Float32Array | Float64Array, q: number, node: number, except: number, heap: NearestHeap): void {
    if (node >= this.#firstLeaf) {
      const [columns, points] = [this.#columns, this.#points];
      for (let i = this.#starts[node]; i < this.#ends[node]; i++) {
        let square = 0;
        for (let c = 0, p = i * columns; c < columns; c++) {
          const difference = queries[q + c] - points[p + c];
          square += difference * difference;
        }
        if (square <= heap.worst && this.#order[i] !== except) heap.offer(this.#order[i], square);
      }
      return;
    }
    const left = 2 * node + 1;
    const toLeft = this.#squareTo(queries, q, left);
    const toRight = this.#squareTo(queries, q, left + 1);
    const swap = toRight < toLeft;
    const [first, second] = swap ? [left + 1, left] : [left, left + 1];
    if ((swap ? toRight : toLeft) <= heap.worst) this.#visit(queries, q, first, except, heap);
    if ((swap ? toLeft : toRight) <= heap.worst) this.#visit(queries, q, second, except, heap);
  }

  /** Squared distance from a query to the box of a node. */
  #squareTo(queries: Float32Array | Float64Array, q: number, node: number): number {
    const columns = this.#columns;
    let square = 0;
    for (let c = 0, box = node * columns; c < columns; c++) {
      const value = queries[q + c];
      const below = this.#low[box + c] - value;
      const above = value - this.#high[box + c];
      const outside = below > 0 ? below : above > 0 ? above : 0;
      square += outside * outside;
    }
    return square;
  }
}
