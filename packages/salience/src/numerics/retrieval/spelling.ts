/** @file The word of a vocabulary that was probably meant. */

import { ParameterError } from '../../core/errors.ts';

/**
 * How many insertions, deletions, replacements and swaps of neighbours make `b` of `a` (each part edited once), or a number
 * above `limit` where it is more than that. Characters are UTF-16 units.
 * Source: optimal string alignment, Damerau 1964 (CACM 7).
 */
export function editDistance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j - 1] + (same ? 0 : 1), last[j] + 1, row[j - 1] + 1);
      if (!same && i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, before[j - 2] + 1);
      }
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    before = last;
    last = row;
  }
  return last[b.length];
}

/** The trigrams of a word with a mark before it and one behind. */
function trigrams(word: string): Set<string> {
  const marked = ` ${word} `;
  const all = new Set<string>();
  for (let i = 0; i + 3 <= marked.length; i++) all.add(marked.slice(i, i + 3));
  return all;
}

/** A vocabulary with how often each word occurs, and its words by their trigrams. */
export class Spelling {
  readonly #numbers = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #frequency: number[] = [];
  readonly #holding = new Map<string, number[]>();

  get size(): number {
    return this.#words.length;
  }

  /** Counts occurrences of a word; a negative number takes some back. */
  count(word: string, times = 1): void {
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.#words.push(word) - 1;
      this.#numbers.set(word, number);
      this.#frequency.push(0);
      for (const trigram of trigrams(word)) {
        const list = this.#holding.get(trigram);
        if (list) list.push(number);
        else this.#holding.set(trigram, [number]);
      }
    }
    this.#frequency[number] += times;
  }

  frequency(word: string): number {
    const number = this.#numbers.get(word);
    return number === undefined ? 0 : this.#frequency[number];
  }

  /**
   * The word at the smallest edit distance, the more frequent one among equals, then by the alphabet; undefined where none is near:
   * within 1 for words of up to 4 characters, else 2. A word of the vocabulary is its own.
   * @throws ParameterError if the word is longer than 64 characters.
   */
  closest(word: string, { atLeast = 1 }: { readonly atLeast?: number } = {}): string | undefined {
    if (word.length > 64) throw new ParameterError(`a word of ${word.length} characters is no word; 64 are the most`);
    if (this.frequency(word) >= atLeast) return word;
    const limit = word.length <= 4 ? 1 : 2;
    // An edit changes at most 3 trigrams, a swap 4, so that a near word has most of them; short ones may have lost all.
    const own = trigrams(word);
    const shared = new Map<number, number>();
    for (const trigram of own) {
      for (const number of this.#holding.get(trigram) ?? []) shared.set(number, (shared.get(number) ?? 0) + 1);
    }
    const least = Math.max(1, own.size - 4 * limit);
    let best: { word: string; distance: number; frequency: number } | undefined;
    for (const [number, both] of shared) {
      const frequency = this.#frequency[number];
      if (both < least || frequency < atLeast) continue;
      const other = this.#words[number];
      const distance = editDistance(word, other, best?.distance ?? limit);
      if (distance > limit) continue;
      const nearer =
        best === undefined ||
        distance < best.distance ||
        (distance === best.distance &&
          (frequency > best.frequency || (frequency === best.frequency && other < best.word)));
      if (nearer) best = { word: other, distance, frequency };
    }
    return best?.word;
  }
}
