/** @file Kolmogorov–Arnold networks against worked numbers and against an evaluation in float64. */

import { describe, expect, it } from 'vitest';
import { CancelledError, InputError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { splineBasis } from '../../numerics/splines/b-spline.ts';
import { float32 } from '../../runtime/index.ts';
import { evaluateKans } from './evaluate-kans.ts';
import { initialKan, type KanConfig } from './kan.ts';
import { kansOf, trainKans } from './train-kans.ts';

const hats = { intervals: 2, order: 1, low: -1, high: 1 };
const run = new Run();

/** The layer of the brief: 2 inputs, 1 output. */
const one: KanConfig = { widths: [2, 1], grid: hats };
const layer: ParameterTensors = {
  'layers.0.base_weight': float32([1, 2], [0.5, -1]),
  'layers.0.spline_weight': float32([1, 2, 3], [1, 0, -1, 0.2, 0.4, 0.6]),
  'layers.0.spline_scaler': float32([1, 2], [1, 2]),
};
const rows = Float64Array.of(0.25, -0.5, -1, 1, 0.5, 0.5);

const evaluated = async (y: readonly number[], weights = layer, x = rows) =>
  (await evaluateKans(kansOf(one, false, [weights]), [{ x, y: Float64Array.from(y) }], {}, run))[0];

function expectNear(values: ArrayLike<number>, wanted: readonly number[], digits = 5): void {
  expect(values.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(values[i], `entry ${i}`).toBeCloseTo(value, digits);
  });
}

const silu = (x: number) => x / (1 + Math.exp(-x));

/** The network's outputs in float64, with the features in `without` knocked out of the first layer. */
function outputsOf(
  { widths, grid }: KanConfig,
  weights: ParameterTensors,
  row: readonly number[],
  without = -1,
): number[] {
  let x = [...row];
  for (let l = 0; l + 1 < widths.length; l++) {
    const [a, b] = [widths[l], widths[l + 1]];
    const [base, spline, scale] = ['base_weight', 'spline_weight', 'spline_scaler'].map(
      (part) => weights[`layers.${l}.${part}`].data,
    );
    const c = grid.intervals + grid.order;
    const bases = x.map((value) => splineBasis(value, grid));
    x = Array.from({ length: b }, (_, o) => {
      let sum = 0;
      for (let j = 0; j < a; j++) {
        if (l === 0 && j === without) continue;
        const at = o * a + j;
        sum += base[at] * silu(x[j]);
        for (let k = 0; k < c; k++) sum += scale[at] * spline[at * c + k] * bases[j][k];
      }
      return sum;
    });
  }
  return x;
}

describe('one layer', () => {
  it('gives the worked outputs, contributions, gradients and knock-outs', async () => {
    const made = await evaluated([0.609042, 1.334471, 0.344385]);
    expectNear(made.outputs, [0.609042, 1.334471, 0.344385]);
    expectNear(made.contribution, [0.463214, 0.648827]);
    expectNear(made.contributionSquare.map(Math.sqrt), [0.547736, 0.662437]);
    expectNear(made.gradient, [0.760667, 0.869198]);
    expectNear(made.outputGradient, [0.760667, 0.869198]);
    expect(made.loss).toBeCloseTo(0, 9);
    expectNear(made.lossWithout, [0.300015, 0.438823]);
  });

  it('gives a row alone the sizes of its worked contributions', async () => {
    for (const [at, wanted] of [
      [0, [0.179728, 0.78877]],
      [2, [0.865529, 0.468941]],
      [4, [0.344385, 0.68877]],
    ] as const)
      expectNear((await evaluated([0], layer, rows.slice(at, at + 2))).contribution, wanted);
  });

  it('without loss and with one output, a knock-out costs the mean square of the contributions', async () => {
    const { outputs } = await evaluated([0, 0, 0]);
    const { lossWithout, contributionSquare } = await evaluated(Array.from(outputs));
    expectNear(lossWithout, Array.from(contributionSquare), 6);
  });

  it('has a base loss of 1.247010 against 1, 0 and -1, which both knock-outs lower', async () => {
    const { loss, lossWithout } = await evaluated([1, 0, -1]);
    expect(loss).toBeCloseTo(1.24701, 5);
    expect(lossWithout.every((without) => without < loss)).toBe(true);
  });

  it('is as it was when a scale grows and the splines shrink by the same factor', async () => {
    const before = await evaluated([1, 0, -1]);
    const after = await evaluated([1, 0, -1], {
      ...layer,
      'layers.0.spline_weight': float32([1, 2, 3], [1, 0, -1, 0.05, 0.1, 0.15]),
      'layers.0.spline_scaler': float32([1, 2], [1, 8]),
    });
    expectNear(after.contribution, Array.from(before.contribution), 6);
    expectNear(after.lossWithout, Array.from(before.lossWithout), 6);
  });

  it('has centred contributions of 0 for a constant column', async () => {
    const x = Float64Array.of(0, -0.5, 0, 1, 0, 0.5);
    const kans = kansOf(one, false, [layer]);
    const sets = [{ x, y: new Float64Array(3) }];
    const plain = (await evaluateKans(kans, sets, {}, run))[0];
    expectNear(plain.contribution, [0, plain.contribution[1]]);
    const weights = { ...layer, 'layers.0.spline_weight': float32([1, 2, 3], [1, 2, -1, 0.2, 0.4, 0.6]) };
    const raw = (await evaluateKans(kansOf(one, false, [weights]), sets, {}, run))[0];
    expect(raw.contribution[0]).toBeCloseTo(2, 6);
    const centred = (await evaluateKans(kansOf(one, false, [weights]), sets, { centred: true }, run))[0];
    expect(centred.contribution[0]).toBeCloseTo(0, 6);
    expect(centred.contribution[1]).toBeGreaterThan(0.1);
  });
});

describe('networks', () => {
  const configs: Record<string, KanConfig> = {
    'hats, 3 classes': { widths: [4, 9, 3], grid: hats },
    'cubic, one value': { widths: [3, 5, 1], grid: { intervals: 5, order: 3, low: -1.5, high: 1.5 } },
    'steps, three layers': { widths: [2, 3, 4, 2], grid: { intervals: 3, order: 0, low: -1, high: 1 } },
  };
  it.each(Object.entries(configs))(
    'are, loss, outputs and gradients, those of a float64 evaluation: %s',
    async (_, config) => {
      const random = new Random(3);
      const { widths } = config;
      const [inputs, outputs] = [widths[0], widths[widths.length - 1]];
      const classes = outputs > 1;
      const each = [0, 1].map((m) =>
        Object.fromEntries(
          Object.entries(initialKan(config, random.stream(`${m}`))).map(([name, { shape, data }]) => [
            name,
            float32(shape, name.endsWith('spline_weight') ? data.map(() => random.normal()) : data),
          ]),
        ),
      );
      const sets = [7, 5].map((n) => ({
        x: Float64Array.from({ length: n * inputs }, () => Math.fround(random.normal())),
        y: Float64Array.from({ length: n }, () => (classes ? random.integer(outputs) : random.normal())),
      }));
      const made = await evaluateKans(kansOf(config, classes, each), sets, {}, run);
      sets.forEach(({ x, y }, m) => {
        const n = y.length;
        const rowAt = (i: number) => Array.from(x.slice(i * inputs, (i + 1) * inputs));
        const lossOf = (without: number) => {
          let sum = 0;
          for (let i = 0; i < n; i++) {
            const f = outputsOf(config, each[m], rowAt(i), without);
            sum += classes ? Math.log(f.reduce((s, z) => s + Math.exp(z), 0)) - f[y[i]] : (f[0] - y[i]) ** 2;
          }
          return sum / n;
        };
        expectNear(
          made[m].outputs,
          Array.from({ length: n }, (_, i) => outputsOf(config, each[m], rowAt(i))).flat(),
          4,
        );
        expect(made[m].loss).toBeCloseTo(lossOf(-1), 4);
        expectNear(
          made[m].lossWithout,
          Array.from({ length: inputs }, (_, j) => lossOf(j)),
          4,
        );
        const h = 1e-6;
        const slope = (j: number, of: (f: readonly number[]) => number) => {
          let sum = 0;
          for (let i = 0; i < n; i++) {
            const [up, down] = [h, -h].map((step) =>
              of(
                outputsOf(
                  config,
                  each[m],
                  rowAt(i).map((value, k) => (k === j ? value + step : value)),
                ),
              ),
            );
            sum += Math.abs(up - down) / (2 * h);
          }
          return sum / n;
        };
        const columns = Array.from({ length: inputs }, (_, j) => j);
        expectNear(
          made[m].gradient,
          columns.map((j) => slope(j, (f) => f.reduce((s, z) => s + Math.abs(z), 0))),
          3,
        );
        expectNear(
          made[m].outputGradient,
          columns.map((j) => f3(outputs, (o) => slope(j, (f) => f[o]))),
          3,
        );
      });
    },
  );

  it('take the columns of a category together', async () => {
    const config: KanConfig = { widths: [3, 4, 1], grid: hats };
    const weights = initialKan(config, new Random(1));
    const x = Float64Array.of(0.3, 1, 0, -0.7, 0, 1, 1.1, 1, 0);
    const sets = [1, 0.5, 2].map((by) => ({ x: x.map((value) => value * by), y: Float64Array.of(1, 0, 2) }));
    const kans = kansOf(config, false, [weights, weights, weights]);
    const [made, ...others] = await evaluateKans(kans, sets, { features: [0, 1, 1] }, run);
    const plain = await evaluateKans(kans, sets, {}, run);
    const same = await evaluateKans(kans, sets, { features: [0, 1, 2] }, run);
    same.forEach((own, m) => {
      expectNear(own.contribution, Array.from(plain[m].contribution), 6);
      expectNear(own.lossWithout, Array.from(plain[m].lossWithout), 6);
    });
    others.forEach((own, m) => {
      expect(own.contribution[0]).toBeCloseTo(plain[m + 1].contribution[0], 6);
      expect(own.gradient[1]).toBeCloseTo(plain[m + 1].gradient[1] + plain[m + 1].gradient[2], 6);
    });
    expect(made.contribution.length).toBe(2);
    // Knocked out are both columns of the category: what is left is the first column alone.
    const alone = [0, 1, 2].map((i) => {
      const only = { ...weights };
      for (const part of ['base_weight', 'spline_scaler']) {
        const { shape, data } = weights[`layers.0.${part}`];
        only[`layers.0.${part}`] = float32(
          shape,
          data.map((value, at) => (at % 3 === 0 ? value : 0)),
        );
      }
      return outputsOf(config, only, Array.from(x.slice(3 * i, 3 * i + 3)))[0];
    });
    const loss = alone.reduce((sum, f, i) => sum + (f - sets[0].y[i]) ** 2, 0) / 3;
    expect(made.lossWithout[1]).toBeCloseTo(loss, 5);
  });
});

function f3(outputs: number, of: (o: number) => number): number {
  let sum = 0;
  for (let o = 0; o < outputs; o++) sum += of(o);
  return sum / outputs;
}

describe('training', () => {
  const config: KanConfig = { widths: [2, 5, 1], grid: hats };
  const draw = (seed: number, n: number) => {
    const random = new Random(seed);
    const x = Float64Array.from({ length: n * 2 }, () => random.normal());
    return { x, y: Float64Array.from({ length: n }, (_, i) => Math.sin(2 * x[2 * i])) };
  };
  const options = { epochs: 40, batch: 16, rate: 0.01 };

  it('lowers the loss, the same again from the same seed', async () => {
    const [a, b] = await Promise.all([0, 1].map(() => trainKans(config, [draw(1, 60)], options, new Random(5), run)));
    expect(a.losses.last).toBeLessThan(a.losses.first / 3);
    expect(a.weights['layers.0.spline_weight'].data).toEqual(b.weights['layers.0.spline_weight'].data);
  });

  it('of networks side by side gives each what it would have alone', async () => {
    const sets = [draw(1, 60), draw(2, 59)];
    const both = await trainKans(config, sets, options, new Random(5), run);
    for (const [m, set] of sets.entries()) {
      const alone = await trainKans(config, [set], options, new Random(5), run);
      for (const [name, { data }] of Object.entries(alone.weights))
        expectNear(both.weights[name].data.slice(m * data.length, (m + 1) * data.length), Array.from(data), 3);
    }
  });

  it('says what share of the inputs no spline reaches', async () => {
    const x = Float64Array.of(0, 0, 2.5, 0, -3, 1, 0.5, 0.5);
    const kans = await trainKans(config, [{ x, y: Float64Array.of(0, 1, 0, 1) }], { epochs: 1 }, new Random(5), run);
    expect(kans.outside).toEqual([0.25]);
  });

  it('refuses rows that are no numbers, too few, not scaled, and classes that are missing or no codes', async () => {
    const tried = (x: readonly number[], y: readonly number[], of = config) =>
      trainKans(of, [{ x: Float64Array.from(x), y: Float64Array.from(y) }], options, new Random(5), run);
    const two: KanConfig = { widths: [2, 5, 2], grid: hats };
    await expect(tried([0, Number.NaN, 1, 1], [0, 1])).rejects.toThrow('row 0 has NaN in column 1');
    await expect(tried([0, 1, Infinity, 1], [0, 1])).rejects.toThrow(InputError);
    await expect(tried([0, 1], [0])).rejects.toThrow('2 rows or more');
    await expect(tried([], [], { widths: [0, 1, 1], grid: hats })).rejects.toThrow('needs a feature');
    await expect(tried([0, 1, 1, 1], [0, 1, 1])).rejects.toThrow(InputError);
    await expect(tried([100, 1, 200, 90], [0, 1])).rejects.toThrow('75% of the numbers');
    await expect(tried([0, 1, 1, 1], [0, 0], two)).rejects.toThrow('class 1');
    await expect(tried([0, 1, 1, 1], [0, 0.5], two)).rejects.toThrow('class of row 1 is 0.5');
    await expect(tried([0, 1, 1, 1], [0, Number.NaN])).rejects.toThrow('target of row 1');
  });

  it('can be cancelled', async () => {
    const cancelled = new Run({ signal: AbortSignal.abort() });
    await expect(trainKans(config, [draw(1, 60)], options, new Random(5), cancelled)).rejects.toThrow(CancelledError);
  });
});
