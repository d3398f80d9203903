/** @file Exact Shapley values of tree ensembles, path-dependent or against a background; each tree by the cheapest of three ways. */

import { InputError } from '../../core/errors.ts';
import type { Steps } from '../../core/steps.ts';
import { predictTrees } from '../trees/predict-trees.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import { type PlayedTrees, share } from './played-trees.ts';
import { addByPairs } from './tree-pairs.ts';
import { addByQuadrature } from './tree-quadrature.ts';
import { addByTables, mostTabulated } from './tree-tables.ts';

export interface TreeShapleyOptions {
  /** Columns a row has. */
  readonly columns: number;
  /**
   * Which player each column belongs to, shape [columns]; players that share columns (a category in several columns, an aspect)
   * are valued as one. Each column is its own by default.
   */
  readonly players?: ArrayLike<number>;
  /**
   * Rows that stand for what is usual, row-major: values are then those of the interventional value function over them. Without it
   * those of the path-dependent one, which goes both ways at a node that asks about an absent feature, by the covers.
   */
  readonly background?: Float64Array;
}

export interface TreeShapley {
  /** Row-major, shape [n · players]; a row's values sum to its prediction less `empty`. */
  readonly values: Float64Array;
  /** What the ensemble gives on average: of the training rows by covers, or of the background. */
  readonly empty: number;
}

/** Rows that are worked on at a time: a column of them stays in the processor's nearest cache. */
const block = 1024;

/** What the choice between the ways rests on. */
interface TreeCosts {
  readonly nodes: number;
  /** The greatest number of different players on a path. */
  readonly distinct: number;
  /** Sum over the leaves of the players on their paths. */
  readonly paths: number;
  /** Sum over the leaves of d · 2^d. */
  readonly tables: number;
}

/**
 * Shapley values of each row for an ensemble's output, exactly. By count of operations each tree goes by tables (tree-tables.ts), by
 * quadrature (tree-quadrature.ts, path-dependent) or by pairs of a row and a background row (tree-pairs.ts, interventional).
 * @param rows row-major, shape [n · columns]; NaN goes where the node sends what is missing.
 * @throws InputError if the shapes do not fit or a node asks about a column that is not there.
 */
export function* treeShapley(
  ensemble: TreeEnsemble,
  rows: Float64Array,
  { columns, players, background }: TreeShapleyOptions,
): Steps<TreeShapley> {
  const n = rows.length / columns;
  if (!Number.isInteger(n)) throw new InputError(`${rows.length} numbers are no rows of ${columns} columns`);
  if (players && players.length !== columns) {
    throw new InputError(`there are ${players.length} players named for ${columns} columns`);
  }
  if (background && (background.length === 0 || background.length % columns !== 0)) {
    throw new InputError(
      `the background has ${background.length} numbers; it needs 1 or more rows of ${columns} columns`,
    );
  }
  let count = players ? 0 : columns;
  if (players) for (let c = 0; c < columns; c++) count = Math.max(count, players[c] + 1);
  const player = ensemble.feature.map((c) => {
    if (c >= columns) throw new InputError(`a tree asks about column ${c} and the rows have ${columns}`);
    return c < 0 ? -1 : players ? players[c] : c;
  });
  const played: PlayedTrees = { ensemble, player, players: count, columns };
  const costs = Array.from(ensemble.roots, (root) => costsOf(played, root));
  const values = new Float64Array(n * count);
  const width = Math.min(block, n);
  const sums = Array.from({ length: count }, () => new Float64Array(width));
  const total = ensemble.roots.length * n;
  const backgroundColumns = background && byColumn(background, columns, 0, background.length / columns);
  for (let start = 0; start < n; start += width) {
    const size = Math.min(width, n - start);
    const x = byColumn(rows, columns, start, size);
    for (const sum of sums) sum.fill(0);
    for (let t = 0; t < ensemble.roots.length; t++) {
      const root = ensemble.roots[t];
      const way = cheapest(costs[t], size, background && background.length / columns);
      if (way === 'tables') addByTables(played, root, x, size, sums, backgroundColumns);
      else if (background) addByPairs(played, root, rows.subarray(start * columns), size, background, sums);
      else addByQuadrature(played, root, costs[t].distinct, rows.subarray(start * columns), size, sums);
      yield { done: start * ensemble.roots.length + (t + 1) * size, total };
    }
    for (let p = 0; p < count; p++) {
      for (let r = 0; r < size; r++) values[(start + r) * count + p] = sums[p][r];
    }
  }
  return { values, empty: background ? mean(predictTrees([ensemble], background, columns)) : meanByCovers(ensemble) };
}

/** Tables cost d 2^d a leaf once in a block, quadrature d / 2 points a node and row, pairs a walk a row and background row. */
function cheapest(
  { nodes, distinct, paths, tables }: TreeCosts,
  rows: number,
  background: number | undefined,
): 'tables' | 'walks' {
  if (distinct > mostTabulated) return 'walks';
  const byTables = 6 * tables + rows * (2 * nodes + paths) + (background ?? 0) * 2 * nodes;
  const walks = rows * (background === undefined ? nodes * 8 * (1 + distinct / 2) : (nodes * background) / 2);
  return byTables <= walks ? 'tables' : 'walks';
}

function costsOf({ ensemble, player, players }: PlayedTrees, root: number): TreeCosts {
  const onPath = new Int32Array(players);
  const costs = { nodes: 0, distinct: 0, paths: 0, tables: 0 };
  const visit = (node: number, distinct: number) => {
    costs.nodes++;
    const p = player[node];
    if (p < 0) {
      costs.distinct = Math.max(costs.distinct, distinct);
      costs.paths += distinct;
      costs.tables += distinct * 2 ** distinct;
      return;
    }
    const met = onPath[p]++ === 0 ? distinct + 1 : distinct;
    visit(ensemble.left[node], met);
    visit(ensemble.right[node], met);
    onPath[p]--;
  };
  visit(root, 0);
  return costs;
}

/** Columns of `size` rows from row `start`, one after the other. */
function byColumn(rows: Float64Array, columns: number, start: number, size: number): Float64Array {
  const x = new Float64Array(columns * size);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < columns; c++) x[c * size + r] = rows[(start + r) * columns + c];
  }
  return x;
}

/** The mean of an ensemble's output where each node goes both ways by the covers of its children. */
function meanByCovers(ensemble: TreeEnsemble): number {
  const { feature, left, right, value } = ensemble;
  const meanBelow = (node: number): number =>
    feature[node] < 0
      ? value[node]
      : share(ensemble, left[node], node) * meanBelow(left[node]) +
        share(ensemble, right[node], node) * meanBelow(right[node]);
  return Array.from(ensemble.roots, meanBelow).reduce((sum, m) => sum + m, ensemble.base);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
