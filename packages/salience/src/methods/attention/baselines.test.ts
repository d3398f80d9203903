import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { select } from '../../core/select.ts';
import type { CachePolicy, CacheView } from '../../models/generation/cache-policy.ts';
import { h2oPolicy, h2oScores } from './h2o.ts';
import { randomEvictionPolicy, randomEvictionScores } from './random-eviction.ts';
import { snapkvPolicy, snapkvScores } from './snapkv.ts';
import { streamingLlmPolicy, streamingLlmScores } from './streaming-llm.ts';

/** Column sums [3, .8, 1, .35, .6, .25]; the last two rows alone [.5, .1, .4, .15, .6, .25]. */
const map = [
  [1],
  [0.6, 0.4],
  [0.5, 0.2, 0.3],
  [0.4, 0.1, 0.3, 0.2],
  [0.3, 0.05, 0.15, 0.1, 0.4],
  [0.2, 0.05, 0.25, 0.05, 0.2, 0.25],
];

/** What a policy keeps after a prompt with this map. */
function kept(policy: CachePolicy): number[] | undefined {
  const n = map.length;
  const view: CacheView = {
    layer: 0,
    lanes: 1,
    headSize: 1,
    lengths: Int32Array.of(n),
    capacity: n,
    positions: Int32Array.from({ length: n }, (_, j) => j),
    keys: new Float32Array(n),
    values: new Float32Array(n),
    fed: n,
  };
  const layer = policy.layer(0, { layers: 1, lanes: 1, headSize: 1 });
  const values = Float32Array.from(map.flatMap((row) => [...row, ...Array(n - row.length).fill(0)]));
  if (policy.needsAttention) layer.see({ values, queries: n, entries: n, first: 0 }, view);
  const retained = layer.retain(view, 'prompt');
  return retained && [...retained.entries[0]];
}

const top = (values: Float32Array, count: number) =>
  [...select({ unit: 'cached token', values }, { count }).kept].sort((a, b) => a - b);

describe('H2O', () => {
  it('keeps the heavy hitters and the recent half', () => {
    expect(kept(h2oPolicy({ entries: 6 }))).toEqual([0, 2, 3, 4, 5]);
    expect(kept(h2oPolicy({ entries: 5 }))).toEqual([0, 2, 4, 5]);
    expect(kept(h2oPolicy({ entries: 6, recent: 1 }))).toEqual([0, 1, 2, 4, 5]);
    expect(kept(h2oPolicy({ entries: 7 }))).toBeUndefined();
  });

  it('scores accumulated attention, the recent above all', () => {
    const scores = h2oScores([3, 0.8, 1, 0.35, 0.6, 0.25], 2);
    expect([...scores.subarray(0, 4)]).toEqual([3, 0.8, 1, 0.35].map(Math.fround));
    expect(top(scores, 4)).toEqual([0, 2, 4, 5]);
    expect(top(scores, 2)).toEqual([4, 5]);
  });
});

describe('StreamingLLM', () => {
  it('keeps sinks and the last', () => {
    expect(kept(streamingLlmPolicy({ entries: 5, sinks: 2 }))).toEqual([0, 1, 4, 5]);
    expect(kept(streamingLlmPolicy({ entries: 4, sinks: 0 }))).toEqual([3, 4, 5]);
    expect(kept(streamingLlmPolicy({ entries: 5 }))).toEqual([0, 1, 2, 3]);
  });

  it('scores the position, sinks above all', () => {
    expect(top(streamingLlmScores(6, 2), 4)).toEqual([0, 1, 4, 5]);
    expect([...streamingLlmScores(4, 0)]).toEqual([0, 1, 2, 3]);
    expect([...streamingLlmScores(2, 4)].length).toBe(2);
  });
});

describe('SnapKV', () => {
  it('keeps its window and what the window attends to', () => {
    expect(kept(snapkvPolicy({ entries: 4, window: 2, kernel: 1 }))).toEqual([0, 2, 4, 5]);
    expect(kept(snapkvPolicy({ entries: 3, window: 2, kernel: 1 }))).toEqual([0, 4, 5]);
    expect(kept(snapkvPolicy({ entries: 6, window: 2 }))).toBeUndefined();
  });

  it('pools votes among the entries before its window', () => {
    // Votes [.5, .1, .4, .15], averages of three with zeros beyond: [.2, .333, .217, .183].
    const scores = snapkvScores(Float64Array.of(0.5, 0.1, 0.4, 0.15, 0.6, 0.25), { window: 2, kernel: 3 });
    expect([...scores.subarray(0, 4)].map((s) => Number(s.toFixed(4)))).toEqual([0.2, 0.3333, 0.2167, 0.1833]);
    expect(kept(snapkvPolicy({ entries: 4, window: 2, kernel: 3 }))).toEqual([1, 2, 4, 5]);
    expect(top(scores, 4)).toEqual([1, 2, 4, 5]);
    expect(kept(snapkvPolicy({ entries: 4, window: 2, kernel: 3, pooling: 'max' }))).toEqual([0, 1, 4, 5]);
  });

  it('cuts the prompt only', () => {
    expect(snapkvPolicy({ entries: 64 }).capacity(0, 1)).toBe(Infinity);
  });
});

describe('random eviction', () => {
  it('is ruled by its seed, and its scores rank as its first cut', () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed, 'random-eviction');
      const first = kept(randomEvictionPolicy({ entries: 6, recent: 1, drop: 3, random }));
      expect(first).toEqual(kept(randomEvictionPolicy({ entries: 6, recent: 1, drop: 3, random })));
      expect(first).toEqual(top(randomEvictionScores(6, 1, random, 0, 0), 3));
      expect(first).toContain(5);
    }
  });

  it('drops every entry as often as any other', () => {
    const gone = new Array(6).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      const stay = kept(randomEvictionPolicy({ entries: 6, recent: 1, drop: 2, random: new Random(seed, 'r') }))!;
      for (let j = 0; j < 6; j++) gone[j] += Number(!stay.includes(j));
    }
    expect(gone[5]).toBe(0);
    for (const count of gone.slice(0, 5)) expect(Math.abs(count - 800)).toBeLessThan(5 * Math.sqrt(2000 * 0.4 * 0.6));
  });
});
