import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { select } from '../../core/select.ts';
import { persistence } from './persistence.ts';
import { quantisedGroups } from './quantised-groups.ts';
import {
  cutBack,
  evictionOf,
  keepTop,
  keepTopPerLane,
  type RetentionRule,
  retentionScores,
  slidingWindowWithSinks,
} from './retention.ts';

const few = fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 30 });
const rules: fc.Arbitrary<RetentionRule> = fc.record({
  protectFirst: fc.integer({ min: 0, max: 4 }),
  protectRecent: fc.integer({ min: 0, max: 4 }),
  ties: fc.constantFrom('older goes', 'newer goes'),
});

describe('keeping the top of a lane', () => {
  it('drops {1, 3} of the counts [0,3,1,3,3,1] with one protected, older first', () => {
    expect([...keepTop([-0, -3, -1, -3, -3, -1], 4, { protectRecent: 1 })]).toEqual([0, 2, 4, 5]);
  });

  it('drops the oldest where all are equal, or the newest', () => {
    expect([...keepTop([1, 1, 1, 1], 2)]).toEqual([2, 3]);
    expect([...keepTop([1, 1, 1, 1], 2, { ties: 'newer goes' })]).toEqual([0, 1]);
    expect([...keepTop([1, 1, 1, 1], 2, { protectFirst: 1 })]).toEqual([0, 3]);
  });

  it('equals sorting, whatever is protected', () => {
    fc.assert(
      fc.property(few, rules, fc.nat(30), (scores, rule, count) => {
        const n = scores.length;
        const guarded = (j: number) => j < rule.protectFirst! || j >= n - rule.protectRecent!;
        const safe = scores.map((_, j) => j).filter(guarded);
        if (count < n && safe.length > count) {
          expect(() => keepTop(scores, count, rule)).toThrow(ParameterError);
          return;
        }
        const sign = rule.ties === 'older goes' ? 1 : -1;
        const open = scores.map((_, j) => j).filter((j) => !guarded(j));
        open.sort((i, j) => scores[i] - scores[j] || sign * (i - j));
        const expected = [...safe, ...open.slice(Math.max(0, n - count))].sort((a, b) => a - b);
        expect([...keepTop(scores, count, rule)]).toEqual(expected);
      }),
    );
  });

  it('as scores in float32 keeps the same by core’s selection, also where sums differ by less than a float', () => {
    const close = fc.array(fc.constantFrom(0, 1, 1 + 1e-12, 1 + 2e-12, -5, 1e-300), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.oneof(few, close), rules, fc.integer({ min: 1, max: 30 }), (scores, rule, count) => {
        const values = retentionScores(scores, rule);
        expect(new Set(values).size).toBe(scores.length);
        const n = scores.length;
        const safe = scores.filter((_, j) => j < rule.protectFirst! || j >= n - rule.protectRecent!).length;
        fc.pre(safe <= count);
        expect([...select({ unit: 'cache entry', values }, { count }).kept].sort((a, b) => a - b)).toEqual([
          ...keepTop(scores, count, rule),
        ]);
      }),
    );
  });

  it('goes lane by lane', () => {
    const kept = keepTopPerLane(
      [
        [3, 1, 2],
        [1, 2, 3],
      ],
      2,
    );
    expect(kept.map((lane) => [...lane])).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });

  it('refuses a score that is not a number', () => {
    expect(() => keepTop([1, Number.NaN, 2], 1)).toThrow(InputError);
  });
});

describe('a window with sinks', () => {
  it('keeps the first and the last', () => {
    expect([...slidingWindowWithSinks(8, 5, 2)]).toEqual([0, 1, 5, 6, 7]);
    expect([...slidingWindowWithSinks(8, 3, 0)]).toEqual([5, 6, 7]);
    expect([...slidingWindowWithSinks(3, 5, 2)]).toEqual([0, 1, 2]);
    expect(() => slidingWindowWithSinks(8, 3, 4)).toThrow(ParameterError);
  });
});

describe('an eviction', () => {
  it('drops half by default, or as many as the protected leave', () => {
    expect(evictionOf({ entries: 48, recent: 2 }).drop).toBe(24);
    expect(evictionOf({ entries: 14, recent: 10 }).drop).toBe(4);
    expect(evictionOf({ entries: 1, recent: 0 }).drop).toBe(1);
  });

  it('refuses B < r + 1, m < 1 and m > B − r', () => {
    expect(() => evictionOf({ entries: 10, recent: 10 })).toThrow(/needs 11/);
    expect(() => evictionOf({ entries: 12, recent: 10, drop: 0 })).toThrow(/from 1 to 2/);
    expect(() => evictionOf({ entries: 12, recent: 10, drop: 3 })).toThrow(ParameterError);
    expect(() => evictionOf({ entries: 12.5, recent: 2 })).toThrow(ParameterError);
    expect(() => evictionOf({ entries: 12, recent: -1 })).toThrow(ParameterError);
  });

  it('leaves lanes that are not full as they are', () => {
    const lanes = { lanes: 3, lengths: Int32Array.of(3, 4, 9), capacity: 9, positions: new Int32Array(27) };
    const keep = (_: number, count: number) => Int32Array.from({ length: count }, (_, i) => i);
    expect(cutBack(lanes, { entries: 10, drop: 2 }, keep)).toBeUndefined();
    expect(cutBack(lanes, { entries: 4, drop: 1 }, keep)!.map((kept) => kept.length)).toEqual([3, 3, 3]);
  });
});

describe('persistence', () => {
  const rows = [
    [1],
    [0.8, 0.2],
    [0.6, 0.1, 0.3],
    [0.5, 0.05, 0.15, 0.3],
    [0.45, 0.25, 0.05, 0.05, 0.2],
    [0.5, 0.05, 0.05, 0.1, 0.1, 0.2],
  ];

  it('of the worked map is ½ with a pivotal fraction of ⅓ at T = 3', () => {
    expect(persistence(rows, 3)).toEqual({ ratio: 0.5, pivotalFraction: 1 / 3 });
  });

  it('is ½ with a pivotal fraction of ½ at T = 4, where only two more rows follow', () => {
    expect(persistence(rows, 4)).toEqual({ ratio: 0.5, pivotalFraction: 0.5 });
  });

  it('of uniform attention has no pivotal token, and no ratio', () => {
    const uniform = Array.from({ length: 40 }, (_, t) => new Float32Array(t + 1).fill(1 / (t + 1)));
    expect(persistence(uniform, 20)).toEqual({ ratio: Number.NaN, pivotalFraction: 0 });
  });

  it('of attention that never moves is 1', () => {
    const still = Array.from({ length: 20 }, (_, t) => Array.from({ length: t + 1 }, (_, j) => Number(j === 0)));
    expect(persistence(still, 10)).toEqual({ ratio: 1, pivotalFraction: 0.1 });
  });

  it('refuses fewer than T + 1 rows and short ones', () => {
    expect(() => persistence(rows, 6)).toThrow(InputError);
    expect(() => persistence(rows, 0)).toThrow(ParameterError);
    expect(() => persistence([[1], []], 1)).toThrow(/row 2 of the attention has 0 entries/);
  });
});

describe('quantised keys and values', () => {
  it('have 15 levels at 4 bits, a scale for each group of each row', () => {
    const made = quantisedGroups(Float32Array.of(7, -3.4, 0.6, 0, 0.07, 0.01), 3, 4);
    expect(Array.from(made, (x) => Number(x.toFixed(6)))).toEqual([7, -3, 1, 0, 0.07, 0.01]);
    expect([...quantisedGroups(Float32Array.of(7, -2, 4, 1), 4, 2, 2)]).toEqual([7, -0, 4, 0]);
  });

  it('are off by half a step at most, and stay as they are when quantised again', () => {
    const smallest = 2 ** -149; // below it float32 has no steps
    const numbers = fc.array(fc.float({ noNaN: true, min: -1e3, max: 1e3 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(numbers, fc.constantFrom(4, 8), (values, bits) => {
        const rows = Float32Array.from(values);
        const once = quantisedGroups(rows, 4, bits);
        const twice = quantisedGroups(once, 4, bits);
        for (let row = 0; row < 8; row += 4) {
          const largest = Math.max(...rows.subarray(row, row + 4).map(Math.abs));
          for (let i = row; i < row + 4; i++) {
            expect(Math.abs(once[i] - rows[i])).toBeLessThanOrEqual(
              (largest / (2 ** (bits - 1) - 1)) * 0.5 * (1 + 1e-5) + smallest,
            );
            expect(Math.abs(twice[i] - once[i])).toBeLessThanOrEqual(largest * 1e-6 + smallest);
          }
        }
      }),
    );
  });

  it('refuse 1 bit', () => {
    expect(() => quantisedGroups(Float32Array.of(1), 1, 1)).toThrow(ParameterError);
  });
});
