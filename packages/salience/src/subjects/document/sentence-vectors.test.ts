import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosine } from '../../numerics/graph/similarity-graph.ts';
import { backgroundIdf, type IdfTable, ownIdf, sentenceVectors } from './sentence-vectors.ts';

const tableOf = (values: Record<string, number>): IdfTable => ({ values: new Map(Object.entries(values)) });
const words = (text: string) => text.split(' ').filter(Boolean);

describe('backgroundIdf', () => {
  it('is log(N / n), and log N for a word that is in no text', () => {
    const { values, unseen } = backgroundIdf([words('a a b'), words('a c'), words('a')]);
    expect(values.get('a')).toBe(0);
    expect(values.get('b')).toBeCloseTo(Math.log(3), 14);
    expect(unseen).toBeCloseTo(Math.log(3), 14);
  });
});

describe('ownIdf', () => {
  it('is log((N + 1) / (n + 1)), 0 for a word in every text', () => {
    const { values } = ownIdf([words('a b'), words('a b'), words('a')]);
    expect(values.get('a')).toBe(0);
    expect(values.get('b')).toBeCloseTo(Math.log(4 / 3), 14);
  });
});

describe('sentenceVectors', () => {
  const idf = tableOf({ a: Math.log(5), b: Math.log(2), c: Math.log(10), d: 0 });
  const x = words('a a b d d d');
  const y = words('a c d');

  it('have the idf-modified cosine worked out by hand', () => {
    expect(cosine(sentenceVectors([x, y], idf).tfIdf, 0, 1)).toBeCloseTo(5.180581 / 9.250085, 6);
  });

  it('have a cosine that a factor on all idf, or repeating a whole sentence, leaves as it is', () => {
    const expected = cosine(sentenceVectors([x, y], idf).tfIdf, 0, 1);
    const scaled: IdfTable = { values: new Map([...idf.values].map(([word, value]) => [word, 7 * value])) };
    expect(cosine(sentenceVectors([x, y], scaled).tfIdf, 0, 1)).toBeCloseTo(expected, 14);
    expect(cosine(sentenceVectors([[...x, ...x], y], idf).tfIdf, 0, 1)).toBeCloseTo(expected, 14);
  });

  it('count words, number them as they first appear, and have length 1 unless all idf are 0', () => {
    const { tfIdf, counts, vocabulary } = sentenceVectors([x, words('d'), [], y], idf);
    expect(vocabulary).toEqual(['a', 'b', 'd', 'c']);
    expect([...tfIdf.offsets]).toEqual([0, 3, 4, 4, 7]);
    expect([...tfIdf.indices]).toEqual([0, 1, 2, 2, 0, 2, 3]);
    expect([...counts]).toEqual([2, 1, 3, 1, 1, 1, 1]);
    const norm = (s: number) => Math.hypot(...tfIdf.values.subarray(tfIdf.offsets[s], tfIdf.offsets[s + 1]));
    [1, 0, 0, 1].forEach((length, s) => {
      expect(norm(s)).toBeCloseTo(length, 14);
    });
  });

  it('give every pair the cosine of the formula', () => {
    const sentence = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 8 });
    fc.assert(
      fc.property(sentence, sentence, (x, y) => {
        const weights = (words: string[]) =>
          [...idf.values].map(([word, value]) => value * words.filter((w) => w === word).length);
        const [u, v] = [weights(x), weights(y)];
        const product = u.reduce((sum, value, k) => sum + value * v[k], 0);
        const norms = Math.hypot(...u) * Math.hypot(...v);
        expect(cosine(sentenceVectors([x, y], idf).tfIdf, 0, 1)).toBeCloseTo(norms === 0 ? 0 : product / norms, 12);
      }),
    );
  });

  it('refuse a word without idf unless unseen words have one, and an idf that is negative or not finite', () => {
    expect(() => sentenceVectors([['e']], idf)).toThrow('the idf table has no word "e" and no value for unseen words');
    expect(sentenceVectors([['e']], { ...idf, unseen: 3 }).idf).toEqual(Float64Array.of(3));
    expect(() => sentenceVectors([['e']], tableOf({ e: -1 }))).toThrow('the idf of "e" is -1');
    expect(() => sentenceVectors([['e']], tableOf({ e: Number.NaN }))).toThrow('the idf of "e" is NaN');
  });
});
