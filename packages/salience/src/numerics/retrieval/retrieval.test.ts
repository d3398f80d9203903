/** @file BM25, the index, fusion, spelling and known items. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { indexLists } from '../index-lists.ts';
import { bm25, bm25Idf } from './bm25.ts';
import { InvertedIndex } from './inverted-index.ts';
import { knownItems } from './known-item.ts';
import { latentSemantics, placeText } from './latent-semantics.ts';
import { reciprocalRankFusion } from './reciprocal-rank-fusion.ts';
import { editDistance, Spelling } from './spelling.ts';

/** An index of texts whose terms are the numbers of their words. */
function indexOf(texts: readonly string[]) {
  const numbers = new Map<string, number>();
  const numbered = (text: string) =>
    (text.match(/[a-z0-9]+/g) ?? []).map((word) => {
      const number = numbers.get(word) ?? numbers.size;
      numbers.set(word, number);
      return number;
    });
  const index = new InvertedIndex();
  for (const text of texts) index.add(numbered(text));
  return { index, numbered };
}

const toy = ['the cat sat', 'the dog sat on the log', 'a bird'];
const rounded = (values: ArrayLike<number>) => Array.from(values, (value) => Number(value.toFixed(4)));

describe('BM25', () => {
  it('gives the worked numbers', () => {
    const { index, numbered } = indexOf(toy);
    expect(rounded(bm25(index, numbered('the sat')))).toEqual([1.0155, 0.9211, 0]);
    expect(rounded(bm25(index, numbered('bird')))).toEqual([0, 0, 1.2049]);
  });

  it('counts a word asked for twice twice', () => {
    const { index, numbered } = indexOf(toy);
    const once = bm25(index, numbered('sat'));
    expect(bm25(index, numbered('sat sat'))).toEqual(once.map((score) => 2 * score));
  });

  it('without k1 is the sum of the idf, whatever the counts and lengths', () => {
    const { index, numbered } = indexOf(toy);
    const idf = bm25Idf(3, 2);
    expect(bm25(index, numbered('the'), { k1: 0 })).toEqual(Float64Array.of(idf, idf, 0));
  });

  it('takes terms that count as one for a term of its own', () => {
    const whole = indexOf(['x y', 'x x z', 'w']);
    const parts = indexOf(['x1 y', 'x1 x2 z', 'w']);
    const [x1, x2] = parts.numbered('x1 x2');
    expect(bm25(parts.index, [[x1, x2]])).toEqual(bm25(whole.index, whole.numbered('x')));
  });

  it('refuses parameters that are out of range', () => {
    const { index } = indexOf(toy);
    expect(() => bm25(index, [0], { k1: -1 })).toThrow('k1 = -1');
    expect(() => bm25(index, [0], { b: 2 })).toThrow('b = 2');
  });
});

describe('the index', () => {
  it('after removals is the index of what is left', () => {
    const documents = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 8 }), { maxLength: 8 });
    fc.assert(
      fc.property(documents, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (all, stays) => {
        const whole = new InvertedIndex();
        for (const terms of all) whole.add(terms);
        const rest = new InvertedIndex();
        const left = all.flatMap((terms, d) => {
          if (!stays[d]) {
            whole.remove(d);
            whole.remove(d);
            return [];
          }
          rest.add(terms);
          return [d];
        });
        expect(whole.size).toBe(left.length);
        expect(whole.meanLength).toBe(rest.meanLength);
        for (let term = 0; term <= 5; term++) {
          expect(whole.frequency(term)).toBe(rest.frequency(term));
          const scores = bm25(whole, [term]);
          expect(left.map((d) => scores[d])).toEqual([...bm25(rest, [term])]);
        }
      }),
    );
  });

  it('counts terms and knows their documents', () => {
    const { index, numbered } = indexOf(toy);
    const [the] = numbered('the');
    expect([...index.postings(the)].map((p) => [p >>> 8, p & 255])).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect([...index.postings(99)]).toEqual([]);
    expect([...index.lengths]).toEqual([3, 6, 2]);
  });
});

describe('reciprocal rank fusion', () => {
  it('of one ranking keeps it, of two sums 1 / (60 + rank)', () => {
    expect([...reciprocalRankFusion([['a', 'b']])]).toEqual([
      ['a', 1 / 61],
      ['b', 1 / 62],
    ]);
    const both = reciprocalRankFusion([
      ['a', 'b'],
      ['b', 'c'],
    ]);
    expect(both.get('b')).toBe(1 / 62 + 1 / 61);
    expect(both.get('c')).toBe(1 / 62);
    expect(reciprocalRankFusion([['a'], ['a']], { k: 1, weights: [1, 0.5] }).get('a')).toBe(0.75);
    expect(() => reciprocalRankFusion([], { k: 0 })).toThrow('k = 0');
    expect(() => reciprocalRankFusion([], { weights: [-1] })).toThrow('a weight of -1');
  });
});

describe('spelling', () => {
  it('counts edits, a swap as one', () => {
    expect(editDistance('score', 'score')).toBe(0);
    expect(editDistance('score', 'scroe')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abcdef', 'uvwxyz', 2)).toBeGreaterThan(2);
  });

  it('is symmetric, and 0 for equal words alone', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });

  it('finds every word at one edit, as a look at all words does', () => {
    const vocabulary = [
      'importance',
      'important',
      'score',
      'scores',
      'prune',
      'pruning',
      'layer',
      'player',
      'cat',
      'at',
    ];
    const spelling = new Spelling();
    for (const word of vocabulary) spelling.count(word);
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    fc.assert(
      fc.property(fc.constantFrom(...vocabulary), fc.nat(), fc.constantFrom(...letters), (word, place, letter) => {
        const at = place % word.length;
        const wrong = word.slice(0, at) + letter + word.slice(at + 1);
        const found = spelling.closest(wrong);
        const least = Math.min(...vocabulary.map((other) => editDistance(wrong, other)));
        if (word.length > 4) expect(editDistance(wrong, found ?? '')).toBe(least);
      }),
    );
  });

  it('prefers the more frequent of two that are equally near, and forgets what is no longer there', () => {
    const spelling = new Spelling();
    spelling.count('token', 3);
    spelling.count('taken', 5);
    expect(spelling.closest('tken')).toBe('taken');
    spelling.count('taken', -5);
    expect(spelling.closest('tken')).toBe('token');
    expect(spelling.closest('taken')).toBe('token');
    expect(spelling.closest('zebra')).toBeUndefined();
    expect(() => spelling.closest('x'.repeat(65))).toThrow('64');
  });
});

describe('known items', () => {
  it('have their rank by score, ties in order', () => {
    const found = knownItems([
      [3, 2, 1],
      [5, 4, 5],
      [1, 1, 1],
    ]);
    expect([...found.ranks]).toEqual([1, 3, 3]);
    expect(found.first).toBe(1);
    expect(found.meanReciprocalRank).toBeCloseTo((1 + 1 / 3 + 1 / 3) / 3, 12);
    expect(() => knownItems([])).toThrow('no query');
    expect(() => knownItems([[1]], () => 2)).toThrow('there is no item 2');
  });
});

describe('latent semantics', () => {
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, k) => sum + value * b[k], 0);

  it('at full width keeps the cosines of tf · idf', async () => {
    const documents = [
      [0, 1, 1],
      [1, 2],
      [2, 3, 0],
      [3, 3, 1],
    ];
    const model = await latentSemantics(indexLists(documents), 4, 4, new Random(0));
    const holding = [2, 3, 2, 2];
    const rows = documents.map((terms) => {
      const row = new Float64Array(4);
      for (const term of new Set(terms)) {
        const count = terms.filter((other) => other === term).length;
        row[term] = (1 + Math.log(count)) * (Math.log(5 / (holding[term] + 1)) + 1);
      }
      const length = Math.hypot(...row);
      return row.map((value) => value / length);
    });
    const placed = documents.map((terms) => placeText(model, terms));
    rows.forEach((a, i) => {
      rows.forEach((b, j) => {
        expect(cosine(placed[i], placed[j])).toBeCloseTo(
          a.reduce((sum, value, k) => sum + value * b[k], 0),
          5,
        );
      });
    });
  });

  it('brings together words that never meet but keep the same company', async () => {
    // 0 and 1 stand beside 2 and 3; 4 beside 5 and 6.
    const documents = indexLists([
      [0, 2, 3],
      [1, 2, 3],
      [0, 3],
      [1, 2],
      [4, 5, 6],
      [4, 5],
      [4, 6],
    ]);
    const model = await latentSemantics(documents, 7, 2, new Random(0));
    expect(cosine(placeText(model, [0]), placeText(model, [1]))).toBeGreaterThan(0.9);
    expect(Math.abs(cosine(placeText(model, [0]), placeText(model, [4])))).toBeLessThan(0.1);
  });

  it('has nothing to say of terms it does not know', async () => {
    const model = await latentSemantics(indexLists([[0, 1], [0]]), 3, 1, new Random(0));
    expect([...placeText(model, [2, 1])]).toEqual([0]);
    expect(() => placeText(model, [3])).toThrow('no term 3');
  });
});
