/** @file A graph as the power method sees it: how much weight leaves each node, and one product with the adjacency matrix. */

/** A weighted graph over nodes 0 to n − 1 with adjacency A, where A[u][v] ≥ 0 is the weight of the edge from u to v. */
export interface Graph {
  readonly n: number;
  /** Row sums of A, shape [n]; for an unweighted graph the out-degrees. A node with 0 dangles. */
  readonly outWeight: Float64Array;
  /** Overwrites y with Aᵀx: y[v] = Σ_u A[u][v] x[u]. Both have shape [n] and are not the same array. */
  multiply(x: Float64Array, y: Float64Array): void;
}

/** Whether every node of an undirected graph can be reached from node 0. */
export function isConnected(graph: Graph): boolean {
  const { n } = graph;
  let reached = new Float64Array(n);
  let next = new Float64Array(n);
  if (n > 0) reached[0] = 1;
  for (let count = Math.min(n, 1), before = 0; count > before; ) {
    if (count === n) return true;
    graph.multiply(reached, next);
    before = count;
    count = 0;
    for (let v = 0; v < n; v++) {
      next[v] = reached[v] > 0 || next[v] > 0 ? 1 : 0;
      count += next[v];
    }
    [reached, next] = [next, reached];
  }
  return n === 0;
}
