/** @file Words and their neighbours counted in hashed buckets, so that texts of any size take the same room. */

import { ParameterError } from '../../core/errors.ts';

const pattern = /[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]+/gu;

/** Words, numbers and runs of signs of a text in small letters. */
export function wordsAndSigns(text: string): string[] {
  return text.toLowerCase().match(pattern) ?? [];
}

/**
 * The buckets of a text's n-grams for all n from 1 up to a length, each n-gram hashed to one of `buckets`; repeats stay, in the order
 * of the text.
 * @throws ParameterError for less than one bucket or an n below 1.
 */
export function hashedNGrams(
  words: readonly string[],
  { longest = 2, buckets }: { readonly longest?: number; readonly buckets: number },
): Uint32Array {
  for (const [name, value] of Object.entries({ longest, buckets })) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new ParameterError(`${name} = ${value} is not a whole number of 1 or more`);
  }
  const made: number[] = [];
  for (let start = 0; start < words.length; start++) {
    let h = 0x811c9dc5;
    for (let n = 0; n < longest && start + n < words.length; n++) {
      const word = words[start + n];
      // FNV-1a; the word's end counts too, so that "ab c" is not "a bc".
      for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
      h = Math.imul(h ^ 0x1f, 0x01000193);
      let mixed = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      made.push(((mixed ^ (mixed >>> 16)) >>> 0) % buckets);
    }
  }
  return Uint32Array.from(made);
}
