/** @file Interventional tree Shapley values by pairs of a row and a background row, for paths with too many players for tables. */

import { goesLeft, type PlayedTrees } from './played-trees.ts';

/** Nobody decided yet, the row's way is followed, the background row's is. */
const undecided = 0;
const ofRow = 1;
const ofBackground = 2;

/**
 * Adds one tree's Shapley values against a background: where a row and a background row part at a node of an undecided player, both
 * ways are followed; a leaf that a of the row's and b of the background's players lead to gives each of the first v (a − 1)! b! / (a + b)! and takes
 * v a! (b − 1)! / (a + b)! from each of the second ("independent" tree SHAP of arXiv:1905.04610).
 * @param rows row-major, shape [≥ n · columns].
 * @param sums shape [players][≥ n]; added to.
 */
export function addByPairs(
  { ensemble, player, players, columns }: PlayedTrees,
  root: number,
  rows: Float64Array,
  n: number,
  background: Float64Array,
  sums: readonly Float64Array[],
): void {
  const { feature, left, right, value } = ensemble;
  const m = background.length / columns;
  const state = new Uint8Array(players);
  let x = 0;
  let b = 0;
  let row = 0;
  // What the leaves below give each of the row's players and take from each of the background's; set by every visit.
  let gives = 0;
  let takes = 0;

  const visit = (node: number, a: number, c: number) => {
    const p = player[node];
    if (p < 0) {
      gives = a > 0 ? value[node] * oneOf(a, c) : 0;
      takes = c > 0 ? value[node] * oneOf(c, a) : 0;
      return;
    }
    const toX = goesLeft(ensemble, node, rows[x + feature[node]]) ? left[node] : right[node];
    const toB = goesLeft(ensemble, node, background[b + feature[node]]) ? left[node] : right[node];
    if (state[p] === ofRow || toX === toB) return visit(toX, a, c);
    if (state[p] === ofBackground) return visit(toB, a, c);
    state[p] = ofRow;
    visit(toX, a + 1, c);
    const given = gives;
    const taken = takes;
    state[p] = ofBackground;
    visit(toB, a, c + 1);
    state[p] = undecided;
    sums[p][row] += (given - takes) / m;
    gives += given;
    takes += taken;
  };

  for (row = 0; row < n; row++) {
    x = row * columns;
    for (let s = 0; s < m; s++) {
      b = s * columns;
      visit(root, 0, 0);
    }
  }
}

/** (a − 1)! b! / (a + b)!. */
function oneOf(a: number, b: number): number {
  let weight = 1 / a;
  for (let k = 1; k <= b; k++) weight *= k / (a + k);
  return weight;
}
