import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { accuracy, mostProbable, rSquared } from '../../numerics/statistics/classification.ts';
import { rangeScaling, scaled, standardScaling } from '../../numerics/statistics/standardise.ts';
import type { TrainingRows } from './estimator.ts';
import { fitLasso } from './lasso.ts';
import { fitLogistic } from './logistic.ts';
import { fitNeighbours } from './neighbours.ts';
import { fitPerceptron } from './perceptron.ts';
import { fitRidge } from './ridge.ts';
import { fitLinearSvm, fitSvm } from './svm.ts';

const run = new Run();

/** Rows of `columns` normal numbers, whose value is x₀ − 2 x₁ + noise. */
function linearRows(n: number, columns: number, noise = 0.5, seed = 1): TrainingRows {
  const random = new Run({ seed }).random('rows');
  const x = Float64Array.from({ length: n * columns }, () => random.normal());
  const y = Float64Array.from(
    { length: n },
    (_, i) => x[i * columns] - 2 * x[i * columns + 1] + noise * random.normal(),
  );
  return { columns, x, y };
}

const signs = (data: TrainingRows): TrainingRows => ({ ...data, y: data.y.map((v) => Number(v > 0)), classes: 2 });

/** Rings: class 1 outside of radius 1. */
function rings(n: number, seed: number): TrainingRows {
  const random = new Run({ seed }).random('rings');
  const x = Float64Array.from({ length: n * 2 }, () => 1.2 * random.normal());
  return {
    columns: 2,
    x,
    y: Float64Array.from({ length: n }, (_, i) => Number(Math.hypot(x[2 * i], x[2 * i + 1]) > 1.2)),
    classes: 2,
  };
}

describe('logistic regression', () => {
  it('on one column of 0 and 1 without a penalty gives the log-odds of the counts', async () => {
    // x = 0: 1 of 4 rows is of class 1; x = 1: 3 of 4.
    const x = Float64Array.of(0, 0, 0, 0, 1, 1, 1, 1);
    const y = Float64Array.of(1, 0, 0, 0, 1, 1, 1, 0);
    const { weights, intercepts, predict } = await fitLogistic(
      { columns: 1, x, y, classes: 2 },
      { penalty: 'none' },
      run,
    );
    expect(intercepts[0]).toBeCloseTo(Math.log(1 / 3), 7);
    expect(weights[0]).toBeCloseTo(2 * Math.log(3), 7);
    expect((await predict(Float64Array.of(1)))[1]).toBeCloseTo(0.75, 7);
  });

  it('without a penalty predicts the same in any units of the columns', async () => {
    const data = signs(linearRows(100, 3));
    const scales = [1e-4, 1, 1e5];
    const x = data.x.map((v, i) => v * scales[i % 3] + 7 * scales[i % 3]);
    const a = await (await fitLogistic(data, { penalty: 'none' }, run)).predict(data.x);
    const b = await (await fitLogistic({ ...data, x }, { penalty: 'none' }, run)).predict(x);
    a.forEach((p, i) => {
      expect(b[i]).toBeCloseTo(p, 5);
    });
  });

  it('at the optimum of the L1 penalty no slope is above it, and with a large penalty no weight is left', async () => {
    const data = signs(linearRows(80, 6));
    const cost = 0.2;
    const { weights, predict } = await fitLogistic(data, { penalty: 'l1', cost }, run);
    const p = await predict(data.x);
    for (let c = 0; c < 6; c++) {
      let slope = 0;
      for (let i = 0; i < 80; i++) slope += cost * (p[2 * i + 1] - data.y[i]) * data.x[6 * i + c];
      if (weights[c] === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(1 + 1e-5);
      else expect(slope).toBeCloseTo(-Math.sign(weights[c]), 5);
    }
    expect(weights.filter((w) => w === 0).length).toBeGreaterThan(0);
    const none = await fitLogistic(data, { penalty: 'l1', cost: 1e-4 }, run);
    expect([...none.weights].every((w) => w === 0)).toBe(true);
  });

  it('keeps finite where classes are apart, and constant columns have weight 0', async () => {
    const x = Float64Array.of(-2, 5, -1, 5, 1, 5, 2, 5);
    const { weights } = await fitLogistic({ columns: 2, x, y: Float64Array.of(0, 0, 1, 1), classes: 2 }, {}, run);
    expect(weights[0]).toBeGreaterThan(0);
    expect(weights[1]).toBeCloseTo(0, 10);
    const free = await fitLogistic(
      { columns: 2, x, y: Float64Array.of(0, 0, 1, 1), classes: 2 },
      { penalty: 'none' },
      run,
    );
    expect(Number.isFinite(free.weights[0])).toBe(true);
  });

  it('refuses values, and penalties that there are not', async () => {
    await expect(fitLogistic(linearRows(10, 2), {}, run)).rejects.toThrow(
      'logistic regression predicts classes; say how many there are',
    );
    await expect(fitLogistic(signs(linearRows(10, 2)), { cost: 0 }, run)).rejects.toThrow('cost is above 0, not 0');
  });
});

describe('ridge regression', () => {
  it('of one centred column has the weight Σxy / (Σx² + λ)', async () => {
    const data = { columns: 1, x: Float64Array.of(-1, 0, 1), y: Float64Array.of(1, 2, 6) };
    const { weights, intercepts } = await fitRidge(data, { strength: 3 }, run);
    expect(weights[0]).toBeCloseTo(5 / (2 + 3), 14);
    expect(intercepts[0]).toBeCloseTo(3, 14);
  });

  it('says what to do where columns repeat and there is no penalty', async () => {
    const data = { columns: 2, x: Float64Array.of(1, 1, 2, 2, 4, 4), y: Float64Array.of(1, 2, 3) };
    await expect(fitRidge(data, { strength: 0 }, run)).rejects.toThrow(
      'columns depend on one another or are constant; give a strength above 0',
    );
    expect([...(await fitRidge(data, {}, run)).weights].every(Number.isFinite)).toBe(true);
  });
});

describe('the lasso', () => {
  it('of uncorrelated columns shrinks each least-squares weight by λ / variance', async () => {
    // Columns ±1 in a full factorial: orthogonal, variance 1; least squares gives 2 and 0.3.
    const x = Float64Array.of(1, 1, 1, -1, -1, 1, -1, -1);
    const y = Float64Array.of(2.3, 1.7, -1.7, -2.3);
    const { weights } = await fitLasso({ columns: 2, x, y }, { strength: 0.5 }, run);
    expect([...weights]).toEqual([expect.closeTo(1.5, 12), 0]);
  });

  it('meets the conditions of its optimum', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        async (seed, strength) => {
          const data = linearRows(40, 5, 1, seed);
          const { weights, predict } = await fitLasso(data, { strength }, run);
          const found = await predict(data.x);
          for (let c = 0; c < 5; c++) {
            let slope = 0;
            for (let i = 0; i < 40; i++) slope += ((data.y[i] - found[i]) * data.x[5 * i + c]) / 40;
            if (weights[c] === 0) expect(Math.abs(slope)).toBeLessThanOrEqual(strength + 1e-3);
            else expect(slope).toBeCloseTo(strength * Math.sign(weights[c]), 2);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('finds λ by cross-validation: it keeps what matters, loses most of the rest, and predicts', async () => {
    const data = linearRows(200, 30, 1);
    const { weights, strength, predict } = await fitLasso(data, {}, run);
    expect(strength).toBeGreaterThan(0);
    expect(Math.abs(weights[0])).toBeGreaterThan(0.7);
    expect(Math.abs(weights[1])).toBeGreaterThan(1.7);
    expect(weights.filter((w) => w === 0).length).toBeGreaterThan(8);
    const test = linearRows(200, 30, 1, 2);
    expect(rSquared(test.y, await predict(test.x))).toBeGreaterThan(0.75);
    expect((await fitLasso(data, {}, run)).strength).toBe(strength);
  });
});

describe('support vector machines', () => {
  it('with two rows part them in the middle, each at distance 1 of the margin', async () => {
    const data = { columns: 1, x: Float64Array.of(-1, 1), y: Float64Array.of(0, 1), classes: 2 };
    const { decide } = await fitSvm(
      data,
      { kernel: 'polynomial', degree: 1, gamma: 1, cost: 10, tolerance: 1e-9 },
      run,
    );
    expect([...decide(Float64Array.of(-1, 0, 1))].map((v) => Math.round(v * 1e6) / 1e6 + 0)).toEqual([-1, 0, 1]);
  });

  it('with an RBF kernel tell rings apart, with probabilities that go with the decisions', async () => {
    const train = rings(300, 1);
    const test = rings(300, 2);
    const { predict, decide } = await fitSvm(train, {}, run);
    const p = await predict(test.x);
    expect(accuracy(test.y, mostProbable(p, 2))).toBeGreaterThan(0.93);
    const values = decide(test.x);
    const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b]);
    for (let r = 1; r < order.length; r++) expect(p[2 * order[r] + 1]).toBeGreaterThanOrEqual(p[2 * order[r - 1] + 1]);
  });

  it('that are linear weigh the columns that matter, and of three classes each against the rest', async () => {
    const { weights, importance } = await fitLinearSvm(signs(linearRows(200, 5)), {}, run);
    expect(Math.min(Math.abs(weights[0]), Math.abs(weights[1]))).toBeGreaterThan(
      3 * Math.max(...weights.slice(2).map(Math.abs)),
    );
    expect(importance[1]).toBeGreaterThan(importance[0]);
    const data = linearRows(200, 2, 0);
    const three = { ...data, y: data.y.map((v) => (v < -1 ? 0 : v < 1 ? 1 : 2)), classes: 3 };
    const machine = await fitSvm(three, {}, run);
    const p = await machine.predict(three.x);
    for (let i = 0; i < p.length; i += 3) expect(p[i] + p[i + 1] + p[i + 2]).toBeCloseTo(1, 12);
    expect(accuracy(three.y, mostProbable(p, 3))).toBeGreaterThan(0.9);
  });
});

describe('nearest neighbours', () => {
  it('vote, by number or by nearness', async () => {
    const data = { columns: 1, x: Float64Array.of(0, 1, 2, 10), y: Float64Array.of(0, 1, 1, 0), classes: 2 };
    const three = await fitNeighbours(data, { k: 3 }, run);
    expect([...(await three.predict(Float64Array.of(0.5)))]).toEqual([
      expect.closeTo(1 / 3, 12),
      expect.closeTo(2 / 3, 12),
    ]);
    const weighted = await fitNeighbours(data, { k: 2, weights: 'distance' }, run);
    expect([...(await weighted.predict(Float64Array.of(0.25, 0)))]).toEqual([
      expect.closeTo(0.75, 12),
      expect.closeTo(0.25, 12),
      1,
      0,
    ]);
    const values = await fitNeighbours({ columns: 1, x: data.x, y: data.x }, { k: 100 }, run);
    expect((await values.predict(Float64Array.of(5)))[0]).toBeCloseTo(13 / 4, 12);
  });
});

describe('the perceptron', () => {
  it('answers a row as it does among others, whatever the number of rows and units', async () => {
    const x = Float64Array.from({ length: 40 * 3 }, (_, i) => Math.sin(i * i));
    const y = Float64Array.from({ length: 40 }, (_, i) => Number(x[3 * i] * x[3 * i + 1] > 0));
    const data = { columns: 3, x, y, classes: 2 };
    const { predict } = await fitPerceptron(data, { steps: 20, hidden: [7, 5] }, new Run({ seed: 1 }));
    const all = await predict(x.subarray(0, 5 * 3));
    for (let i = 0; i < 5; i++) {
      expect(await predict(x.subarray(3 * i, 3 * i + 3))).toEqual(all.slice(2 * i, 2 * i + 2));
    }
    expect((await predict(new Float64Array(0))).length).toBe(0);
  });

  it('tells rings apart that no line does, alike for the same seed', async () => {
    const train = rings(300, 1);
    const test = rings(300, 2);
    const { predict } = await fitPerceptron(train, { steps: 400 }, run);
    const p = await predict(test.x);
    expect(accuracy(test.y, mostProbable(p, 2))).toBeGreaterThan(0.93);
    expect(await (await fitPerceptron(train, { steps: 400 }, run)).predict(test.x)).toEqual(p);
  });

  it('predicts values in their own units', async () => {
    const data = linearRows(300, 3, 0);
    const y = data.y.map((v) => 1000 + 50 * v);
    const { predict } = await fitPerceptron({ ...data, y }, { steps: 400, hidden: [16, 16] }, run);
    expect(rSquared(y, await predict(data.x))).toBeGreaterThan(0.95);
  });
});

describe('scaling', () => {
  it('gives mean 0 and deviation 1, leaves constants at 0 and what is missing missing', () => {
    const x = Float64Array.of(1, 5, NaN, 5, 3, 5);
    const scaling = standardScaling(x, 2);
    expect([...scaling.shift]).toEqual([2, 5]);
    expect([...scaling.scale]).toEqual([1, 1]);
    expect([...scaled(x, scaling)]).toEqual([-1, 0, NaN, 0, 1, 0]);
    // Exact in spite of a mean far above the deviation.
    expect(standardScaling(Float64Array.of(1e9, 1e9 + 2), 1).scale[0]).toBeCloseTo(1, 6);
  });

  it('by the range goes from 0 to 1', () => {
    const x = Float64Array.of(-1, 5, NaN, 5, 3, 5);
    expect([...scaled(x, rangeScaling(x, 2))]).toEqual([0, 0, NaN, 0, 1, 0]);
    expect(() => rangeScaling(x, 4)).toThrow('6 numbers are no rows of 4 columns');
  });
});
