/** @file SHAP, LIME and permutation importance: generated tables, invariants, and bad input. */

import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import type { Block } from '../../core/report.ts';
import { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { type Column, type Table, tableInMemory } from '../../subjects/table/table.ts';
import { lime } from './lime.ts';
import { permutationImportance } from './permutation-importance.ts';
import { shap } from './shap.ts';

/** y says whether 2a + (b = second level) is high; noise and a constant beside. */
function generated({ rows = 240, test = 60, value = false } = {}): Table {
  const random = new Random(8);
  const normals = () => Float64Array.from({ length: rows }, () => random.normal());
  const [a, noise] = [normals(), normals()];
  const b = Float64Array.from({ length: rows }, () => random.integer(3));
  const y = a.map((v, i) => 2 * v + 3 * Number(b[i] === 1) + 0.3 * random.normal());
  const columns: Column[] = [
    { name: 'noise', kind: 'number', values: noise },
    { name: 'a', kind: 'number', values: a },
    { name: 'b', kind: 'categorical', values: b, levels: ['u', 'v', 'w'] },
    { name: 'constant', kind: 'number', values: new Float64Array(rows).fill(3) },
  ];
  const target: Column = value
    ? { name: 'y', kind: 'number', values: y }
    : { name: 'y', kind: 'boolean', values: y.map((v) => Number(v > 1)), levels: ['no', 'yes'] };
  const split = {
    train: Uint32Array.from({ length: rows - test }, (_, i) => i),
    test: Uint32Array.from({ length: test }, (_, i) => rows - test + i),
  };
  return tableInMemory(columns, target, split);
}

const methods = { shap, lime, 'permutation-importance': permutationImportance } as unknown as Record<
  string,
  typeof shap
>;
const quick: Record<string, Record<string, unknown>> = { lime: { samples: 400, rows: 12 }, shap: { rows: 30 } };
const score = (name: string, of: Table, given: Record<string, unknown> = {}): Promise<Scores> =>
  methods[name].score(of, parseParams(methods[name], { ...quick[name], ...given }), new Run({ seed: 2 }));
const chart = (blocks: readonly Block[] | undefined, type: string) =>
  blocks!.flatMap((block) => (block.kind === 'chart' && block.chart.type === type ? [block.chart] : []))[0];

describe.each(Object.keys(methods))('%s', (name) => {
  it.each(['logistic', 'forest', 'boosting', 'tree'])(
    'puts the two features of the target first, of a %s',
    async (model) => {
      const { values, labels, findings } = await score(name, generated(), { model });
      expect(labels).toEqual(['noise', 'a', 'b', 'constant']);
      const order = [0, 1, 2, 3].sort((i, j) => values[j] - values[i]);
      expect(order.slice(0, 2).sort()).toEqual([1, 2]);
      expect(values[3]).toBeCloseTo(0, 6);
      expect(findings!.length).toBeGreaterThan(1);
    },
  );

  it('explains a value too, and is the same again', async () => {
    const once = await score(name, generated({ value: true }), { model: 'forest' });
    const again = await score(name, generated({ value: true }), { model: 'forest' });
    expect(once.values).toEqual(again.values);
    expect(once.values[1]).toBeGreaterThan(once.values[0]);
  });

  it('takes missing values and one column', async () => {
    const of = generated();
    const gaps = of.columns.map((c, k) => ({
      ...c,
      values: c.values.map((v, i) => ((i + k) % 9 === 2 ? Number.NaN : v)),
    }));
    for (const columns of [gaps, [of.columns[1]]]) {
      const { values } = await score(name, tableInMemory(columns, of.target, of), { model: 'forest' });
      expect(values.length).toBe(columns.length);
    }
  });

  it('refuses a table without a target, and a target of one class', async () => {
    const of = generated();
    await expect(score(name, tableInMemory(of.columns, undefined, of))).rejects.toThrow('target');
    const same = { ...of.target!, values: new Float64Array(of.rows) };
    await expect(score(name, tableInMemory(of.columns, same, of))).rejects.toThrow('training rows are all');
  });
});

describe('shap', () => {
  it('of a tree by its trees is what all coalitions give', async () => {
    const of = generated();
    for (const model of ['tree', 'forest']) {
      const tree = await score('shap', of, { model, rows: 10, background: 20 });
      const exact = await score('shap', of, { model, rows: 10, background: 20, way: 'exact' });
      const kernel = await score('shap', of, { model, rows: 10, background: 20, way: 'kernel' });
      for (let c = 0; c < 4; c++) {
        expect(tree.values[c]).toBeCloseTo(exact.values[c], 6);
        expect(kernel.values[c]).toBeCloseTo(exact.values[c], 6);
      }
    }
  });

  it('draws a waterfall from the usual output to the row’s, and a swarm of rows', async () => {
    const { findings } = await score('shap', generated(), { model: 'forest', rows: 20 });
    const swarm = chart(findings, 'swarm');
    expect(swarm?.type === 'swarm' && swarm.rows.map(({ points }) => points.length)).toEqual([20, 20, 20, 20]);
    const waterfall = chart(findings, 'waterfall');
    if (waterfall?.type !== 'waterfall') throw new Error('there is no waterfall');
    const end = waterfall.steps.reduce((sum, { change }) => sum + change, waterfall.from.value);
    expect(end).toBeCloseTo(waterfall.to.value, 9);
  });

  it('explains one row where asked, and boosting in log-odds by its trees', async () => {
    const { findings } = await score('shap', generated(), { model: 'boosting', row: 3, way: 'tree' });
    expect(chart(findings, 'swarm')).toBeUndefined();
    expect(findings![0]).toMatchObject({ text: expect.stringContaining('log-odds of yes of 1 row') });
  });

  it('refuses a row that is not there, and trees of a model without', async () => {
    await expect(score('shap', generated(), { row: 240 })).rejects.toThrow('has rows 0 to 239; there is no row 240');
    await expect(score('shap', generated(), { way: 'tree' })).rejects.toThrow('has no trees');
  });
});

describe('permutation importance', () => {
  it('refuses a loss of classes for a value', async () => {
    await expect(score('permutation-importance', generated({ value: true }), { loss: 'auroc' })).rejects.toThrow(
      'auroc is a loss of classes',
    );
  });
});
