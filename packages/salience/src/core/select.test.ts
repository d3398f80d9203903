import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BudgetInput, parseBudget } from './budget.ts';
import { BudgetError, CancelledError, InputError } from './errors.ts';
import { floatOfKey, keyOf } from './float-order.ts';
import { Run } from './run.ts';
import type { ScoreChunk, ScoreStream, Scores } from './scores.ts';
import { select } from './select.ts';
import { selectStream } from './select-stream.ts';

const of = (...values: number[]): Scores => ({ unit: 'thing', values: Float32Array.from(values) });
const kept = (scores: Scores, budget: BudgetInput) => [...select(scores, budget).kept];

/** Scores in groups, one after the other, in memory and as a stream of chunks of at most `length`. */
function grouped(groups: number[][], length = 3): { scores: Scores; stream: ScoreStream } {
  const values = Float32Array.from(groups.flat());
  const starts = groups.map((_, g) => groups.slice(0, g).flat().length);
  const names = groups.map((_, g) => `group ${g}`);
  const chunks: ScoreChunk[] = groups.flatMap(({ length: size }, group) =>
    Array.from({ length: Math.ceil(size / length) }, (_, c) => ({
      group,
      start: c * length,
      length: Math.min(length, size - c * length),
    })),
  );
  return {
    scores: {
      unit: 'thing',
      values,
      groups: { names, of: Uint32Array.from(groups.flatMap((group, g) => group.map(() => g))) },
    },
    stream: {
      unit: 'thing',
      groups: groups.map(({ length: size }, g) => ({ name: names[g], size })),
      chunks,
      score: {
        call: ({ group, start, length }) => values.slice(starts[group] + start, starts[group] + start + length),
      },
    },
  };
}

/** The indices a stream selection keeps, by asking for every chunk once more. */
async function keptOfStream(stream: ScoreStream, budget: BudgetInput): Promise<number[]> {
  const selection = await selectStream(stream, budget, new Run());
  const indices: number[] = [];
  let at = 0;
  for (const [c, chunk] of stream.chunks.entries()) {
    const values = await stream.score.call(chunk);
    const { threshold } = selection.cuts[selection.scope === 'all' ? 0 : chunk.group];
    let ties = selection.tiesInChunk?.[c] ?? Infinity;
    values.forEach((value, i) => {
      if (value > threshold || (value === threshold && ties-- > 0)) indices.push(at + i);
    });
    at += chunk.length;
  }
  expect(indices.length).toBe(selection.count);
  return indices;
}

describe('selection in memory', () => {
  it('keeps the highest, in ascending order of index', () => {
    expect(kept(of(0.1, 0.9, 0.5, 0.7), 2)).toEqual([1, 3]);
    expect(select(of(0.1, 0.9, 0.5, 0.7), 2).threshold).toBeCloseTo(0.7, 6);
  });

  it('breaks ties by the lower index', () => {
    expect(kept(of(1, 1, 1, 1), 2)).toEqual([0, 1]);
    expect(kept(of(0, -0, 0), 2)).toEqual([0, 1]);
  });

  it('keeps nothing for 0% and everything for 100%', () => {
    expect(kept(of(3, 1, 2), '0%')).toEqual([]);
    expect(kept(of(3, 1, 2), '100%')).toEqual([0, 1, 2]);
    expect(select(of(3, 1, 2), '0%').threshold).toBe(Infinity);
  });

  it('keeps all there are where a count asks for more', () => {
    expect(kept(of(3, 1), 5)).toEqual([0, 1]);
  });

  it('keeps the fewest that hold a share of the mass', () => {
    expect(kept(of(1, 4, 3, 2), 'mass=0.7')).toEqual([1, 2]);
    expect(kept(of(1, 4, 3, 2), 'mass=0.71')).toEqual([1, 2, 3]);
    expect(() => kept(of(1, -1), 'mass=0.5')).toThrow(/scores of 0 or more/);
  });

  it('keeps all that reach a threshold', () => {
    expect(kept(of(0.5, 0.25, 0.75), '>=0.5')).toEqual([0, 2]);
  });

  it('gives each group its own amount', () => {
    expect(
      kept(
        grouped([
          [1, 2, 3],
          [9, 8],
        ]).scores,
        '1 per group',
      ),
    ).toEqual([2, 3]);
    expect(
      kept(
        grouped([
          [1, 2, 3],
          [9, 8],
        ]).scores,
        '50% per group',
      ),
    ).toEqual([1, 2, 3]);
  });

  it('gives each group its floor without keeping more in all', () => {
    expect(
      kept(
        grouped([
          [1, 2, 3],
          [9, 8, 7],
        ]).scores,
        '3, floor 1',
      ),
    ).toEqual([2, 3, 4]);
    expect(() => kept(grouped([[1], [2], [3]]).scores, '2, floor 1')).toThrow(/needs 3 things, the budget keeps 2/);
    expect(
      kept(
        grouped([
          [1, 2],
          [9, 8],
        ]).scores,
        '>=8, floor 1',
      ),
    ).toEqual([1, 2, 3]);
  });

  it('refuses groups, costs and similarities that the scores do not have', () => {
    expect(() => kept(of(1, 2), '1 per group')).toThrow(/have none/);
    expect(() => kept(of(1, 2), 'cost<=1')).toThrow(BudgetError);
    expect(() => kept(of(1, 2), '1, redundancy<=0.5')).toThrow(BudgetError);
  });

  it('refuses no scores and scores that are not finite, naming the unit', () => {
    expect(() => kept(of(), 1)).toThrow(/no thing to score/);
    expect(() => kept(of(1, Number.NaN), 1)).toThrow(/score of thing 1 is NaN/);
  });

  it('equals sorting by score, then index', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 60 }),
        fc.nat(70),
        (values, k) => {
          const sorted = values.map((_, i) => i).sort((i, j) => values[j] - values[i] || i - j);
          expect(kept(of(...values), k)).toEqual(sorted.slice(0, k).sort((i, j) => i - j));
        },
      ),
    );
  });
});

describe('N:M', () => {
  it('keeps the N highest of every M consecutive units, the lower index first among equals', () => {
    expect(kept(of(1, 4, 3, 2, 9, 9, 9, 9), '2:4')).toEqual([1, 2, 4, 5]);
    expect(kept(of(1, 2, 3), '1:1')).toEqual([0, 1, 2]);
  });

  it('stays within groups, whatever lies between their units', () => {
    const groups = { names: ['a', 'b'], of: Uint32Array.of(0, 1, 0, 1) };
    expect(kept({ ...of(1, 2, 3, 0), groups }, '1:2')).toEqual([1, 2]);
    expect(kept({ ...of(1, 2, 3, 0), groups }, '1:2 per group')).toEqual([1, 2]);
  });

  it('refuses groups that M does not divide, streams, and counts of the method’s own', async () => {
    expect(() => kept(of(1, 2, 3), '1:2')).toThrow('a budget of 1:2 needs a multiple of 2 things; the 3 are none');
    const { scores, stream } = grouped([[1, 2], [3]]);
    expect(() => kept(scores, '1:2')).toThrow('the 1 of group 1 are none');
    await expect(selectStream(stream, '1:2', new Run())).rejects.toThrow('cannot be applied to a stream');
    expect(() => select(of(1, 2), '1:2', () => [1])).toThrow(BudgetError);
  });
});

describe('cost budgets', () => {
  const priced = (values: number[], costs: number[]): Scores => ({
    ...of(...values),
    costs: { unit: 'word', values: costs },
  });

  it('takes the best score per cost that fits', () => {
    expect(kept(priced([6, 5, 4], [3, 2, 2]), 'cost<=4')).toEqual([1, 2]);
  });

  it('takes the best single unit where that is worth more than the greedy choice', () => {
    expect(kept(priced([1, 9], [0.5, 10]), 'cost<=10')).toEqual([1]);
  });

  it('by score takes the best first and passes over what does not fit', () => {
    expect(kept(priced([6, 5, 4], [3, 2, 1]), 'cost<=4 by score')).toEqual([0, 2]);
  });

  it('by exact finds the best total that brute force finds, and greedy at least half of it', () => {
    const item = fc.record({ value: fc.integer({ min: -2, max: 20 }), cost: fc.nat(12) });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 9 }), fc.nat(40), (items, limit) => {
        let best = 0;
        for (let set = 0; set < 1 << items.length; set++) {
          const chosen = items.filter((_, i) => (set >> i) & 1);
          if (chosen.reduce((sum, { cost }) => sum + cost, 0) > limit) continue;
          best = Math.max(
            best,
            chosen.reduce((sum, { value }) => sum + value, 0),
          );
        }
        const scores = priced(
          items.map(({ value }) => value),
          items.map(({ cost }) => cost),
        );
        const worth = (order: string) => {
          const chosen = kept(scores, `cost<=${limit} by ${order}`);
          expect(chosen.reduce((sum, i) => sum + items[i].cost, 0)).toBeLessThanOrEqual(limit);
          return chosen.reduce((sum, i) => sum + items[i].value, 0);
        };
        expect(worth('exact')).toBe(best);
        expect(2 * worth('density')).toBeGreaterThanOrEqual(best);
      }),
    );
  });

  it('by exact refuses broken costs and sizes past its table', () => {
    expect(() => kept(priced([1], [0.5]), 'cost<=1 by exact')).toThrow(/whole numbers/);
    expect(() => kept(priced(Array(1e4).fill(1), Array(1e4).fill(1e5)), 'cost<=1e9 by exact')).toThrow(/too large/);
    expect(() => kept(priced([1], [-1]), 'cost<=1')).toThrow(/cost of thing 0 is -1/);
  });
});

describe('redundancy', () => {
  it('passes over a unit too similar to a kept one', () => {
    const scores = { ...of(5, 4, 3), similarity: (i: number, j: number) => (i + j === 1 ? 0.9 : 0) };
    expect(kept(scores, '2, redundancy<=0.5')).toEqual([0, 2]);
    expect(kept(scores, '3, redundancy<=0.5')).toEqual([0, 2]);
    expect(kept(scores, '2, redundancy<=0.9')).toEqual([0, 1]);
  });
});

describe('selection over a stream', () => {
  it('orders keys as the floats are ordered, with one key for both zeros', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
        expect(Math.sign(keyOf(a) - keyOf(b))).toBe(a > b ? 1 : a < b ? -1 : 0);
        expect(floatOfKey(keyOf(a))).toBe(a + 0);
      }),
    );
  });

  it('keeps exactly what selection in memory keeps, under every kind of budget', async () => {
    const value = fc.oneof(
      fc.constantFrom(0, 0.5, 1, 1.00048828125, 2),
      fc.integer({ min: 0, max: 1 << 12 }).map((x) => x / 1024),
    );
    const budget = fc
      .record({
        amount: fc.oneof(
          fc.nat(100).map((p) => `${p}%`),
          fc.nat(30).map(String),
          fc.nat(100).map((p) => `mass=${p / 100}`),
          fc.constantFrom('>=0.5', '>=1', '>=3'),
        ),
        within: fc.constantFrom('', ', per group'),
        floor: fc.constantFrom('', ', floor 1', ', floor 3'),
      })
      .map(({ amount, within, floor }) => amount + within + floor);
    const groups = fc.array(fc.array(value, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(groups, budget, fc.integer({ min: 1, max: 5 }), async (values, text, length) => {
        const { scores, stream } = grouped(values, length);
        const attempt = async (keep: () => number[] | Promise<number[]>) => {
          try {
            return await keep();
          } catch (error) {
            return (error as Error).message;
          }
        };
        expect(await attempt(() => keptOfStream(stream, text))).toEqual(await attempt(() => kept(scores, text)));
      }),
      { numRuns: 300 },
    );
  });

  it('finds the exact threshold among negative and tiny scores too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        fc.nat(),
        async (values, k) => {
          const { scores, stream } = grouped([values], 7);
          expect(await keptOfStream(stream, k % (values.length + 1))).toEqual(kept(scores, k % (values.length + 1)));
        },
      ),
    );
  });

  it('lets a rule of the method change the counts per group', async () => {
    const { scores, stream } = grouped([
      [1, 2, 3],
      [9, 8, 7],
    ]);
    const allocate = (sizes: readonly number[], counts: readonly number[]) => {
      expect([sizes, counts]).toEqual([
        [3, 3],
        [0, 3],
      ]);
      return [1, 2];
    };
    const selection = await selectStream(stream, 3, new Run(), allocate);
    expect([selection.count, selection.cuts.map(({ threshold }) => threshold)]).toEqual([3, [3, 8]]);
    expect([...select(scores, 3, allocate).kept]).toEqual([2, 3, 4]);
  });

  it('names the group and the unit of a score that is not finite', async () => {
    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      const { stream } = grouped([
        [1, 2],
        [3, 4, 5, 6, bad],
      ]);
      await expect(selectStream(stream, 1, new Run())).rejects.toThrow(`group 1: the score of thing 4 is ${bad}`);
    }
  });

  it('refuses what needs scores in memory, and a stream of nothing', async () => {
    await expect(selectStream(grouped([[1]]).stream, 'cost<=1', new Run())).rejects.toThrow(BudgetError);
    await expect(selectStream(grouped([[]]).stream, 1, new Run())).rejects.toThrow(InputError);
  });

  it('stops when the run is cancelled', async () => {
    const controller = new AbortController();
    controller.abort();
    const cancelled = selectStream(grouped([[1, 2]]).stream, parseBudget(1), new Run({ signal: controller.signal }));
    await expect(cancelled).rejects.toThrow(CancelledError);
  });
});
