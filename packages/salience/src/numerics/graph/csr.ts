/** @file A sparse graph in compressed rows (CSR). */

import { InputError } from '../../core/errors.ts';
import type { Graph } from './graph.ts';

/** Edges as parallel arrays, shape [m] each. */
export interface Edges {
  readonly from: ArrayLike<number>;
  readonly to: ArrayLike<number>;
  /** Finite and above 0; all 1 where absent. */
  readonly weight?: ArrayLike<number>;
}

/**
 * A graph of n nodes from its edges; undirected unless said otherwise. An edge given several times counts once, with the
 * weight given last; in an undirected graph u–v and v–u are one edge.
 * @throws InputError if an end is no node, the arrays differ in length, or a weight is not a finite number above 0.
 */
export function csrGraph(n: number, edges: Edges, { directed = false } = {}): Graph {
  const { from, to, weight } = edges;
  checkEdges(n, edges);
  const m = from.length;
  const arcs = directed ? m : 2 * m;

  // Row v lists the sources of the edges into v: a counting sort by target, then last one wins among equals.
  const start = new Uint32Array(n + 1);
  const targetOf = (arc: number) => (arc < m ? to[arc] : from[arc - m]);
  for (let arc = 0; arc < arcs; arc++) start[targetOf(arc) + 1]++;
  for (let v = 0; v < n; v++) start[v + 1] += start[v];
  const byTarget = new Uint32Array(arcs);
  const filled = start.slice(0, n);
  for (let e = 0; e < m; e++) {
    byTarget[filled[to[e]]++] = e;
    if (!directed) byTarget[filled[from[e]]++] = m + e;
  }

  const rows = new Uint32Array(n + 1);
  const sources = new Uint32Array(arcs);
  const weights = new Float64Array(arcs);
  const outWeight = new Float64Array(n);
  const slotOf = new Int32Array(n).fill(-1);
  let size = 0;
  for (let v = 0; v < n; v++) {
    rows[v] = size;
    for (let k = start[v]; k < start[v + 1]; k++) {
      const arc = byTarget[k];
      const u = arc < m ? from[arc] : to[arc - m];
      if (slotOf[u] < rows[v]) {
        slotOf[u] = size;
        sources[size++] = u;
      }
      weights[slotOf[u]] = weight ? weight[arc < m ? arc : arc - m] : 1;
    }
    for (let k = rows[v]; k < size; k++) outWeight[sources[k]] += weights[k];
  }
  rows[n] = size;

  return {
    n,
    outWeight,
    multiply(x, y) {
      for (let v = 0; v < n; v++) {
        let sum = 0;
        for (let k = rows[v]; k < rows[v + 1]; k++) sum += weights[k] * x[sources[k]];
        y[v] = sum;
      }
    },
  };
}

function checkEdges(n: number, { from, to, weight }: Edges): void {
  if (to.length !== from.length || (weight && weight.length !== from.length)) {
    throw new InputError(`edges: ${from.length} starts, ${to.length} ends and ${weight?.length ?? 'no'} weights`);
  }
  for (let e = 0; e < from.length; e++) {
    for (const node of [from[e], to[e]]) {
      if (!(Number.isInteger(node) && node >= 0 && node < n)) {
        throw new InputError(`edge ${e} ends at node ${node}; the nodes are 0 to ${n - 1}`);
      }
    }
    if (weight && !(weight[e] > 0 && weight[e] < Infinity)) {
      throw new InputError(`edge ${e} has weight ${weight[e]}; weights must be finite and above 0`);
    }
  }
}
