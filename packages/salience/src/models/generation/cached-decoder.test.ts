import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cachedConfig, madeDecoder } from '../../../test/made-decoders.ts';
import { InputError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { valueAt } from '../../nn/observation.ts';
import { int32, type Tensor } from '../../runtime/index.ts';
import { inspect } from '../decoder/inspect.ts';
import { afterCutPrompt, type CachePolicy, fullCache, type Retained } from './cache-policy.ts';
import { CachedDecoder, type DecoderModel } from './cached-decoder.ts';

const length = 40;
const draw = new Random(5, 'tokens');
const tokensFor = (batch: number) => Int32Array.from({ length: batch * length }, () => draw.integer(31));

/** Logits of all positions without a cache, shape [batch, length, vocabulary]. */
async function dense({ config, weights }: DecoderModel, tokens: Int32Array, batch: number): Promise<Float32Array> {
  const inspection = inspect(config, { observe: { logits: valueAt('logits') } });
  const { observed } = await inspection.run(weights, int32([batch, length], tokens));
  return (observed.logits[0] as Tensor<'float32'>).data;
}

const columns = (tokens: Int32Array, batch: number, from: number, to: number) =>
  Int32Array.from(
    Array.from({ length: batch }, (_, b) => [...tokens.subarray(b * length + from, b * length + to)]).flat(),
  );

function worst(logits: Float32Array, expected: Float32Array, batch: number, t: number): number {
  const vocabulary = logits.length / batch;
  return logits.reduce((most, x, i) => {
    const [b, v] = [Math.floor(i / vocabulary), i % vocabulary];
    return Math.max(most, Math.abs(x - expected[(b * length + t) * vocabulary + v]));
  }, 0);
}

const configs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'grouped queries': {},
  'one head a query': { num_key_value_heads: 4 },
  'a sliding window in one layer': {
    model_type: 'mistral',
    sliding_window: 8,
    layer_types: ['sliding_attention', 'full_attention'],
  },
  'query and key norms': { model_type: 'qwen3' },
  biases: { model_type: 'qwen2' },
  experts: { model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2, intermediate_size: 12 },
};

describe.each(Object.entries(configs))('a decoder with %s', (_, change) => {
  it.each([1, 2])('decodes %i texts with a cache as it reads them without one, to 1e-4', async (batch) => {
    const model = madeDecoder({ ...cachedConfig, ...change });
    const tokens = tokensFor(batch);
    const expected = await dense(model, tokens, batch);
    for (const block of [1, 7, 32]) {
      const reader = new CachedDecoder(model, { batch, block });
      expect(worst(await reader.prompt(columns(tokens, batch, 0, 20)), expected, batch, 19)).toBeLessThan(1e-4);
      for (let t = 20; t < length; t++)
        expect(worst(await reader.next(columns(tokens, batch, t, t + 1)), expected, batch, t)).toBeLessThan(1e-4);
      expect(reader.fed).toBe(length);
    }
  });
});

const model = madeDecoder(cachedConfig);
const tokens = tokensFor(1);

/** Keeps the last `count` entries of even lanes and the first of odd ones. */
const halves = (count: number, needsAttention = false): CachePolicy => ({
  name: 'halves',
  needsAttention,
  capacity: () => count,
  layer: () => ({
    see() {},
    retain: ({ lengths }) =>
      lengths.every((n) => n <= count)
        ? undefined
        : {
            entries: Array.from(lengths, (n, lane) =>
              Int32Array.from({ length: Math.min(n, count) }, (_, i) =>
                lane % 2 === 0 ? Math.max(0, n - count) + i : i,
              ),
            ),
          },
  }),
});

async function logitsOf(policy: CachePolicy, { prompt = 20, block = 256, reserve = length } = {}) {
  const reader = new CachedDecoder(model, { policy, block, reserve });
  const all = [await reader.prompt(tokens.subarray(0, prompt))];
  for (let t = prompt; t < length; t++) all.push(await reader.next(tokens.subarray(t, t + 1)));
  return { all, reader };
}

describe('a cache policy', () => {
  it('with room for all changes nothing, bit for bit', async () => {
    const full = await logitsOf(fullCache);
    expect((await logitsOf(halves(length))).all).toEqual(full.all);
    expect((await logitsOf(halves(length, true))).all).toEqual(full.all);
  });

  it('of a budget takes exactly budget / full of the bytes', async () => {
    const bytes = async (policy: CachePolicy) => (await logitsOf(policy)).reader.bytes;
    const full = await bytes(fullCache);
    expect(full).toBe(2 * 4 * 2 * 2 * 8 * length);
    for (const entries of [10, 20, 30]) expect(await bytes(halves(entries))).toBe((full * entries) / length);
  });

  it('asked after each token of the prompt has its bytes from the first token on', async () => {
    const reader = new CachedDecoder(model, { policy: halves(10), block: 1, reserve: length });
    await reader.prompt(tokens.subarray(0, 1));
    expect(reader.bytes).toBe(2 * 4 * 2 * 2 * 8 * 10);
  });

  it('that cuts the prompt only takes what was kept and the tokens to come', async () => {
    const once: CachePolicy = {
      ...fullCache,
      layer(layer, shape) {
        const cutting = halves(10).layer(layer, shape);
        return { see() {}, retain: (view, moment) => (moment === 'prompt' ? cutting.retain(view, moment) : undefined) };
      },
    };
    const { reader } = await logitsOf(once);
    expect(reader.bytes).toBe(2 * 4 * 2 * 2 * 8 * (10 + length - 20));
    expect([...reader.caches[1].lengths]).toEqual([30, 30]);
  });

  it('leaves each lane its own positions, in order', async () => {
    const { reader } = await logitsOf(halves(6));
    for (const { positions, capacity, lengths } of reader.caches) {
      expect([...lengths]).toEqual([6, 6]);
      expect([...positions.subarray(0, 6)]).toEqual([34, 35, 36, 37, 38, 39]);
      expect([...positions.subarray(capacity, capacity + 6)]).toEqual([0, 1, 2, 3, 4, 5]);
    }
  });

  it('may keep lanes of different lengths', async () => {
    const uneven: CachePolicy = {
      ...halves(12),
      layer: () => ({
        see() {},
        retain: ({ lengths }) => ({
          entries: Array.from(lengths, (n, lane) =>
            Int32Array.from({ length: Math.min(n, 4 + 8 * lane) }, (_, i) => i),
          ),
        }),
      }),
    };
    const { reader, all } = await logitsOf(uneven);
    expect([...reader.caches[0].lengths]).toEqual([4, 12]);
    expect(all.at(-1)!.every(Number.isFinite)).toBe(true);
  });

  it('may merge entries: what stays has the keys and values it is given', async () => {
    const merged: CachePolicy = {
      ...fullCache,
      layer: () => ({
        see() {},
        retain({ lengths, headSize }, moment): Retained | undefined {
          if (moment !== 'prompt') return undefined;
          const given = (value: number) => Array.from(lengths, () => new Float32Array(headSize).fill(value));
          return { entries: Array.from(lengths, () => Int32Array.of(3)), keys: given(0.5), values: given(-2) };
        },
      }),
    };
    const reader = new CachedDecoder(model, { policy: merged });
    await reader.prompt(tokens.subarray(0, 20));
    const { keys, values, positions, lengths } = reader.caches[0];
    expect([lengths[0], positions[0], keys[7], values[0]]).toEqual([1, 3, 0.5, -2]);
  });

  it('sees rows of attention that add up to 1, over each lane’s own entries', async () => {
    const sums: number[] = [];
    const watching: CachePolicy = {
      ...halves(9, true),
      layer: (layer, shape) => ({
        ...halves(9).layer(layer, shape),
        see({ values, queries, entries, first }, { lengths, positions, capacity, fed }) {
          expect(first + queries).toBe(fed);
          lengths.forEach((n, lane) => {
            expect(positions[lane * capacity + n - 1]).toBe(fed - 1);
            for (let q = 0; q < queries; q++) {
              const at = (lane * queries + q) * entries;
              sums.push(values.subarray(at, at + n).reduce((a, b) => a + b, 0));
            }
          });
        },
      }),
    };
    await logitsOf(watching, { block: 7 });
    expect(sums.length).toBe(2 * 2 * length);
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  });

  it('is refused where it keeps what is not there, or out of order', async () => {
    const wrong = (entries: number[][]): CachePolicy => ({
      ...fullCache,
      layer: () => ({ see() {}, retain: () => ({ entries: entries.map((lane) => Int32Array.from(lane)) }) }),
    });
    await expect(logitsOf(wrong([[0, 20], [0]]))).rejects.toThrow('the policy kept entry 20 of lane 0, which has 20');
    await expect(logitsOf(wrong([[0], [1, 1]]))).rejects.toThrow('entries ascend');
    await expect(logitsOf(wrong([[0]]))).rejects.toThrow('entries of 1 lanes of 2');
  });
});

describe('a prompt that something else has cut', () => {
  it('leaves just what was chosen, and the policy goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 0, max: 19 }), { minLength: 1, maxLength: 6 }),
        async (some) => {
          const chosen = Int32Array.from(some.sort((a, b) => a - b));
          const kept = [0, 1].map(() => [chosen, chosen]);
          const reader = new CachedDecoder(model, { policy: afterCutPrompt(halves(8), kept) });
          await reader.prompt(tokens.subarray(0, 20));
          const { positions, capacity } = reader.caches[1];
          return [0, capacity].every((at) => chosen.every((position, i) => positions[at + i] === position));
        },
      ),
      { numRuns: 5 },
    );
  });

  it('of which nothing was cut is the policy itself, bit for bit', async () => {
    const every = Int32Array.from({ length: 20 }, (_, i) => i);
    const kept = [0, 1].map(() => [every, every]);
    expect((await logitsOf(afterCutPrompt(halves(24), kept))).all).toEqual((await logitsOf(halves(24))).all);
  });
});

describe('bad input', () => {
  it('is refused before anything is read where the attention for the policy would not fit into memory', async () => {
    const decoder = new CachedDecoder(model, { policy: halves(10, true), block: 16, reserve: 2 ** 40 });
    await expect(decoder.prompt(tokens)).rejects.toThrow(InputError);
    await expect(decoder.prompt(tokens)).rejects.toThrow(
      /^the attention of 16 tokens over 1099511627792 entries in 2 layers takes about \d+\.\d GB of memory; /,
    );
    expect(decoder.fed).toBe(0);
  });

  it('is refused: nothing, too much, tokens outside the vocabulary, rows of different lengths', async () => {
    const reader = () => new CachedDecoder(model, { batch: 2 });
    await expect(reader().prompt(new Int32Array(0))).rejects.toThrow('0 tokens cannot be 2 texts');
    await expect(reader().prompt(new Int32Array(5))).rejects.toThrow('5 tokens cannot be 2 texts');
    await expect(reader().prompt(new Int32Array(2 * 97))).rejects.toThrow(
      'a text of 97 tokens is longer than the 96 positions',
    );
    await expect(reader().prompt(Int32Array.of(1, 31))).rejects.toThrow(
      'token 31 at 1 is outside the vocabulary of 31',
    );
  });
});
