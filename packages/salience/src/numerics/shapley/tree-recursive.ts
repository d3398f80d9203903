/** @file Path-dependent tree Shapley values by the recursion as published (arXiv:1802.03888, Algorithm 2): the measure of the fast ones. */

import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import { goesLeft, share } from './played-trees.ts';

/** A player of a path, with the weight of the coalitions that have as many players as stand before it. */
interface Step {
  column: number;
  zero: number;
  one: number;
  weight: number;
}

/**
 * Values of each row, row-major, shape [n · columns], in O(leaves · depth²) a row with a copied path a node.
 * @param rows row-major, shape [n · columns].
 */
export function recursiveTreeShapley(ensemble: TreeEnsemble, rows: Float64Array, columns: number): Float64Array {
  const { feature, left, right, value } = ensemble;
  const values = new Float64Array(rows.length);

  const recurse = (at: number, node: number, before: readonly Step[], zero: number, one: number, column: number) => {
    let path = extend(before, zero, one, column);
    if (feature[node] < 0) {
      for (let i = 1; i < path.length; i++) {
        const weight = unwind(path, i).reduce((sum, step) => sum + step.weight, 0);
        values[at + path[i].column] += weight * (path[i].one - path[i].zero) * value[node];
      }
      return;
    }
    const asked = feature[node];
    const goes = goesLeft(ensemble, node, rows[at + asked]);
    const hot = goes ? left[node] : right[node];
    const cold = goes ? right[node] : left[node];
    const known = path.findIndex((step) => step.column === asked);
    const { zero: oldZero, one: oldOne } = known < 0 ? { zero: 1, one: 1 } : path[known];
    if (known >= 0) path = unwind(path, known);
    recurse(at, hot, path, oldZero * share(ensemble, hot, node), oldOne, asked);
    recurse(at, cold, path, oldZero * share(ensemble, cold, node), 0, asked);
  };

  for (let at = 0; at < rows.length; at += columns) {
    for (const root of ensemble.roots) recurse(at, root, [], 1, 1, -1);
  }
  return values;
}

function extend(before: readonly Step[], zero: number, one: number, column: number): Step[] {
  const l = before.length;
  const path = before.map((step) => ({ ...step }));
  path.push({ column, zero, one, weight: l === 0 ? 1 : 0 });
  for (let i = l - 1; i >= 0; i--) {
    path[i + 1].weight += (one * path[i].weight * (i + 1)) / (l + 1);
    path[i].weight = (zero * path[i].weight * (l - i)) / (l + 1);
  }
  return path;
}

function unwind(before: readonly Step[], i: number): Step[] {
  const l = before.length;
  const { zero, one } = before[i];
  let next = before[l - 1].weight;
  const path = before.slice(0, l - 1).map((step) => ({ ...step }));
  for (let j = l - 2; j >= 0; j--) {
    if (one !== 0) {
      const held = path[j].weight;
      path[j].weight = (next * l) / ((j + 1) * one);
      next = held - (path[j].weight * zero * (l - 1 - j)) / l;
    } else path[j].weight = (path[j].weight * l) / (zero * (l - 1 - j));
  }
  for (let j = i; j < l - 1; j++) {
    path[j].column = before[j + 1].column;
    path[j].zero = before[j + 1].zero;
    path[j].one = before[j + 1].one;
  }
  return path;
}
