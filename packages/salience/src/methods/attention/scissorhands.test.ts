import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { select } from '../../core/select.ts';
import type { CacheView, LayerPolicy } from '../../models/generation/cache-policy.ts';
import { keepTop } from '../../numerics/attention/retention.ts';
import { type AttentionInputs, simulate } from '../../numerics/attention/simulate.ts';
import { funnelEntries, type ScissorhandsOptions, scissorhandsPolicy, scissorhandsScores } from './scissorhands.ts';
import { streamingLlmPolicy } from './streaming-llm.ts';

const shape = { layers: 1, lanes: 1, headSize: 2 };

/** A cache of one lane at these positions. */
const view = (positions: number[], lanes = 1): CacheView => ({
  layer: 0,
  lanes,
  headSize: 2,
  lengths: new Int32Array(lanes).fill(positions.length),
  capacity: positions.length,
  positions: Int32Array.from(Array.from({ length: lanes }, () => positions).flat()),
  keys: Float32Array.from({ length: lanes * positions.length * 2 }, (_, i) => Math.sin(i)),
  values: Float32Array.from({ length: lanes * positions.length * 2 }, (_, i) => Math.cos(i)),
  fed: positions.at(-1)! + 1,
});

/** Shows a policy causal rows in one block and asks what stays. */
function afterPrompt(policy: LayerPolicy, rows: number[][]) {
  const n = rows.length;
  const values = Float32Array.from(rows.flatMap((row) => [...row, ...Array(n - row.length).fill(0)]));
  const cache = view(Array.from({ length: n }, (_, j) => j));
  policy.see({ values, queries: n, entries: n, first: 0 }, cache);
  return policy.retain(cache, 'prompt');
}

function inputs(seed: number, length: number): AttentionInputs {
  const draw = new Random(seed, 'scissorhands');
  const normals = () => Float32Array.from({ length: length * 2 }, () => 2 * draw.normal());
  return { queries: normals(), keys: normals(), values: normals(), heads: 1, keyValueHeads: 1, headSize: 2 };
}

/** Scissorhands over one head as the brief puts it, with a mask and every count made anew: positions alive after each token. */
function byMask(
  { queries, keys }: AttentionInputs,
  length: number,
  o: Required<Omit<ScissorhandsOptions, 'funnel' | 'bits'>>,
) {
  const alive = new Set<number>();
  const rows: Map<number, number>[] = [];
  const history: number[][] = [];
  for (let t = 1; t <= length; t++) {
    alive.add(t - 1);
    const scores = [...alive].map(
      (j) => (queries[2 * t - 2] * keys[2 * j] + queries[2 * t - 1] * keys[2 * j + 1]) / Math.SQRT2,
    );
    const total = scores.reduce((sum, s) => sum + Math.exp(s), 0);
    const at = new Map([...alive].map((j, i) => [j, Math.fround(Math.exp(scores[i]) / total)]));
    const share = Math.fround(1 / (o.threshold === 'seen' ? t : alive.size));
    rows.push(new Map([...at].map(([j, a]) => [j, Number(a < share)])));
    if (alive.size >= o.entries) {
      const counts = [...alive].map((j) => {
        const count = rows.slice(-o.window).reduce((sum, row) => sum + (row.get(j) ?? 0), 0);
        return { j, I: o.ageNormalised ? count / Math.min(t - j, o.window) : count };
      });
      counts.sort((a, b) => a.j - b.j);
      const open = counts.slice(0, counts.length - o.recent).sort((a, b) => b.I - a.I || a.j - b.j);
      for (const { j } of open.slice(0, o.drop)) alive.delete(j);
    }
    history.push([...alive].sort((a, b) => a - b));
  }
  return history;
}

describe('scissorhands', () => {
  // The first two of the worked rows, at the end of a prompt of six tokens.
  const rows = [[1], [1, 0], [1, 0, 0], [1, 0, 0, 0], [0.5, 0.05, 0.2, 0.1, 0.15], [0.4, 0.02, 0.3, 0.08, 0.1, 0.1]];

  it('drops the most often unimportant, the older first among equals', () => {
    // Counts of the last two rows, at 1/5 and 1/6: [0, 2, 0, 2, 2, 1].
    const policy = (drop: number) => scissorhandsPolicy({ entries: 6, window: 2, recent: 1, drop }).layer(0, shape);
    expect([...afterPrompt(policy(1), rows)!.entries[0]]).toEqual([0, 2, 3, 4, 5]);
    expect([...afterPrompt(policy(2), rows)!.entries[0]]).toEqual([0, 2, 4, 5]);
    expect([...afterPrompt(policy(3), rows)!.entries[0]]).toEqual([0, 2, 5]);
    expect([...afterPrompt(policy(5), rows)!.entries[0]]).toEqual([5]);
  });

  it('scores −I and a fraction that grows with the position, the protected from 1 up', () => {
    const scores = scissorhandsScores([0, 3, 1, 3, 3, 1], { recent: 1 });
    expect([...scores].map((s) => Number(s.toFixed(4)))).toEqual([0, -2.8333, -0.6667, -2.5, -2.3333, 1.8333]);
    const kept = [...select({ unit: 'cached token', values: scores }, { count: 4 }).kept].sort();
    expect(kept).toEqual([0, 2, 4, 5]);
  });

  it('scores rank as the policy drops, for every count that leaves the protected', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 40 });
    fc.assert(
      fc.property(counts, fc.boolean(), fc.integer({ min: 2, max: 40 }), (made, ageNormalised, count) => {
        const I = ageNormalised ? made.map((c, j) => c / Math.min(made.length - j, 7)) : made;
        const values = scissorhandsScores(I, { recent: 2, ageNormalised });
        const negated = Float64Array.from(I, (x) => -x);
        expect([...select({ unit: 'cached token', values }, { count }).kept].sort((a, b) => a - b)).toEqual([
          ...keepTop(negated, count, { protectRecent: 2 }),
        ]);
      }),
    );
  });

  it('does what a mask with counts made anew does, after every token', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.record({
          entries: fc.integer({ min: 6, max: 16 }),
          window: fc.integer({ min: 1, max: 40 }),
          recent: fc.integer({ min: 0, max: 3 }),
          drop: fc.integer({ min: 1, max: 3 }),
          threshold: fc.constantFrom('seen' as const, 'cached' as const),
          ageNormalised: fc.boolean(),
        }),
        (seed, options) => {
          const given = inputs(seed, 40);
          const expected = byMask(given, 40, options);
          const { attended, alive } = simulate(given, scissorhandsPolicy(options).layer(0, shape));
          expect([...alive[0]]).toEqual(expected[39]);
          for (let t = 1; t < 40; t++) {
            const seen = [...attended.subarray(t * 40, t * 40 + t)].flatMap((is, j) => (is ? [j] : []));
            expect(seen).toEqual(expected[t - 1]);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('leaves n − m entries after each cut', () => {
    const made = byMask(inputs(1, 60), 60, {
      entries: 12,
      window: 9,
      recent: 2,
      drop: 5,
      threshold: 'seen',
      ageNormalised: false,
    });
    const lengths: number[] = [];
    const policy = scissorhandsPolicy({ entries: 12, window: 9, recent: 2, drop: 5 }).layer(0, shape);
    simulate(inputs(1, 60), {
      see: (rows, cache) => policy.see(rows, cache),
      retain(cache, moment) {
        const kept = policy.retain(cache, moment);
        if (kept) expect(kept.entries[0].length).toBe(cache.lengths[0] - 5);
        lengths.push(kept?.entries[0].length ?? cache.lengths[0]);
        return kept;
      },
    });
    expect(lengths).toEqual(made.map((alive) => alive.length));
    expect(lengths.slice(10, 20)).toEqual([11, 7, 8, 9, 10, 11, 7, 8, 9, 10]);
  });

  it('with r = B − 1 and m = 1 is a sliding window of B', () => {
    const given = inputs(2, 40);
    const window = simulate(given, streamingLlmPolicy({ entries: 9, sinks: 0 }).layer(0, shape));
    const made = simulate(given, scissorhandsPolicy({ entries: 9, recent: 8, drop: 1 }).layer(0, shape));
    expect(made.outputs).toEqual(window.outputs);
    const seen = made.attended.subarray(30 * 40, 31 * 40);
    expect([...seen].flatMap((is, j) => (is ? [j] : []))).toEqual([22, 23, 24, 25, 26, 27, 28, 29, 30]);
  });

  it('drops the oldest where all counts are equal', () => {
    const uniform = Array.from({ length: 8 }, (_, t) => Array(t + 1).fill(1 / (t + 1)));
    const { entries } = afterPrompt(scissorhandsPolicy({ entries: 8, recent: 2, drop: 3 }).layer(0, shape), uniform)!;
    expect([...entries[0]]).toEqual([3, 4, 5, 6, 7]);
  });

  it('stores what outlives a cut in few bits', () => {
    const kept = afterPrompt(
      scissorhandsPolicy({ entries: 6, window: 2, recent: 1, drop: 2, bits: 4 }).layer(0, shape),
      rows,
    )!;
    expect(kept.keys![0]).toHaveLength(8);
    const exact = view([0, 1, 2, 3, 4, 5]);
    [...kept.entries[0]].forEach((entry, k) => {
      const own = exact.keys.subarray(entry * 2, entry * 2 + 2);
      const step = Math.max(...own.map(Math.abs)) / 7;
      for (let c = 0; c < 2; c++) {
        const level = kept.keys![0][k * 2 + c] / step;
        expect(level).toBeCloseTo(Math.round(level), 5);
        expect(Math.abs(kept.keys![0][k * 2 + c] - own[c])).toBeLessThanOrEqual(step * 0.5001);
      }
    });
    const whole = afterPrompt(scissorhandsPolicy({ entries: 60, bits: 8 }).layer(0, shape), rows)!;
    expect([...whole.entries[0]]).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('with a funnel gives later layers more, B on average', () => {
    expect(funnelEntries(48, 4)).toEqual([24, 40, 56, 72]);
    expect(funnelEntries(48, 1)).toEqual([48]);
    expect(funnelEntries(10, 3)).toEqual([5, 10, 15]);
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 300 }), fc.integer({ min: 1, max: 40 }), (entries, layers) => {
        const made = funnelEntries(entries, layers);
        expect(made.reduce((a, b) => a + b, 0)).toBe(entries * layers);
        expect(made.every((own, l) => l === 0 || own >= made[l - 1])).toBe(true);
      }),
    );
    const policy = scissorhandsPolicy({ entries: 48, recent: 4, funnel: true });
    expect([0, 1, 2, 3].map((l) => policy.capacity(l, 4))).toEqual([23, 39, 55, 71]);
    expect(() => scissorhandsPolicy({ entries: 12, recent: 10, drop: 1, funnel: true }).capacity(0, 4)).toThrow(
      ParameterError,
    );
  });

  it('refuses B < r + 1, m outside 1 to B − r, w < 1 and odd bits', () => {
    expect(() => scissorhandsPolicy({ entries: 10 })).toThrow(/needs 11/);
    expect(() => scissorhandsPolicy({ entries: 12, drop: 3 })).toThrow(ParameterError);
    expect(() => scissorhandsPolicy({ entries: 12, drop: 0 })).toThrow(ParameterError);
    expect(() => scissorhandsPolicy({ entries: 12, window: 0 })).toThrow(ParameterError);
    expect(() => scissorhandsPolicy({ entries: 12, bits: 3 })).toThrow(/4, 8 or 16/);
  });
});
