import { describe, expect, it } from 'vitest';
import { Random } from '../core/random.ts';
import { compile, float32, int32, type JaxArray, type Tensor } from '../runtime/index.ts';
import { attention } from './attention.ts';

const random = new Random(0, 'attention');
const normal = (...shape: number[]) =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  );

interface Given {
  readonly queries: Tensor<'float32'>;
  readonly keys: Tensor<'float32'>;
  readonly values: Tensor<'float32'>;
  readonly positions: Tensor<'int32'>;
  readonly cache?: {
    readonly keys: Tensor<'float32'>;
    readonly values: Tensor<'float32'>;
    readonly positions: Tensor<'int32'>;
  };
}

/** Output and the points by name. */
async function attended(given: Given, window?: number) {
  const program = compile((arrays: Record<string, JaxArray> & { cache?: never }) => {
    const points: Record<string, JaxArray> = {};
    const output = attention(
      {
        ...(arrays as never as { queries: JaxArray; keys: JaxArray; values: JaxArray; positions: JaxArray }),
        ...(window && { window }),
      },
      (point, value) => {
        points[point] = value;
        return value;
      },
    );
    return { output, ...points };
  });
  const made = (await program(given as never)) as unknown as Record<string, Tensor<'float32'>>;
  await program.dispose();
  return made;
}

/** The same in loops; keys are those of the cache, then the tokens' own. */
function plain({ queries, keys, values, positions, cache }: Given, window = Infinity) {
  const [batch, heads, tokens, size] = queries.shape;
  const groups = keys.shape[1];
  const capacity = cache?.keys.shape[2] ?? 0;
  const outputs = new Float64Array(batch * tokens * heads * size);
  const weights = new Float64Array(batch * heads * tokens * (capacity + tokens));
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let t = 0; t < tokens; t++) {
        const g = Math.floor((h * groups) / heads);
        const entries = Array.from({ length: capacity + tokens }, (_, s) => {
          const [from, i, n] = s < capacity ? [cache!, s, capacity] : [{ keys, values }, s - capacity, tokens];
          const lane = (b * groups + g) * n + i;
          const vector = (x: Tensor<'float32'>) => x.data.subarray(lane * size, lane * size + size);
          return {
            key: vector(from.keys),
            value: vector(from.values),
            at: s < capacity ? cache!.positions.data[lane] : positions.data[i],
          };
        });
        const query = queries.data.subarray(((b * heads + h) * tokens + t) * size).subarray(0, size);
        const own = positions.data[t];
        const raised = entries.map(({ key, at }) => {
          if (at < 0 || at > own || own - at >= window) return 0;
          return Math.exp(key.reduce((sum, k, c) => sum + k * query[c], 0) / Math.sqrt(size));
        });
        const whole = raised.reduce((a, c) => a + c, 0);
        entries.forEach(({ value }, s) => {
          const weight = raised[s] / whole;
          weights[((b * heads + h) * tokens + t) * entries.length + s] = weight;
          value.forEach((v, c) => {
            outputs[((b * tokens + t) * heads + h) * size + c] += weight * v;
          });
        });
      }
  return { outputs, weights };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) expect(Math.abs(actual[i] - expected[i])).toBeLessThan(2e-6);
}

const made = (heads: number, groups: number, positions = [0, 1, 2, 3, 4]): Given => ({
  queries: normal(2, heads, positions.length, 4),
  keys: normal(2, groups, positions.length, 4),
  values: normal(2, groups, positions.length, 4),
  positions: int32([positions.length], positions),
});

describe('attention', () => {
  it('of one token is its value', async () => {
    const given = made(2, 2, [7]);
    const { output, weights } = await attended(given);
    expect(output.shape).toEqual([2, 1, 2, 4]);
    expect(output.data).toEqual(given.values.data);
    expect(weights.data).toEqual(new Float32Array(4).fill(1));
  });

  it('with equal keys gives the mean of the values so far', async () => {
    const given = { ...made(1, 1, [0, 1, 2]), keys: float32([2, 1, 3, 4], new Float32Array(24).fill(0.3)) };
    const { weights } = await attended(given);
    [1, 0, 0, 0.5, 0.5, 0, 1 / 3, 1 / 3, 1 / 3].forEach((share, i) => {
      expect(weights.data[i]).toBeCloseTo(share, 6);
    });
  });

  it.each([
    ['a key head for each query head', 4, 4],
    ['two query heads to a key head', 4, 2],
    ['one key head for all', 3, 1],
  ])('with %s equals loops', async (_, heads, groups) => {
    const given = made(heads, groups);
    const { output, heads: tapped, weights } = await attended(given);
    const expected = plain(given);
    expect([output.shape, weights.shape]).toEqual([
      [2, 5, heads, 4],
      [2, heads, 5, 5],
    ]);
    expectClose(output.data, expected.outputs);
    expect(tapped.data).toEqual(output.data);
    expectClose(weights.data, expected.weights);
  });

  it.each([1, 2, 4, 100])('with a window of %i equals loops', async (window) => {
    const given = made(4, 2);
    const { output, weights } = await attended(given, window);
    const expected = plain(given, window);
    expectClose(output.data, expected.outputs);
    expectClose(weights.data, expected.weights);
    for (let t = 0; t < 5; t++) {
      const seen = weights.data.subarray(5 * t, 5 * t + 5).filter((weight) => weight > 0).length;
      expect(seen).toBe(Math.min(window, t + 1));
    }
  });

  it('scores keys that are not seen −10³⁰', async () => {
    const { scores } = await attended(made(2, 1));
    scores.data.forEach((score, i) => {
      const [t, s] = [Math.floor(i / 5) % 5, i % 5];
      if (s > t) expect(score).toBe(Math.fround(-1e30));
      else expect(Math.abs(score)).toBeLessThan(100);
    });
  });

  it.each([undefined, 3])(
    'with a cache whose lanes hold other positions, and window %s, equals loops',
    async (window) => {
      const given = made(4, 2, [5, 6]);
      const cache = {
        keys: normal(2, 2, 4, 4),
        values: normal(2, 2, 4, 4),
        positions: int32([2, 2, 4], [0, 1, 2, 3, 4, -1, 3, 0, -1, -1, -1, -1, 1, 3, 2, 4]),
      };
      const { output, weights } = await attended({ ...given, cache }, window);
      const expected = plain({ ...given, cache }, window);
      expect(weights.shape).toEqual([2, 4, 2, 6]);
      expectClose(output.data, expected.outputs);
      expectClose(weights.data, expected.weights);
    },
  );
});
