import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { type CachePolicy, fullCache } from '../../models/generation/cache-policy.ts';
import { type AttentionInputs, type Simulation, simulate } from '../../numerics/attention/simulate.ts';
import { h2oPolicy } from './h2o.ts';
import { randomEvictionPolicy } from './random-eviction.ts';
import { scissorhandsPolicy } from './scissorhands.ts';
import { snapkvPolicy } from './snapkv.ts';
import { streamingLlmPolicy } from './streaming-llm.ts';

const random = new Random(3, 'every policy');

/** Every policy that cuts back at B entries, with some number of protected ones. */
const policies: Record<string, (entries: number) => CachePolicy> = {
  scissorhands: (entries) => scissorhandsPolicy({ entries, recent: 2, window: 8 }),
  'scissorhands by age': (entries) => scissorhandsPolicy({ entries, recent: 2, window: 8, ageNormalised: true }),
  h2o: (entries) => h2oPolicy({ entries }),
  'streaming-llm': (entries) => streamingLlmPolicy({ entries, sinks: 2 }),
  'sliding window': (entries) => streamingLlmPolicy({ entries, sinks: 0 }),
  'random-eviction': (entries) => randomEvictionPolicy({ entries, recent: 2, random }),
};

function inputs(seed: number, length: number, heads = 2, keyValueHeads = heads, headSize = 4): AttentionInputs {
  const draw = new Random(seed, 'inputs');
  const normals = (n: number) => Float32Array.from({ length: n }, () => 2 * draw.normal());
  return {
    queries: normals(heads * length * headSize),
    keys: normals(keyValueHeads * length * headSize),
    values: normals(keyValueHeads * length * headSize),
    heads,
    keyValueHeads,
    headSize,
  };
}

const run = (given: AttentionInputs, policy: CachePolicy, options: { prompt?: number } = {}): Simulation =>
  simulate(given, policy.layer(0, { layers: 1, lanes: given.keyValueHeads, headSize: given.headSize }), options);

/** How many positions each query of a lane attended to. */
function widths({ attended }: Simulation, lane: number, length: number): number[] {
  return Array.from({ length }, (_, t) =>
    attended.subarray((lane * length + t) * length, (lane * length + t + 1) * length).reduce((a, b) => a + b, 0),
  );
}

describe('the simulator', () => {
  it('with a full cache is causal attention', () => {
    const { attention, outputs } = run(
      {
        ...inputs(0, 2, 1),
        queries: Float32Array.of(0, 0, 0, 0, 2, 0, 0, 0),
        keys: Float32Array.of(1, 0, 0, 0, 0, 0, 0, 0),
      },
      fullCache,
    );
    const e = Math.exp(1);
    expect([...attention].map((a) => Number(a.toFixed(6)))).toEqual(
      [1, 0, e / (1 + e), 1 / (1 + e)].map((a) => Number(a.toFixed(6))),
    );
    expect(outputs).toHaveLength(8);
  });

  it('averages the rows of the query heads that share a key/value head', () => {
    const { attention } = run(inputs(1, 6, 4, 2), fullCache);
    for (let row = 0; row < 12; row++) {
      expect(attention.subarray(row * 6, row * 6 + 6).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    }
  });

  it('refuses heads that do not divide and arrays of other lengths', () => {
    expect(() => run(inputs(0, 3, 3, 2), fullCache)).toThrow(/3 query heads do not divide among 2/);
    expect(() => run({ ...inputs(0, 3), keys: new Float32Array(5) }, fullCache)).toThrow(InputError);
    expect(() => run(inputs(0, 3), fullCache, { prompt: 4 })).toThrow(InputError);
  });
});

describe.each(Object.entries(policies))('%s', (name, policy) => {
  it('with B ≥ L is dense attention, bit for bit', () => {
    const given = inputs(1, 20, 4, 2);
    const dense = run(given, fullCache);
    for (const [B, prompt] of [
      [20, 0],
      [21, 20],
      [40, 7],
    ]) {
      const made = run(given, policy(B), { prompt });
      expect(made.outputs).toEqual(dense.outputs);
    }
  });

  it('never lets a query attend to more than B entries, nor a lane hold B between two tokens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 5, max: 14 }), fc.integer({ min: 0, max: 30 }), (seed, B, prompt) => {
        const made = policy(B);
        const result = run(inputs(seed, 30), made, { prompt });
        for (const lane of [0, 1]) {
          const seen = widths(result, lane, 30);
          expect(Math.max(0, ...seen.slice(prompt))).toBeLessThanOrEqual(B);
          expect(result.alive[lane].length).toBeLessThanOrEqual(made.capacity(0, 1));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('keeps the same of two heads that are alike', () => {
    if (name === 'random-eviction') return; // each lane has draws of its own
    const one = inputs(5, 25, 1);
    const twice = (values: Float32Array) => Float32Array.from([...values, ...values]);
    const { alive } = run(
      {
        ...one,
        queries: twice(one.queries),
        keys: twice(one.keys),
        values: twice(one.values),
        heads: 2,
        keyValueHeads: 2,
      },
      policy(8),
    );
    expect(alive[0]).toEqual(alive[1]);
  });

  it('changes only what comes after a cut', () => {
    const given = inputs(2, 16, 1);
    const dense = run(given, fullCache).outputs;
    expect(run(given, policy(9)).outputs.subarray(0, 9 * 4)).toEqual(dense.subarray(0, 9 * 4));
  });

  it('cuts a prompt as it cuts token by token where the prompt just fills the cache', () => {
    const given = inputs(4, 10);
    expect(run(given, policy(10), { prompt: 10 }).alive).toEqual(run(given, policy(10)).alive);
  });

  it('cuts a prompt far longer than B, and leaves a shorter one', () => {
    const long = run(inputs(6, 60), policy(8), { prompt: 60 });
    expect(long.alive[0].length).toBeLessThan(8);
    expect(run(inputs(6, 7), policy(8), { prompt: 7 }).alive[1]).toHaveLength(7);
  });
});

describe('a policy’s numbers', () => {
  it('are refused where they cannot be', () => {
    expect(() => h2oPolicy({ entries: 4, recent: 4 })).toThrow(ParameterError);
    expect(() => streamingLlmPolicy({ entries: 4 })).toThrow(/4 sinks has no window/);
    expect(() => streamingLlmPolicy({ entries: 4, sinks: -1 })).toThrow(ParameterError);
    expect(() => snapkvPolicy({ entries: 32 })).toThrow(/33 or more/);
    expect(() => snapkvPolicy({ entries: 64, kernel: 4 })).toThrow(ParameterError);
    expect(() => snapkvPolicy({ entries: 64, window: 0 })).toThrow(ParameterError);
    expect(() => randomEvictionPolicy({ entries: 12, drop: 3, random })).toThrow(ParameterError);
  });
});
