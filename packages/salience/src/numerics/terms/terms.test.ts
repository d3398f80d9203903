import { describe, expect, it } from 'vitest';
import { indexLists } from '../index-lists.ts';
import { basic } from './basic.ts';
import { cValue } from './c-value.ts';
import { comboBasic } from './combo-basic.ts';
import { rake } from './rake.ts';
import { tfIdf } from './tf-idf.ts';
import { weirdness } from './weirdness.ts';

const expectClose = (actual: Float64Array, expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 6);
  });
};

// cell, basal cell carcinoma, cystic basal cell carcinoma, adenoid cystic basal cell carcinoma
const counts = {
  frequency: [20, 10, 4, 1],
  words: indexLists([[1], [0, 1, 2], [3, 0, 1, 2], [4, 3, 0, 1, 2]]),
  nested: indexLists([[], [0], [0, 1], [0, 1, 2]]),
};

describe('tfIdf', () => {
  it('is f · ln((1 + N) / df)', () => {
    expectClose(
      tfIdf({ documents: 3, frequency: [6, 2, 5], documentFrequency: [3, 1, 2] }),
      [1.726092, 2.772589, 3.465736],
    );
  });

  it('orders the terms of a single document by frequency, above 0', () => {
    expectClose(tfIdf({ documents: 1, frequency: [3, 1], documentFrequency: [1, 1] }), [3 * Math.LN2, Math.LN2]);
  });
});

describe('cValue', () => {
  it('takes off the mean frequency of the longer terms around a term', () => {
    // log₂2 · (20 − 15/3), log₂4 · (10 − 5/2), log₂5 · (4 − 1), log₂6 · 1
    expectClose(cValue(counts), [15, 15, 6.965784, 2.584963]);
  });
});

describe('rake', () => {
  it('adds up degree over frequency of the words of a term', () => {
    // a: degree 3 + 2 + 1 in 3 phrases, b: 3 + 2 in 2, c: 3 in 1
    const phrases = indexLists([[0, 1, 2], [0, 1], [0]]);
    expectClose(rake({ words: indexLists([[0, 1, 2], [0, 1], [2], [3]]) }, phrases), [7.5, 4.5, 3, 0]);
  });

  it('counts a word twice that a phrase holds twice', () => {
    // twice in a phrase of 2: degree 4, frequency 2
    expectClose(rake({ words: indexLists([[0]]) }, indexLists([[0, 0]])), [2]);
  });
});

describe('weirdness', () => {
  const general = { frequency: [899, 99, 0], total: 997 };

  it('is the ratio of relative frequencies for one word, with one occurrence added to each word of general language', () => {
    // (2/10) / (900/1000), (3/10) / (100/1000), (5/10) / (1/1000)
    const words = indexLists([[0], [1], [2]]);
    expectClose(weirdness({ words }, { frequency: [2, 3, 5], total: 10 }, general), [0.222222, 3, 500]);
  });

  it('is the geometric mean over the words of a longer term', () => {
    expectClose(weirdness({ words: indexLists([[1, 2]]) }, { frequency: [2, 3, 5], total: 10 }, general), [38.729833]);
  });

  it('refuses a corpus without words', () => {
    const words = indexLists([[0]]);
    expect(() => weirdness({ words }, { frequency: [0], total: 0 }, general)).toThrow('they have 0 and 997 words');
  });
});

describe('basic and comboBasic', () => {
  it('reward length, frequency and the longer terms around a term of two words or more', () => {
    // ln 20, 3 ln 10 + .72 · 2, 4 ln 4 + .72, 5 ln 1
    expectClose(basic(counts), [2.995732, 8.347755, 6.265177, 0]);
    expectClose(basic(counts, { alpha: 3.5 }), [2.995732, 13.907755, 9.045177, 0]);
  });

  it('comboBasic adds β for each term within a term', () => {
    // ln 20, 3 ln 10 + .75 · 2 + .1, 4 ln 4 + .75 + .2, .3
    expectClose(comboBasic(counts), [2.995732, 8.507755, 6.495177, 0.3]);
  });
});
