import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { type Column, type Table, tableInMemory } from '../../subjects/table/table.ts';
import { agreement, direction, forwardSelection, shapleyWorkflow } from './shapley-workflow.ts';

describe('forwardSelection', () => {
  it('adds the best column while that is strictly better, the lower of equals', async () => {
    const worth = [0.1, 0.3, 0.3, 0.2];
    const asked: string[] = [];
    const { columns, qualities } = await forwardSelection([0, 1, 2, 3], async (now) => {
      asked.push(now.join(''));
      return Math.min(
        0.5,
        now.reduce((sum, c) => sum + worth[c], 0),
      );
    });
    expect(columns).toEqual([1, 2]);
    expect(qualities).toEqual([0.3, 0.5]);
    expect(asked).toEqual(['0', '1', '2', '3', '10', '12', '13', '120', '123']);
  });

  it('stops after one column where labels are constant, for nothing is better', async () => {
    expect((await forwardSelection([4, 2, 7], async () => 1)).columns).toEqual([4]);
    expect((await forwardSelection([4, 2], async () => 0)).columns).toEqual([]);
  });
});

describe('agreement', () => {
  it('has the worked correlations, and Spearman’s without the top feature', () => {
    const { pearson, spearman, withoutTop } = agreement([0.5, 0.3, 0.1, 0.05, 0.05], [0.4, 0.1, 0.3, 0.15, 0.05]);
    expect(pearson).toBeCloseTo(0.60985, 6);
    expect(spearman).toBeCloseTo(0.615587, 6);
    // Ranks (4, 3, 1.5, 1.5) and (2, 4, 3, 1).
    expect(withoutTop).toBeCloseTo(1 / Math.sqrt(4.5 * 5), 9);
  });

  it('is null, not 0, where a side is constant', () => {
    expect(agreement([0, 0, 0], [1, 2, 3])).toEqual({ pearson: null, spearman: null, withoutTop: null });
    expect(agreement([1], [2])).toEqual({ pearson: null, spearman: null, withoutTop: null });
  });
});

describe('direction', () => {
  it('is the sign of the correlation over rows that have the value; null where there is none', () => {
    expect(direction([1, 2, Number.NaN, 3], [-1, -2, 9, -3])).toBeCloseTo(-1, 12);
    expect(direction([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(direction([1, 2], [0, 0])).toBeNull();
    expect(direction([Number.NaN, 2], [0, 1])).toBeNull();
  });
});

/** Two noisy copies of a cause, another cause, noise, a constant and a column of nothing. */
function generated({ rows = 200, test = 80, seed = 5 } = {}): Table {
  const random = new Random(seed);
  const normals = () => Float64Array.from({ length: rows }, () => random.normal());
  const [cause, other, noise] = [normals(), normals(), normals()];
  const copy = () => cause.map((v) => v + 0.2 * random.normal());
  const y = cause.map((v, i) => Number(2 * v - 1.5 * other[i] + 0.5 * random.normal() > 0));
  const column = (name: string, values: Float64Array): Column => ({ name, kind: 'number', values });
  return tableInMemory(
    [
      column('nothing', new Float64Array(rows).fill(Number.NaN)),
      column('copy a', copy()),
      column('noise', noise),
      column('copy b', copy()),
      column('constant', new Float64Array(rows).fill(2)),
      column(
        'other',
        other.map((v, i) => (i === 3 ? Infinity : v)),
      ),
    ],
    { name: 'ill', kind: 'boolean', values: y, levels: ['no', 'yes'] },
    {
      train: Uint32Array.from({ length: rows - test }, (_, i) => i),
      test: Uint32Array.from({ length: test }, (_, i) => rows - test + i),
    },
  );
}

const score = (of: Table, given: Record<string, unknown> = {}) =>
  shapleyWorkflow.score(
    of,
    parseParams(shapleyWorkflow, { compare: 'logistic', rows: 20, ...given }),
    new Run({ seed: 1 }),
  );

describe('the workflow on a generated table', () => {
  it('scores causes over noise, nothing and a constant at 0, and says in words what it found', async () => {
    const { values, labels, findings } = await score(generated());
    expect(labels).toEqual(['nothing', 'copy a', 'noise', 'copy b', 'constant', 'other']);
    expect(values[0]).toBe(0);
    expect(values[4]).toBe(0);
    for (const cause of [1, 3, 5]) expect(values[cause]).toBeGreaterThan(values[2]);
    const text = (findings![0] as { text: string }).text;
    expect(text).toContain('whether ill is yes');
    expect(text).toContain('other (higher values lower it)');
    expect(text).toContain('copy a, copy b');
    const texts = findings!.flatMap((block) => (block.kind === 'text' ? [block.text] : []));
    expect(texts).toContain('Without a value to train on, left out with score 0: nothing.');
  });

  it('has a table of models, one of importances, one of agreements, one of aspects and one of the selection', async () => {
    const { findings } = await score(generated());
    const tables = findings!.flatMap((block) => (block.kind === 'table' ? [block] : []));
    expect(tables.map(({ columns }) => columns[0])).toEqual([
      'model, on the rows to test on',
      'feature',
      'model: mean |Shapley value| with',
      'aspect',
      'forward selection',
    ]);
    expect(tables[0].rows.map(([name]) => name)).toEqual(['random forest', 'logistic regression']);
    expect(tables[0].columns).toContain('Matthews correlation');
    const aspects = tables[3].rows.map(([name]) => name);
    expect(aspects).toContain('copy a + copy b');
    expect(aspects).toContain('constant');
    // A group is worth no more than its features together, and more than either.
    const [, , ofBoth, ofEach] = tables[3].rows[aspects.indexOf('copy a + copy b')] as [string, number, number, number];
    expect(ofBoth).toBeGreaterThan(ofEach / 2);
    expect(ofBoth).toBeLessThan(1.2 * ofEach);
  });

  it('shares the value of an aspect evenly where asked', async () => {
    const { values } = await score(generated(), { level: 'aspect', select: 'none', compare: '' });
    expect(values[1]).toBe(values[3]);
    expect(values[1]).toBeGreaterThan(0);
  });

  it('keeps columns in that forward selection does not choose from', async () => {
    const { findings } = await score(generated(), { model: 'logistic', compare: '', select: 'noise,other' });
    const texts = findings!.flatMap((block) => (block.kind === 'text' ? [block.text] : []));
    expect(texts.at(-1)).toContain('of 2 and 3 that are always in');
  });

  it('measures permutation importance in accuracy where asked', async () => {
    const { values } = await score(generated(), { permMetric: 'accuracy', select: 'none', compare: 'tree' });
    expect(values.every(Number.isFinite)).toBe(true);
  });
});

describe('bad input', () => {
  const of = generated();
  const withTarget = (target: Column | undefined) => tableInMemory(of.columns, target, of);

  it('a target that is missing, a value, of three classes, or of one class is refused', async () => {
    const { name, values } = of.target!;
    await expect(score(withTarget(undefined))).rejects.toThrow('needs a target');
    await expect(score(withTarget({ name, kind: 'number', values }))).rejects.toThrow('ill is a value');
    const three: Column = {
      name,
      kind: 'categorical',
      values: values.map((v, i) => (i % 7 ? v : 2)),
      levels: ['a', 'b', 'c'],
    };
    await expect(score(withTarget(three))).rejects.toThrow('ill has 3 classes; this needs two');
    const late: Column = { ...of.target!, values: values.map((v, i) => (i < 120 ? v : 0)) };
    await expect(score(withTarget(late))).rejects.toThrow('the rows to test on are all of one class');
    const early: Column = { ...of.target!, values: values.map((v, i) => (i < 120 ? 0 : v)) };
    await expect(score(withTarget(early))).rejects.toThrow('one and the same in all rows to train on');
  });

  it('a column that only rows to test on lack is refused by name', async () => {
    const columns = of.columns.map((c) =>
      c.name === 'other' ? { ...c, values: c.values.map((v, i) => (i < 120 ? v : Number.NaN)) } : c,
    );
    await expect(score(tableInMemory(columns, of.target, of))).rejects.toThrow(
      'column other has no value in any row to test on',
    );
  });

  it('a selection from a column that is not there, and no row to test on, are refused', async () => {
    await expect(score(of, { select: 'copy a,nobody' })).rejects.toThrow('select names a column "nobody"');
    const none = { train: of.train, test: new Uint32Array() };
    await expect(score(tableInMemory(of.columns, of.target, none))).rejects.toThrow('no row to test on');
  });

  it('the kernel with too few coalitions is refused where it must sample', async () => {
    const random = new Random(1);
    const wide = Array.from(
      { length: 12 },
      (_, c): Column => ({
        name: `c${c}`,
        kind: 'number',
        values: Float64Array.from({ length: of.rows }, () => random.normal()),
      }),
    );
    const run = score(tableInMemory(wide, of.target, of), {
      way: 'kernel',
      samples: 20,
      model: 'logistic',
      compare: '',
    });
    await expect(run).rejects.toThrow('20 coalitions are too few for 12 features');
  });
});
