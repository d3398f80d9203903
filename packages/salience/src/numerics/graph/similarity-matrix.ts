/** @file A graph from similarities that are given as a matrix. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { csrGraph } from './csr.ts';
import type { Graph } from './graph.ts';

/**
 * The graph of a symmetric similarity matrix C, shape [n][n]: with a threshold t the pairs above it (strictly), unweighted;
 * without one all pairs, weighted by their similarity. Every node has a self-loop of 1 whatever the diagonal says.
 * @throws InputError if C is not square, not symmetric, has an entry that is not finite, or, without a threshold, a negative
 *   one; ParameterError if t is outside [0, 1).
 */
export function matrixGraph(similarity: readonly ArrayLike<number>[], t?: number): Graph {
  if (t !== undefined && !(t >= 0 && t < 1)) throw new ParameterError(`threshold = ${t} is outside 0 to below 1`);
  const n = similarity.length;
  const from: number[] = [];
  const to: number[] = [];
  const weight: number[] = [];
  const join = (i: number, j: number, c: number) => {
    from.push(i);
    to.push(j);
    weight.push(c);
  };
  similarity.forEach((row, i) => {
    if (row.length !== n) throw new InputError(`similarity matrix: row ${i} has ${row.length} entries, not ${n}`);
    for (let j = 0; j < n; j++) {
      const c = row[j];
      const place = `similarity matrix: entry (${i}, ${j}) is ${c}`;
      if (!Number.isFinite(c)) throw new InputError(`${place}; similarities must be finite`);
      if (t === undefined && c < 0) throw new InputError(`${place}; weights must be 0 or more`);
      if (j < i && c !== similarity[j][i]) throw new InputError(`${place}, but (${j}, ${i}) is ${similarity[j][i]}`);
      if (j < i && c > (t ?? 0)) join(i, j, t === undefined ? c : 1);
    }
    join(i, i, 1);
  });
  return csrGraph(n, { from, to, weight });
}
