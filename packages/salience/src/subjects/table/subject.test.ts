import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { openTableFile } from '../../models/table-files/open-table-file.ts';
import type { TableScores } from './keep-columns.ts';
import { lendingTable } from './lending.ts';
import { table } from './subject.ts';
import { rowsOf } from './table.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'table-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(text: string | Uint8Array, options: Record<string, unknown> = {}, name = 't.csv', run = new Run()) {
  const path = join(folder, name);
  await writeFile(path, text);
  return table.load([path], parseParams({ id: 'table', params: table.options }, options) as never, run);
}

const people = `age,sex,town,grade,fixed,empty,copy,id,class
31,f,Rome,low,1,,31,u01,yes
45,m,Oslo,high,1,NA,45,u02,no
28,f,Rome,mid,1,,28,u03,yes
,m,Bern,low,1,?,,u04,no
52,m,Oslo,mid,1,,52,u05,yes
33,f,Rome,high,1,,33,u06,
`;

describe('a table', () => {
  it('has columns of the types that were found, categories as codes', async () => {
    const { columns, rows, target } = await load(people, {
      target: 'class',
      drop: 'id',
      types: 'grade=ordinal(low<mid<high)',
    });
    expect(rows).toBe(5); // the sixth has no class
    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
      ['age', 'integer'],
      ['sex', 'boolean'],
      ['town', 'categorical'],
      ['grade', 'ordinal'],
      ['fixed', 'boolean'],
      ['copy', 'integer'],
    ]);
    expect([...columns[0].values]).toEqual([31, 45, 28, Number.NaN, 52]);
    expect([...columns[1].values]).toEqual([0, 1, 0, 1, 1]);
    expect(columns[2].levels).toEqual(['Bern', 'Oslo', 'Rome']);
    expect([...columns[2].values]).toEqual([2, 1, 2, 0, 1]);
    expect([...columns[3].values]).toEqual([0, 2, 1, 0, 1]);
    expect(target).toMatchObject({ name: 'class', kind: 'boolean', levels: ['no', 'yes'] });
    expect([...target!.values]).toEqual([1, 0, 1, 0, 1]);
  });

  it('says what was found on reading', async () => {
    const { remarks } = await load(people, { target: 'class' });
    for (const remark of [
      '1 rows without a value of class are left out',
      'column empty has no value in any row; it is left out',
      'missing values: age 1 (20.0%), copy 1 (20.0%)',
      'of one value only: fixed',
      'column copy repeats age',
      'target class: 2 classes: no 40.0%, yes 60.0%',
    ]) {
      expect(remarks).toContain(remark);
    }
  });

  it('is the same from CSV, JSONL and Parquet', async () => {
    const rows = Array.from({ length: 90 }, (_, i) => ({
      x: i % 8 === 0 ? null : i / 8,
      n: i % 11,
      town: ['Rome', 'Oslo', 'Bern'][i % 3],
      member: i % 5 === 0,
      y: i % 2,
    }));
    const csv = `x,n,town,member,y\n${rows.map(({ x, n, town, member, y }) => `${x ?? ''},${n},${town},${member},${y}`).join('\n')}\n`;
    const jsonl = rows.map((row) => JSON.stringify(row)).join('\n');
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'x', data: rows.map(({ x }) => x), type: 'DOUBLE' },
        { name: 'n', data: rows.map(({ n }) => BigInt(n)), type: 'INT64' },
        { name: 'town', data: rows.map(({ town }) => town), type: 'STRING' },
        { name: 'member', data: rows.map(({ member }) => member), type: 'BOOLEAN' },
        { name: 'y', data: rows.map(({ y }) => y), type: 'INT32' },
      ],
    });
    const loaded = [
      await load(csv, { target: 'y' }, 'same.csv'),
      await load(jsonl, { target: 'y' }, 'same.jsonl'),
      await load(new Uint8Array(parquet), { target: 'y' }, 'same.parquet'),
    ];
    for (const { columns, target, train } of loaded) {
      expect({ columns, target, train }).toEqual({
        columns: loaded[0].columns,
        target: loaded[0].target,
        train: loaded[0].train,
      });
    }
    expect(loaded[0].columns.map(({ kind }) => kind)).toEqual(['number', 'integer', 'categorical', 'boolean']);
  });

  it('has a target of classes where it has few whole numbers, else of values', async () => {
    const of = async (y: (i: number) => number, types = '') =>
      (await load(`x,y\n${Array.from({ length: 60 }, (_, i) => `${i},${y(i)}`).join('\n')}\n`, { target: 'y', types }))
        .target!;
    expect((await of((i) => 3 + (i % 4))).levels).toEqual(['3', '4', '5', '6']);
    expect([...(await of((i) => 3 + (i % 4))).values.slice(0, 5)]).toEqual([0, 1, 2, 3, 0]);
    expect((await of((i) => i)).levels).toBeUndefined();
    expect((await of((i) => (i % 4) / 2)).levels).toBeUndefined();
    expect((await of((i) => i % 4, 'y=number')).levels).toBeUndefined();
  });

  it('is sampled by the seed where it has more rows than are wanted, in the order of the file', async () => {
    const text = `x,y\n${Array.from({ length: 5000 }, (_, i) => `${i},${i % 2}`).join('\n')}\n`;
    const small = await load(text, { maxRows: 500, target: 'y' });
    expect(small.rows).toBe(500);
    expect(small.remarks).toContain('500 of 5,000 rows were drawn at random (--max-rows)');
    const x = [...small.columns[0].values];
    expect(x).toEqual([...x].sort((a, b) => a - b));
    expect(new Set(x).size).toBe(500);
    // Each row is as likely: the mean of 500 of 0…4999 is 2499.5, its deviation about 61.
    expect(Math.abs(x.reduce((sum, value) => sum + value) / 500 - 2499.5)).toBeLessThan(250);
    for (const [i, value] of x.entries()) expect(small.target!.values[i]).toBe(value % 2);
    expect((await load(text, { maxRows: 500, target: 'y' })).columns).toEqual(small.columns);
    const other = await load(text, { maxRows: 500, target: 'y' }, 't.csv', new Run({ seed: 1 }));
    expect(other.columns).not.toEqual(small.columns);
  });

  it('has codes that no sample changes', async () => {
    const towns = ['Wien', 'Rome', 'Oslo', 'Bern'];
    const text = `t,y\n${Array.from({ length: 4000 }, (_, i) => `${towns[i % 4]},${i % 4}`).join('\n')}\n`;
    const { columns, target } = await load(text, { maxRows: 200, target: 'y', types: 'y=number' });
    for (const [i, code] of columns[0].values.entries()) {
      expect(columns[0].levels![code]).toBe(towns[target!.values[i]]);
    }
  });

  it.each([
    [
      { target: 'klass' },
      'has no column "klass" for --target; it has age, sex, town, grade, fixed, empty, copy, id, class',
    ],
    [{ target: 'empty' }, 'no row has a value of empty'],
    [{ target: 'fixed' }, 'the target fixed is 1 in every row'],
    [{ drop: 'nothing' }, 'drop: '],
    [{ drop: 'class', target: 'class' }, 'drop: class is the target'],
    [{ types: 'sex=number' }, 'line 2, column sex is "f" and should be a number'],
    [{ types: 'sx=number' }, 'types: '],
    [{ missing: 'sx=-9' }, 'missing: '],
    [{ separator: '::' }, 'is not one character'],
    [{ drop: 'age,sex,town,grade,fixed,copy,id,class' }, 'no column is left as a feature'],
  ])('with %j is refused', async (options, message) => {
    await expect(load(people, options)).rejects.toThrow(message);
  });

  it('says which numbers below 0 look like codes of what is missing, and only where there are no others', async () => {
    const rows = Array.from(
      { length: 30 },
      (_, i) => `${i % 5 === 0 ? -9 : i},${i % 7 === 0 ? -8 : i},${i - 15},${-9}`,
    );
    const told = async (missing: string) =>
      (await load(`a,b,c,d\n${rows.join('\n')}\n`, { missing })).remarks.filter((remark) => remark.includes('below 0'));
    expect(await told('')).toEqual([
      'below 0 there is only -9, -8 in a, b; if that means missing, say --missing -9,-8',
    ]);
    expect(await told('-9,-8')).toEqual([]);
  });

  it('whose first line was taken for a row tells how to take it for names', async () => {
    await expect(load('2019,2020,y\n1,2,3\n4,5,6\n', { target: 'y' })).rejects.toThrow(
      'has no column "y" for --target; it has c0, c1, c2; its first line was not read as names (--header yes would)',
    );
  });

  it('of many columns without names tells how to name the last', async () => {
    const digits = `${Array.from({ length: 65 }, (_, i) => i % 17).join(',')}\n`.repeat(3);
    await expect(load(digits, { target: 'label' })).rejects.toThrow('c10, c11 and 53 more (the last is c64)');
  });

  it('without a row is refused', async () => {
    await expect(load('a,b\n')).rejects.toThrow('has no rows');
    await expect(load('a,y\n1,\n2,\n', { target: 'y' })).rejects.toThrow('no row has a value of y');
  });

  it('is one file', async () => {
    await expect(table.load(['a.csv', 'b.csv'], { header: 'auto' } as never, new Run())).rejects.toThrow(
      'a table is one file',
    );
  });
});

describe('keeping a table', () => {
  const scores = (values: number[], members?: number[][]): TableScores => ({
    unit: 'feature',
    values: Float32Array.from(values),
    ...(members && { members }),
  });

  it('writes the best columns and the target, all rows, as they stood', async () => {
    const loaded = await load(people, { target: 'class', drop: 'id' }, 'keep.csv');
    const scored = scores([0.5, 0.1, 0.9, 0.2, 0, 0]);
    const out = join(folder, 'kept.csv');
    const report = await table.keep(
      loaded,
      { scores: scored, selection: select(scored, 2) },
      { path: out, force: false },
      new Run(),
    );
    expect(await readFile(out, 'utf8')).toBe(
      'age,town,class\n31,Rome,yes\n45,Oslo,no\n28,Rome,yes\n,Bern,no\n52,Oslo,yes\n33,Rome,\n',
    );
    expect(report.title).toBe('2 of 6 columns of keep.csv kept (budget 2)');
    expect(report.blocks[0]).toMatchObject({
      rows: [
        [1, 'town', 0.9],
        [2, 'age', 0.5],
      ],
    });
  });

  it('writes all rows, not only the sample', async () => {
    const text = `a,b,y\n${Array.from({ length: 3000 }, (_, i) => `${i},${i % 7},${i % 2}`).join('\n')}\n`;
    const loaded = await load(text, { target: 'y', maxRows: 100 }, 'many.csv');
    const scored = scores([1, 0]);
    const out = join(folder, 'many-kept.csv');
    await table.keep(loaded, { scores: scored, selection: select(scored, 1) }, { path: out, force: false }, new Run());
    expect((await readFile(out, 'utf8')).split('\n').length).toBe(3002);
  });

  it('keeps the columns of every kept unit where units are sets', async () => {
    const loaded = await load(people, { target: 'class', drop: 'id' }, 'sets.csv');
    const scored = scores(
      [0.5, 0.1, 0.9],
      [
        [0, 1],
        [2, 3],
        [1, 4],
      ],
    );
    const out = join(folder, 'sets-kept.csv');
    const report = await table.keep(
      loaded,
      { scores: scored, selection: select(scored, 2) },
      { path: out, force: false },
      new Run(),
    );
    expect((await readFile(out, 'utf8')).split('\n')[0]).toBe('age,sex,fixed,class');
    expect(report.title).toBe('3 of 6 columns of sets.csv kept (budget 2)');
  });

  it('keeps a file of scikit-learn without its line of counts', async () => {
    const loaded = await load('3,2,a,b\n1,2,0\n3,4,1\n5,7,1\n', { target: 'c2' }, 'counts.csv');
    const scored = scores([0, 1]);
    const out = join(folder, 'counts-kept.csv');
    await table.keep(loaded, { scores: scored, selection: select(scored, 1) }, { path: out, force: false }, new Run());
    expect(await readFile(out, 'utf8')).toBe('2,0\n4,1\n7,1\n');
  });

  it('works on JSONL', async () => {
    const loaded = await load(
      '{"a": 1.0, "b": 2, "y": "u"}\n{"a": 2, "b": 3, "y": "v"}\n',
      { target: 'y' },
      'keep.jsonl',
    );
    const scored = scores([1, 0]);
    const out = join(folder, 'kept.jsonl');
    await table.keep(loaded, { scores: scored, selection: select(scored, 1) }, { path: out, force: false }, new Run());
    expect(await readFile(out, 'utf8')).toBe('{"a":1.0,"y":"u"}\n{"a":2,"y":"v"}\n');
  });

  it('works on JSONL whose columns come late', async () => {
    const line = `{"a": 1, "y": "u", "pad": "${'x'.repeat(200)}"}\n{"a": 2, "y": "v"}\n`;
    const loaded = await load(
      `${line.repeat(6000)}{"late": 2.5, "y": "u"}\n{"late": 3.5, "y": "v"}\n`,
      { target: 'y' },
      'late.jsonl',
    );
    expect(loaded.columns.map(({ name }) => name)).toEqual(['a', 'pad', 'late']);
    const scored = scores([0, 0, 1]);
    const out = join(folder, 'late-kept.jsonl');
    await table.keep(loaded, { scores: scored, selection: select(scored, 1) }, { path: out, force: false }, new Run());
    expect((await readFile(out, 'utf8')).split('\n').slice(-3)).toEqual([
      '{"late":2.5,"y":"u"}',
      '{"late":3.5,"y":"v"}',
      '',
    ]);
  });

  it('refuses a file that changed since it was read', async () => {
    const loaded = await load(people, { target: 'class' }, 'changing.csv');
    await writeFile(join(folder, 'changing.csv'), `${people}33,f,Rome,high,1,,33,u07,no\n`);
    await utimes(join(folder, 'changing.csv'), new Date(), new Date(Date.now() + 5000));
    const scored = scores(loaded.columns.map(() => 1));
    const output = { path: join(folder, 'never.csv'), force: false };
    await expect(
      table.keep(loaded, { scores: scored, selection: select(scored, 1) }, output, new Run()),
    ).rejects.toThrow('changing.csv: changed since it was read');
    // Where the time was put back, as rsync does, the size still tells.
    const again = {
      ...loaded,
      source: { ...loaded.source!, changed: (await stat(join(folder, 'changing.csv'))).mtimeMs },
    };
    await expect(
      table.keep(again, { scores: scored, selection: select(scored, 1) }, output, new Run()),
    ).rejects.toThrow('changing.csv: changed since it was read');
  });

  it('refuses a budget that keeps nothing, scores of something else, and a table without a file', async () => {
    const sample = await table.sample(new Run());
    const values = new Array<number>(sample.columns.length).fill(1);
    const keep = (s: TableScores, budget: number | string, path?: string) =>
      table.keep(sample, { scores: s, selection: select(s, budget) }, { path, force: false }, new Run());
    await expect(keep(scores(values), 0)).rejects.toThrow('keeps no feature');
    await expect(keep(scores([1, 2]), 1)).rejects.toThrow('there are 2 scores for 11 features of lending');
    await expect(keep(scores(values), 1, join(folder, 'no.csv'))).rejects.toThrow('has no file');
    expect((await keep(scores(values), 1)).title).toBe('1 of 11 columns of lending kept (budget 1)');
  });
});

describe('the split', () => {
  it('divides each class by the share and each row once, by the seed', async () => {
    const text = `x,y\n${Array.from({ length: 103 }, (_, i) => `${i},${i < 80 ? 'a' : i < 102 ? 'b' : 'c'}`).join('\n')}\n`;
    const { train, test, remarks } = await load(text, { target: 'y' });
    expect([...train, ...test].sort((a, b) => a - b)).toEqual(Array.from({ length: 103 }, (_, i) => i));
    expect(test.filter((row) => row < 80)).toHaveLength(20);
    expect(train).toContain(102);
    expect(remarks).toContain('classes of one row, which is trained on: c');
    expect((await load(text, { target: 'y' }, 't.csv', new Run({ seed: 1 }))).test).not.toEqual(test);
  });

  it('leaves no row to test on where the share is 0', async () => {
    const { train, test } = await load(people, { testShare: 0 });
    expect([train.length, test.length]).toEqual([6, 0]);
  });
});

describe('the lending table', () => {
  it('is the same for a seed and has both classes about equally often', () => {
    const made = () => lendingTable({ rows: 2000, test: 600, random: new Run().random('lending') });
    const { columns, target, train, test } = made();
    expect(made().columns).toEqual(columns);
    expect([train.length, test.length]).toEqual([2000, 600]);
    const good = target!.values.reduce((sum, value) => sum + value) / 2600;
    expect(good).toBeGreaterThan(0.42);
    expect(good).toBeLessThan(0.58);
  });

  it('has savings as a thermometer and features within their bounds', () => {
    const { columns, rows } = lendingTable({ rows: 1000, test: 0, random: new Run().random('lending') });
    const of = (name: string) => columns.find((column) => column.name === name)!.values;
    for (let i = 0; i < rows; i++) {
      expect(of('savings_1k')[i]).toBeGreaterThanOrEqual(of('savings_10k')[i]);
      expect(of('loans')[i]).toBeLessThanOrEqual(8);
      expect(of('income')[i]).toBeGreaterThanOrEqual(1);
      expect(of('utilisation')[i]).toBeLessThanOrEqual(1);
    }
  });

  it('has rows row by row', () => {
    const lending = lendingTable({ rows: 3, test: 1, random: new Run().random('lending') });
    const rows = rowsOf(lending, [2]);
    expect([...rows]).toEqual(lending.columns.map(({ values }) => values[2]));
  });
});

it('a table that was kept can be read again', async () => {
  const again = await openTableFile(join(folder, 'kept.csv'));
  expect(again.names).toEqual(['age', 'town', 'class']);
});

describe('the bundled tables', () => {
  const bundled = (name: string) => fileURLToPath(new URL(`../../../examples/tables/${name}`, import.meta.url));

  it('are what their generators make', async () => {
    const options = parseParams({ id: 'table', params: table.options }, { target: 'good' });
    const lending = await table.load([bundled('lending.csv')], options as never, new Run());
    const made = lendingTable({ rows: 1000, test: 0, random: new Random(7, 'examples/tables/lending') });
    expect(lending.columns.map(({ name, kind }) => [name, kind])).toEqual(
      made.columns.map(({ name, kind }) => [name, kind]),
    );
    for (const [c, { values }] of made.columns.entries()) {
      for (let i = 0; i < 1000; i++) expect(lending.columns[c].values[i]).toBeCloseTo(values[i], 3);
    }
    expect(lending.target!.values).toEqual(made.target!.values);
  });

  it('are images of ten digits with their label', async () => {
    const options = parseParams({ id: 'table', params: table.options }, { target: 'label' });
    const digits = await table.load([bundled('digits.csv')], options as never, new Run());
    expect([digits.rows, digits.columns.length, digits.target!.levels!.length]).toEqual([1000, 64, 10]);
  });
});
