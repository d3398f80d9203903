import { describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import type { TableModel } from './black-box-of.ts';
import { backgroundOf, outcomesOf, rowsToExplain } from './explained-rows.ts';
import { meanSizes, shapleyOf } from './shapley-of.ts';
import { type Column, tableInMemory } from './table.ts';

const column = (name: string, values: number[], levels?: string[]): Column => ({
  name,
  kind: levels ? 'boolean' : 'number',
  values: Float64Array.from(values),
  ...(levels && { levels }),
});
const of = tableInMemory(
  [column('a', [0, 1, 2, 3, 4, 5]), column('b', [1, 1, 0, 0, 1, 0])],
  column('y', [0, 0, 1, 1, 1, 0], ['no', 'yes']),
  { train: Uint32Array.of(0, 1, 2, 3), test: Uint32Array.of(4, 5) },
);
const box = (predict: (a: number, b: number) => number): TableModel => ({
  name: 'box',
  columns: 2,
  gives: 'value',
  predict: async (rows) =>
    Float64Array.from({ length: rows.length / 2 }, (_, r) => predict(rows[2 * r], rows[2 * r + 1])),
});
const options = { way: 'auto', samples: 100, orders: 4 } as const;
const run = new Run({ seed: 3 });

describe('shapleyOf', () => {
  it('of a line is each weight times the distance from the mean', async () => {
    const rows = Float64Array.of(4, 1, 5, 0);
    const found = await shapleyOf(
      box((a, b) => 2 * a + 4 * b + 1),
      rows,
      backgroundOf(of, 9, run),
      [[0], [1]],
      options,
      run,
    );
    [5, 2, 7, -2].forEach((value, i) => {
      expect(found.values[i]).toBeCloseTo(value, 12);
    });
    expect(found.empty).toBeCloseTo(6, 12);
    expect([...found.full]).toEqual([13, 11]);
    expect([...meanSizes(found.values, 2)]).toEqual([expect.closeTo(6, 9), expect.closeTo(2, 9)]);
  });

  it('refuses a model that answers otherwise the next time', async () => {
    let calls = 0;
    const fickle = box((a) => a + calls++);
    await expect(
      shapleyOf(fickle, Float64Array.of(4, 1), backgroundOf(of, 9, run), [[0], [1]], options, run),
    ).rejects.toThrow('does not answer alike in two calls');
  });

  it('stops when it is cancelled', async () => {
    const stop = new AbortController();
    const stopped = new Run({ signal: stop.signal });
    stop.abort();
    await expect(
      shapleyOf(
        box((a) => a),
        Float64Array.of(4, 1),
        backgroundOf(of, 9, run),
        [[0], [1]],
        options,
        stopped,
      ),
    ).rejects.toThrow('cancelled');
  });
});

describe('rows that are explained', () => {
  it('are those to test on, one asked for, or a draw in ascending order', () => {
    expect([...rowsToExplain(of, -1, 10, run)]).toEqual([4, 5]);
    expect([...rowsToExplain(of, 2, 10, run)]).toEqual([2]);
    const untested = { ...of, test: new Uint32Array() };
    expect([...rowsToExplain(untested, -1, 10, run)]).toEqual([0, 1, 2, 3]);
    const drawn = rowsToExplain(untested, -1, 3, run);
    expect([...drawn]).toEqual([...drawn].sort());
    expect(new Set(drawn).size).toBe(3);
    expect(() => rowsToExplain(of, 6, 1, run)).toThrow('there is no row 6 to explain');
  });

  it('have outcomes of the positive class, or values', () => {
    expect([...outcomesOf(of, [0, 2], 'yes')]).toEqual([0, 1]);
    expect([...outcomesOf(of, [0, 2], 'no')]).toEqual([1, 0]);
    expect([...outcomesOf({ ...of, target: of.columns[0] }, [3], undefined)]).toEqual([3]);
    expect(() => outcomesOf({ ...of, target: column('y', [Number.NaN]) }, [0], undefined)).toThrow(
      'row 0 has no value',
    );
  });
});
