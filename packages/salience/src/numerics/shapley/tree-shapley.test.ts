import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { finish } from '../../core/steps.ts';
import type { TreeEnsemble } from '../trees/tree-ensemble.ts';
import { exactShapley } from './exact.ts';
import { addByPairs } from './tree-pairs.ts';
import { addByQuadrature } from './tree-quadrature.ts';
import { recursiveTreeShapley } from './tree-recursive.ts';
import { treeShapley } from './tree-shapley.ts';
import { addByTables } from './tree-tables.ts';
import { interventional } from './value-function.ts';

/** Random trees; every path has `depth` nodes or ends before by the share `early`. */
function randomTrees(random: Random, trees: number, depth: number, columns: number, early = 0.15): TreeEnsemble {
  const nodes: { feature: number; threshold: number; left: number; right: number; value: number; cover: number }[] = [];
  const grow = (below: number): number => {
    const at = nodes.length;
    nodes.push({
      feature: -1,
      threshold: 0,
      left: -1,
      right: -1,
      value: random.normal(),
      cover: 1 + random.integer(9),
    });
    if (below === 0 || random.uniform() < early) return at;
    const left = grow(below - 1);
    const right = grow(below - 1);
    Object.assign(nodes[at], {
      feature: random.integer(columns),
      threshold: random.normal(),
      left,
      right,
      cover: nodes[left].cover + nodes[right].cover,
    });
    return at;
  };
  const roots = Int32Array.from({ length: trees }, () => grow(depth));
  return {
    roots,
    feature: Int32Array.from(nodes, (n) => n.feature),
    threshold: Float64Array.from(nodes, (n) => n.threshold),
    left: Int32Array.from(nodes, (n) => n.left),
    right: Int32Array.from(nodes, (n) => n.right),
    missingLeft: Uint8Array.from(nodes, (_, i) => i % 2),
    value: Float64Array.from(nodes, (n) => n.value),
    cover: Float64Array.from(nodes, (n) => n.cover),
    base: 0.7,
  };
}

function predict(trees: TreeEnsemble, rows: Float64Array, columns: number): Float64Array {
  return Float64Array.from({ length: rows.length / columns }, (_, r) => {
    let sum = trees.base;
    for (const root of trees.roots) {
      let node = root;
      while (trees.feature[node] >= 0) {
        const x = rows[r * columns + trees.feature[node]];
        const left = Number.isNaN(x) ? trees.missingLeft[node] === 1 : x <= trees.threshold[node];
        node = left ? trees.left[node] : trees.right[node];
      }
      sum += trees.value[node];
    }
    return sum;
  });
}

/** v(S) by covers: absent columns go both ways. */
function byCovers(trees: TreeEnsemble, row: ArrayLike<number>, player: ArrayLike<number>, players: number) {
  const at = (node: number, isIn: (p: number) => boolean): number => {
    if (trees.feature[node] < 0) return trees.value[node];
    const { left, right, cover } = trees;
    if (isIn(player[trees.feature[node]])) {
      const x = row[trees.feature[node]];
      const goes = Number.isNaN(x) ? trees.missingLeft[node] === 1 : x <= trees.threshold[node];
      return at(goes ? left[node] : right[node], isIn);
    }
    const [a, b] = [cover[left[node]], cover[right[node]]];
    return (a * at(left[node], isIn) + b * at(right[node], isIn)) / (a + b);
  };
  return async (members: Uint8Array) =>
    Float64Array.from({ length: members.length / players }, (_, s) =>
      Array.from(trees.roots, (root) => at(root, (p) => members[s * players + p] === 1)).reduce(
        (sum, v) => sum + v,
        trees.base,
      ),
    );
}

const random = new Random(5, 'trees');
const rowsOf = (n: number, columns: number, missing = 0) =>
  Float64Array.from({ length: n * columns }, () => (random.uniform() < missing ? Number.NaN : random.normal()));
const near = (values: ArrayLike<number>, expected: ArrayLike<number>, within = 1e-12) => {
  expect(values.length).toBe(expected.length);
  for (let i = 0; i < values.length; i++) expect(Math.abs(values[i] - expected[i])).toBeLessThan(within);
};

describe('a tree of two nodes', () => {
  // x0 ≤ 0 ? 1 : (x1 ≤ 0 ? 2 : 6), 4 rows left and 4 right, of these 1 and 3.
  const tree: TreeEnsemble = {
    roots: Int32Array.of(0),
    feature: Int32Array.of(0, -1, 1, -1, -1),
    threshold: new Float64Array(5),
    left: Int32Array.of(1, -1, 3, -1, -1),
    right: Int32Array.of(2, -1, 4, -1, -1),
    missingLeft: new Uint8Array(5),
    value: Float64Array.of(0, 1, 0, 2, 6),
    cover: Float64Array.of(8, 4, 4, 1, 3),
    base: 0,
  };

  it('has the path-dependent values worked by hand', () => {
    // v() = (1 + 5)/2 = 3, v(0) = 5, v(1) = (1 + 6)/2 = 3.5, v(01) = 6 at (1, 1).
    const { values, empty } = finish(treeShapley(tree, Float64Array.of(1, 1), { columns: 2 }));
    near(values, [2.25, 0.75]);
    expect(empty).toBe(3);
  });

  it('has the values against a background worked by hand', () => {
    // Against (−1, −1): v() = 1, v(0) = 2, v(1) = 1, v(01) = 6.
    const { values, empty } = finish(
      treeShapley(tree, Float64Array.of(1, 1), { columns: 2, background: Float64Array.of(-1, -1) }),
    );
    near(values, [3, 2]);
    expect(empty).toBe(1);
  });
});

describe('tree Shapley values are those of all coalitions', () => {
  for (const [depth, columns] of [
    [1, 2],
    [3, 2],
    [4, 6],
    [7, 9],
    [8, 10],
  ]) {
    const trees = randomTrees(random, 5, depth, columns);
    const rows = rowsOf(4, columns, 0.1);
    const background = rowsOf(9, columns, 0.1);
    const own = Int32Array.from({ length: columns }, (_, c) => c);

    it(`by covers, depth ${depth}, ${columns} columns`, async () => {
      const { values, empty } = finish(treeShapley(trees, rows, { columns }));
      for (let r = 0; r < 4; r++) {
        const row = rows.subarray(r * columns, (r + 1) * columns);
        const exact = await exactShapley(byCovers(trees, row, own, columns), columns);
        near(values.subarray(r * columns, (r + 1) * columns), exact.values);
        expect(empty).toBeCloseTo(exact.empty, 12);
      }
    });

    it(`against a background, depth ${depth}, ${columns} columns`, async () => {
      const { values, empty } = finish(treeShapley(trees, rows, { columns, background }));
      for (let r = 0; r < 4; r++) {
        const row = rows.subarray(r * columns, (r + 1) * columns);
        const players = Array.from(own, (c) => [c]);
        const exact = await exactShapley(
          interventional((x) => predict(trees, x, columns), { rows: background, columns }, row, players),
          columns,
        );
        near(values.subarray(r * columns, (r + 1) * columns), exact.values);
        expect(empty).toBeCloseTo(exact.empty, 12);
      }
    });
  }

  it('also of players with several columns, which is not their sum', async () => {
    const columns = 7;
    const trees = randomTrees(random, 4, 6, columns, 0);
    const player = Int32Array.of(0, 1, 0, 2, 1, 0, 2);
    const players = [
      [0, 2, 5],
      [1, 4],
      [3, 6],
    ];
    const rows = rowsOf(3, columns);
    const background = rowsOf(5, columns);
    const byCover = finish(treeShapley(trees, rows, { columns, players: player })).values;
    const against = finish(treeShapley(trees, rows, { columns, players: player, background })).values;
    for (let r = 0; r < 3; r++) {
      const row = rows.subarray(r * columns, (r + 1) * columns);
      near(byCover.subarray(3 * r, 3 * r + 3), (await exactShapley(byCovers(trees, row, player, 3), 3)).values);
      const value = interventional((x) => predict(trees, x, columns), { rows: background, columns }, row, players);
      near(against.subarray(3 * r, 3 * r + 3), (await exactShapley(value, 3)).values);
    }
  });
});

describe('the ways to tree Shapley values', () => {
  it('agree with the recursion as published, on more rows than one block', () => {
    const columns = 20;
    const trees = randomTrees(random, 1, 7, columns, 0.05);
    const rows = rowsOf(1100, columns, 0.02);
    near(finish(treeShapley(trees, rows, { columns })).values, recursiveTreeShapley(trees, rows, columns), 1e-11);
  });

  const played = (trees: TreeEnsemble, columns: number) => ({
    ensemble: trees,
    player: trees.feature,
    players: columns,
    columns,
  });
  const run = (columns: number, n: number, add: (sums: Float64Array[]) => void) => {
    const sums = Array.from({ length: columns }, () => new Float64Array(n));
    add(sums);
    return sums.flatMap((sum) => [...sum]);
  };
  const byColumn = (rows: Float64Array, columns: number) =>
    Float64Array.from(
      rows,
      (_, i) => rows[(i % (rows.length / columns)) * columns + Math.floor(i / (rows.length / columns))],
    );

  it('agree with each other', () => {
    const columns = 12;
    const trees = randomTrees(random, 1, 11, columns, 0.1);
    const rows = rowsOf(5, columns, 0.05);
    const background = rowsOf(6, columns, 0.05);
    const x = byColumn(rows, columns);
    const tables = run(columns, 5, (sums) => addByTables(played(trees, columns), 0, x, 5, sums));
    near(
      run(columns, 5, (sums) => addByQuadrature(played(trees, columns), 0, 11, rows, 5, sums)),
      tables,
    );
    near(
      run(columns, 5, (sums) => addByPairs(played(trees, columns), 0, rows, 5, background, sums)),
      run(columns, 5, (sums) => addByTables(played(trees, columns), 0, x, 5, sums, byColumn(background, columns))),
    );
  });

  it('serve paths with 40 players, whose values sum to the prediction less the mean', () => {
    // A chain: node k asks about column k.
    const columns = 40;
    const feature = Int32Array.from({ length: 2 * columns + 1 }, (_, i) =>
      i % 2 === 0 && i < 2 * columns ? i / 2 : -1,
    );
    const chain: TreeEnsemble = {
      roots: Int32Array.of(0),
      feature,
      threshold: new Float64Array(feature.length),
      left: feature.map((c, i) => (c < 0 ? -1 : i + 1)),
      right: feature.map((c, i) => (c < 0 ? -1 : i + 2)),
      missingLeft: new Uint8Array(feature.length),
      value: Float64Array.from(feature, (_, i) => Math.sin(i)),
      cover: Float64Array.from(feature, (_, i) => (i % 2 === 0 ? 41 - i / 2 : 1)),
      base: 0,
    };
    const rows = rowsOf(3, columns).map((v, i) => (i >= 2 * columns ? Math.abs(v) : v));
    for (const background of [undefined, rowsOf(4, columns)]) {
      const { values, empty } = finish(treeShapley(chain, rows, { columns, background }));
      predict(chain, rows, columns).forEach((prediction, r) => {
        const sum = values.subarray(r * columns, (r + 1) * columns).reduce((a, b) => a + b, empty);
        expect(sum).toBeCloseTo(prediction, 10);
      });
    }
  });
});

describe('odd trees', () => {
  it('a tree that is a leaf gives nobody anything', () => {
    const leaf = randomTrees(random, 2, 0, 3);
    const { values, empty } = finish(treeShapley(leaf, rowsOf(2, 3), { columns: 3 }));
    near(values, new Float64Array(6));
    expect(empty).toBeCloseTo(0.7 + leaf.value[0] + leaf.value[1], 12);
  });

  it('nodes that no training row came by are no division by 0', () => {
    const trees = randomTrees(random, 3, 6, 4, 0);
    const bare = { ...trees, cover: trees.cover.map((c, i) => (i % 3 === 0 ? 0 : c)) };
    const rows = rowsOf(5, 4);
    const { values, empty } = finish(treeShapley(bare, rows, { columns: 4 }));
    predict(bare, rows, 4).forEach((prediction, r) => {
      expect(values.subarray(4 * r, 4 * r + 4).reduce((a, b) => a + b, empty)).toBeCloseTo(prediction, 10);
    });
  });

  it('refuses shapes that do not fit', () => {
    const trees = randomTrees(random, 1, 3, 5, 0);
    const run = (rows: number, options: object) => () =>
      finish(treeShapley(trees, new Float64Array(rows), { columns: 5, ...options }));
    expect(run(7, {})).toThrow('7 numbers are no rows of 5 columns');
    expect(run(5, { background: new Float64Array() })).toThrow('background has 0 numbers');
    expect(run(5, { players: [0, 1] })).toThrow('2 players named for 5 columns');
    expect(() =>
      finish(
        treeShapley({ ...trees, feature: trees.feature.map((c) => (c < 0 ? c : 5)) }, new Float64Array(5), {
          columns: 5,
        }),
      ),
    ).toThrow('a tree asks about column 5');
  });
});
