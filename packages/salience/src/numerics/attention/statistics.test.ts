import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { AccumulatedAttention, causalMean } from './accumulated-attention.ts';
import type { EntryStatistic, LaneEntries, LaneRows } from './attention-rows.ts';
import { EntrySlots } from './entry-slots.ts';
import { normalisedByAge, UnimportanceHistory, uniformShare } from './unimportance-history.ts';
import { pooled, WindowedAttention } from './windowed-attention.ts';

/** One lane of n entries at positions 0 to n − 1, or those given. */
const lane = (positions: number[]): LaneEntries => ({
  lanes: 1,
  lengths: Int32Array.of(positions.length),
  capacity: positions.length,
  positions: Int32Array.from(positions),
});
const upTo = (n: number) => lane(Array.from({ length: n }, (_, j) => j));
const oneRow = (row: number[], first: number): LaneRows => ({
  values: Float32Array.from(row),
  queries: 1,
  entries: row.length,
  first,
});
const block = (rows: number[][], first = 0): LaneRows => ({
  values: Float32Array.from(rows.flatMap((row) => [...row, ...Array(rows.at(-1)!.length - row.length).fill(0)])),
  queries: rows.length,
  entries: rows.at(-1)!.length,
  first,
});
const rounded = (values: ArrayLike<number>, digits = 6) => Array.from(values, (x) => Number(x.toFixed(digits)));

/** The 6 × 6 map of the brief on global and local scores. */
const map = [
  [1],
  [0.6, 0.4],
  [0.5, 0.2, 0.3],
  [0.4, 0.1, 0.3, 0.2],
  [0.3, 0.05, 0.15, 0.1, 0.4],
  [0.2, 0.05, 0.25, 0.05, 0.2, 0.25],
];

/** Rows of random attention over what is alive, with evictions after some of them; what each step was. */
function story(random: Random, steps: number) {
  const made: { row: number[]; positions: number[]; kept?: Int32Array }[] = [];
  let alive: number[] = [];
  for (let t = 0; t < steps; t++) {
    alive = [...alive, t];
    const raw = alive.map(() => random.uniform() ** 3);
    const total = raw.reduce((a, b) => a + b, 0);
    const positions = alive;
    const row = [...Float32Array.from(raw, (x) => x / total)];
    if (random.uniform() < 0.3) {
      const kept = Int32Array.from(alive.map((_, e) => e).filter(() => random.uniform() < 0.6));
      alive = [...kept].map((e) => positions[e]);
      made.push({ row, positions, kept });
    } else made.push({ row, positions });
  }
  return made;
}

function play(statistic: EntryStatistic, steps: ReturnType<typeof story>): void {
  steps.forEach(({ row, positions, kept }, t) => {
    statistic.see(oneRow(row, t), lane(positions));
    if (kept) statistic.gather([kept]);
  });
}

describe('the history of unimportance', () => {
  // Entry 5 is younger than row 1, whose value for it is missing.
  const rows = [
    [0.5, 0.05, 0.2, 0.1, 0.15],
    [0.4, 0.02, 0.3, 0.08, 0.1, 0.1],
    [0.45, 0.03, 0.05, 0.12, 0.15, 0.2],
  ];
  /** Counts of the first six entries; the third row's own token comes as a seventh and receives nothing. */
  const counts = (threshold: number) => {
    const history = new UnimportanceHistory(1, 3, () => threshold);
    const before = [0, 1, 2, 3].map((t) => [1, ...Array(t).fill(0)]); // older than the window
    history.see(block([...before, rows[0], rows[1], [...rows[2], 0]]), upTo(7));
    return [...history.of(0)].slice(0, 6);
  };

  it('counts [0,3,1,3,3,1] at t = 6: an entry younger than a row counts nothing for it', () => {
    expect(counts(1 / 6)).toEqual([0, 3, 1, 3, 3, 1]);
    // A literal 0 in place of the missing value would count.
    const filled = rows.map((row) => [...row, ...Array(6 - row.length).fill(0)]);
    const literal = filled[0].map((_, j) => filled.reduce((sum, row) => sum + Number(row[j] < 1 / 6), 0));
    expect(literal).toEqual([0, 3, 1, 3, 3, 2]);
  });

  it('counts [0,2,0,0,0,0] at t = 20: .05 is not below .05', () => {
    expect(counts(1 / 20)).toEqual([0, 2, 0, 0, 0, 0]);
  });

  it('compares strictly: a uniform row is not below its share, at any length', () => {
    const history = new UnimportanceHistory(1, 64);
    for (let t = 0; t < 64; t++) history.see(oneRow(Array(t + 1).fill(Math.fround(1 / (t + 1))), t), upTo(t + 1));
    expect(history.of(0).every((count) => count === 0)).toBe(true);
  });

  it('takes the share of tokens seen, or of entries cached', () => {
    const counts = (share: 'seen' | 'cached') => {
      const history = new UnimportanceHistory(1, 1, uniformShare[share]);
      history.see(oneRow([1], 0), upTo(1));
      history.see(oneRow([0.5, 0.5], 1), upTo(2));
      history.see(oneRow([0.2, 0.3, 0.5], 2), upTo(3));
      history.gather([Int32Array.of(0, 2)]);
      history.see(oneRow([0.26, 0.3, 0.44], 3), lane([0, 2, 3]));
      return [...history.of(0)];
    };
    expect(counts('seen')).toEqual([0, 0, 0]); // 1/4
    expect(counts('cached')).toEqual([1, 1, 0]); // 1/3
  });

  it('equals counting anew over the rows kept, whatever was evicted', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 70 }), fc.boolean(), (seed, window, seen) => {
        const steps = story(new Random(seed), 80);
        const history = new UnimportanceHistory(1, window, seen ? uniformShare.seen : uniformShare.cached);
        play(history, steps);
        const { positions, kept } = steps[79];
        const alive = kept ? [...kept].map((e) => positions[e]) : positions;
        const expected = alive.map((p) =>
          steps.slice(-window).reduce((sum, { row, positions: at }, i) => {
            const t = 80 - Math.min(window, 80) + i + 1;
            const e = at.indexOf(p);
            return sum + Number(e >= 0 && row[e] < Math.fround(1 / (seen ? t : at.length)));
          }, 0),
        );
        expect([...history.of(0)]).toEqual(expected);
        alive.forEach((p, j) => {
          expect(expected[j]).toBeLessThanOrEqual(Math.min(window, 80 - p));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('is the same from one block as from its rows one by one', () => {
    for (const window of [1, 2, 4, 6, 9]) {
      const whole = new UnimportanceHistory(1, window);
      whole.see(block(map), upTo(6));
      const single = new UnimportanceHistory(1, window);
      map.forEach((row, t) => {
        single.see(oneRow(row, t), upTo(t + 1));
      });
      expect([...whole.of(0)]).toEqual([...single.of(0)]);
    }
  });

  it('with a window of 1 knows the newest row only', () => {
    const history = new UnimportanceHistory(1, 1);
    history.see(block(map), upTo(6));
    expect([...history.of(0)]).toEqual(map[5].map((a) => Number(a < 1 / 6)));
  });

  it('by age is a share of the rows that could have counted', () => {
    expect([...normalisedByAge([3, 2, 1], [0, 7, 9], 9, 4)]).toEqual([3 / 4, 2 / 3, 1]);
  });

  it('refuses rows that are no probabilities, lanes of another length, and a window of 0', () => {
    const see = (row: number[], entries = upTo(row.length)) =>
      new UnimportanceHistory(1, 4).see(oneRow(row, 0), entries);
    expect(() => see([-0.1])).toThrow(InputError);
    expect(() => see([Number.NaN])).toThrow(/lane 0, position 0, to entry 0 is NaN/);
    expect(() => see([0.99])).toThrow(/adds up to 0.99/);
    expect(() => see([1.0009])).not.toThrow();
    expect(() => see([0.5, 0.5])).toThrow(/lane 0 holds 2 entries .* makes 1/);
    expect(() => new UnimportanceHistory(1, 0)).toThrow(ParameterError);
    expect(() => new UnimportanceHistory(1, 1.5)).toThrow(ParameterError);
  });
});

describe('attention received', () => {
  it('accumulated over a causal map is its column sums, [3, .8, 1, .35, .6, .25]', () => {
    const received = new AccumulatedAttention(1);
    received.see(block(map), upTo(6));
    expect(rounded(received.of(0))).toEqual([3, 0.8, 1, 0.35, 0.6, 0.25]);
    expect(rounded(causalMean(received.of(0), [0, 1, 2, 3, 4, 5], 5))).toEqual([0.5, 0.16, 0.25, 0.116667, 0.3, 0.25]);
  });

  it('over uniform causal attention falls with the position, its causal mean less so', () => {
    const received = new AccumulatedAttention(1);
    received.see(block([[1], [1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3], [1 / 4, 1 / 4, 1 / 4, 1 / 4]]), upTo(4));
    expect(rounded(received.of(0), 5)).toEqual([2.08333, 1.08333, 0.58333, 0.25]);
    expect(rounded(causalMean(received.of(0), [0, 1, 2, 3], 3))).toEqual([0.520833, 0.361111, 0.291667, 0.25]);
  });

  it('of the sinks’ worked map has the mean [.5, .15, .5, .15, .1]', () => {
    const received = new AccumulatedAttention(1);
    received.see(block([[1], [0.7, 0.3], [0.3, 0.1, 0.6], [0.3, 0.1, 0.4, 0.2], [0.2, 0.1, 0.5, 0.1, 0.1]]), upTo(5));
    expect(rounded(causalMean(received.of(0), [0, 1, 2, 3, 4], 4))).toEqual([0.5, 0.15, 0.5, 0.15, 0.1]);
  });

  it('from the last two queries is [.5, .1, .4, .15, .6, .25]', () => {
    const received = new WindowedAttention(1, 2);
    received.see(block(map), upTo(6));
    expect(rounded(received.of(0))).toEqual([0.5, 0.1, 0.4, 0.15, 0.6, 0.25]);
  });

  it('follows its entries through evictions, all of it or the last w queries’', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), (seed, window) => {
        const steps = story(new Random(seed), 50);
        const all = new AccumulatedAttention(1);
        const recent = new WindowedAttention(1, window);
        play(all, steps);
        play(recent, steps);
        const { positions, kept } = steps[49];
        const alive = kept ? [...kept].map((e) => positions[e]) : positions;
        const over = (some: typeof steps) =>
          alive.map((p) => some.reduce((sum, { row, positions: at }) => sum + (row[at.indexOf(p)] ?? 0), 0));
        over(steps).forEach((sum, j) => {
          expect(all.of(0)[j]).toBeCloseTo(sum, 10);
        });
        over(steps.slice(-window)).forEach((sum, j) => {
          expect(recent.of(0)[j]).toBeCloseTo(sum, 10);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('is taken lane by lane, where lanes hold different entries', () => {
    const received = new AccumulatedAttention(2);
    const entries = {
      lanes: 2,
      lengths: Int32Array.of(2, 2),
      capacity: 4,
      positions: Int32Array.of(0, 1, -1, -1, 0, 1, -1, -1),
    };
    received.see(
      { values: Float32Array.of(1, 0, 0.25, 0.75, 1, 0, 0.5, 0.5), queries: 2, entries: 2, first: 0 },
      entries,
    );
    received.gather([Int32Array.of(1), Int32Array.of(0, 1)]);
    const later = {
      lanes: 2,
      lengths: Int32Array.of(2, 3),
      capacity: 4,
      positions: Int32Array.of(1, 2, -1, -1, 0, 1, 2, -1),
    };
    received.see({ values: Float32Array.of(0.5, 0.5, 0, 0.25, 0.25, 0.5), queries: 1, entries: 3, first: 2 }, later);
    expect([...received.of(0)]).toEqual([1.25, 0.5]);
    expect([...received.of(1)]).toEqual([1.75, 0.75, 0.5]);
  });
});

describe('pooling', () => {
  it('averages with zeros beyond the ends, or takes the largest', () => {
    expect(rounded(pooled([3, 0, 0, 6, 0], 3))).toEqual([1, 1, 2, 2, 2]);
    expect([...pooled([3, 0, 0, 6, 0], 3, 'max')]).toEqual([3, 3, 6, 6, 6]);
    expect([...pooled([3, 1, 2], 1)]).toEqual([3, 1, 2]);
    expect(rounded(pooled([7], 7))).toEqual([1]);
  });

  it('refuses an even kernel', () => {
    expect(() => pooled([1, 2], 2)).toThrow(ParameterError);
  });
});

describe('slots', () => {
  it('keep an entry where it is and give a freed place away again', () => {
    const slots = new EntrySlots();
    slots.append(4);
    slots.gather([1, 3]);
    expect([slots.of(0), slots.of(1)]).toEqual([1, 3]);
    slots.append(2);
    expect(slots.made).toBe(4);
    expect(new Set([0, 1, 2, 3].map((e) => slots.of(e))).size).toBe(4);
  });
});
