/** @file KAN-Select: worked scores, invariants, a run on generated tables, and bad input. */

import { describe, expect, it } from 'vitest';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { evaluateKans } from '../../models/kan/evaluate-kans.ts';
import { initialKan, type KanConfig } from '../../models/kan/kan.ts';
import { kansOf } from '../../models/kan/train-kans.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32 } from '../../runtime/index.ts';
import { type Column, type Table, tableInMemory } from '../../subjects/table/table.ts';
import {
  coefficientImportance,
  type ImportanceOptions,
  importancesOf,
  kanImportances,
  kanSelect,
  normalised,
  selectors,
  topFeatures,
} from './kan-select.ts';

const run = new Run();
const contrib: ImportanceOptions = { mode: 'contrib', siReduce: 'sum', clipNegative: true };
const coef: ImportanceOptions = { ...contrib, mode: 'coef' };
const hats = { intervals: 2, order: 1, low: -1, high: 1 };
const one: KanConfig = { widths: [2, 1], grid: hats };
const layer: ParameterTensors = {
  'layers.0.base_weight': float32([1, 2], [0.5, -1]),
  'layers.0.spline_weight': float32([1, 2, 3], [1, 0, -1, 0.2, 0.4, 0.6]),
  'layers.0.spline_scaler': float32([1, 2], [1, 2]),
};
const rows = Float64Array.of(0.25, -0.5, -1, 1, 0.5, 0.5);

async function scored(
  y: readonly number[],
  options = contrib,
  { config = one, weights = layer, x = rows, features = undefined as number[] | undefined } = {},
) {
  const kans = kansOf(config, config.widths.at(-1)! > 1, [weights]);
  const [made] = await evaluateKans(kans, [{ x, y: Float64Array.from(y) }], { features }, run);
  return importancesOf(kans, 0, made, features ?? Array.from({ length: config.widths[0] }, (_, j) => j), options);
}

function expectNear(values: ArrayLike<number>, wanted: readonly number[], digits = 5): void {
  expect(values.length).toBe(wanted.length);
  wanted.forEach((value, i) => {
    expect(values[i], `entry ${i}`).toBeCloseTo(value, digits);
  });
}

const column = (name: string, values: Float64Array, kind: Column['kind'] = 'number', levels?: string[]): Column => ({
  name,
  kind,
  values,
  ...(levels && { levels }),
});

/** y = 2 sin(2a) + c (or whether that is above 0) beside two columns of noise. */
function generated({ rows = 160, classes = false, seed = 1 } = {}): Table {
  const random = new Random(seed);
  const normals = () => Float64Array.from({ length: rows }, () => random.normal());
  const [a, b, c, d] = [normals(), normals(), normals(), normals()];
  const y = a.map((value, i) => 2 * Math.sin(2 * value) + c[i]);
  const target = classes
    ? column(
        'y',
        y.map((value) => Number(value > 0)),
        'boolean',
        ['no', 'yes'],
      )
    : column('y', y);
  return tableInMemory([column('a', a), column('b', b), column('c', c), column('d', d)], target);
}

const quick = { epochs: 60, rate: 5e-3, folds: 3 };
const score = (of: Table, params: Record<string, unknown> = {}, own = run) =>
  kanSelect.score(of, parseParams(kanSelect, { ...quick, ...params }), own);

describe('the importances of one layer', () => {
  it('are the worked numbers', async () => {
    const own = [0.609042, 1.334471, 0.344385];
    const raw = await scored(own);
    expectNear(raw.l1, [0.463214, 0.648827]);
    expectNear(normalised(raw.l1), [0.416544, 0.583456]);
    expectNear(raw.l2, [0.547736, 0.662437]);
    expectNear(normalised(raw.l2), [0.45261, 0.54739]);
    expectNear(raw.si, [0.760667, 0.869198]);
    expectNear(normalised(raw.si), [0.466705, 0.533294], 5);
    expectNear(raw.ko, [0.300015, 0.438823]);
    expectNear(normalised(raw.ko), [0.406063, 0.593937], 5);
    const coefficients = await scored(own, coef);
    expectNear(coefficients.l1, [2, 2.4]);
    expectNear(normalised(coefficients.l1), [0.454545, 0.545455]);
    expectNear(normalised(coefficients.l2), [0.485838, 0.514162]);
  });

  it('by knock-out are 0, and no NaN, where both knock-outs lower the loss', async () => {
    const raw = await scored([1, 0, -1]);
    expect(Array.from(raw.ko)).toEqual([0, 0]);
    expect(Array.from(normalised(raw.ko))).toEqual([0, 0]);
    const signed = await scored([1, 0, -1], { ...contrib, clipNegative: false });
    expect(signed.ko.every((value) => value < 0)).toBe(true);
    expectNear([normalised(signed.ko).reduce((a, b) => a + b)], [-1]);
  });

  it('sum over levels of a category in coefficients', () => {
    const kans = kansOf(one, false, [layer]);
    expectNear(coefficientImportance(kans, 0, [0, 0]).l1, [4.4], 6);
    expectNear(coefficientImportance(kans, 0, [0, 0]).l2, [Math.sqrt(2 + 4 * 0.56)], 6);
  });
});

describe('the importances of a network', () => {
  const config: KanConfig = { widths: [3, 7, 2], grid: { ...hats, intervals: 3, order: 2 } };
  const random = new Random(2);
  const x = Float64Array.from({ length: 30 }, () => random.normal());
  const y = Array.from({ length: 10 }, () => random.integer(2));
  const weights = Object.fromEntries(
    Object.entries(initialKan(config, new Random(9))).map(([name, { shape, data }]) => [
      name,
      float32(shape, name.endsWith('spline_weight') ? data.map(() => random.normal()) : data),
    ]),
  );
  const all = [contrib, coef, { ...contrib, siReduce: 'perOutput' as const, clipNegative: false }];

  it('go along when columns and their weights change places', async () => {
    const order = [2, 0, 1];
    const moved = Float64Array.from(x, (_, at) => x[at - (at % 3) + order[at % 3]]);
    const movedWeights = { ...weights };
    for (const part of ['base_weight', 'spline_weight', 'spline_scaler']) {
      const { shape, data } = weights[`layers.0.${part}`];
      const c = shape[2] ?? 1;
      movedWeights[`layers.0.${part}`] = float32(
        shape,
        data.map((_, at) => {
          const [o, j, k] = [Math.floor(at / (3 * c)), Math.floor(at / c) % 3, at % c];
          return data[(o * 3 + order[j]) * c + k];
        }),
      );
    }
    for (const options of all) {
      const before = await scored(y, options, { config, weights, x });
      const after = await scored(y, options, { config, weights: movedWeights, x: moved });
      for (const selector of selectors)
        expectNear(
          after[selector],
          order.map((j) => before[selector][j]),
          5,
        );
    }
  });

  it('are all 0 for a feature whose weights in the first layer are 0', async () => {
    const without = { ...weights };
    for (const part of ['base_weight', 'spline_weight']) {
      const { shape, data } = weights[`layers.0.${part}`];
      const c = shape[2] ?? 1;
      without[`layers.0.${part}`] = float32(
        shape,
        data.map((value, at) => (Math.floor(at / c) % 3 === 1 ? 0 : value)),
      );
    }
    for (const options of all) {
      const made = await scored(y, options, { config, weights: without, x });
      for (const selector of selectors) expect(made[selector][1]).toBeCloseTo(0, 6);
    }
  });

  it('stay when a feature’s scales grow and its splines shrink by one factor', async () => {
    const scaled = { ...weights };
    for (const [part, by] of [
      ['spline_weight', 1 / 4],
      ['spline_scaler', 4],
    ] as const) {
      const { shape, data } = weights[`layers.0.${part}`];
      const c = shape[2] ?? 1;
      scaled[`layers.0.${part}`] = float32(
        shape,
        data.map((value, at) => (Math.floor(at / c) % 3 === 0 ? value * by : value)),
      );
    }
    for (const options of all) {
      const [before, after] = [
        await scored(y, options, { config, weights, x }),
        await scored(y, options, { config, weights: scaled, x }),
      ];
      for (const selector of selectors) expectNear(after[selector], Array.from(before[selector]), 5);
    }
  });
});

describe('choosing', () => {
  it('keeps ⌈p · d⌉ features, the lower place first among equals', () => {
    const kept = (budget: string, values = Float32Array.from({ length: 16 }, (_, j) => 16 - j)) =>
      select({ unit: 'feature', values }, budget).kept.length;
    expect(['20%', '40%', '60%', '100%'].map((budget) => kept(budget))).toEqual([4, 7, 10, 16]);
    expect(kept('60%', Float32Array.of(1))).toBe(1);
    expect(topFeatures(Float64Array.of(1, 3, 3, 0), 2)).toEqual([1, 2]);
    expect(topFeatures(Float64Array.of(1), 5)).toEqual([0]);
  });
});

describe('KAN-Select', () => {
  it('puts the features of the target before noise, for values and for classes, with all four selectors', async () => {
    for (const classes of [false, true]) {
      const made = await kanImportances(generated({ classes }), parseParams(kanSelect, quick), run);
      for (const selector of selectors) {
        expect(topFeatures(made.mean[selector], 2).sort(), `${selector} ${classes}`).toEqual([0, 2]);
        expect(made.mean[selector].reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      }
      expect(made.quality).toBeGreaterThan(0.6);
    }
  });

  it('gives the scores of the chosen selector, names, and findings on all four', async () => {
    const of = generated();
    const made = await kanImportances(of, parseParams(kanSelect, quick), run);
    const { values, labels, findings } = await score(of, { selector: 'ko' });
    expectNear(values, Array.from(made.mean.ko), 6);
    expect(labels).toEqual(['a', 'b', 'c', 'd']);
    expect(findings?.map(({ kind }) => kind)).toEqual(['table', 'table', 'text']);
    expect(JSON.stringify(findings)).toContain("beyond the splines' knots");
  });

  it('never looks at rows to test on', async () => {
    const whole = generated({ rows: 120 });
    const train = Uint32Array.from({ length: 90 }, (_, i) => i);
    const test = Uint32Array.from({ length: 30 }, (_, i) => 90 + i);
    const spoilt = (column: Column): Column => ({
      ...column,
      values: column.values.map((v, i) => (i < 90 ? v : Infinity)),
    });
    const clean = tableInMemory(whole.columns, whole.target, { train, test });
    const broken = tableInMemory(whole.columns.map(spoilt), spoilt(whole.target!), { train, test });
    const params = { epochs: 5 };
    expect((await score(clean, params)).values).toEqual((await score(broken, params)).values);
  });

  it('takes one column, constant, repeated, boolean and categorical columns, and missing values', async () => {
    const { columns, target } = generated({ rows: 60 });
    const [a] = columns;
    const params = { epochs: 5 };
    expect(Array.from((await score(tableInMemory([a], target), params)).values)).toEqual([1]);
    const odd = tableInMemory(
      [
        a,
        column('same', a.values.slice()),
        column('constant', new Float64Array(60).fill(7)),
        column(
          'flag',
          a.values.map((v) => Number(v > 0)),
          'boolean',
          ['no', 'yes'],
        ),
        column(
          'kind',
          Float64Array.from({ length: 60 }, (_, i) => (i % 7 === 0 ? Number.NaN : i % 3)),
          'categorical',
          ['u', 'v', 'w'],
        ),
        column(
          'gaps',
          a.values.map((v, i) => (i % 5 === 0 ? Number.NaN : v)),
        ),
        column('empty', new Float64Array(60).fill(Number.NaN)),
      ],
      target,
    );
    for (const centred of [false, true]) {
      const made = await kanImportances(odd, parseParams(kanSelect, { ...quick, ...params, centred }), run);
      for (const selector of selectors) {
        expect(made.mean[selector].length).toBe(7);
        expect(made.mean[selector].every(Number.isFinite)).toBe(true);
      }
      if (centred) expectNear([made.mean.l1[2], made.mean.l2[2]], [0, 0], 6);
    }
  });

  it('refuses what it cannot score', async () => {
    const of = generated({ rows: 40, classes: true });
    const { columns, target } = of;
    const tried = (table: Table, params = {}) => score(table, { epochs: 1, ...params });
    await expect(tried(tableInMemory(columns))).rejects.toThrow('--target');
    const infinite = column(
      'a',
      columns[0].values.map((v, i) => (i === 3 ? Infinity : v)),
    );
    await expect(tried(tableInMemory([infinite], target))).rejects.toThrow('row 3 has Infinity in column a');
    const rare = column(
      'y',
      target!.values.map((_, i) => Number(i === 0)),
      'boolean',
      ['no', 'yes'],
    );
    await expect(tried(tableInMemory(columns, rare))).rejects.toThrow('class yes of the target has 1 row');
    const unclear = column(
      'y',
      target!.values.map((v, i) => (i === 2 ? Number.NaN : v)),
      'boolean',
      ['no', 'yes'],
    );
    await expect(tried(tableInMemory(columns, unclear))).rejects.toThrow(InputError);
    const single = column('y', new Float64Array(40), 'boolean', ['no', 'yes']);
    await expect(tried(tableInMemory(columns, single))).rejects.toThrow('one and the same');
    await expect(tried(of, { folds: 41 })).rejects.toThrow('40 folds at the most');
    await expect(tried(of, { range: 0.01 })).rejects.toThrow('widen the range');
    for (const bad of [{ folds: 1 }, { intervals: 0 }, { order: -1 }, { selector: 'l3' }, { mode: 'x' }])
      expect(() => parseParams(kanSelect, bad)).toThrow(ParameterError);
    await expect(score(of, {}, new Run({ signal: AbortSignal.abort() }))).rejects.toThrow(CancelledError);
  });
});
