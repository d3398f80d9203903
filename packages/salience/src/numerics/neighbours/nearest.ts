/** @file The nearest rows by Euclidean distance, exactly: all compared with all, or through a tree of boxes where that prunes. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { BoxTree } from './box-tree.ts';
import { NearestHeap } from './nearest-heap.ts';

/** Rows one after the other, shape [n · columns]. */
export type Rows = Float32Array | Float64Array;

export interface NearestOptions {
  /** Neighbours of each query; fewer where there are fewer points. */
  readonly k: number;
  /** The queries are the points themselves, and no point is a neighbour of its own; default false. */
  readonly exceptSelf?: boolean;
  /** How to search; the answers are the same. Default: the tree where points are many and columns few. */
  readonly by?: 'tree' | 'comparing all';
}

export interface Nearest {
  /** Neighbours that each query has. */
  readonly k: number;
  /** Indices of points, the nearest first, the lower index first among equals; shape [queries · k]. */
  readonly indices: Uint32Array;
  /** Euclidean distances to them, shape [queries · k]. */
  readonly distances: Float64Array;
}

/**
 * The k nearest points of each query. Distances are sums of squared differences in float64, column after column, so that equal
 * rows are at 0 and ties are ties.
 * @param queries shape [queries · columns].
 * @param points shape [points · columns].
 * @throws InputError if rows do not fit the columns or a number is not finite; ParameterError if k is no whole number of 1 or more.
 */
export function nearest(queries: Rows, points: Rows, columns: number, options: NearestOptions): Nearest {
  return finish(nearestSteps(queries, points, columns, options));
}

/** `nearest` with a pause now and then. */
export function* nearestSteps(
  queries: Rows,
  points: Rows,
  columns: number,
  { k, exceptSelf = false, by }: NearestOptions,
): Steps<Nearest> {
  if (!(Number.isSafeInteger(k) && k >= 1)) throw new ParameterError(`k = ${k} is no whole number of 1 or more`);
  const m = rowsIn(queries, columns, 'queries');
  const n = rowsIn(points, columns, 'points');
  if (exceptSelf && m !== n) throw new InputError(`${m} queries are not the ${n} points themselves`);
  const most = Math.min(k, exceptSelf ? n - 1 : n);
  const indices = new Uint32Array(m * most);
  const distances = new Float64Array(m * most);
  if (most <= 0) return { k: 0, indices, distances };
  // Four queries meet each point in one pass; the tree takes them one by one.
  const heaps = Array.from({ length: 4 }, () => new NearestHeap(most));
  const search = by ?? (n >= 256 && columns <= 8 ? 'tree' : 'comparing all');
  const tree = search === 'tree' ? new BoxTree(points, columns) : undefined;
  for (let block = 0; block < m; block += 4) {
    if (block % 64 === 0) yield { done: block, total: m };
    const width = Math.min(4, m - block);
    for (const heap of heaps) heap.clear();
    if (tree) {
      for (let r = 0; r < width; r++) tree.search(queries, block + r, exceptSelf ? block + r : -1, heaps[r]);
    } else {
      compare(queries, points, columns, block, width, exceptSelf, heaps);
    }
    for (let r = 0; r < width; r++) heaps[r].write(indices, distances, (block + r) * most);
  }
  return { k: most, indices, distances };
}

/** Compares up to 4 queries from `block` on with all points. */
function compare(
  queries: Rows,
  points: Rows,
  columns: number,
  block: number,
  width: number,
  exceptSelf: boolean,
  [h0, h1, h2, h3]: readonly NearestHeap[],
): void {
  const last = block + width - 1;
  const p0 = block * columns;
  const p1 = Math.min(block + 1, last) * columns;
  const p2 = Math.min(block + 2, last) * columns;
  const p3 = last * columns;
  const n = points.length / columns;
  for (let j = 0, q = 0; j < n; j++, q += columns) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let c = 0; c < columns; c++) {
      const v = points[q + c];
      const d0 = queries[p0 + c] - v;
      const d1 = queries[p1 + c] - v;
      const d2 = queries[p2 + c] - v;
      const d3 = queries[p3 + c] - v;
      s0 += d0 * d0;
      s1 += d1 * d1;
      s2 += d2 * d2;
      s3 += d3 * d3;
    }
    const self = exceptSelf ? j - block : -1;
    if (s0 <= h0.worst && self !== 0) h0.offer(j, s0);
    if (s1 <= h1.worst && self !== 1) h1.offer(j, s1);
    if (s2 <= h2.worst && self !== 2) h2.offer(j, s2);
    if (s3 <= h3.worst && self !== 3) h3.offer(j, s3);
  }
}

function rowsIn(rows: Rows, columns: number, name: string): number {
  const n = rows.length / columns;
  if (!(columns >= 1 && Number.isSafeInteger(n))) {
    throw new InputError(`${rows.length} numbers are not ${name} of ${columns} columns`);
  }
  for (let i = 0; i < rows.length; i++) {
    if (!Number.isFinite(rows[i])) {
      throw new InputError(
        `${name}: row ${Math.floor(i / columns)}, column ${i % columns} is ${rows[i]}; distances need finite numbers`,
      );
    }
  }
  return n;
}
