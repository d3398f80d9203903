/**
 * @file The predictors against scikit-learn 1.2.1 on the same 60 rows. The numbers were printed by it from data of the same
 * congruential stream, solvers at their tightest tolerance; support vector machines and trees with `random_state=0`.
 */

import { describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import type { TreeEnsemble } from '../../numerics/trees/tree-ensemble.ts';
import { fitLasso } from './lasso.ts';
import { fitLogistic } from './logistic.ts';
import { fitRidge } from './ridge.ts';
import { fitLinearSvm, fitSvm } from './svm.ts';
import { fitTree } from './tree.ts';

/** s ← 1664525 s + 1013904223 mod 2³², as numbers in [0, 1). */
function congruential(seed: number): () => number {
  let s = seed;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}

const [n, columns] = [60, 4];
const next = congruential(7);
const scales = [1, 2, 10, 0.1];
const x = Float64Array.from({ length: n * columns }, (_, i) => (next() * 2 - 1) * scales[i % columns]);
const noise = Float64Array.from({ length: n }, () => next() - 0.5);
const signal = noise.map((_, i) => {
  const [a, b, c] = x.subarray(i * columns);
  return a - b + 0.1 * c + 0.8 * Math.sin(3 * a);
});
const two = { x, columns, classes: 2, y: signal.map((s, i) => Number(s + 2 * noise[i] > 0)) };
const three = {
  x,
  columns,
  classes: 3,
  y: signal.map((s, i) => Number(s + noise[i] >= -0.7) + Number(s + noise[i] >= 0.7)),
};
const values = { x, columns, y: signal.map((s, i) => 3 + s + noise[i]) };
const run = new Run();

function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits = 7): void {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, digits);
  });
}

describe('logistic regression gives the coefficients of LogisticRegression', () => {
  it('with an L2 penalty, C = 1 and C = 0.1', async () => {
    const one = await fitLogistic(two, {}, run);
    expectClose(one.weights, [2.262522364, -1.5045464549, 0.1012861525, -0.0460797647]);
    expectClose(one.intercepts, [-0.3052815482]);
    const tenth = await fitLogistic(two, { cost: 0.1 }, run);
    expectClose(tenth.weights, [0.5707577373, -0.7441635316, 0.0636316108, 0.0107678708]);
    expectClose(tenth.intercepts, [-0.3635443455]);
  });

  it('with an L1 penalty, one of them exactly 0', async () => {
    const fitted = await fitLogistic(two, { penalty: 'l1', cost: 0.5 }, run);
    expectClose(fitted.weights, [2.3260780688, -1.457363219, 0.0930791614, 0], 6);
    expectClose(fitted.intercepts, [-0.3019640557], 6);
    expect(fitted.weights[3]).toBe(0);
  });

  it('without a penalty', async () => {
    const fitted = await fitLogistic(two, { penalty: 'none' }, run);
    expectClose(fitted.weights, [6.3375796369, -3.3815005317, 0.216041298, -10.4962518709], 5);
    expectClose(fitted.intercepts, [-0.1871566456], 5);
  });

  it('of three classes, with their probabilities', async () => {
    const fitted = await fitLogistic(three, {}, run);
    expectClose(
      fitted.weights,
      [
        -2.2263177566, 1.4651557012, -0.1011800506, -0.1594709528, 0.0877068252, 0.0019402107, -0.0108033828,
        0.0604928499, 2.1386109314, -1.4670959119, 0.1119834334, 0.0989781029,
      ],
    );
    expectClose(fitted.intercepts, [-0.332153339, 0.6814872971, -0.3493339581]);
    expectClose(
      await fitted.predict(x.slice(0, 8)),
      [0.9152249523, 0.0835857405, 0.0011893072, 0.9683363584, 0.0315086731, 0.0001549685],
    );
  });
});

it('ridge regression gives the coefficients of Ridge', async () => {
  const { weights, intercepts } = await fitRidge(values, { strength: 2 }, run);
  expectClose(weights, [1.6037676389, -0.9374157686, 0.0773839575, -0.012186716], 9);
  expectClose(intercepts, [2.9996589178988313], 9);
});

it('the lasso gives the coefficients of Lasso, one of them exactly 0', async () => {
  const { weights, intercepts } = await fitLasso(values, { strength: 0.1 }, run);
  expectClose(weights, [1.4610957728, -0.8960831487, 0.0742677565, 0], 6);
  expectClose(intercepts, [2.9820493644175374], 6);
  expect(weights[3]).toBe(0);
});

describe('a support vector machine', () => {
  it('decides as SVC does, with RBF and with a polynomial of degree 3', async () => {
    const rbf = await fitSvm(two, { tolerance: 1e-8 }, run);
    expectClose(rbf.decide(x.slice(0, 16)), [-1.4144227155, -1.3050800096, -0.9999999374, -0.6559362724], 6);
    const cubic = await fitSvm(two, { kernel: 'polynomial', offset: 1, tolerance: 1e-8 }, run);
    expectClose(cubic.decide(x.slice(0, 16)), [-1.5458373273, -1.925929495, -3.6396976628, -0.5516519229], 6);
  });

  it('that is linear has the weights that scipy.optimize finds for the squared hinge with a free intercept', async () => {
    const { weights, intercepts } = await fitLinearSvm(two, {}, run);
    expectClose(weights, [1.4869525865, -0.815522292, 0.0510479238, -0.3777708202], 6);
    expectClose(intercepts, [-0.0719680087], 6);
  });
});

describe('a tree is that of DecisionTreeClassifier or DecisionTreeRegressor', () => {
  // scikit-learn writes −2 for the feature and the threshold of a leaf.
  const shapeOf = ({ feature, threshold, cover }: TreeEnsemble) => ({
    feature: Array.from(feature, (f) => (f < 0 ? -2 : f)),
    threshold: Array.from(threshold, (t, node) => (feature[node] < 0 ? -2 : t)),
    cover: [...cover],
  });

  it('for three classes, at most 3 deep and 3 rows in a leaf', async () => {
    const { trees, importance } = await fitTree(three, { depth: 3, minLeaf: 3 }, run);
    const { feature, threshold, cover } = shapeOf(trees[0]);
    expect(feature).toEqual([1, 0, -2, -2, 0, 1, -2, -2, 3, -2, -2]);
    expectClose(
      threshold,
      [-0.7686312199, -0.5029279739, -2, -2, 0.2439352199, 0.4438384175, -2, -2, 0.053771466, -2, -2],
      6, // scikit-learn reads columns as float32
    );
    expect(cover).toEqual([60, 18, 4, 14, 42, 30, 12, 18, 12, 8, 4]);
    const counts = [0, 1, 2].map((k) =>
      Array.from(trees[k].value, (value, node) => Math.round(value * cover[node] * 1e9) / 1e9),
    );
    expect(counts[0]).toEqual([24, 0, 0, 0, 24, 23, 6, 17, 1, 0, 1]);
    expect(counts[1]).toEqual([19, 4, 4, 0, 15, 7, 6, 1, 8, 8, 0]);
    expect(counts[2]).toEqual([17, 14, 0, 14, 3, 0, 0, 0, 3, 0, 3]);
    expectClose(importance, [0.4098990111508521, 0.4465074689669683, 0, 0.1435935198821797], 10);
  });

  it('for two classes, where no two splits are equally good', async () => {
    const { trees, treesGive } = await fitTree(two, { depth: 1 }, run);
    expect(treesGive).toBe('probability');
    expect(shapeOf(trees[0])).toEqual({
      feature: [1, -2, -2],
      threshold: [expect.closeTo(-0.7686312199, 6), -2, -2],
      cover: [60, 18, 42],
    });
    expectClose(trees[0].value, [24 / 60, 16 / 18, 8 / 42], 14);
  });

  it('for values', async () => {
    const { trees, importance } = await fitTree(values, { depth: 3, minLeaf: 2 }, run);
    const { feature, cover } = shapeOf(trees[0]);
    expect(feature).toEqual([1, 0, 1, -2, -2, 1, -2, -2, 0, 1, -2, -2, 1, -2, -2]);
    expect(cover).toEqual([60, 18, 9, 3, 6, 9, 7, 2, 42, 20, 10, 10, 22, 9, 13]);
    expectClose(
      trees[0].value.map((value) => value + trees[0].base),
      [
        2.7597945813, 4.5646955496, 3.6436578209, 2.9143313437, 4.0083210595, 5.4857332783, 5.8746343219, 4.1245796256,
        1.9862655949, 1.1825655231, 1.9729180772, 0.392212969, 2.7169020238, 3.5296656134, 2.1542195387,
      ],
      8,
    );
    expectClose(importance, [0.2602937405652028, 0.7397062594347972, 0, 0], 9);
  });
});
