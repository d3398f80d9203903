import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { predictTrees } from '../../numerics/trees/predict-trees.ts';
import { blackBoxFor, modelParams } from './black-box-of.ts';
import { designOf } from './design.ts';
import { type Column, rowsOf, type Table, tableInMemory } from './table.ts';

const run = new Run({ seed: 5 });
const params = (given: Record<string, unknown> = {}) => modelParams.parse(given);

const column = (name: string, values: number[], levels?: string[]): Column => ({
  name,
  kind: levels ? 'categorical' : 'number',
  values: Float64Array.from(values),
  ...(levels && { levels }),
});

/** Rows whose class is good where income is high, less so for renters; three rows in 20 miss their income. */
function lending(n: number, test = n / 4): Table {
  const random = run.random('lending');
  const income = Float64Array.from({ length: n }, () => 1000 * random.normal() + 3000);
  const housing = Float64Array.from({ length: n }, () => random.integer(3));
  const good = income.map((own, i) => Number(own - 1500 * Number(housing[i] === 1) > 2700));
  for (let i = 0; i < n; i += 7) income[i] = NaN;
  const rows = Uint32Array.from({ length: n }, (_, i) => i);
  return tableInMemory(
    [
      { name: 'income', kind: 'number', values: income },
      { name: 'housing', kind: 'categorical', values: housing, levels: ['own', 'rent', 'free'] },
    ],
    { name: 'credit', kind: 'categorical', values: good, levels: ['bad', 'good'] },
    { train: rows.subarray(test), test: rows.subarray(0, test) },
    'lending.csv',
  );
}

describe('the design of a table', () => {
  const table = tableInMemory(
    [column('age', [10, NaN, 30, 50, 0]), column('colour', [0, 2, NaN, 0, 1], ['red', 'green', 'blue'])],
    undefined,
    { train: Uint32Array.of(0, 1, 2, 3), test: Uint32Array.of(4) },
  );

  it('has a column for each category of the training rows, and the median for what is missing', () => {
    const { names, from, x } = designOf(table);
    expect(names).toEqual(['age', 'colour = red', 'colour = blue']);
    expect([...from]).toEqual([0, 1, 1]);
    expect([...x(rowsOf(table))]).toEqual([10, 1, 0, 30, 0, 1, 30, 0, 0, 50, 1, 0, 0, 0, 0]); // green was not seen
  });

  it('of codes is the rows as they are', () => {
    const { names, x } = designOf(table, { categories: 'codes', missing: 'keep' });
    expect(names).toEqual(['age', 'colour']);
    expect(x(rowsOf(table))).toEqual(rowsOf(table));
  });

  it('scaled has mean 0 and deviation 1 in the training rows', () => {
    const { x } = designOf(table, { scale: true });
    const rows = x(rowsOf(table, table.train));
    for (let c = 0; c < 3; c++) {
      const own = [0, 1, 2, 3].map((i) => rows[3 * i + c]);
      expect(own.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
      expect(own.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1, 12);
    }
  });
});

describe('the black box of a table', () => {
  const table = lending(400);
  const rows = rowsOf(table, table.test);

  it.each(['logistic', 'lasso', 'tree', 'forest', 'boosting', 'neighbours', 'svm', 'linear-svm', 'perceptron'])(
    'is trained by the name %s, and better than chance on the rows to test on',
    async (model) => {
      const box = await blackBoxFor(table, params({ model }), run);
      expect(box).toMatchObject({ gives: 'probability', positive: 'good', columns: 2 });
      const p = await box.predict(rows);
      expect(p.length).toBe(100);
      expect(p.every((own) => own >= 0 && own <= 1)).toBe(true);
      expect(box.quality!.AUROC).toBeGreaterThan(0.85);
      expect(await (await blackBoxFor(table, params({ model }), run)).predict(rows)).toEqual(p);
    },
    60_000,
  );

  it('of trees has ensembles of the columns of the table', async () => {
    const box = await blackBoxFor(table, params({ model: 'boosting' }), run);
    expect(box.fitted!.treesGive).toBe('margin');
    const margins = predictTrees(box.fitted!.trees!, rows, 2);
    (await box.predict(rows)).forEach((p, i) => {
      expect(p).toBeCloseTo(1 / (1 + Math.exp(-margins[i])), 12);
    });
  });

  it('gives the probability of the class asked for, of three classes against the other two', async () => {
    const good = await (await blackBoxFor(table, params(), run)).predict(rows);
    const bad = await (await blackBoxFor(table, params({ positive: 'bad' }), run)).predict(rows);
    bad.forEach((p, i) => {
      expect(p).toBeCloseTo(1 - good[i], 5);
    });
    const levels = ['low', 'middle', 'high'];
    const { target } = table;
    const values = target!.values.map((code, i) => (i % 3 === 0 ? 1 : 2 * code));
    const three = { ...table, target: { ...target!, values, levels } };
    expect((await blackBoxFor(three, params(), run)).positive).toBe('high');
    expect((await blackBoxFor(three, params({ positive: 'low' }), run)).positive).toBe('low');
  });

  it('of a value gives values: ridge regression, the lasso, or trees', async () => {
    const values = table.target!.values.map((code, i) => 100 * code + 10 * table.columns[1].values[i]);
    const priced = { ...table, target: { name: 'price', kind: 'number' as const, values } };
    for (const [model, name] of [
      ['logistic', 'ridge regression'],
      ['lasso', 'lasso'],
      ['forest', 'random forest'],
    ]) {
      const box = await blackBoxFor(priced, params({ model }), run);
      expect(box).toMatchObject({ gives: 'value', name });
      expect(box.quality!['R²']).toBeGreaterThan(0.4);
    }
    await expect(blackBoxFor(priced, params({ model: 'svm' }), run)).rejects.toThrow(
      'svm predicts classes, and the target price is a value',
    );
    await expect(blackBoxFor(priced, params({ positive: 'x' }), run)).rejects.toThrow(
      'positive is a class, and the target price of lending.csv is a value',
    );
  });

  it('predicts rows with categories that training did not see', async () => {
    const train = table.train.filter((row) => table.columns[1].values[row] !== 2);
    for (const model of ['logistic', 'forest']) {
      const box = await blackBoxFor({ ...table, train }, params({ model }), run);
      expect((await box.predict(Float64Array.of(3000, 2, NaN, NaN))).every(Number.isFinite)).toBe(true);
    }
  });

  it('bears columns that are constant, all missing, or there twice', async () => {
    const [income, housing] = table.columns;
    const odd = {
      ...table,
      columns: [
        income,
        { ...income, name: 'again' },
        { name: 'constant', kind: 'number' as const, values: new Float64Array(400).fill(3) },
        { name: 'missing', kind: 'number' as const, values: new Float64Array(400).fill(NaN) },
        { ...housing, name: 'unknown', values: new Float64Array(400).fill(NaN) },
      ],
    };
    for (const model of ['logistic', 'lasso', 'tree', 'forest', 'boosting', 'neighbours', 'svm', 'linear-svm']) {
      const box = await blackBoxFor(odd, params({ model }), run);
      expect((await box.predict(rowsOf(odd))).every((p) => p >= 0 && p <= 1)).toBe(true);
      const importance = box.fitted!.importance;
      if (importance) for (const c of [2, 3]) expect(importance[c]).toBeLessThan(1e-6);
    }
  });

  it('has another forest for another seed of the model', async () => {
    const one = await (await blackBoxFor(table, params({ model: 'forest' }), run)).predict(rows);
    const other = await (await blackBoxFor(table, params({ model: 'forest', modelSeed: 9 }), run)).predict(rows);
    expect(other).not.toEqual(one);
  });

  it('wants a target, training rows of two classes, and a model and a class that there are', async () => {
    const without: Table = { ...table, target: undefined };
    await expect(blackBoxFor(without, params(), run)).rejects.toThrow(
      new InputError('lending.csv: has no target; name the column to be predicted (--target)'),
    );
    const train = table.train.filter((row) => table.target!.values[row] === 1);
    await expect(blackBoxFor({ ...table, train }, params(), run)).rejects.toThrow(
      /training rows are all good; training needs rows of both/,
    );
    await expect(blackBoxFor(table, params({ positive: 'great' }), run)).rejects.toThrow(
      new ParameterError('the target credit of lending.csv has no class "great"; it has bad, good'),
    );
    await expect(blackBoxFor(table, params({ model: 'xgboost' }), run)).rejects.toThrow(
      'there is no model "xgboost"; there are logistic,',
    );
    await expect(blackBoxFor(table, params({ model: 'constructor' }), run)).rejects.toThrow(
      'there is no model "constructor"',
    );
  });
});

describe('the black box of an address', () => {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const { rows } = JSON.parse(text) as { rows: { income: number | null; housing: string }[] };
      response.end(
        JSON.stringify({
          predictions: rows.map((row) => (row.housing === 'rent' ? 0.25 : row.income === null ? 0 : 1)),
        }),
      );
    });
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('is asked by the names and the texts of the table', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const model = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const box = await blackBoxFor(lending(40), params({ model }), run);
    expect([...(await box.predict(Float64Array.of(5, 0, 5, 1, NaN, 2)))]).toEqual([1, 0.25, 0]);
    expect(box.fitted).toBeUndefined();
  });
});
