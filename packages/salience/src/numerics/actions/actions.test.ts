import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { type ActionSet, actionSet, objection } from './action-set.ts';
import type { ActionConstraint } from './constraints.ts';
import { type ActionElement, actionElement, changeBounds, changes } from './element.ts';
import { type InterventionOptions, type Interventions, interventions } from './interventions.ts';
import { partition } from './partition.ts';
import { reachableRows, reachableSet } from './reachable.ts';

const exactly: InterventionOptions = { method: 'enumerate', draws: 100, weighting: 'points', cap: 200_000 };
const boolean = (name: string, given: Partial<ActionElement> = {}) => actionElement(name, [0, 1], given);
const whole = (name: string, lb: number, ub: number, given: Partial<ActionElement> = {}) =>
  actionElement(name, [lb, ub], { kind: 'integer', ...given });
const number = (name: string, lb: number, ub: number, given: Partial<ActionElement> = {}) =>
  actionElement(name, [lb, ub], { kind: 'number', ...given });

function of(
  set: ActionSet,
  x: readonly number[],
  options: Partial<InterventionOptions> = {},
  seed = 1,
): Interventions[] {
  return set.parts
    .flatMap((part) =>
      interventions(set, part, x, { ...exactly, ...options }, new Random(seed, `part ${part.features}`)),
    )
    .sort((a, b) => a.feature - b.feature);
}

/** The points of each feature, sorted, as whole rows. */
function points(set: ActionSet, x: readonly number[], options: Partial<InterventionOptions> = {}): number[][][] {
  const rows: number[][][] = x.map(() => []);
  for (const { feature, columns, values, counts } of of(set, x, options)) {
    for (let p = 0; p < counts.length; p++) {
      const row = [...x];
      columns.forEach((c, i) => {
        row[c] = values[p * columns.length + i];
      });
      rows[feature].push(row);
    }
    rows[feature].sort((a, b) =>
      a.findIndex((_, i) => a[i] !== b[i]) < 0
        ? 0
        : a[a.findIndex((_, i) => a[i] !== b[i])] - b[a.findIndex((_, i) => a[i] !== b[i])],
    );
  }
  return rows;
}

/** Shares of the interventions on each feature that `wanted` takes; 0 where there are none. */
function shares(
  set: ActionSet,
  x: readonly number[],
  wanted: (row: readonly number[]) => boolean,
  options: Partial<InterventionOptions> = {},
  seed = 1,
): number[] {
  const found = x.map(() => 0);
  for (const { feature, columns, values, counts, total } of of(set, x, options, seed)) {
    let hits = 0;
    for (let p = 0; p < counts.length; p++) {
      const row = [...x];
      columns.forEach((c, i) => {
        row[c] = values[p * columns.length + i];
      });
      if (wanted(row)) hits += counts[p];
    }
    if (total > 0) found[feature] = hits / total;
  }
  return found;
}

describe('two separate features', () => {
  const wanted = ([x1]: readonly number[]) => x1 > 2;
  const set = (given: Partial<ActionElement> = {}) => actionSet([whole('x1', 0, 5, given), boolean('x2', given)]);

  it('give every other value of the grid, and the share of it that is wanted', () => {
    expect(points(set(), [0, 0])[0].map(([v]) => v)).toEqual([1, 2, 3, 4, 5]);
    expect(points(set(), [0, 0])[1]).toEqual([[0, 1]]);
    expect(shares(set(), [0, 0], wanted)).toEqual([0.6, 0]);
    expect(points(set(), [2, 1])[0].map(([v]) => v)).toEqual([0, 1, 3, 4, 5]);
    expect(shares(set(), [2, 1], wanted)).toEqual([0.6, 0]);
  });

  it('that may only rise give only higher values', () => {
    expect(points(set({ direction: 1 }), [2, 1])).toEqual([
      [
        [3, 1],
        [4, 1],
        [5, 1],
      ],
      [],
    ]);
    expect(shares(set({ direction: 1 }), [2, 1], wanted)).toEqual([1, 0]);
  });

  it('that may not change give nothing', () => {
    expect(of(set({ actionable: false }), [2, 1])).toEqual([]);
    expect(shares(set({ actionable: false }), [2, 1], wanted)).toEqual([0, 0]);
  });
});

describe('a thermometer of four', () => {
  const wanted = (x: readonly number[]) => x[2] === 0;
  const set = (direction: -1 | 0 | 1) =>
    actionSet(
      ['a', 'b', 'c', 'd'].map((name) => boolean(name)),
      [{ type: 'thermometer', features: [0, 1, 2, 3], direction }],
    );

  it('all off: switching one on forces those before it and leaves those after it free', () => {
    expect(points(set(0), [0, 0, 0, 0]).map((list) => list.length)).toEqual([1, 3, 2, 1]);
    const found = shares(set(0), [0, 0, 0, 0], wanted);
    expect(found[1]).toBeCloseTo(1 / 3, 12);
    expect([found[0], found[2], found[3]]).toEqual([1, 0, 0]);
  });

  it('all on: switching one off forces those after it', () => {
    expect(points(set(0), [1, 1, 1, 1]).map((list) => list.length)).toEqual([1, 2, 3, 1]);
    expect(shares(set(0), [1, 1, 1, 1], wanted)).toEqual([1, 1, 1, 0]);
  });

  it('that may only fall leaves nothing to do where all are off', () => {
    expect(points(set(-1), [0, 0, 0, 0])).toEqual([[], [], [], []]);
    expect(shares(set(-1), [0, 0, 0, 0], wanted)).toEqual([0, 0, 0, 0]);
    expect(points(set(-1), [1, 1, 1, 1]).map((list) => list.length)).toEqual([1, 2, 3, 1]);
  });
});

describe('a one-hot group of three', () => {
  const group: ActionConstraint = { type: 'oneHot', features: [0, 1, 2], limit: 1, sense: 'equal' };
  const set = actionSet(
    ['a', 'b', 'c'].map((name) => boolean(name)),
    [group],
  );
  const wanted = (x: readonly number[]) => x[1] === 1;

  it('counts both completions of switching the first off, by points', () => {
    expect(shares(set, [1, 0, 0], wanted)).toEqual([0.5, 1, 0]);
    expect(of(set, [1, 0, 0]).every(({ weighting, how }) => weighting === 'points' && how === 'exact')).toBe(true);
  });

  it('takes the cheapest completion alone, ties to the lower feature, by actions', () => {
    expect(shares(set, [1, 0, 0], wanted, { weighting: 'actions' })).toEqual([1, 1, 0]);
    expect(of(set, [1, 0, 0], { weighting: 'actions' }).every(({ weighting }) => weighting === 'actions')).toBe(true);
  });

  it('sampled by points agrees with the enumeration, sampled by actions does not and says so', () => {
    const sampled = { method: 'sample', draws: 4000 } as const;
    expect(shares(set, [1, 0, 0], wanted, sampled)[0]).toBeCloseTo(0.5, 1);
    expect(shares(set, [1, 0, 0], wanted, { ...sampled, weighting: 'actions' })[0]).toBe(1);
    expect(of(set, [1, 0, 0], { ...sampled, weighting: 'actions' })[0]).toMatchObject({
      weighting: 'actions',
      how: 'sampled',
      total: 4000,
    });
  });

  it('of at most one may also be left empty, which changes the feature alone', () => {
    const loose = actionSet(set.elements, [{ ...group, sense: 'max' } as ActionConstraint]);
    expect(points(loose, [1, 0, 0])[0]).toEqual([[0, 0, 0]]);
  });
});

describe('a feature on a continuum', () => {
  const wanted = ([x]: readonly number[]) => x > 0.5;
  const at = (given: Partial<ActionElement>, draws = 40_000) =>
    shares(actionSet([number('x', 0, 1, given)]), [0.3], wanted, { method: 'auto', draws })[0];

  it('tends to the share of its range that is wanted', () => {
    expect(at({})).toBeCloseTo(0.5, 1);
    expect(at({ stepUb: 0.1 })).toBe(0);
    expect(at({ stepLb: -0.1, stepUb: 0.4 })).toBeCloseTo(0.4, 1);
  });

  it('with no room has no interventions', () => {
    const [only] = of(actionSet([number('x', 0, 1, { stepLb: 0, stepUb: 0 })]), [0.3], { method: 'auto' });
    expect(only).toMatchObject({ total: 0, how: 'sampled' });
  });

  it('with a step moves on a grid around its present value, and is enumerated', () => {
    const set = actionSet([number('x', 0, 1, { step: 0.25 })]);
    expect(points(set, [0.3])[0].map(([v]) => v)).toEqual([0.05, 0.55, 0.8].map((v) => expect.closeTo(v, 12)));
  });
});

describe('a directional linkage', () => {
  // age 32, years since default 5, job b of a, b, c
  const elements = [
    whole('age', 19, 52, { actionable: false }),
    boolean('married', { actionable: false }),
    whole('years', 0, 100, { direction: 1, stepUb: 1 }),
    boolean('job a'),
    boolean('job b'),
    boolean('job c'),
  ];
  const job: ActionConstraint = { type: 'oneHot', features: [3, 4, 5], limit: 1, sense: 'equal' };
  const link = (keepBounds = false): ActionConstraint => ({
    type: 'directionalLinkage',
    source: 2,
    targets: [{ feature: 0, scale: 1 }],
    keepBounds,
  });
  const set = actionSet(elements, [job, link()]);
  const x = [32, 1, 5, 0, 1, 0];

  it('moves a target that may not be acted on', () => {
    const rows = points(set, x);
    expect(rows[2]).toEqual([[33, 1, 6, 0, 1, 0]]);
    expect(rows[0]).toEqual([]);
    expect(rows[4]).toHaveLength(2);
    expect(rows[3]).toHaveLength(1);
  });

  it('gives the reachable set of the repository’s README: 6 points', () => {
    const reachable = reachableSet(set, x, {}, new Random(1));
    expect(reachable.complete).toBe(true);
    expect(reachable.size).toBe(6);
    const rows = [...reachableRows(reachable, x, { most: 100 }, new Random(1))].flatMap((batch) => Array.from(batch));
    expect(rows).toHaveLength(36);
    const texts = new Set(Array.from({ length: 6 }, (_, r) => rows.slice(6 * r, 6 * r + 6).join()));
    expect(texts).toEqual(
      new Set(['32,1,5', '33,1,6'].flatMap((a) => ['1,0,0', '0,1,0', '0,0,1'].map((b) => `${a},${b}`))),
    );
  });

  it('lets the target leave its bounds unless they are kept', () => {
    const old = [52, 1, 5, 0, 1, 0];
    expect(points(set, old)[2]).toEqual([[53, 1, 6, 0, 1, 0]]);
    const free = elements.with(0, whole('age', 19, 52));
    expect(points(actionSet(free, [job, link(true)]), old)[2].every(([age]) => age <= 52)).toBe(true);
  });

  it('adds the target’s own action to what it is dragged by', () => {
    const both = actionSet(
      [whole('source', 0, 3), whole('target', 0, 3)],
      [{ type: 'directionalLinkage', source: 0, targets: [{ feature: 1, scale: 2 }], keepBounds: true }],
    );
    // the whole change of the target stays within −1 … 2; the target can undo a drag of −2, and half of one of 2
    expect(points(both, [1, 1])[0]).toEqual([
      [0, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(points(both, [1, 1])[1]).toEqual([
      [1, 0],
      [1, 2],
      [1, 3],
    ]);
  });

  it('works on a continuum', () => {
    const both = actionSet(
      [number('source', 0, 1), number('target', 0, 1, { actionable: false })],
      [{ type: 'directionalLinkage', source: 0, targets: [{ feature: 1, scale: 0.5 }], keepBounds: false }],
    );
    for (const [s, t] of points(both, [0.2, 0.4], { method: 'auto' })[0])
      expect(t).toBeCloseTo(0.4 + 0.5 * (s - 0.2), 12);
  });
});

describe('linear, if-then, switch, ordinal and reachability constraints', () => {
  it('a budget makes a rise impossible alone, and a fall elsewhere completes it', () => {
    const set = actionSet(
      [whole('a', 0, 4), whole('b', 0, 4)],
      [{ type: 'linear', features: [0, 1], weights: [1, 1], sense: '<=', bound: 4 }],
    );
    // a = 3 and 4 need b to fall from 2
    expect(points(set, [2, 2])[0]).toEqual([
      [0, 2],
      [1, 2],
      [3, 0],
      [3, 1],
      [4, 0],
    ]);
    expect(points(set, [2, 2], { weighting: 'actions' })[0]).toEqual([
      [0, 2],
      [1, 2],
      [3, 1],
      [4, 0],
    ]);
  });

  it('an equality on a continuum is completed by the least move of the others', () => {
    const set = actionSet(
      [number('a', 0, 10), number('b', 0, 10), number('c', 0, 10, { stepLb: -1, stepUb: 1 })],
      [{ type: 'linear', features: [0, 1, 2], weights: [1, 1, 2], sense: '=', bound: 12 }],
    );
    const rows = points(set, [2, 6, 2], { method: 'sample', draws: 50 })[0];
    expect(rows).toHaveLength(50);
    for (const [a, b, c] of rows) {
      expect(a + b + 2 * c).toBeCloseTo(12, 6);
      // c moves first, twice as far for its size, up to 1; b takes the rest
      const rest = Math.max(0, Math.abs(a - 2) - 2);
      expect(Math.abs(c - 2)).toBeCloseTo(Math.min(1, Math.abs(a - 2) / 2), 6);
      expect(Math.abs(b - 6)).toBeCloseTo(rest, 6);
    }
  });

  it('draws that cannot be completed are drawn again, and where none can the set is empty', () => {
    const bounded = actionSet(
      [number('a', 0, 1), boolean('b', { actionable: false })],
      [{ type: 'ifThen', if: { feature: 1, is: '=', value: 0 }, implies: { feature: 0, is: '<=', value: 0.25 } }],
    );
    const [some] = of(bounded, [0.1, 0], { method: 'sample', draws: 200 });
    expect(some.total).toBe(200);
    expect(some.values.filter((_, i) => i % 2 === 0).every((v) => v <= 0.2500001)).toBe(true);
    const none = actionSet(
      [number('a', 0, 1), number('b', 0, 1, { actionable: false })],
      [{ type: 'linear', features: [0, 1], weights: [1, 1], sense: '=', bound: 1 }],
    );
    expect(of(none, [0.5, 0.5], { method: 'sample', draws: 20 })[0].total).toBe(0);
  });

  it('if-then drags the conclusion along', () => {
    const set = actionSet(
      [boolean('job'), boolean('account')],
      [{ type: 'ifThen', if: { feature: 0, is: '=', value: 1 }, implies: { feature: 1, is: '>=', value: 1 } }],
    );
    expect(points(set, [0, 0])[0]).toEqual([[1, 1]]);
    expect(points(set, [0, 1])[0]).toEqual([[1, 1]]);
    expect(points(set, [1, 1])[1]).toEqual([[0, 0]]);
  });

  it('a switch that is on holds its targets', () => {
    const set = actionSet(
      [boolean('none'), whole('balance', 0, 3)],
      [{ type: 'mutabilitySwitch', switch: 0, on: 1, targets: [1] }],
    );
    expect(points(set, [1, 0])[1]).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect(points(set, [0, 0])[1]).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect(points(set, [0, 2])[0]).toEqual([[1, 2]]);
  });

  it('an ordinal group rises by levels', () => {
    const set = actionSet(
      ['low', 'middle', 'high'].map((name) => boolean(name)),
      [{ type: 'ordinal', features: [0, 1, 2], exhaustive: true, direction: 1 }],
    );
    expect(points(set, [0, 1, 0])).toEqual([[], [[0, 0, 1]], [[0, 0, 1]]]);
    expect(points(set, [0, 0, 1])).toEqual([[], [], []]);
    const loose = actionSet(set.elements, [{ type: 'ordinal', features: [0, 1, 2], exhaustive: false, direction: -1 }]);
    expect(points(loose, [0, 1, 0])).toEqual([[[1, 0, 0]], [[0, 0, 0]], []]);
  });

  it('reachability allows the listed transitions alone', () => {
    const set = actionSet(
      [boolean('a'), boolean('b')],
      [
        {
          type: 'reachability',
          features: [0, 1],
          values: [
            [0, 0],
            [1, 0],
            [0, 1],
            [1, 1],
          ],
          reachable: [
            [1, 0, 0, 1],
            [0, 1, 0, 1],
            [0, 0, 1, 1],
            [1, 0, 0, 1],
          ],
        },
      ],
    );
    expect(points(set, [0, 0])).toEqual([[[1, 1]], [[1, 1]]]);
    expect(points(set, [1, 0])).toEqual([[], [[1, 1]]]);
  });

  it('reachability on a continuum jumps between the listed values', () => {
    const set = actionSet(
      [boolean('a'), number('b', 0, 2, { values: [0, 0.5, 1.5] })],
      [
        {
          type: 'reachability',
          features: [0, 1],
          values: [
            [0, 0],
            [1, 0.5],
            [1, 1.5],
          ],
        },
      ],
    );
    expect(points(set, [0, 0])[0]).toEqual([
      [1, 0.5],
      [1, 1.5],
    ]);
  });
});

describe('parts', () => {
  it('are joined through features that two constraints share', () => {
    expect(
      partition(6, [
        [0, 3],
        [3, 5],
        [1, 2],
      ]),
    ).toEqual([[0, 3, 5], [1, 2], [4]]);
  });

  it('let a change two constraints away complete a change', () => {
    // a ≤ b, b ≤ c: c must rise for a to rise
    const set = actionSet(
      [whole('a', 0, 1), whole('b', 0, 1), whole('c', 0, 1)],
      [
        { type: 'linear', features: [0, 1], weights: [1, -1], sense: '<=', bound: 0 },
        { type: 'linear', features: [1, 2], weights: [1, -1], sense: '<=', bound: 0 },
      ],
    );
    expect(set.parts).toHaveLength(1);
    expect(points(set, [0, 0, 0])[0]).toEqual([[1, 1, 1]]);
  });
});

describe('enumeration', () => {
  const arbitrary = fc.record({
    kinds: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 4 }),
    linear: fc.array(
      fc.record({
        weights: fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 4, maxLength: 4 }),
        slack: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 2 },
    ),
    fixed: fc.integer({ min: 0, max: 15 }),
    start: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 4, maxLength: 4 }),
    implied: fc.boolean(),
  });

  it('is that of brute force over all points of the grid', () => {
    fc.assert(
      fc.property(arbitrary, ({ kinds, linear, fixed, start, implied }) => {
        const n = kinds.length;
        const x = kinds.map((ub, j) => Math.floor(start[j] * (ub + 1)));
        const elements = kinds.map((ub, j) => whole(`x${j}`, 0, ub, { actionable: ((fixed >> j) & 1) === 0 }));
        const constraints: ActionConstraint[] = linear.flatMap(({ weights, slack }) => {
          const features = kinds.map((_, j) => j).filter((j) => weights[j] !== 0);
          if (features.length === 0) return [];
          const bound = features.reduce((sum, j) => sum + weights[j] * x[j], 0) + slack;
          return [{ type: 'linear', features, weights: features.map((j) => weights[j]), sense: '<=', bound } as const];
        });
        if (implied && x[0] === 0) {
          constraints.push({
            type: 'ifThen',
            if: { feature: 0, is: '>=', value: 1 },
            implies: { feature: 1, is: '=', value: 1 },
          });
        }
        const set = actionSet(elements, constraints);
        const all: number[][] = [];
        const grow = (row: number[]): void => {
          if (row.length === n) {
            const holds = constraints.every((c) =>
              c.type === 'linear'
                ? c.features.reduce((sum, j, i) => sum + c.weights[i] * row[j], 0) <= c.bound
                : row[0] === 0 || row[1] === 1,
            );
            if (holds) all.push(row);
            return;
          }
          const j = row.length;
          if (!elements[j].actionable) grow([...row, x[j]]);
          else for (let v = 0; v <= kinds[j]; v++) grow([...row, v]);
        };
        grow([]);
        const reachable = reachableSet(set, x, {}, new Random(0));
        expect(reachable.complete).toBe(true);
        const rows = [...reachableRows(reachable, x, { most: 1e6 }, new Random(0))].flatMap((b) => Array.from(b));
        const found = Array.from({ length: reachable.size }, (_, r) => rows.slice(r * n, r * n + n).join());
        expect(found.sort()).toEqual(all.map((row) => row.join()).sort());
        // R_j: alone where possible, else all points that change nothing outside the part
        const lists = points(set, x);
        for (let j = 0; j < n; j++) {
          const inside = new Set(set.parts[set.partOf[j]].features);
          const expected = elements[j].actionable
            ? Array.from({ length: kinds[j] + 1 }, (_, v) => v)
                .filter((v) => v !== x[j])
                .flatMap((v) => {
                  const group = all.filter((row) => row[j] === v && row.every((u, k) => inside.has(k) || u === x[k]));
                  const alone = group.filter((row) => row.every((u, k) => k === j || u === x[k]));
                  return alone.length > 0 ? alone : group;
                })
            : [];
          expect(lists[j].map((row) => row.join()).sort()).toEqual(expected.map((row) => row.join()).sort());
        }
      }),
      { numRuns: 200 },
    );
  });

  it('and completion by linear programs agree on the cost of the cheapest completion', () => {
    // the same budget with b on a grid of 3 and of 200 values: the wide one is left to the linear program
    const budget: ActionConstraint = { type: 'linear', features: [0, 1], weights: [3, 1], sense: '<=', bound: 8 };
    const set = actionSet([whole('a', 0, 4), whole('b', 0, 200)], [budget]);
    const rows = points(set, [1, 5], { method: 'auto', weighting: 'actions', cap: 300 })[0];
    expect(rows).toEqual([
      [0, 5],
      [2, 2],
    ]);
  });
});

describe('sampling', () => {
  it('is unbiased: shares of draws tend to those of the enumeration', () => {
    const set = actionSet([whole('x', 0, 9), number('y', 0, 1)]);
    const found = shares(set, [4, 0.5], ([x, y]) => x >= 7 || y > 0.9, { method: 'sample', draws: 20_000 });
    expect(found[0]).toBeCloseTo(3 / 9, 1);
    expect(found[1]).toBeCloseTo(0.1, 1);
  });

  it('repeats with the same seed and differs with another', () => {
    const set = actionSet([number('y', 0, 1)]);
    const draw = (seed: number) => Array.from(of(set, [0.5], { method: 'auto', draws: 5 }, seed)[0].values);
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it('by points from a tied part is uniform over its points', () => {
    const set = actionSet(
      ['a', 'b', 'c', 'd'].map((name) => boolean(name)),
      [{ type: 'oneHot', features: [0, 1, 2, 3], limit: 1, sense: 'equal' }],
    );
    const [first] = of(set, [1, 0, 0, 0], { method: 'sample', draws: 30_000 });
    for (const count of first.counts) expect(count / 30_000).toBeCloseTo(1 / 3, 1);
  });

  it('auto is exact where there are no more interventions than there would be draws', () => {
    const set = actionSet([whole('few', 0, 20), whole('many', 0, 5000)]);
    expect(of(set, [3, 3], { method: 'auto', draws: 100 }).map(({ how, total }) => [how, total])).toEqual([
      ['exact', 20],
      ['sampled', 100],
    ]);
  });
});

describe('a reachable set with a continuum', () => {
  it('is not complete, and holds the ends of the continuum', () => {
    const set = actionSet([number('x', 0, 1, { stepUb: 0.2 }), boolean('b')]);
    const reachable = reachableSet(set, [0.5, 0], { draws: 4 }, new Random(1));
    expect(reachable.complete).toBe(false);
    expect(reachable.size).toBe(2 * 7);
    expect(Array.from(reachable.parts[0].values)).toEqual(expect.arrayContaining([0, 0.5, 0.7]));
  });

  it('too large to go through is drawn from', () => {
    const set = actionSet(Array.from({ length: 12 }, (_, j) => whole(`x${j}`, 0, 9)));
    const x = new Array(12).fill(0);
    const reachable = reachableSet(set, x, {}, new Random(1));
    expect(reachable).toMatchObject({ complete: true, size: 1e12 });
    const rows = [...reachableRows(reachable, x, { most: 50, batch: 20 }, new Random(1))].map(
      (batch) => batch.length / 12,
    );
    expect(rows).toEqual([20, 20, 10]);
  });

  it('without anything to do is the row itself', () => {
    const set = actionSet([whole('x', 0, 3, { actionable: false })]);
    const reachable = reachableSet(set, [2], {}, new Random(1));
    expect(reachable).toMatchObject({ complete: true, size: 1 });
    expect([...reachableRows(reachable, [2], { most: 10 }, new Random(1))].map((b) => Array.from(b))).toEqual([[2]]);
  });
});

describe('elements', () => {
  it('find their kind and bounds in the values', () => {
    expect(actionElement('a', [0, 1, 1])).toMatchObject({ kind: 'boolean', lb: 0, ub: 1, step: 1, actionable: true });
    expect(actionElement('a', [3, Number.NaN, 7])).toMatchObject({
      kind: 'integer',
      lb: 3,
      ub: 7,
      step: 1,
      direction: 0,
    });
    expect(actionElement('a', [0.5, 2])).toMatchObject({ kind: 'number', lb: 0.5, ub: 2, step: 0 });
  });

  it('bound the change by bounds, direction and steps', () => {
    const element = whole('a', 0, 10, { stepLb: -2, stepUb: 30 });
    expect(changeBounds(element, 4)).toEqual([-2, 6]);
    expect(changeBounds({ ...element, direction: 1 }, 4)).toEqual([0, 6]);
    expect(changeBounds({ ...element, direction: -1 }, 4)).toEqual([-2, 0]);
    expect(changeBounds({ ...element, actionable: false }, 4)).toEqual([0, 0]);
    expect(Array.from(changes({ ...element, step: 3 }, 4))).toEqual([0, 3, 6]);
    expect(Array.from(changes({ ...element, values: [0, 2, 4, 9] }, 4))).toEqual([-2, 0, 5]);
  });
});

/** @throws what is objected to a row. */
function refuse(set: ActionSet, x: readonly number[]): void {
  const why = objection(set, x);
  if (why) throw new Error(why);
}

describe('bad input', () => {
  const three = () => [boolean('a'), boolean('b'), whole('n', 0, 5)];
  it.each<[string, () => unknown, string]>([
    ['swapped step bounds', () => number('a', 0, 1, { stepUb: -1 }), 'feature a: stepUb -1 is below 0'],
    ['a stepLb above 0', () => number('a', 0, 1, { stepLb: 1 }), 'feature a: stepLb 1 is above 0'],
    ['lb above ub', () => number('a', 0, 1, { lb: 2, ub: 1 }), 'feature a: lb 2 is above ub 1'],
    ['an infinite bound', () => number('a', 0, 1, { ub: Number.POSITIVE_INFINITY }), 'are not finite'],
    ['an infinite value', () => actionElement('a', [0, Number.POSITIVE_INFINITY]), 'value 1 is Infinity'],
    ['no value', () => actionElement('a', [Number.NaN]), 'are not finite'],
    [
      'one-hot over numbers',
      () => actionSet(three(), [{ type: 'oneHot', features: [0, 2], limit: 1, sense: 'max' }]),
      'n is integer; a one-hot group has boolean features only',
    ],
    [
      'a feature that is not there',
      () => actionSet(three(), [{ type: 'thermometer', features: [0, 7], direction: 0 }]),
      'there is no feature 7',
    ],
    [
      'a linkage from what cannot be changed',
      () =>
        actionSet(
          [whole('s', 0, 1, { actionable: false }), whole('t', 0, 1)],
          [{ type: 'directionalLinkage', source: 0, targets: [{ feature: 1, scale: 1 }], keepBounds: false }],
        ),
      'source s cannot be changed',
    ],
    [
      'a linkage with scale 0',
      () =>
        actionSet(three(), [
          { type: 'directionalLinkage', source: 2, targets: [{ feature: 1, scale: 0 }], keepBounds: false },
        ]),
      'scale 0 for b',
    ],
    [
      'linkages in a circle',
      () =>
        actionSet(
          [whole('r', 0, 1), whole('s', 0, 1), whole('t', 0, 1)],
          [
            [0, 1],
            [1, 2],
            [2, 0],
          ].map(([source, feature]) => ({
            type: 'directionalLinkage',
            source,
            targets: [{ feature, scale: 1 }],
            keepBounds: false,
          })),
        ),
      'directional linkages go in a circle: r → s → t → r',
    ],
    [
      'a matrix of the wrong size',
      () =>
        actionSet(three(), [
          {
            type: 'reachability',
            features: [0, 1],
            values: [
              [0, 0],
              [1, 1],
            ],
            reachable: [[1]],
          },
        ]),
      'its matrix is not 2 × 2',
    ],
    [
      'two linear constraints that leave nothing',
      () =>
        actionSet(
          [number('p', 0, 10), number('q', 0, 10), boolean('a')],
          [
            { type: 'linear', features: [0, 1], weights: [1, 1], sense: '<=', bound: 3 },
            { type: 'ifThen', if: { feature: 2, is: '=', value: 1 }, implies: { feature: 0, is: '>=', value: 1 } },
            { type: 'linear', features: [0, 1], weights: [1, 1], sense: '>=', bound: 4 },
          ],
        ),
      'constraints contradict one another: linear(p + q ≤ 3) and linear(p + q ≥ 4); no values within the bounds satisfy both',
    ],
    [
      'three that leave nothing',
      () =>
        actionSet(
          [boolean('a'), boolean('b'), boolean('c')],
          [
            { type: 'oneHot', features: [0, 1, 2], limit: 1, sense: 'equal' },
            { type: 'linear', features: [0, 1], weights: [1, 1], sense: '<=', bound: 0 },
            { type: 'ifThen', if: { feature: 2, is: '=', value: 1 }, implies: { feature: 0, is: '=', value: 1 } },
          ],
        ),
      'oneHot(a, b, c), linear(a + b ≤ 0) and ifThen(c = 1 → a = 1); no values within the bounds satisfy all 3',
    ],
    [
      'one that leaves nothing',
      () => actionSet(three(), [{ type: 'linear', features: [2], weights: [2], sense: '>=', bound: 11 }]),
      'linear(2 · n ≥ 11) cannot hold within the bounds of its features: n 0 to 5',
    ],
    [
      'a thermometer against its features',
      () =>
        actionSet(
          [boolean('a', { direction: -1 }), boolean('b')],
          [{ type: 'thermometer', features: [0, 1], direction: 1 }],
        ),
      'contradicts the direction of a',
    ],
    ['a row outside its bounds', () => refuse(actionSet(three()), [0, 0, 9]), 'n is 9, outside its bounds 0 to 5'],
    [
      'a row that is not finite',
      () => refuse(actionSet(three()), [0, 0, Number.NaN]),
      'n is NaN; its value must be finite',
    ],
    [
      'a row that breaks a constraint',
      () => refuse(actionSet(three(), [{ type: 'thermometer', features: [0, 1], direction: 0 }]), [0, 1, 0]),
      'thermometer(a, b) does not hold to begin with',
    ],
    ['no draws', () => of(actionSet(three()), [0, 0, 0], { draws: 0 }), 'draws 0 is not a whole number'],
    ['enumerating a continuum', () => of(actionSet([number('x', 0, 1)]), [0.5]), 'x cannot be enumerated'],
    [
      'a part above the cap',
      () =>
        of(
          actionSet(
            [whole('p', 0, 99), whole('q', 0, 99)],
            [{ type: 'linear', features: [0, 1], weights: [1, 1], sense: '<=', bound: 200 }],
          ),
          [0, 0],
          { cap: 1000 },
        ),
      'the part p, q has more than 1000 points; sample',
    ],
  ])('%s is refused, saying what and where', (_, call, message) => {
    expect(call).toThrow(message);
  });
});
