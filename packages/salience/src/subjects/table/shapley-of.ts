/** @file Shapley values of a table's model for some of its rows, exact where its inside is known or the features are few. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { exactShapley } from '../../numerics/shapley/exact.ts';
import { kernelShapley } from '../../numerics/shapley/kernel.ts';
import { permutationShapley } from '../../numerics/shapley/permutation.ts';
import { treeShapley } from '../../numerics/shapley/tree-shapley.ts';
import {
  type Background,
  checkPartition,
  interventional,
  type Players,
} from '../../numerics/shapley/value-function.ts';
import { predictTrees } from '../../numerics/trees/predict-trees.ts';

import type { TableModel } from './black-box-of.ts';

/** How Shapley values are found. */
type ShapleyWay = 'tree' | 'exact' | 'kernel' | 'permutation';

export interface ShapleyOfOptions {
  /** `auto`: by the trees where their sum is the model's output, by the kernel over all coalitions up to 10 players, else by orders. */
  readonly way: ShapleyWay | 'auto';
  /** Coalitions of the kernel. */
  readonly samples: number;
  /** Orders of permutation sampling. */
  readonly orders: number;
}

export interface ShapleyOfRows {
  /** Row-major, shape [rows · players]. */
  readonly values: Float64Array;
  /** What the model gives on average over the background. */
  readonly empty: number;
  /** What the model gives for each row, shape [rows]: `empty` and the row's values add up to it. */
  readonly full: Float64Array;
  readonly way: ShapleyWay;
  /** What the values are of; trees of boosting are explained in log-odds. */
  readonly scale: 'output' | 'log-odds';
  /** The largest standard error of a value, where they are sampled. */
  readonly error?: number;
  /** By how much a row's values miss their sum at the most. */
  readonly gap: number;
}

/** Players up to which all coalitions are asked by `auto`. */
const few = 10;

/** By how much, of the size of an output, sums may miss it. */
const tolerance = 1e-4;

/**
 * Interventional Shapley values of a model's output for each row, with sets of columns as players.
 * @param rows row-major, shape [rows · columns].
 * @throws ParameterError where trees are asked for and the model has none; InputError if the players do not partition the columns, or
 * the model does not answer alike in two calls.
 */
export async function shapleyOf(
  model: TableModel,
  rows: Float64Array,
  background: Background,
  players: Players,
  { way: wanted, samples, orders }: ShapleyOfOptions,
  run: Run,
): Promise<ShapleyOfRows> {
  const { columns } = background;
  checkPartition(players, columns);
  const n = rows.length / columns;
  const m = players.length;
  const trees = model.fitted?.trees?.[0];
  const margin = model.fitted?.treesGive === 'margin';
  const way = wanted !== 'auto' ? wanted : trees && !margin ? 'tree' : m <= few ? 'kernel' : 'permutation';
  const outputs = await model.predict(rows);
  if (way === 'tree') {
    if (!trees) throw new ParameterError(`${model.name} has no trees; its values can be had by kernel or permutation`);
    const player = new Int32Array(columns);
    players.forEach((of, p) => {
      for (const c of of) player[c] = p;
    });
    const found = treeShapley(trees, rows, { columns, players: player, background: background.rows });
    const { values, empty } = await run.drive('Shapley values', found);
    const full = margin ? predictTrees([trees], rows, columns) : outputs;
    const gap = checkSums(model, { values, empty, full, players: m });
    return { values, empty, full, way, scale: margin ? 'log-odds' : 'output', gap };
  }
  const values = new Float64Array(n * m);
  let empty = 0;
  let error: number | undefined;
  for (let r = 0; r < n; r++) {
    run.progress('Shapley values', r, n);
    await run.breathe();
    const value = interventional(
      (x) => model.predict(x),
      background,
      rows.subarray(r * columns, (r + 1) * columns),
      players,
    );
    const random = run.random('shapley').stream(String(r));
    const found =
      way === 'exact'
        ? await exactShapley(value, m)
        : way === 'kernel'
          ? await kernelShapley(value, m, { samples, random })
          : await permutationShapley(value, m, { orders, random });
    values.set(found.values, r * m);
    empty = found.empty;
    for (const own of found.errors ?? []) if (Number.isFinite(own)) error = Math.max(error ?? 0, own);
  }
  run.progress('Shapley values', n, n);
  const gap = checkSums(model, { values, empty, full: outputs, players: m });
  return { values, empty, full: outputs, way, scale: 'output', gap, ...(error !== undefined && { error }) };
}

/** Values add up to the prediction, whatever the model, if it answers alike each time. */
function checkSums(
  { name }: TableModel,
  sums: { values: Float64Array; empty: number; full: Float64Array; players: number },
): number {
  let gap = 0;
  sums.full.forEach((full, r) => {
    let sum = sums.empty;
    for (let p = 0; p < sums.players; p++) sum += sums.values[r * sums.players + p];
    const missed = Math.abs(sum - full);
    if (!(missed <= tolerance * Math.max(1, Math.abs(full)))) {
      throw new InputError(
        `${name} gave ${full} for a row, and the values of its features add up to ${sum}: it does not answer alike in two calls`,
      );
    }
    gap = Math.max(gap, missed);
  });
  return gap;
}

/** Mean |value| of each player over the rows, shape [players]; values row-major, shape [rows · players]. */
export function meanSizes(values: Float64Array, players: number): Float64Array {
  const means = new Float64Array(players);
  values.forEach((value, i) => {
    means[i % players] += Math.abs(value);
  });
  return means.map((sum) => (sum * players) / values.length);
}
