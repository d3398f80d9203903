import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { type Shuffle, squaredLoss } from '../importance/permutation-importance.ts';
import { type Explained, featureShuffles, maskedEffects } from './effects.ts';
import { searchFactors } from './greedy-search.ts';
import {
  compositions,
  directionChoices,
  haloOf,
  interactionCloud,
  type RashomonSearch,
  rangeOf,
  referenceScores,
  searchRashomonSet,
} from './interaction-cloud.ts';

/** A model of two columns. */
const ofTwo = (f: (a: number, b: number) => number) => (rows: Float64Array) =>
  Float64Array.from({ length: rows.length / 2 }, (_, i) => f(rows[2 * i], rows[2 * i + 1]));

function permutationsOf(n: number): number[][] {
  if (n === 0) return [[]];
  return permutationsOf(n - 1).flatMap((rest) =>
    Array.from({ length: n }, (_, at) => [...rest.slice(0, at), n - 1, ...rest.slice(at)]),
  );
}

describe('permutation effects and interaction scores', () => {
  const square = Float64Array.from([-1, -1, -1, 1, 1, -1, 1, 1]);
  const all = permutationsOf(4);
  const everyShuffle: Shuffle[] = all.flatMap((first) =>
    all.map(
      (second): Shuffle =>
        (column) =>
          [first, second][column],
    ),
  );
  const factorial = (c: number): Explained => {
    const predict = ofTwo((a, b) => a + b + c * a * b);
    return { predict, rows: square, columns: 2, targets: predict(square), loss: squaredLoss, features: [[0], [1]] };
  };

  it.each([
    [0, 2, 4, 0],
    [0.5, 2.5, 4.5, -0.5],
    [1, 4, 6, -2],
  ])(
    'of x₀ + x₁ + %d x₀ x₁ on a full factorial, over all permutations, are 2 + 2c², 4 + 2c² and −2c²',
    async (c, single, joint, score) => {
      const explained = factorial(c);
      const { effects, loss } = await maskedEffects(explained, [1, 1], [[0], [1], [0, 1]], everyShuffle);
      expect(loss).toBe(0);
      expect([...effects].map((x) => Number(x.toFixed(9)))).toEqual([single, single, joint]);
      const scores = await referenceScores(explained, [[0, 1]], everyShuffle);
      expect(scores[0]).toBeCloseTo(score, 9);
    },
  );

  it('are not those of a joint effect that shuffles the last column alone, which gives −2 for an additive model', async () => {
    const explained = factorial(0);
    const last: Shuffle[] = everyShuffle.map((shuffle) => (column) => (column === 0 ? [0, 1, 2, 3] : shuffle(1)));
    const { effects } = await maskedEffects(explained, [1, 1], [[0, 1]], last);
    const { effects: singles } = await maskedEffects(explained, [1, 1], [[0], [1]], everyShuffle);
    expect(effects[0] - singles[0] - singles[1]).toBeCloseTo(-2, 9);
  });

  it('are 0 for a feature the model ignores, and the same features in another order have the same scores', async () => {
    const random = new Random(3, 'order');
    const n = 40;
    const rows = Float64Array.from({ length: 3 * n }, () => random.normal());
    const model = (a: number, b: number) => (x: Float64Array) =>
      Float64Array.from({ length: x.length / 3 }, (_, i) => x[3 * i + a] * x[3 * i + b] + x[3 * i + a]);
    const swapped = rows.map((_, i) => rows[3 * Math.floor(i / 3) + [2, 1, 0][i % 3]]);
    const targets = model(0, 1)(rows).map((y) => y + 0.1);
    const shared = { columns: 3, targets, loss: squaredLoss, features: [[0], [1], [2]] };
    const one = { ...shared, predict: model(0, 1), rows };
    const other = { ...shared, predict: model(2, 1), rows: swapped };
    const pairs = [
      [0, 1],
      [0, 2],
      [1, 2],
    ];
    const shuffles = featureShuffles(one, 5, new Random(1));
    const mirrored = shuffles.map(
      (shuffle): Shuffle =>
        (column) =>
          shuffle([2, 1, 0][column]),
    );
    const first = await referenceScores(one, pairs, shuffles);
    const second = await referenceScores(other, pairs, mirrored);
    expect((await maskedEffects(one, [1, 1, 1], [[2]], shuffles)).effects[0]).toBe(0);
    expect([first[1], first[2]].map((x) => Math.abs(x) < 1e-12)).toEqual([true, true]);
    expect(second[2]).toBeCloseTo(first[0], 12);
    expect(Math.abs(second[0])).toBeLessThan(1e-12);
  });

  it('move the columns of a patch together', async () => {
    const rows = Float64Array.from([1, 1, 2, 2, 3, 3, 4, 4]);
    const explained: Explained = {
      predict: ofTwo((a, b) => a - b),
      rows,
      columns: 2,
      targets: new Float64Array(4),
      loss: squaredLoss,
      features: [[0, 1]],
    };
    const { effects } = await maskedEffects(explained, [2], [[0]], featureShuffles(explained, 10, new Random(1)));
    expect(effects[0]).toBe(0);
  });
});

describe('the search along the boundary', () => {
  const x = [1, -1, 1, -1];
  const y = [1.5, -0.5, 0.5, -1.5];
  const loss = (m: number) => x.reduce((sum, value, i) => sum + (y[i] - m * value) ** 2, 0) / 4;
  const excess = async (m: number) => loss(m) - 0.25;

  it('finds the factors of the worked example within its grid of 1e-4', async () => {
    const up = await searchFactors(excess, 0.025, 10, 1);
    const down = await searchFactors(excess, 0.025, 10, -1);
    const expected = [1, 1.05, 1.0707, 1.0866, 1.1, 1.1118, 1.1224, 1.1322, 1.1414, 1.15, 1.1581];
    const below = [1, 0.9501, 0.9293, 0.9134, 0.9, 0.8882, 0.8776, 0.8678, 0.8586, 0.85, 0.8419];
    for (let k = 0; k <= 10; k++) {
      expect(Math.abs(up.factors[k] - expected[k])).toBeLessThanOrEqual(1e-4 + 1e-9);
      expect(Math.abs(down.factors[k] - below[k])).toBeLessThanOrEqual(1e-4 + 1e-9);
      const theory = Math.sqrt((k / 10) * 0.025);
      expect(Math.abs(up.factors[k] - 1 - theory)).toBeLessThanOrEqual(1e-4 + 1e-9);
    }
  });

  it('stays at 1 where the model does not use the feature, and says so', async () => {
    const { factors, unmoved } = await searchFactors(async () => 0, 0.1, 10, 1);
    expect(unmoved).toBe(true);
    expect(new Set(factors)).toEqual(new Set([1]));
  });

  it('moves at boundary 0 already where scaling lowers the loss', async () => {
    const { factors } = await searchFactors(async (m) => (m - 1.3) ** 2 - 0.09, 0.001, 10, 1);
    expect(factors[0]).toBeCloseTo(1.6, 3);
  });

  it('stays inside every boundary, and never comes back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        async (curve, epsilon) => {
          const bowl = async (m: number) => curve * (m - 1) ** 2;
          const { factors } = await searchFactors(bowl, epsilon, 10, 1, { most: 1000 });
          for (const [k, factor] of factors.entries()) {
            expect(factor).toBeGreaterThanOrEqual(k === 0 ? 1 : factors[k - 1]);
            if (factor !== 1) expect(await bowl(factor)).toBeLessThan((k / 10) * epsilon);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('gives the reference alone where the reference loss is 0', async () => {
    const explained: Explained = {
      predict: ofTwo((a, b) => a + b),
      rows: Float64Array.from([1, 2, 3, 5]),
      columns: 2,
      targets: Float64Array.from([3, 8]),
      loss: squaredLoss,
      features: [[0], [1]],
    };
    const search = await searchRashomonSet(explained, 0.1);
    expect(search.epsilon).toBe(0);
    expect(search.found.every(({ up, down }) => [...up.factors, ...down.factors].every((m) => m === 1))).toBe(true);
    await expect(searchRashomonSet(explained, 0)).rejects.toThrow(/rate = 0/);
  });
});

describe('clouds and halos', () => {
  const root = (k: number, sign: number) => 1 + (sign * Math.sqrt((k / 10) * 0.1)) / 2;
  const ways = (sign: number) => ({ factors: Array.from({ length: 11 }, (_, k) => root(k, sign)), unmoved: false });
  const search: RashomonSearch = {
    reference: 0,
    epsilon: 0.1,
    parts: 10,
    found: [0, 1].map(() => ({ up: ways(1), down: ways(-1) })),
  };
  const explained: Explained = {
    predict: ofTwo((a, b) => a + b + a * b),
    rows: Float64Array.from([1, 1]),
    columns: 2,
    targets: Float64Array.from([3]),
    loss: squaredLoss,
    features: [[0], [1]],
  };
  const lossesOf = (points: Awaited<ReturnType<typeof interactionCloud>>, split: number) =>
    Object.fromEntries(points.filter((p) => p.split[0] === split).map((p) => [p.directions.join(), p.loss.toFixed(6)]));

  it('begin at the roots of the worked example, .888197 and 1.111803 for half of ε', async () => {
    for (const [direction, wanted] of [
      [1, 1.111803],
      [-1, 0.888197],
    ] as const) {
      const { factors } = await searchFactors(async (m) => (2 - 2 * m) ** 2, 0.1, 10, direction);
      expect(Math.abs(factors[5] - wanted)).toBeLessThanOrEqual(1e-4 + 1e-6);
      expect(root(5, direction)).toBeCloseTo(wanted, 6);
    }
  });

  it('have the losses of the worked example, 36 masked models in all', async () => {
    const points = await interactionCloud(explained, search, [0, 1], featureShuffles(explained, 1, new Random(1)));
    expect(points).toHaveLength(36);
    expect(lossesOf(points, 5)).toEqual({
      '1,1': '0.211337',
      '-1,1': '0.000156',
      '1,-1': '0.000156',
      '-1,-1': '0.188976',
    });
    expect(lossesOf(points, 1)).toEqual({
      '1,1': '0.166056',
      '-1,1': '0.037056',
      '1,-1': '0.043056',
      '-1,-1': '0.154056',
    });
    const losses = points.map(({ loss }) => loss);
    expect(Math.min(...losses)).toBeCloseTo(0.000156, 6);
    expect(Math.max(...losses)).toBeCloseTo(0.211337, 6);
    expect(losses.reduce((a, b) => a + b) / 36).toBeCloseTo(0.100115, 6);
  });

  it('tell the models inside the set from those outside', async () => {
    const points = await interactionCloud(explained, search, [0, 1], featureShuffles(explained, 1, new Random(1)));
    for (const { loss, inside } of points) expect(inside).toBe(loss <= 0.1);
    expect(points.filter(({ inside }) => inside)).not.toHaveLength(36);
    expect(rangeOf([], true)).toBeNull();
  });

  it('become a closed curve: 36 ascending angles, all of one turn, at the loss above the reference', async () => {
    const halo = await haloOf(explained, search, [0, 1]);
    expect(halo.expected).toBe(0.1);
    const angles = halo.points.map(({ angle }) => angle);
    expect(angles).toEqual(angles.toSorted((a, b) => a - b));
    expect(new Set(angles).size).toBe(36);
    expect(angles[0]).toBeCloseTo(Math.atan2(1, 9), 12);
    expect(angles[35]).toBeLessThan(2 * Math.PI);
    expect(halo.points.reduce((sum, { radius }) => sum + radius, 0) / 36).toBeCloseTo(0.100115, 6);
  });

  it('shrink to the reference with ε, and are the same for the features in the other order', async () => {
    // Residuals orthogonal to all: the reference is the best of its scaled copies.
    const rows = Float64Array.from([-1, -1, -1, 1, 1, -1, 1, 1, -1, -1, -1, 1, 1, -1, 1, 1]);
    const predict = ofTwo((a, b) => a + b + (a * b) / 2);
    const targets = predict(rows).map((y, i) => y + (i < 4 ? 0.5 : -0.5));
    const model: Explained = { predict, rows, columns: 2, targets, loss: squaredLoss, features: [[0], [1]] };
    const shuffles = featureShuffles(model, 6, new Random(2));
    const [reference] = await referenceScores(model, [[0, 1]], shuffles);
    const scoresAt = async (rate: number, set: number[]) =>
      (await interactionCloud(model, await searchRashomonSet(model, rate), set, shuffles)).map(({ score }) => score);
    for (const score of await scoresAt(1e-9, [0, 1])) expect(score).toBe(reference);
    const wide = await scoresAt(0.5, [0, 1]);
    expect(Math.max(...wide) - Math.min(...wide)).toBeGreaterThan(0.1);
    const sorted = (scores: number[]) => scores.map((score) => score.toFixed(9)).sort();
    expect(sorted(await scoresAt(0.5, [1, 0]))).toEqual(sorted(wide));
  });

  it('take every split of ten parts, sorted, and every choice of directions', () => {
    expect(compositions(10, 2)).toEqual(Array.from({ length: 9 }, (_, i) => [i + 1, 9 - i]));
    expect(compositions(10, 3)).toHaveLength(36);
    expect(compositions(10, 3).every((split) => split.reduce((a, b) => a + b) === 10)).toBe(true);
    expect(directionChoices(2)).toEqual([
      [1, 1],
      [-1, 1],
      [1, -1],
      [-1, -1],
    ]);
  });
});
