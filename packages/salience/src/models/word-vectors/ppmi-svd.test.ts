import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { indexLists } from '../../numerics/index-lists.ts';
import { ppmi, ppmiSvd } from './ppmi-svd.ts';

const dense = (sentences: number[][], n: number, options = {}) => {
  const { offsets, indices, values } = ppmi(indexLists(sentences), n, options);
  const matrix = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let w = 0; w < n; w++) for (let e = offsets[w]; e < offsets[w + 1]; e++) matrix[w][indices[e]] = values[e];
  return matrix;
};

describe('ppmi', () => {
  it('is ln(count · total / (count of word · count of context)) without smoothing', () => {
    // 0 1 | 0 2: counts 0–1 and 0–2 once each way; word 0 has 2 contexts, 1 and 2 one each, 4 in all.
    const matrix = dense(
      [
        [0, 1],
        [0, 2],
      ],
      3,
      { smoothing: 1 },
    );
    const information = Math.log((1 * 4) / (2 * 1));
    expect(matrix[0]).toEqual([0, expect.closeTo(information, 12), expect.closeTo(information, 12)]);
    expect(matrix[1]).toEqual([expect.closeTo(information, 12), 0, 0]);
  });

  it('smooths the context counts by a power of 0.75', () => {
    const matrix = dense(
      [
        [0, 1],
        [0, 2],
      ],
      3,
    );
    const total = 2 ** 0.75 + 2;
    expect(matrix[0][1]).toBeCloseTo(Math.log(total / 2), 12);
    expect(matrix[1][0]).toBeCloseTo(Math.log(total / 2 ** 0.75), 12);
  });

  it('has no entry for words that never meet within the window', () => {
    expect(dense([[0, 1, 2], [3]], 4, { window: 1 })[0][2]).toBe(0);
    expect(dense([[0, 1, 2], [3]], 4, { window: 2 })[0][2]).toBeGreaterThan(0);
    expect(dense([[0, 1, 2], [3]], 4)[3]).toEqual([0, 0, 0, 0]);
  });

  it('does not depend on the order of the sentences, and is never negative', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(5), { maxLength: 7 }), { maxLength: 8 }), (sentences) => {
        const matrix = dense(sentences, 6);
        expect(dense(sentences.toReversed(), 6)).toEqual(matrix);
        expect(Math.min(...matrix.flat())).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('refuses a window that is not 1 or more', () => {
    expect(() => ppmi(indexLists([[0, 1]]), 2, { window: 0 })).toThrow('window = 0 is not 1 or more');
  });
});

describe('ppmiSvd', () => {
  // Words 0 and 1 keep the company of 4 and 5, words 2 and 3 that of 6 and 7.
  const sentences = indexLists(
    [0, 1, 2, 3].flatMap((word) => {
      const company = word < 2 ? [4, 5] : [6, 7];
      return company.flatMap((other) => [
        [word, other],
        [other, word],
      ]);
    }),
  );
  const cosine = (values: Float32Array, d: number, a: number, b: number) => {
    const vector = (w: number) => [...values.subarray(w * d, (w + 1) * d)];
    const dot = vector(a).reduce((sum, x, k) => sum + x * vector(b)[k], 0);
    return dot / Math.hypot(...vector(a)) / Math.hypot(...vector(b));
  };

  it('gives near vectors to words in the same company', async () => {
    const { dimensions, values } = await ppmiSvd(sentences, 8, 4, new Random(0));
    expect(dimensions).toBe(4);
    expect(cosine(values, 4, 0, 1)).toBeGreaterThan(0.99);
    expect(cosine(values, 4, 2, 3)).toBeGreaterThan(0.99);
    expect(Math.abs(cosine(values, 4, 0, 2))).toBeLessThan(0.01);
  });

  it('gives the zero vector to a word without company, and fewer dimensions where the rank is lower', async () => {
    const { dimensions, values } = await ppmiSvd(sentences, 9, 100, new Random(0));
    expect(dimensions).toBe(4);
    expect([...values.subarray(8 * dimensions)].every((value) => value === 0)).toBe(true);
    expect((await ppmiSvd(indexLists([[0], [1]]), 2, 3, new Random(0))).dimensions).toBe(0);
  });

  it('gives the same vectors for the same random stream', async () => {
    expect(await ppmiSvd(sentences, 8, 3, new Random(5))).toEqual(await ppmiSvd(sentences, 8, 3, new Random(5)));
  });
});
