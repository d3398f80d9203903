import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { objection } from '../../numerics/actions/action-set.ts';
import { lendingTable } from '../table/lending.ts';
import { table as tableSubject } from '../table/subject.ts';
import { type Column, rowsOf, tableInMemory } from '../table/table.ts';
import { parseActionFile } from './action-file.ts';
import { actionSetFor, actionSetOf } from './action-set-of.ts';

const column = (name: string, kind: Column['kind'], values: number[], levels?: string[]): Column => ({
  name,
  kind,
  values: Float64Array.from(values),
  ...(levels && { levels }),
});
const small = tableInMemory(
  [
    column('age', 'integer', [20, 40, 60]),
    column('rate', 'number', [0.5, 1, 2]),
    column('member', 'boolean', [0, 1, 1], ['no', 'yes']),
    column('housing', 'categorical', [0, 1, 2], ['free', 'own', 'rent']),
    column('grade', 'ordinal', [0, 2, 1], ['low', 'mid', 'high']),
    column('empty', 'number', [Number.NaN, Number.NaN, Number.NaN]),
    column('flag', 'integer', [0, 1, 0]),
  ],
  column('good', 'boolean', [0, 1, 1], ['no', 'yes']),
);
const of = (text: string) => actionSetOf(small, parseActionFile(text, 'a.json'), 'a.json');
const folder = mkdtempSync(join(tmpdir(), 'actions-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('without a file', () => {
  const { elements, constraints, parts } = actionSetOf(small);

  it('kinds and bounds are those of the columns, and all may change', () => {
    expect(elements.map(({ name, kind, lb, ub }) => [name, kind, lb, ub])).toEqual([
      ['age', 'integer', 20, 60],
      ['rate', 'number', 0.5, 2],
      ['member', 'boolean', 0, 1],
      ['housing', 'integer', 0, 2],
      ['grade', 'integer', 0, 2],
      ['empty', 'number', 0, 0],
      ['flag', 'boolean', 0, 1],
    ]);
    expect(elements.filter(({ actionable }) => !actionable).map(({ name }) => name)).toEqual(['empty']);
    expect(elements[3].values).toEqual([0, 1, 2]);
    expect(constraints).toEqual([]);
    expect(parts).toHaveLength(7);
  });
});

describe('a file', () => {
  it('may have comments and trailing commas, and says bounds, directions and levels in the table’s words', () => {
    const { elements } = of(`{
      // people grow older, slowly
      "fixed": ["rate"],
      "features": {
        "age": { "direction": "up", "stepUb": 2, "ub": 99 },
        "housing": { "values": ["own", "rent"] },
        "grade": { "lb": "mid", "stepLb": -1 },
        "member": { "direction": "up" },
      },
    }`);
    expect(elements[0]).toMatchObject({ direction: 1, stepUb: 2, lb: 20, ub: 99, actionable: true });
    expect(elements[1].actionable).toBe(false);
    expect(elements[2]).toMatchObject({ kind: 'boolean', direction: 1 });
    expect(elements[3]).toMatchObject({ values: [1, 2], lb: 0, ub: 2 });
    expect(elements[4]).toMatchObject({ lb: 1, ub: 2, stepLb: -1 });
  });

  it('may hold everything it does not name fixed', () => {
    const { elements } = of('{ "others": "fixed", "features": { "age": {}, "flag": { "actionable": false } } }');
    expect(elements.map(({ actionable }) => actionable)).toEqual([true, false, false, false, false, false, false]);
  });

  it('ties columns by all kinds of constraints', () => {
    const { constraints } = of(`{ "constraints": [
      { "type": "oneHot", "features": ["member", "flag"], "sense": "max" },
      { "type": "ordinal", "features": ["member", "flag"], "direction": "up", "exhaustive": false },
      { "type": "thermometer", "features": ["flag", "member"] },
      { "type": "directionalLinkage", "source": "grade", "targets": { "age": 2 } },
      { "type": "ifThen", "if": { "feature": "housing", "value": "own" }, "then": { "feature": "grade", "is": ">=", "value": "mid" } },
      { "type": "mutabilitySwitch", "switch": "member", "on": "no", "targets": ["rate"] },
      { "type": "reachability", "features": ["member", "grade"], "values": [["no", "low"], ["yes", "high"]] },
      { "type": "linear", "weights": { "age": 1, "rate": -2.5 }, "bound": 90 },
    ] }`);
    expect(constraints).toEqual([
      { type: 'oneHot', features: [2, 6], limit: 1, sense: 'max' },
      { type: 'ordinal', features: [2, 6], direction: 1, exhaustive: false },
      { type: 'thermometer', features: [6, 2], direction: 0 },
      { type: 'directionalLinkage', source: 4, targets: [{ feature: 0, scale: 2 }], keepBounds: false },
      { type: 'ifThen', if: { feature: 3, is: '=', value: 1 }, implies: { feature: 4, is: '>=', value: 1 } },
      { type: 'mutabilitySwitch', switch: 2, on: 0, targets: [1] },
      {
        type: 'reachability',
        features: [2, 4],
        values: [
          [0, 0],
          [1, 2],
        ],
      },
      { type: 'linear', features: [0, 1], weights: [1, -2.5], sense: '<=', bound: 90 },
    ]);
  });

  it('is read from a path', async () => {
    const path = join(folder, 'ok.json');
    writeFileSync(path, '{ "fixed": ["age"] }');
    expect((await actionSetFor(small, path)).elements[0].actionable).toBe(false);
    expect((await actionSetFor(small)).elements[0].actionable).toBe(true);
    await expect(actionSetFor(small, join(folder, 'none.json'))).rejects.toThrow('no such file');
  });
});

const examples = (name: string) => fileURLToPath(new URL(`../../../examples/tables/${name}`, import.meta.url));
const german = fileURLToPath(new URL('../../../../../../shared/data/tabular/german-credit.csv', import.meta.url));

describe('the bundled action sets', () => {
  it('fit the generated lending table, all of whose rows can be acted from', async () => {
    const table = lendingTable({ rows: 300, test: 100, random: new Random(5) });
    const set = await actionSetFor(table, examples('lending.actions.json'));
    expect(set.elements.filter(({ actionable }) => !actionable).map(({ name }) => name)).toEqual([
      'age',
      'dependents',
      'past_default',
    ]);
    const rows = rowsOf(table);
    const d = table.columns.length;
    for (let i = 0; i < table.rows; i++) expect(objection(set, rows.subarray(i * d, (i + 1) * d))).toBeUndefined();
  });

  it('fit the bundled lending.csv, all of whose rows can be acted from', async () => {
    const options = tableSubject.options.parse({ target: 'good' });
    const table = await tableSubject.load([examples('lending.csv')], options, new Run());
    const set = await actionSetFor(table, examples('lending.actions.json'));
    const rows = rowsOf(table);
    const d = table.columns.length;
    for (let i = 0; i < table.rows; i++) expect(objection(set, rows.subarray(i * d, (i + 1) * d))).toBeUndefined();
  });

  it.skipIf(!existsSync(german))(
    'fit german-credit.csv, all of whose rows can be acted from (skipped without ../shared)',
    async () => {
      const options = tableSubject.options.parse({ target: 'is_credit_risk_good' });
      const table = await tableSubject.load([german], options, new Run());
      const set = await actionSetFor(table, examples('german.actions.json'));
      const rows = rowsOf(table);
      const d = table.columns.length;
      for (let i = 0; i < table.rows; i++) expect(objection(set, rows.subarray(i * d, (i + 1) * d))).toBeUndefined();
      expect(set.elements.filter(({ actionable }) => actionable).length).toBeGreaterThan(10);
    },
  );
});

describe('bad input', () => {
  it.each([
    ['a comma too few', '{ "fixed": ["age" "rate"] }', 'a.json: line 1, column 19: is no JSON (CommaExpected)'],
    ['an unknown key', '{ "feature": {} }', 'a.json: the whole: Unrecognized key: "feature"'],
    [
      'a wrong direction',
      '{ "features": { "age": { "direction": "upwards" } } }',
      'a.json: features.age.direction: Invalid option',
    ],
    [
      'an unknown constraint',
      '{ "constraints": [{ "type": "onehot" }] }',
      'a.json: constraints[0] (onehot).type: Invalid',
    ],
    ['a column twice', '{ "features": { "age": {}, "age": {} } }', 'a.json: names "age" twice'],
    ['__proto__', '{ "features": { "__proto__": {} } }', '"__proto__" is no name'],
    ['an unknown column', '{ "features": { "Aeg": {} } }', 'a.json: features: there is no column "Aeg"; near "age"'],
    [
      'an unknown column of a constraint',
      '{ "constraints": [{ "type": "thermometer", "features": ["flag", "members"] }] }',
      'a.json: constraints[0] (thermometer): there is no column "members"; near "member"',
    ],
    ['the target', '{ "fixed": ["good"] }', '"good" is the target, no feature'],
    [
      'an unknown level',
      '{ "features": { "housing": { "values": ["owned"] } } }',
      'a.json: feature housing: "owned" is none of the levels of housing; near "own"',
    ],
    [
      'a step between levels without order',
      '{ "features": { "housing": { "stepUb": 1 } } }',
      'a.json: feature housing: stepUb needs an order',
    ],
    [
      'a sum over levels without order',
      '{ "constraints": [{ "type": "linear", "weights": { "housing": 1 }, "bound": 1 }] }',
      'housing has levels without an order and no place in a sum',
    ],
    [
      'swapped steps',
      '{ "features": { "rate": { "stepUb": -1, "stepLb": 1 } } }',
      'a.json: feature rate: stepLb 1 is above 0',
    ],
    [
      'bounds the wrong way round',
      '{ "features": { "age": { "lb": 50, "ub": 30 } } }',
      'a.json: feature age: lb 50 is above ub 30',
    ],
    [
      'fixed and actionable',
      '{ "fixed": ["age"], "features": { "age": { "actionable": true } } }',
      'a.json: age is in fixed and also actionable',
    ],
    [
      'something about an empty column',
      '{ "features": { "empty": { "actionable": true, "stepUb": 1 } } }',
      'a.json: feature empty: it has no value in any row',
    ],
    [
      'constraints that contradict one another',
      '{ "constraints": [{ "type": "linear", "weights": { "age": 1, "rate": 1 }, "sense": ">=", "bound": 50 }, { "type": "linear", "weights": { "age": 1, "rate": 1 }, "bound": 40 }] }',
      'a.json: constraints contradict one another: linear(age + rate ≥ 50) and linear(age + rate ≤ 40)',
    ],
    [
      'a number for a text',
      '{ "features": { "age": { "lb": "old" } } }',
      'a.json: feature age: "old" is no finite number',
    ],
    ['deep nesting', `${'['.repeat(200_000)}`, 'a.json'],
    ['no object', '[]', 'a.json: the whole: '],
  ])('%s is refused, saying where and what would be right', (_, text, message) => {
    expect(() => of(text)).toThrow(message);
  });
});
