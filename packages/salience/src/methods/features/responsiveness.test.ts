import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import type { Block } from '../../core/report.ts';
import { Run } from '../../core/run.ts';
import { checked } from '../../models/black-box/checked.ts';
import { type ActionSet, actionSet } from '../../numerics/actions/action-set.ts';
import { actionElement } from '../../numerics/actions/element.ts';
import { recourseOf } from '../../numerics/actions/recourse.ts';
import { type ScoreOptions, scorePeople, threeLooks } from '../../numerics/actions/score-people.ts';
import { exactShapley } from '../../numerics/shapley/exact.ts';
import { interventional, singles } from '../../numerics/shapley/value-function.ts';
import { lendingTable } from '../../subjects/table/lending.ts';
import { realTable, realTablesPresent } from '../../subjects/table/real-tables.ts';
import { type Column, tableInMemory } from '../../subjects/table/table.ts';
import { actionAware, reasonQuality, responsiveness, topReasons } from './responsiveness.ts';

const options: ScoreOptions = {
  method: 'auto',
  weighting: 'points',
  cap: 200_000,
  batch: 64,
  threshold: 0.5,
  sampling: { draws: 500, delta: 0.05 },
};
const whole = (name: string, ub: number, actionable = true) =>
  actionElement(name, [0, ub], { kind: 'integer', actionable });
const number = (name: string, actionable = true) => actionElement(name, [0, 1], { kind: 'number', actionable });

/** A model by a function of one row. */
const model = (d: number, f: (row: Float64Array) => number) => (rows: Float64Array) =>
  Float64Array.from({ length: rows.length / d }, (_, r) => f(rows.subarray(r * d, (r + 1) * d)));
const score = (
  set: ActionSet,
  people: readonly number[],
  f: (row: Float64Array) => number,
  more: Partial<ScoreOptions> = {},
) => scorePeople(set, Float64Array.from(people), model(set.elements.length, f), { ...options, ...more }, new Random(1));

describe('responsiveness scores', () => {
  it('are the shares of interventions that reach the wanted decision', async () => {
    const set = actionSet([whole('x1', 5), whole('x2', 1)]);
    const [first, second] = await score(set, [0, 0, 2, 1], ([x1]) => Number(x1 > 2));
    expect(Array.from(first.scores)).toEqual([0.6, 0]);
    expect(Array.from(second.scores)).toEqual([0.6, 0]);
    expect(first.features[0]).toMatchObject({ hits: 3, total: 5, how: 'exact', interval: { low: 0.6, high: 0.6 } });
  });

  it('of somebody who has the wanted decision are the shares that keep it', async () => {
    const set = actionSet([whole('x1', 5), whole('x2', 1)]);
    expect(Array.from((await score(set, [4, 0], ([x1]) => Number(x1 > 2)))[0].scores)).toEqual([2 / 5, 1]);
  });

  it('show a reason without recourse: SHAP names the fixed feature, whose score is 0', async () => {
    // accepted iff 3 x1 + x2 ≥ 4; background mean (2, 1); x = (1, 0); x1 fixed, x2 in 0…2
    const set = actionSet([whole('x1', 4, false), whole('x2', 2)]);
    const [{ scores }] = await score(set, [1, 0], ([a, b]) => Number(3 * a + b >= 4));
    expect(Array.from(scores)).toEqual([0, 1]);
    const linear = model(2, ([a, b]) => 3 * a + b);
    const background = { rows: Float64Array.of(1, 0, 3, 2), columns: 2 };
    const { values } = await exactShapley(interventional(linear, background, [1, 0], singles(2)), 2);
    expect(Array.from(values)).toEqual([expect.closeTo(-3, 12), expect.closeTo(-1, 12)]);
    expect(topReasons(values, 1)).toEqual([0]);
    expect(topReasons(actionAware(values, set), 1)).toEqual([1]);
    expect(reasonQuality([topReasons(values, 1)], [scores])).toMatchObject({ withReasons: 1, allInvalid: 1 });
    expect(reasonQuality([topReasons(scores, 1)], [scores])).toMatchObject({ withReasons: 1, allResponsive: 1 });
  });

  it('depend on the weighting where a change has several completions, and say which was used', async () => {
    const set = actionSet(
      ['a', 'b', 'c'].map((name) => whole(name, 1)).map((e) => ({ ...e, kind: 'boolean' as const })),
      [{ type: 'oneHot', features: [0, 1, 2], limit: 1, sense: 'equal' }],
    );
    const byPoints = await score(set, [1, 0, 0], ([, b]) => b);
    const byActions = await score(set, [1, 0, 0], ([, b]) => b, { weighting: 'actions' });
    expect(Array.from(byPoints[0].scores)).toEqual([0.5, 1, 0]);
    expect(Array.from(byActions[0].scores)).toEqual([1, 1, 0]);
    expect(byPoints[0].features[0].weighting).toBe('points');
    expect(byActions[0].features[0].weighting).toBe('actions');
  });

  it('differ for people who have the same moves and another fixed feature: moves are kept, decisions are not', async () => {
    const set = actionSet([whole('fixed', 5, false), whole('x', 4)]);
    const people = await score(set, [0, 1, 3, 1], ([fixed, x]) => Number(fixed + x >= 4));
    expect(people.map(({ scores }) => scores[1])).toEqual([0.25, 0.75]);
  });

  it('of equal people are asked for once', async () => {
    const set = actionSet([whole('x', 4)]);
    let asked = 0;
    const decide = (rows: Float64Array) => {
      asked += rows.length;
      return rows.map((x) => Number(x > 2));
    };
    const people = await scorePeople(set, Float64Array.of(1, 1, 1), decide, options, new Random(1));
    expect(asked).toBe(4);
    expect(people.map(({ scores }) => scores[0])).toEqual([0.5, 0.5, 0.5]);
  });

  it('do not depend on the batch, nor on who else is scored', async () => {
    const set = actionSet([number('a'), whole('b', 6), number('c')]);
    const f = ([a, b, c]: Float64Array) => Number(a + b / 6 + c > 1.4);
    const together = await score(set, [0.2, 1, 0.4, 0.9, 2, 0.1], f);
    const small = await score(set, [0.2, 1, 0.4, 0.9, 2, 0.1], f, { batch: 7 });
    const [alone] = await score(set, [0.9, 2, 0.1], f);
    expect(small).toEqual(together);
    expect(alone).toEqual(together[1]);
  });

  it('are 0 with no feature that may change, and 0 or 1 under a constant model', async () => {
    const still = actionSet([whole('a', 3, false)]);
    expect(await score(still, [1], () => 0)).toEqual([{ scores: Float64Array.of(0), features: [] }]);
    const set = actionSet([whole('a', 3)]);
    expect((await score(set, [1], () => 0))[0].scores[0]).toBe(0);
    expect((await score(set, [1], () => 1))[0].scores[0]).toBe(1);
  });

  it('of a missing value are 0: it stays missing, and holds what is tied to it', async () => {
    const set = actionSet(
      [whole('a', 3), whole('b', 3), whole('c', 3)],
      [{ type: 'linear', features: [0, 1], weights: [1, 1], sense: '<=', bound: 9 }],
    );
    const [{ scores, features }] = await score(set, [Number.NaN, 1, 1], () => 1);
    expect(Array.from(scores)).toEqual([0, 0, 1]);
    expect(features.map(({ feature }) => feature)).toEqual([2]);
  });
});

describe('sampled scores', () => {
  const set = actionSet([number('x')]);

  it('have an interval that holds the true share about as often as it says', async () => {
    let held = 0;
    for (let seed = 0; seed < 200; seed++) {
      const [person] = await scorePeople(
        set,
        Float64Array.of(0.5),
        (rows) => rows.map((x) => Number(x > 0.63)),
        { ...options, sampling: { draws: 200, delta: 0.1 } },
        new Random(seed),
      );
      const { low, high } = person.features[0].interval;
      if (low <= 0.37 && 0.37 <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(175);
  });

  it('in three looks take few draws near 0 and 1, more near one half, and hold the tolerance and the level together', async () => {
    const sampling = threeLooks(0.02, 0.05);
    expect(sampling.looks.reduce((sum, { delta }) => sum + delta, 0)).toBeCloseTo(0.05, 12);
    const draws: number[] = [];
    let missed = 0;
    for (const [i, share] of [0, 0.004, 0.03, 0.5, 0.97, 1].entries()) {
      for (let seed = 0; seed < 20; seed++) {
        const [person] = await scorePeople(
          set,
          Float64Array.of(0.5),
          (rows) => rows.map((x) => Number(x < share)),
          { ...options, sampling },
          new Random(seed),
        );
        const { score, total, interval } = person.features[0];
        expect(interval.high - score).toBeLessThanOrEqual(0.02);
        expect(score - interval.low).toBeLessThanOrEqual(0.02);
        if (Math.abs(score - share) > 0.02) missed++;
        draws[i] = total;
      }
    }
    expect(draws[0]).toBe(sampling.looks[0].draws);
    expect(draws[5]).toBe(sampling.looks[0].draws);
    expect(draws[3]).toBe(sampling.looks.at(-1)!.draws);
    expect(missed).toBeLessThanOrEqual(6);
  });
});

describe('recourse', () => {
  const look = { threshold: 0.5, most: 1000, cap: 10_000 };
  const of = (set: ActionSet, x: number[], f: (row: Float64Array) => number, most = 1000) =>
    recourseOf(set, x, model(x.length, f), { ...look, most }, new Random(1));
  const three = actionSet([whole('a', 3), whole('b', 3), whole('c', 3, false)]);

  it('is fixed where nothing of the whole reachable set has the wanted decision', async () => {
    expect(await of(three, [0, 0, 0], ([, , c]) => c)).toMatchObject({ kind: 'fixed' });
    expect(await of(actionSet([whole('c', 3, false)]), [0], () => 0)).toMatchObject({ kind: 'fixed' });
  });

  it('is found where only several features together reach it, even against the slope', async () => {
    const found = await of(three, [0, 0, 0], ([a, b]) => (a === 2 && b === 3 ? 1 : 0.1 - 0.01 * (a + b)));
    expect(found).toMatchObject({ kind: 'possible', point: Float64Array.of(2, 3, 0) });
  });

  it('is not settled where something that can be reached was not looked at', async () => {
    expect(await of(actionSet([number('x')]), [0.5], () => 0)).toMatchObject({ kind: 'not settled' });
    expect(await of(three, [0, 0, 0], () => 0, 10)).toMatchObject({ kind: 'not settled' });
  });

  it('follows the decisions to a corner that no random point finds', async () => {
    const many = actionSet(Array.from({ length: 10 }, (_, j) => whole(`x${j}`, 5)));
    const found = await of(many, new Array(10).fill(0), (row) => row.reduce((sum, v) => sum + v, 0) / 50 - 0.5, 100);
    expect(found.kind).toBe('possible');
  });
});

describe('reasons', () => {
  it('are the greatest sizes, ties to the lower feature, without zeros', () => {
    expect(topReasons([0.2, -0.5, 0, 0.2, 0.1], 3)).toEqual([1, 0, 3]);
    expect(topReasons([0, 0, 1], 4)).toEqual([2]);
    expect(topReasons([0, 0], 4)).toEqual([]);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 6 }),
        (values, most) => {
          const found = topReasons(values, most);
          expect(found.length).toBe(Math.min(most, values.filter((v) => v !== 0).length));
          const least = Math.min(...found.map((j) => Math.abs(values[j])));
          values.forEach((v, j) => {
            if (!found.includes(j)) expect(Math.abs(v) <= least || found.length < most).toBe(true);
          });
        },
      ),
    );
  });

  it('are judged among those who have some', () => {
    const scores = [
      [0, 1, 0.5],
      [0, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ];
    expect(reasonQuality([[1, 2], [0], [0, 1], []], scores)).toEqual({
      withReasons: 3 / 4,
      allInvalid: 1 / 3,
      atLeast1Responsive: 2 / 3,
      allResponsive: 1 / 3,
      atLeast1Invalid: 2 / 3,
      meanReasons: 5 / 3,
    });
    expect(reasonQuality([], [])).toMatchObject({ withReasons: 0, allInvalid: 0 });
  });

  it('fewer than 1 are refused', () => {
    expect(() => topReasons([1], 0)).toThrow('0 reasons');
  });
});

const folder = mkdtempSync(join(tmpdir(), 'responsiveness-'));
afterAll(() => rmSync(folder, { recursive: true }));
const examples = (name: string) => fileURLToPath(new URL(`../../../examples/tables/${name}`, import.meta.url));
const texts = (blocks: readonly Block[] = []) =>
  blocks.map((block) => (block.kind === 'text' ? block.text : JSON.stringify(block))).join('\n');
const lending = () => lendingTable({ rows: 300, test: 100, random: new Random(7) });
const of = (table: ReturnType<typeof lending>, given: Record<string, unknown>, seed = 3) =>
  responsiveness.score(table, parseParams(responsiveness, given), new Run({ seed }));

describe('the method', () => {
  it('scores the features of the lending table: those that are fixed 0, and tells of people, explainers and fixed predictions', async () => {
    const { values, labels, findings, unit } = await of(lending(), {
      actions: examples('lending.actions.json'),
      people: 15,
    });
    expect(unit).toBe('feature');
    expect(labels).toContain('income');
    for (const name of ['age', 'dependents', 'past_default']) expect(values[labels!.indexOf(name)]).toBe(0);
    expect(Math.max(...values)).toBeGreaterThan(0);
    const told = texts(findings);
    expect(told).toContain('8 of 11 features may change');
    expect(told).toContain('the first 15 are scored');
    expect(told).toContain('action-aware SHAP');
    expect(findings!.some((block) => block.kind === 'chart' && block.chart.type === 'swarm')).toBe(true);
  });

  it('repeats with the same seed', async () => {
    const given = { actions: examples('lending.actions.json'), people: 5, compare: false };
    expect(await of(lending(), given)).toEqual(await of(lending(), given));
  });

  it('names fixed predictions by their rows', async () => {
    const path = join(folder, 'fixed.json');
    writeFileSync(path, '{ "others": "fixed", "features": { "guarantor": { "direction": "up" } } }');
    const told = texts((await of(lending(), { actions: path, people: 10, compare: false })).findings);
    expect(told).toMatch(/Fixed predictions: rows \d+/);
  });

  it('tells everything of one row', async () => {
    const { values, findings } = await of(lending(), { actions: examples('lending.actions.json'), row: 305 });
    expect(values).toHaveLength(11);
    const table = findings!.find((block) => block.kind === 'table')!;
    expect(table.kind === 'table' && table.rows).toHaveLength(11);
    expect(texts(findings)).toContain('Row 305:');
  });

  it('works without an action set, with categories and missing values, and where nobody is denied', async () => {
    const n = 60;
    const column = (name: string, kind: Column['kind'], f: (i: number) => number, levels?: string[]): Column => ({
      name,
      kind,
      values: Float64Array.from({ length: n }, (_, i) => f(i)),
      ...(levels && { levels }),
    });
    const table = tableInMemory(
      [
        column('town', 'categorical', (i) => i % 3, ['a', 'b', 'c']),
        column('pay', 'number', (i) => (i % 7 === 0 ? Number.NaN : (i * 37) % 60)),
        column('same', 'number', () => 4),
        column('gone', 'number', () => Number.NaN),
      ],
      column('good', 'boolean', (i) => Number((i * 37) % 60 > 25 && i % 3 < 2), ['no', 'yes']),
    );
    const { values } = await of(table, { model: 'tree' });
    expect(values[0]).toBeGreaterThan(0);
    expect(Array.from(values.slice(2))).toEqual([0, 0]);
    const none = await of(table, { model: 'tree', threshold: -1 });
    expect(Array.from(none.values)).toEqual([0, 0, 0, 0]);
    expect(texts(none.findings)).toContain('None of the 60 rows to test on is denied');
  });

  it.skipIf(!realTablesPresent())(
    'scores of german-credit.csv are exact, and age, which only follows, has 0 (skipped without ../shared)',
    async () => {
      const run = new Run({ seed: 2 });
      const table = await realTable('german-credit', run);
      const given = parseParams(responsiveness, { actions: examples('german.actions.json'), people: 12 });
      const { values, labels, findings } = await responsiveness.score(table, given, run);
      expect(values[labels!.indexOf('age')]).toBe(0);
      expect(texts(findings)).toContain('All 276 scores are exact');
    },
    60_000,
  );
});

describe('bad input', () => {
  it('a model that gives NaN, or changes its answer, is refused by what looks after it', async () => {
    const set = actionSet([whole('x', 4)]);
    const through = (predict: (rows: Float64Array) => Float64Array) => {
      const box = checked(predict, { name: 'mine', columns: 1 });
      return scorePeople(set, Float64Array.of(1), (rows) => box.predict(rows), options, new Random(1));
    };
    await expect(through((rows) => rows.map(() => Number.NaN))).rejects.toThrow('mine: gave NaN for row 0');
    let call = 0;
    await expect(through((rows) => rows.map(() => (call++ % 3) / 3))).rejects.toThrow('gives different answers');
  });

  it('a model that gives another number of decisions than rows is refused', async () => {
    const set = actionSet([whole('x', 4)]);
    await expect(scorePeople(set, Float64Array.of(1), () => [0], options, new Random(1))).rejects.toThrow(
      'gave 1 decisions for 4 rows',
    );
  });

  it('somebody outside the bounds is refused by name, or passed over among many', async () => {
    const set = actionSet([whole('x', 4)]);
    await expect(score(set, [1, 9], () => 0)).rejects.toThrow(
      'person 1 cannot be acted from: x is 9, outside its bounds 0 to 4',
    );
    const path = join(folder, 'narrow.json');
    writeFileSync(path, '{ "features": { "income": { "lb": 1, "ub": 6 } } }');
    const told = texts((await of(lending(), { actions: path, people: 10, compare: false })).findings);
    expect(told).toContain('were passed over because they cannot be acted from');
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a row that is not there', { row: 9999 }, 'row 9999 is not there'],
    [
      'enumerating a continuum',
      { method: 'enumerate', actions: examples('lending.actions.json') },
      'utilisation cannot be enumerated',
    ],
    ['a file that is not there', { actions: '/none.json' }, '/none.json: no such file'],
  ])('%s is refused', async (_, given, message) => {
    await expect(of(lending(), given)).rejects.toThrow(message);
  });

  it('constraints that contradict one another are named with the file', async () => {
    const path = join(folder, 'contradiction.json');
    writeFileSync(
      path,
      `{ "constraints": [
        { "type": "linear", "weights": { "loans": 1, "income": 1 }, "bound": 3 },
        { "type": "linear", "weights": { "loans": 1, "income": 1 }, "sense": ">=", "bound": 4 } ] }`,
    );
    await expect(of(lending(), { actions: path })).rejects.toThrow(
      'contradiction.json: constraints contradict one another: linear(loans + income ≤ 3) and linear(loans + income ≥ 4)',
    );
  });

  it('out-of-range parameters are refused', () => {
    for (const given of [{ draws: 0 }, { reasons: 0 }, { delta: 1 }, { tolerance: 0 }]) {
      expect(() => parseParams(responsiveness, given)).toThrow('responsiveness: parameter');
    }
  });
});
