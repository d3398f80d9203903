/** @file All papers in memory: their words, what they can be filtered by, and their vectors. */

import { type AskedTerm, bm25, bm25Idf, InvertedIndex, Spelling } from 'salience/numerics';
import type { Day } from '../site.ts';
import { Best } from './best.ts';
import type { Lexemes } from './lexemes.ts';
import { surfaceWords } from './query.ts';

/** What is kept of a paper beside its words. */
export interface IndexedFacts {
  readonly id: string;
  readonly revision: number;
  readonly posted: Day;
  readonly authorCount: number;
  readonly implemented: boolean;
  readonly code: boolean;
  /** Of title and abstract. */
  readonly textHash: string;
}

export interface IndexedText {
  readonly title: string;
  readonly abstract: string;
  readonly lexemes: Lexemes;
}

/** What a paper must be to be found. */
export interface Filter {
  readonly from?: Day;
  readonly to?: Day;
  readonly implemented?: boolean;
  readonly hasCode?: boolean;
  readonly minAuthors?: number;
  /** Ids of the papers of a topic. */
  readonly among?: ReadonlySet<string>;
}

/** Words that stand one behind the other. */
export interface Phrase {
  /** As written, lower case. */
  readonly words: readonly string[];
  /** The numbers of its lexemes. */
  readonly terms: readonly number[];
}

const dayNumber = (day: Day) => Math.floor(Date.parse(`${day}T00:00:00Z`) / 86_400_000);

/** Texts as the numbers of their words, as written in lower case; 0 parts title and abstract. */
class WrittenWords {
  readonly #numbers = new Map<string, number>();
  #all = new Uint32Array(4096);
  #length = 0;
  #starts = new Uint32Array(1024);

  /** Adds the next text; `fresh` is told of each word that was not known. */
  add(parts: readonly (readonly string[])[], slot: number, fresh: (word: string) => void): void {
    const room = parts.reduce((sum, words) => sum + words.length + 1, 0);
    if (this.#length + room > this.#all.length) {
      const grown = new Uint32Array(this.#length + room + (this.#all.length >> 1));
      grown.set(this.#all);
      this.#all = grown;
    }
    if (slot + 1 >= this.#starts.length) {
      const grown = new Uint32Array(2 * this.#starts.length);
      grown.set(this.#starts);
      this.#starts = grown;
    }
    for (const words of parts) {
      for (const word of words) {
        let number = this.#numbers.get(word);
        if (number === undefined) {
          number = this.#numbers.size + 1;
          this.#numbers.set(word, number);
          fresh(word);
        }
        this.#all[this.#length++] = number;
      }
      this.#all[this.#length++] = 0;
    }
    this.#starts[slot + 1] = this.#length;
  }

  /** Every word, in the order in which they came. */
  words(): IterableIterator<string> {
    return this.#numbers.keys();
  }

  /** The numbers of words; undefined where one is in no text. */
  numbersOf(words: readonly string[]): number[] | undefined {
    const numbers = words.map((word) => this.#numbers.get(word));
    return numbers.every((number) => number !== undefined) ? numbers : undefined;
  }

  holds(slot: number, numbers: readonly number[]): boolean {
    const end = this.#starts[slot + 1] - numbers.length;
    for (let at = this.#starts[slot]; at < end; at++) {
      let same = 0;
      while (same < numbers.length && this.#all[at + same] === numbers[same]) same++;
      if (same === numbers.length) return true;
    }
    return false;
  }
}

/** Words kept in alphabetical order, those that came last beside them. */
class Alphabet {
  #sorted: string[] = [];
  #late: string[] = [];

  add(word: string): void {
    this.#late.push(word);
    if (this.#late.length > 2000 + this.#sorted.length / 4) this.settle();
  }

  settle(): void {
    if (this.#late.length === 0) return;
    this.#sorted = [...this.#sorted, ...this.#late].sort();
    this.#late = [];
  }

  beginningWith(prefix: string): string[] {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle] < prefix) low = middle + 1;
      else high = middle;
    }
    const found = this.#late.filter((word) => word.startsWith(prefix));
    for (; low < this.#sorted.length && this.#sorted[low].startsWith(prefix); low++) found.push(this.#sorted[low]);
    return found;
  }
}

/** The papers by slot: a number that a paper keeps until its text changes. */
export class PaperIndex {
  readonly spelling = new Spelling();
  readonly #words = new InvertedIndex();
  readonly #numbers = new Map<string, number>();
  readonly #written = new WrittenWords();
  readonly #alphabet = new Alphabet();
  readonly #slots = new Map<string, number>();
  readonly #facts: (IndexedFacts | undefined)[] = [];
  #alive: Uint8Array = new Uint8Array(0);
  #days = new Int32Array(1024);
  #scores = new Float64Array(1024);

  get size(): number {
    return this.#slots.size;
  }

  /** One more than the highest slot. */
  get slots(): number {
    return this.#facts.length;
  }

  ids(): IterableIterator<string> {
    return this.#slots.keys();
  }

  slotOf(id: string): number | undefined {
    return this.#slots.get(id);
  }

  factsOf(id: string): IndexedFacts | undefined {
    const slot = this.#slots.get(id);
    return slot === undefined ? undefined : this.#facts[slot];
  }

  idAt(slot: number): string {
    return this.#facts[slot]!.id;
  }

  /** Takes a new paper, or a new text of one, and gives its slot. */
  put(facts: IndexedFacts, { title, abstract, lexemes }: IndexedText): number {
    this.remove(facts.id);
    const terms = lexemes.terms.map((term) => {
      let number = this.#numbers.get(term);
      if (number === undefined) {
        number = this.#numbers.size;
        this.#numbers.set(term, number);
      }
      return number;
    });
    const slot = this.#words.add(terms);
    this.#facts[slot] = facts;
    this.#slots.set(facts.id, slot);
    if (slot >= this.#days.length) {
      const grown = new Int32Array(2 * this.#days.length);
      grown.set(this.#days);
      this.#days = grown;
      this.#scores = new Float64Array(grown.length);
    }
    this.#days[slot] = dayNumber(facts.posted);
    const written = [surfaceWords(title), surfaceWords(abstract)];
    this.#written.add(written, slot, (word) => this.#alphabet.add(word));
    for (const words of written) {
      for (const word of new Set(words)) if (word.length >= 3 && word.length <= 40) this.spelling.count(word);
    }
    return slot;
  }

  /** Takes what has changed of a paper whose text is as it was. */
  restate(facts: IndexedFacts): void {
    const slot = this.#slots.get(facts.id)!;
    this.#facts[slot] = facts;
    this.#days[slot] = dayNumber(facts.posted);
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    if (slot === undefined) return;
    this.#words.remove(slot);
    this.#facts[slot] = undefined;
    this.#slots.delete(id);
  }

  /** The number of a word; undefined where no paper holds it. */
  termOf(lexeme: string): number | undefined {
    const term = this.#numbers.get(lexeme);
    return term !== undefined && this.#words.frequency(term) > 0 ? term : undefined;
  }

  /** Words as written that begin so, the most frequent ones, at most 30. */
  beginningWith(prefix: string): string[] {
    const found = this.#alphabet.beginningWith(prefix);
    return found.sort((a, b) => this.spelling.frequency(b) - this.spelling.frequency(a)).slice(0, 30);
  }

  /** Words as written that are there at least twice, at most so many. */
  commonWords(most: number): string[] {
    const found: string[] = [];
    for (const word of this.#written.words()) {
      if (found.length === most) break;
      if (this.spelling.frequency(word) > 1) found.push(word);
    }
    return found;
  }

  /** The number of papers with a word. */
  frequency(term: number): number {
    return this.#words.frequency(term);
  }

  /** The words of a paper, as numbers, in the order of the text. */
  termsAt(slot: number): Uint32Array {
    return this.#words.termsOf(slot);
  }

  /** 1 for each slot whose paper passes, shape [slots]; removed ones do not. */
  allowed({ from, to, implemented, hasCode, minAuthors, among }: Filter): Uint8Array {
    const allowed = this.#words.alive.slice();
    const first = from === undefined ? -Infinity : dayNumber(from);
    const last = to === undefined ? Infinity : dayNumber(to);
    for (let slot = 0; slot < allowed.length; slot++) {
      const facts = this.#facts[slot];
      if (
        !facts ||
        this.#days[slot] < first ||
        this.#days[slot] > last ||
        (implemented && !facts.implemented) ||
        (hasCode && !facts.code) ||
        (minAuthors !== undefined && facts.authorCount < minAuthors) ||
        (among && !among.has(facts.id))
      ) {
        allowed[slot] = 0;
      }
    }
    return allowed;
  }

  /** 1 for each paper that is there, shape [slots]; a view, the same one until a paper is added. */
  get alive(): Uint8Array {
    if (this.#alive.length !== this.#words.documents) this.#alive = this.#words.alive;
    return this.#alive;
  }

  /** Of equals the newer comes first, then the lower id. */
  readonly before = (a: number, b: number): boolean => {
    if (this.#days[a] !== this.#days[b]) return this.#days[a] > this.#days[b];
    return (this.#facts[a]?.id ?? '') < (this.#facts[b]?.id ?? '');
  };

  /** 1 for each slot of those allowed whose paper holds the phrase as written. */
  #holding({ words, terms }: Phrase, allowed: Uint8Array): Uint8Array {
    const found = new Uint8Array(allowed.length);
    const numbers = this.#written.numbersOf(words);
    if (numbers === undefined || terms.length === 0) return found;
    // The rarest of its words says where to look.
    const rarest = terms.reduce((a, b) => (this.#words.frequency(b) < this.#words.frequency(a) ? b : a));
    for (const posting of this.#words.postings(rarest)) {
      const slot = posting >>> 8;
      if (allowed[slot] === 1 && this.#written.holds(slot, numbers)) found[slot] = 1;
    }
    return found;
  }

  /** Those of the allowed slots whose papers hold all the phrases. */
  holdingAll(phrases: readonly Phrase[], allowed: Uint8Array): Uint8Array {
    return phrases.reduce((left, phrase) => this.#holding(phrase, left), allowed);
  }

  /** The words of a paper that tell most: those with the highest tf · idf, at most so many. */
  tellingTerms(slot: number, most: number): number[] {
    const counts = new Map<number, number>();
    for (const term of this.#words.termsOf(slot)) counts.set(term, (counts.get(term) ?? 0) + 1);
    const weighted = Array.from(counts, ([term, count]) => ({
      term,
      weight: count * bm25Idf(this.size, this.#words.frequency(term)),
    }));
    return weighted
      .sort((a, b) => b.weight - a.weight || a.term - b.term)
      .slice(0, most)
      .map(({ term }) => term);
  }

  /** The best slots of those allowed by BM25, best first, at most so many; how many hold any of the words; and which of others hold none. */
  rank(
    asked: readonly AskedTerm[],
    allowed: Uint8Array,
    most: number,
    others: readonly number[] = [],
  ): { ranked: number[]; total: number; without: number[] } {
    const scores = this.#scores.subarray(0, this.slots);
    bm25(this.#words, asked, {}, this.#scores);
    const best = new Best(most, this.before);
    // A score above 0 has some bit in its upper half, which is the second one. Counted without a branch, since no processor can foretell which papers hold
    // a word: with one this loop took four times as long.
    const halves = new Int32Array(scores.buffer);
    let total = 0;
    let floor = Number.MIN_VALUE;
    for (let slot = 0; slot < scores.length; slot++) {
      const upper = halves[2 * slot + 1];
      total += ((upper | -upper) >>> 31) & allowed[slot];
      if (scores[slot] >= floor && allowed[slot] === 1) {
        best.offer(slot, scores[slot]);
        floor = Math.max(floor, best.floor);
      }
    }
    const without = others.filter((slot) => !(scores[slot] > 0));
    scores.fill(0);
    return { ranked: best.ranked(), total, without };
  }

  /** The newest of those allowed, at most so many, and how many there are. */
  newest(allowed: Uint8Array, most: number): { ranked: number[]; total: number } {
    const best = new Best(most, this.before);
    let total = 0;
    for (let slot = 0; slot < allowed.length; slot++) {
      if (allowed[slot] === 0) continue;
      total++;
      if (this.#days[slot] >= best.floor) best.offer(slot, this.#days[slot]);
    }
    return { ranked: best.ranked(), total };
  }
}
