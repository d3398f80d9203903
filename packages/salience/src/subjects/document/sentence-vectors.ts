/** @file Sentences as tf·idf vectors over the words of their collection: where LexRank and Centroid both begin. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { cosine } from '../../numerics/graph/similarity-graph.ts';
import type { SparseMatrix } from '../../numerics/linear-algebra/sparse-matrix.ts';
import type { Collection } from './collection.ts';
import { stopWordsOf } from './stop-words.ts';
import { wordsOf } from './words.ts';

/** Inverse document frequencies of words; each finite and 0 or more. */
export interface IdfTable {
  readonly values: ReadonlyMap<string, number>;
  /** The idf of a word that the table does not hold; without it such a word is an error. */
  readonly unseen?: number;
}

/** S sentences over V words; an entry is one word of one sentence. */
export interface SentenceVectors {
  /** tf·idf with every row scaled to L2 norm 1, or of zeros; shape [S, V]. */
  readonly tfIdf: SparseMatrix;
  /** tf, how often the word is in the sentence, shape [entries]. */
  readonly counts: Uint32Array;
  /** Shape [V]. */
  readonly vocabulary: readonly string[];
  /** Shape [V]. */
  readonly idf: Float64Array;
}

/** idf of a background: log(N / n), of N texts n hold the word. An unseen word counts as one that is in a single text. */
export function backgroundIdf(texts: readonly (readonly string[])[]): IdfTable {
  const values = new Map<string, number>();
  for (const [word, n] of documentFrequencies(texts)) values.set(word, Math.log(texts.length / n));
  return { values, unseen: Math.log(texts.length) };
}

/** idf from the input itself: log((N + 1) / (n + 1)), which is 0 for a word in every text and never negative. */
export function ownIdf(texts: readonly (readonly string[])[]): IdfTable {
  const values = new Map<string, number>();
  for (const [word, n] of documentFrequencies(texts)) values.set(word, Math.log((texts.length + 1) / (n + 1)));
  return { values };
}

function documentFrequencies(texts: readonly (readonly string[])[]): Map<string, number> {
  const frequencies = new Map<string, number>();
  for (const words of texts) for (const word of new Set(words)) frequencies.set(word, (frequencies.get(word) ?? 0) + 1);
  return frequencies;
}

/**
 * The tf·idf vectors of sentences given as words.
 * @throws InputError if the table misses a word and says nothing of unseen ones, or an idf is negative or not finite.
 */
export function sentenceVectors(sentences: readonly (readonly string[])[], table: IdfTable): SentenceVectors {
  const numbers = new Map<string, number>();
  const idf: number[] = [];
  const entries = sentences.reduce((sum, words) => sum + words.length, 0);
  const offsets = new Uint32Array(sentences.length + 1);
  const indices = new Uint32Array(entries);
  const counts = new Uint32Array(entries);
  const values = new Float64Array(entries);
  let end = 0;
  sentences.forEach((words, s) => {
    const tokens = new Uint32Array(words.length);
    for (let k = 0; k < words.length; k++) {
      let number = numbers.get(words[k]);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(words[k], number);
        idf.push(idfOf(words[k], table));
      }
      tokens[k] = number;
    }
    tokens.sort();
    const begin = end;
    let squares = 0;
    for (let k = 0, next = 0; k < tokens.length; k = next) {
      while (next < tokens.length && tokens[next] === tokens[k]) next++;
      const weight = (next - k) * idf[tokens[k]];
      indices[end] = tokens[k];
      counts[end] = next - k;
      values[end++] = weight;
      squares += weight * weight;
    }
    if (squares > 0) for (let e = begin; e < end; e++) values[e] /= Math.sqrt(squares);
    offsets[s + 1] = end;
  });
  const tfIdf = {
    rows: sentences.length,
    columns: idf.length,
    offsets,
    indices: indices.slice(0, end),
    values: values.slice(0, end),
  };
  return { tfIdf, counts: counts.slice(0, end), vocabulary: [...numbers.keys()], idf: Float64Array.from(idf) };
}

function idfOf(word: string, { values, unseen }: IdfTable): number {
  const idf = values.get(word) ?? unseen;
  if (idf === undefined) throw new InputError(`the idf table has no word "${word}" and no value for unseen words`);
  if (!(idf >= 0 && idf < Infinity))
    throw new InputError(`the idf of "${word}" is ${idf}; it must be finite and 0 or more`);
  return idf;
}

/** With fewer documents than this, `auto` counts sentences. */
const enoughDocuments = 20;

/** The parameters of a method that begins with these vectors. */
export const vectorParams = {
  idf: z
    .enum(['auto', 'documents', 'sentences'])
    .default('auto')
    .describe(
      `the texts idf counts, of the background if there is one; auto: documents if at least ${enoughDocuments}`,
    ),
  stopWords: z.boolean().default(false).describe('leave out stop words rather than trust their low idf'),
};

export interface CollectionVectors extends SentenceVectors {
  /** Words of each sentence, stop words included, shape [S]. */
  readonly lengths: Uint32Array;
}

/**
 * The tf·idf vectors of the sentences of a collection, its background as the source of idf where it has one.
 * @throws InputError if the background holds no sentence.
 */
export function collectionVectors(
  collection: Collection,
  { idf, stopWords }: { idf: 'auto' | 'documents' | 'sentences'; stopWords: boolean },
  run: Run,
): CollectionVectors {
  const { language, background } = collection;
  const stop: ReadonlySet<string> = stopWords ? stopWordsOf(language) : new Set();
  const read = (text: string) => wordsOf(text, language);
  const withoutStop = (words: string[]) => (stopWords ? words.filter((word) => !stop.has(word)) : words);
  const written = collection.sentences.map(({ text }) => read(text));
  const sentences = written.map(withoutStop);
  const inBackground = background?.sentences.map(({ text }) => withoutStop(read(text)));
  if (inBackground?.length === 0)
    throw new InputError('the background holds no sentence; leave it out or give it text');

  const source = background ?? collection;
  const texts = inBackground ?? sentences;
  const byDocument = idf === 'documents' || (idf === 'auto' && source.documents.length >= enoughDocuments);
  const counted = byDocument ? joinDocuments(source, texts) : texts;
  const what = `${counted.length} ${byDocument ? 'documents' : 'sentences'}`;
  run.log(
    background ? `idf = log(N / n) over the background's ${what}` : `idf = log((N + 1) / (n + 1)) over the ${what}`,
  );
  const table = background ? backgroundIdf(counted) : ownIdf(counted);
  return { ...sentenceVectors(sentences, table), lengths: Uint32Array.from(written, (words) => words.length) };
}

/** The words of each document from those of the collection's sentences. */
function joinDocuments({ documents, sentences }: Collection, words: readonly (readonly string[])[]): string[][] {
  const joined: string[][] = documents.map(() => []);
  sentences.forEach(({ document }, s) => {
    for (const word of words[s]) joined[document].push(word);
  });
  return joined;
}

/** Scores of a collection's sentences, with what a budget may ask of them: documents, texts, words, and cosines. */
export function sentenceScores(
  { documents, sentences }: Collection,
  { tfIdf, lengths }: CollectionVectors,
  values: Float32Array,
): Scores {
  return {
    unit: 'sentence',
    values,
    groups: { names: documents.map(({ name }) => name), of: Uint32Array.from(sentences, (s) => s.document) },
    labels: sentences.map(({ text }) => text),
    costs: { unit: 'word', values: lengths },
    // Repeated sentences are alike also where all their words have an idf of 0.
    similarity: (i, j) => (sentences[i].text === sentences[j].text ? 1 : cosine(tfIdf, i, j)),
  };
}
