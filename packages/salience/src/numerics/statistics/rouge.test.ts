import { describe, expect, it } from 'vitest';
import { rouge1Recall } from './rouge.ts';

const words = (text: string) => text.split(' ');

describe('rouge1Recall', () => {
  it('clips the count of a word to its count in each reference', () => {
    const references = [words('the cat sat on the mat'), words('a cat sat')];
    // Against the first: the 2 (of 3), cat 1; against the second: cat 1.
    expect(rouge1Recall(words('the the the cat'), references, { words: 100 })).toBeCloseTo(4 / 9, 14);
  });

  it('reads the summary up to its limit of words', () => {
    const references = [words('the cat')];
    expect(rouge1Recall(words('the cat'), references, { words: 1 })).toBe(0.5);
    expect(rouge1Recall(words('the cat'), references, { words: 0 })).toBe(0);
  });

  it('is 1 for a reference against itself', () => {
    expect(rouge1Recall(words('to be or not to be'), [words('to be or not to be')], { words: 6 })).toBe(1);
  });

  it('refuses references without words', () => {
    expect(() => rouge1Recall(['a'], [[]], { words: 1 })).toThrow('the references have no word to recall');
    expect(() => rouge1Recall(['a'], [['a']], { words: -1 })).toThrow('words = -1 is below 0');
  });
});
