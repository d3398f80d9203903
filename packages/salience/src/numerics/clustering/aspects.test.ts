import { describe, expect, it } from 'vitest';
import { spearman } from '../statistics/rank-correlation.ts';
import { aspectsOf, dependenciesOf } from './aspects.ts';

const a = [1, 2, 3, 4, 5, 6];
const b = [2, 1, 4, 3, 6, 5];
const c = [6, 5, 4, 2, 3, 1];
const d = [4, 1, 5, 2, 6, 3];
const rows = (...columns: number[][]) =>
  Float64Array.from(columns[0].flatMap((_, r) => columns.map((column) => column[r])));

describe('aspects of the four worked columns', () => {
  const dependency = dependenciesOf(rows(a, b, c, d), 4);

  it('have the rank correlations worked by hand', () => {
    expect(spearman(a, c)).toBeCloseTo(-0.94286, 5);
    const upper = [0.82857, 0.94286, 0.2, 0.65714, 0.71429, 0.02857];
    expect([1, 2, 3, 6, 7, 11].map((i) => dependency[i])).toEqual(upper.map((v) => expect.closeTo(v, 5)));
  });

  it('are {A, C} and {B, D} at h = .5 and at h = .3, and all in one at .028', () => {
    for (const h of [0.5, 0.3])
      expect(aspectsOf(dependency, 4, h)).toEqual([
        [0, 2],
        [1, 3],
      ]);
    expect(aspectsOf(dependency, 4, 0.0285)).toEqual([[0, 1, 2, 3]]);
    expect(aspectsOf(dependency, 4, 0.72)).toEqual([[0, 2], [1], [3]]);
    expect(aspectsOf(dependency, 4, 0.95)).toEqual([[0], [1], [2], [3]]);
  });

  it('merge at the distances .05714, .28571 and .97143, by complete linkage', () => {
    const counts = [0.05714, 0.28571, 0.97143].map((height) =>
      [1e-5, -1e-5].map((past) => aspectsOf(dependency, 4, 1 - height - past).length),
    );
    expect(counts).toEqual([
      [3, 4],
      [2, 3],
      [1, 2],
    ]);
  });
});

it('a constant column is an aspect of its own, copies are one at any h', () => {
  const dependency = dependenciesOf(rows(a, [7, 7, 7, 7, 7, 7], a, b), 4);
  expect(aspectsOf(dependency, 4, 1)).toEqual([[0, 2], [1], [3]]);
  expect(aspectsOf(dependency, 4, 0.5)).toEqual([[0, 2, 3], [1]]);
});

it('rows where a value is missing do not count', () => {
  const dependency = dependenciesOf(rows([...a, 9], [...c, Number.NaN]), 2);
  expect(dependency[1]).toBeCloseTo(0.94286, 5);
});

it('one column is one aspect; h outside of 0 to 1 is refused', () => {
  expect(aspectsOf([1], 1)).toEqual([[0]]);
  expect(() => aspectsOf([1, 0, 0, 1], 2, 1.1)).toThrow('h = 1.1 is not between 0 and 1');
});

describe('dependencies of categories', () => {
  const i = Array.from({ length: 40 }, (_, k) => k);
  const codes = i.map((k) => k % 3);
  const others = i.map((k) => (k % 5 === 0 ? (k * 7) % 4 : (k % 3) + 1));
  const values = i.map((k) => ((k * 13) % 17) + 4 * (k % 3));
  const dependency = dependenciesOf(
    rows(
      codes,
      others,
      values,
      [...codes].map((k) => 9 - k),
    ),
    4,
    [true, true, false, true],
  );

  it('are those that SciPy 1.17 gives: Cramér’s V from its χ², η² from its Kruskal–Wallis H', () => {
    expect(dependency[1]).toBeCloseTo(0.8457031631806993, 9);
    expect(dependency[2]).toBeCloseTo(0.21317357730401185, 9);
  });

  it('are nearly 1 between a column and its codes under other names', () => {
    expect(dependency[3]).toBeCloseTo(1, 9);
  });

  it('are 0 with a constant column of either kind', () => {
    const still = dependenciesOf(
      rows(
        codes,
        i.map(() => 1),
        i.map(() => 1),
      ),
      3,
      [true, true, false],
    );
    expect([...still]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });
});
