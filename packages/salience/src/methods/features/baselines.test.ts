/** @file The selectors that KAN-Select is compared with: worked numbers, invariants, generated tables, and bad input. */

import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { finish } from '../../core/steps.ts';
import { type Column, type Table, tableInMemory } from '../../subjects/table/table.ts';
import { forestImportance } from './forest-importance.ts';
import { lasso, weightSizes } from './lasso.ts';
import { mutualInformation } from './mutual-information.ts';
import { randomFeatures } from './random-features.ts';
import { eliminationScores, supportVectorRegression, svmRfe } from './svm-rfe.ts';

const column = (name: string, values: Float64Array, kind: Column['kind'] = 'number', levels?: string[]): Column => ({
  name,
  kind,
  values,
  ...(levels && { levels }),
});

/** y = a + (b = second level) + noise, beside noise of two kinds and a constant. */
function generated({ rows = 150, classes = false, seed = 4, test = 0 } = {}): Table {
  const random = new Random(seed);
  const normals = () => Float64Array.from({ length: rows }, () => random.normal());
  const b = Float64Array.from({ length: rows }, () => random.integer(3));
  const [a, noise] = [normals(), normals()];
  const coded = Float64Array.from({ length: rows }, () => random.integer(4));
  const y = a.map((value, i) => value + 2 * Number(b[i] === 1) + 0.2 * random.normal());
  const middle = y.slice().sort()[rows >> 1];
  const target = classes
    ? column(
        'y',
        y.map((v) => Number(v > middle)),
        'boolean',
        ['no', 'yes'],
      )
    : column('y', y);
  const columns = [
    column('noise', noise),
    column('a', a),
    column('coded', coded, 'categorical', ['p', 'q', 'r', 's']),
    column('b', b, 'categorical', ['u', 'v', 'w']),
    column('constant', new Float64Array(rows).fill(3)),
  ];
  const split = test > 0 && {
    train: Uint32Array.from({ length: rows - test }, (_, i) => i),
    test: Uint32Array.from({ length: test }, (_, i) => rows - test + i),
  };
  return tableInMemory(columns, target, split || undefined);
}

const methods = {
  lasso,
  'forest-importance': forestImportance,
  'mutual-information': mutualInformation,
  'svm-rfe': svmRfe,
} as unknown as Record<string, typeof lasso>;
const quick: Record<string, Record<string, unknown>> = { 'forest-importance': { trees: 20, repeats: 2, folds: 2 } };

const score = (name: string, of: Table, run = new Run({ seed: 1 })) =>
  methods[name].score(of, parseParams(methods[name], quick[name]), run);

describe.each(Object.keys(methods))('%s', (name) => {
  it.each([false, true])('puts the two features of the target first (classes: %s)', async (classes) => {
    const { values, labels } = await score(name, generated({ classes }));
    expect(labels).toEqual(['noise', 'a', 'coded', 'b', 'constant']);
    const order = [0, 1, 2, 3, 4].sort((i, j) => values[j] - values[i]);
    expect(order.slice(0, 2).sort()).toEqual([1, 3]);
  });

  it('is the same again, and blind to rows to test on', async () => {
    const of = generated({ test: 40 });
    const spoilt = (c: Column): Column => ({ ...c, values: c.values.map((v, i) => (i < 110 ? v : Number.NaN)) });
    const broken = tableInMemory(of.columns.map(spoilt), spoilt(of.target!), of);
    expect((await score(name, of)).values).toEqual((await score(name, broken)).values);
  });

  it('takes missing values, one column, and more than two classes', async () => {
    const of = generated();
    const gaps = of.columns.map((c) => ({ ...c, values: c.values.map((v, i) => (i % 9 === 2 ? Number.NaN : v)) }));
    for (const table of [
      tableInMemory(gaps, of.target),
      tableInMemory([of.columns[1]], of.target),
      tableInMemory(of.columns, column('y', of.columns[3].values, 'categorical', ['u', 'v', 'w'])),
    ]) {
      const { values } = await score(name, table);
      expect(values.length).toBe(table.columns.length);
      expect(values.every(Number.isFinite)).toBe(true);
    }
  });

  it('refuses a table without a target', async () => {
    await expect(score(name, tableInMemory(generated().columns))).rejects.toThrow(InputError);
  });
});

describe('random features', () => {
  it('change with the seed, and with nothing else', async () => {
    const of = generated();
    const draw = async (seed: number) => (await randomFeatures.score(of, {}, new Run({ seed }))).values;
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });
});

describe('sizes of weights', () => {
  it('are means over outputs, added over the inputs of a feature', () => {
    expect(Array.from(weightSizes(Float64Array.of(1, -2, 3, 4, 0, -5), [0, 1, 1]))).toEqual([2.5, 5]);
  });
});

describe('recursive elimination', () => {
  it('scores by the order in which features go, a share of all at a time', async () => {
    const sizes = [5, 1, 3, 2, 4];
    const rounds: number[][] = [];
    const scores = await eliminationScores(5, 2, async (left) => {
      rounds.push([...left]);
      return left.map((j) => sizes[j]);
    });
    expect(rounds).toEqual([
      [0, 1, 2, 3, 4],
      [0, 2, 4],
    ]);
    expect(Array.from(scores)).toEqual([1, 0.2, 0.6, 0.4, 0.8]);
  });

  it('keeps the lower place of equals', async () => {
    const scores = await eliminationScores(3, 1, async (left) => left.map(() => 1));
    expect(Array.from(scores)).toEqual([1, 2 / 3, 1 / 3]);
  });

  it('of values rests on the weights that scikit-learn 1.2.1 finds (LinearSVR, squared epsilon-insensitive)', () => {
    const list = (of: (i: number) => number) => Array.from({ length: 60 }, (_, i) => of(i));
    const standard = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b) / 60;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 60);
      return values.map((v) => (v - mean) / deviation);
    };
    const waves = [
      list((i) => Math.sin(1.3 * i)),
      list((i) => Math.cos(2.1 * i + 0.4)),
      list((i) => Math.sin(0.7 * i * i)),
    ];
    const y = standard(list((i) => waves[0][i] ** 2 + 0.3 * waves[1][i] + 0.1 * Math.sin(5.1 * i)));
    const columns = waves.map(standard);
    const x = Float64Array.from({ length: 180 }, (_, at) => columns[at % 3][Math.floor(at / 3)]);
    const weights = finish(supportVectorRegression({ x, y: Float64Array.from(y), columns: 3 }, 1, 0.1));
    [0.01322494, 0.48754192, 0.10145002].forEach((value, c) => {
      expect(weights[c]).toBeCloseTo(value, 4);
    });
  });

  it('refuses shares that are none', () => {
    for (const step of [0, 1.5]) expect(() => parseParams(svmRfe, { step })).toThrow(ParameterError);
  });
});
