/** @file An inverted index that grows and forgets: which documents hold a term, and how often. */

import { ParameterError } from '../../core/errors.ts';

const mostDocuments = 2 ** 24;
const mostCounted = 255;

/** A list of numbers that makes room for more. */
class Growing<List extends Uint32Array | Uint8Array> {
  list: List;
  length = 0;
  readonly #make: (length: number) => List;

  constructor(make: (length: number) => List) {
    this.#make = make;
    this.list = make(1024);
  }

  push(value: number): void {
    if (this.length === this.list.length) this.list = this.#larger(this.list);
    this.list[this.length++] = value;
  }

  #larger(list: List): List {
    const grown = this.#make(list.length + (list.length >> 1));
    grown.set(list);
    return grown;
  }
}

const uint32 = (length: number) => new Uint32Array(length);
const uint8 = (length: number) => new Uint8Array(length);

/**
 * Documents as lists of terms. Terms and documents are whole numbers from 0; the numbers of documents are given out in order and
 * not used again.
 */
export class InvertedIndex {
  /** Postings of each term: document · 256 + count, the count 255 for all above. Of most terms there is one, kept in #only. */
  readonly #postings: (Uint32Array | undefined)[] = [];
  readonly #only = new Growing(uint32);
  readonly #posted = new Growing(uint32);
  readonly #frequency = new Growing(uint32);
  /** The terms of all documents; document d's begin at #starts[d]. */
  readonly #terms = new Growing(uint32);
  readonly #starts = new Growing(uint32);
  readonly #lengths = new Growing(uint32);
  readonly #alive = new Growing(uint8);
  #size = 0;
  #occurrences = 0;

  constructor() {
    this.#starts.push(0);
  }

  /** Documents that are not removed. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest number of a document. */
  get documents(): number {
    return this.#alive.length;
  }

  /** Terms a document has on average, repeats counted; 0 where there is none. */
  get meanLength(): number {
    return this.#size === 0 ? 0 : this.#occurrences / this.#size;
  }

  /**
   * Adds a document with these terms, repeats included, and gives its number.
   * @throws ParameterError if there have been 2²⁴ documents.
   */
  add(terms: ArrayLike<number>): number {
    const document = this.#alive.length;
    if (document === mostDocuments) throw new ParameterError(`an index takes ${mostDocuments} documents`);
    for (let i = 0; i < terms.length; i++) {
      this.#terms.push(terms[i]);
      this.#post(terms[i], document);
    }
    this.#alive.push(1);
    this.#lengths.push(terms.length);
    this.#starts.push(this.#terms.length);
    this.#size++;
    this.#occurrences += terms.length;
    return document;
  }

  #post(term: number, document: number): void {
    while (this.#posted.length <= term) {
      this.#posted.push(0);
      this.#only.push(0);
      this.#frequency.push(0);
    }
    const posted = this.#posted.list[term];
    let list = this.#postings[term];
    const last = posted === 0 ? undefined : list ? list[posted - 1] : this.#only.list[term];
    if (last !== undefined && last >>> 8 === document) {
      if ((last & 255) === mostCounted) return;
      if (list) list[posted - 1]++;
      else this.#only.list[term]++;
      return;
    }
    this.#frequency.list[term]++;
    this.#posted.list[term]++;
    if (posted === 0) {
      this.#only.list[term] = document * 256 + 1;
      return;
    }
    if (!list || list.length === posted) {
      const grown = new Uint32Array(posted + (posted >> 1) + 2);
      if (list) grown.set(list);
      else grown[0] = this.#only.list[term];
      list = grown;
      this.#postings[term] = list;
    }
    list[posted] = document * 256 + 1;
  }

  /** Removes a document; its postings stay until they are skipped. Removing what is not there changes nothing. */
  remove(document: number): void {
    if (!this.has(document)) return;
    this.#alive.list[document] = 0;
    this.#size--;
    const terms = this.termsOf(document);
    this.#occurrences -= terms.length;
    for (const term of new Set(terms)) this.#frequency.list[term]--;
  }

  has(document: number): boolean {
    return document < this.#alive.length && this.#alive.list[document] === 1;
  }

  /** 1 for each document that is there, 0 for one that was removed, shape [documents]; a view. */
  get alive(): Uint8Array {
    return this.#alive.list.subarray(0, this.#alive.length);
  }

  /** Terms of each document, repeats counted, shape [documents]; a view. */
  get lengths(): Uint32Array {
    return this.#lengths.list.subarray(0, this.#lengths.length);
  }

  /** How many documents hold the term. */
  frequency(term: number): number {
    return term < this.#frequency.length ? this.#frequency.list[term] : 0;
  }

  /**
   * The documents that hold a term, ascending, each as document · 256 + how often (255 at most), removed ones among them; a view.
   */
  postings(term: number): Uint32Array {
    if (term >= this.#posted.length) return new Uint32Array(0);
    const list = this.#postings[term];
    return list
      ? list.subarray(0, this.#posted.list[term])
      : this.#only.list.slice(term, term + this.#posted.list[term]);
  }

  /** The terms of a document as they were added; a view. */
  termsOf(document: number): Uint32Array {
    return this.#terms.list.subarray(this.#starts.list[document], this.#starts.list[document + 1]);
  }
}
