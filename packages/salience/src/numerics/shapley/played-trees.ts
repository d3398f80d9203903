/** @file What the ways to tree Shapley values share: trees whose nodes know which player they ask about. */

import type { TreeEnsemble } from '../trees/tree-ensemble.ts';

export interface PlayedTrees {
  readonly ensemble: TreeEnsemble;
  /** The player a node asks about, shape [nodes]; −1 in a leaf. */
  readonly player: Int32Array;
  readonly players: number;
  /** Columns a row has. */
  readonly columns: number;
}

/** Whether a value goes left at a node. */
export function goesLeft({ threshold, missingLeft }: TreeEnsemble, node: number, x: number): boolean {
  return x <= threshold[node] || (Number.isNaN(x) && missingLeft[node] === 1);
}

/** The share of a node's training rows that go on to its child; a half where none came by. */
export function share({ cover, left, right }: TreeEnsemble, child: number, node: number): number {
  const both = cover[left[node]] + cover[right[node]];
  return both > 0 ? cover[child] / both : 0.5;
}
