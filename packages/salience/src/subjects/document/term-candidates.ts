/** @file The candidate terms of a collection: runs of words that occur often enough to be a term, without a tagger. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type IndexLists, indexLists, listOf } from '../../numerics/index-lists.ts';
import { PairIndex } from '../../numerics/pair-index.ts';
import type { TermCounts } from '../../numerics/terms/term-counts.ts';
import type { Collection } from './collection.ts';
import { baseLanguage } from './language.ts';
import { type Lemmas, lemmasOf } from './lemmas.ts';
import { stopWordsOf } from './stop-words.ts';
import { wordsOf } from './words.ts';

/** The candidate terms of a collection, in alphabetical order (of code units), and the words of its text. */
export interface TermCandidates extends TermCounts {
  /** The terms as normalised: lower-case, the last word as its noun lemma where the language is English; shape [n]. */
  readonly terms: readonly string[];
  /** The most frequent written form of each term, lower-case, shape [n]. */
  readonly labels: readonly string[];
  readonly frequency: Uint32Array;
  readonly documentFrequency: Uint32Array;
  /** The documents of each term, ascending. */
  readonly occurrences: IndexLists;
  /** How often the term occurs in each of these documents, parallel to `occurrences.indices`. */
  readonly counts: Uint32Array;
  /** The distinct words of the text, every one as its noun lemma where the language is English. */
  readonly vocabulary: readonly string[];
  /** How often each word of the vocabulary occurs. */
  readonly wordFrequency: Uint32Array;
  /** The words of each sentence. */
  readonly sentences: IndexLists;
  /** The words of each phrase: the longest runs without stop words, punctuation or sentence ends. */
  readonly phrases: IndexLists;
}

export interface TermOptions {
  /** The longest term, in words. */
  maxWords?: number;
  /** Terms that occur more rarely are left out. */
  minFrequency?: number;
}

/**
 * The candidate terms of a collection: all runs of 1 to `maxWords` words that lie within a phrase (the text between stop
 * words, punctuation and sentence ends), occur `minFrequency` times or more, start and end with words of two letters or
 * more, have three letters in all, do not end in a word that a dictionary knows as a verb or an adjective only (a gerund may
 * end a longer term), and are no single stop word. Forms that differ only in the number of their last word are one term. A
 * run that occurs no more often than a longer candidate around it is a fragment of that one, and left out.
 * @throws ParameterError if an option is out of range; InputError if the collection holds no such term.
 */
export async function termCandidates(
  { documents, language }: Collection,
  { maxWords = 5, minFrequency = 2 }: TermOptions = {},
  run?: Run,
): Promise<TermCandidates> {
  for (const [name, value] of Object.entries({ maxWords, minFrequency })) {
    if (!(Number.isSafeInteger(value) && value >= 1)) throw new ParameterError(`${name} = ${value} is not 1 or more`);
  }
  const text = await readText(documents, language, run);
  const words = numberLemmas(text.words, await lemmasOf(language));
  const found = withoutFragments(await findTerms(text, words, { maxWords, minFrequency }, run), text.words, words);
  if (found.length === 0) {
    throw new InputError(
      `the ${documents.length} documents hold no run of words between stop words that occurs ${minFrequency} times; lower minFrequency`,
    );
  }
  const inLemmas = ({ offsets, indices }: IndexLists): IndexLists => ({
    offsets,
    indices: indices.map((word) => words.of[word]),
  });
  const wordFrequency = new Uint32Array(words.names.length);
  for (const word of text.sentences.indices) wordFrequency[words.of[word]]++;
  return {
    documents: documents.length,
    terms: found.map(({ term }) => term),
    labels: found.map(({ label }) => label),
    frequency: Uint32Array.from(found, frequencyOf),
    documentFrequency: Uint32Array.from(found, ({ counts }) => counts.length),
    occurrences: indexLists(found.map((t) => t.documents)),
    counts: indexLists(found.map((t) => t.counts)).indices,
    words: inLemmas(indexLists(found.map((t) => t.words))),
    nested: nestedTerms(found, text.words, words),
    vocabulary: words.names,
    wordFrequency,
    sentences: inLemmas(text.sentences),
    phrases: inLemmas(text.phrases),
  };
}

// Nouns that the list of stop words holds, and that longer terms are made of: a control system, an information problem.
const englishNouns = new Set(
  (
    'area areas case cases computer copy effect face faces group groups index information interest interests line member ' +
    'members net number numbers order orders page pages part parts point points problem problems research section site ' +
    'state states system test text value web webpage website work world'
  ).split(' '),
);

/** The words that end a phrase; lower case. */
export function termStopWords(language: string): ReadonlySet<string> {
  const stopWords = stopWordsOf(language);
  if (baseLanguage(language) !== 'en') return stopWords;
  return new Set([...stopWords].filter((word) => !englishNouns.has(word)));
}

/** A text normalised as candidates are, to compare terms from elsewhere with them. */
export async function normalTerm(text: string, language: string): Promise<string> {
  const words = wordsOf(text, language);
  const { lemma } = await lemmasOf(language);
  return words.map((word, i) => (i === words.length - 1 ? lemma(word) : word)).join(' ');
}

/** The text as numbers of distinct words, as written in lower case. */
interface Text {
  readonly stopWords: ReadonlySet<string>;
  readonly words: readonly string[];
  readonly sentences: IndexLists;
  readonly phrases: IndexLists;
  /** The document of each phrase. */
  readonly documentOf: Uint32Array;
}

// What is between words ends a phrase, other than white space, and what can be inside a word: an apostrophe or a hyphen
// between letters, the point or comma of a number.
const boundary = new RegExp(
  [
    String.raw`(?<![\p{L}\p{M}\p{N}])['’ʼ\u2010-]`,
    String.raw`['’ʼ\u2010-](?![\p{L}\p{N}])`,
    String.raw`(?<!\p{Nd})[.,]`,
    String.raw`[.,](?!\p{Nd})`,
    String.raw`[^\p{L}\p{M}\p{N}\s\u00ad\u200c\u200d'’ʼ\u2010.,-]`,
  ].join('|'),
  'u',
);

async function readText(documents: Collection['documents'], language: string, run?: Run): Promise<Text> {
  const stopWords = termStopWords(language);
  const numbers = new Map<string, number>();
  const sentences: number[][] = [];
  const phrases: number[][] = [];
  const documentOf: number[] = [];
  for (const [d, document] of documents.entries()) {
    if (run && d % 256 === 0) {
      run.progress('read words', d, documents.length);
      await run.breathe();
    }
    for (const { text } of document.sentences) {
      const sentence: number[] = [];
      for (const segment of text.split(boundary)) {
        let phrase: number[] = [];
        for (const word of [...wordsOf(segment, language), '']) {
          if (word === '' || stopWords.has(word)) {
            if (phrase.length > 0) documentOf[phrases.push(phrase) - 1] = d;
            phrase = [];
          }
          if (word === '') continue;
          let number = numbers.get(word);
          if (number === undefined) {
            number = numbers.size;
            numbers.set(word, number);
          }
          sentence.push(number);
          if (!stopWords.has(word)) phrase.push(number);
        }
      }
      sentences.push(sentence);
    }
  }
  return {
    stopWords: stopWordsOf(language),
    words: [...numbers.keys()],
    sentences: indexLists(sentences),
    phrases: indexLists(phrases),
    documentOf: Uint32Array.from(documentOf),
  };
}

interface NumberedLemmas {
  readonly names: readonly string[];
  /** The lemma's number for each distinct written word. */
  readonly of: Uint32Array;
  /** Whether each distinct written word can be a noun. */
  readonly canBeNoun: Uint8Array;
}

function numberLemmas(words: readonly string[], { lemma, canBeNoun }: Lemmas): NumberedLemmas {
  const numbers = new Map<string, number>();
  const of = Uint32Array.from(words, (word) => {
    const name = lemma(word);
    const number = numbers.get(name) ?? numbers.size;
    numbers.set(name, number);
    return number;
  });
  return { names: [...numbers.keys()], of, canBeNoun: Uint8Array.from(words, (word) => Number(canBeNoun(word))) };
}

interface FoundTerm {
  readonly term: string;
  readonly label: string;
  /** Numbers of its words as written. */
  readonly words: Uint32Array;
  readonly documents: Uint32Array;
  readonly counts: Uint32Array;
}

const none = 0xffffffff;

/**
 * Counts runs length by length: a run can only be frequent if the run without its last word is. A run is known by the run
 * without its last word and that word; runs that differ only in the form of the last word are one term.
 */
async function findTerms(
  text: Text,
  lemmas: NumberedLemmas,
  { maxWords, minFrequency }: Required<TermOptions>,
  run?: Run,
): Promise<FoundTerm[]> {
  const { offsets, indices } = text.phrases;
  const possible = possibleTerms(text, lemmas);
  const found: FoundTerm[] = [];
  /** The run of the current length that starts at each position of the phrases, or none. */
  const runAt = new Uint32Array(indices.length);
  let shorter = { counts: Uint32Array.of(indices.length), wordsOf: (_run: number): number[] => [] };
  for (let length = 1; length <= maxWords; length++) {
    await run?.breathe();
    const runs = new PairIndex();
    const occurrences: Occurrences = { runs: [], documents: [] };
    for (let p = 0; p + 1 < offsets.length; p++) {
      for (let at = offsets[p]; at + length <= offsets[p + 1]; at++) {
        const prefix = runAt[at];
        runAt[at] = none;
        if (prefix === none || shorter.counts[prefix] < minFrequency) continue;
        runAt[at] = runs.of(prefix, indices[at + length - 1]);
        occurrences.runs.push(runAt[at]);
        occurrences.documents.push(text.documentOf[p]);
      }
    }
    const counts = new Uint32Array(runs.size);
    for (const each of occurrences.runs) counts[each]++;
    const { wordsOf: wordsBefore } = shorter;
    const wordsOf = (run: number) => [...wordsBefore(runs.first(run)), runs.second(run)];

    const terms = new PairIndex();
    const termOf = Uint32Array.from(counts, (_, run) => terms.of(runs.first(run), lemmas.of[runs.second(run)]));
    const frequency = new Uint32Array(terms.size);
    const usual = new Uint32Array(terms.size).fill(none);
    counts.forEach((count, run) => {
      const term = termOf[run];
      frequency[term] += count;
      if (usual[term] === none || count > counts[usual[term]]) usual[term] = run;
    });
    const places = new Uint32Array(terms.size).fill(none);
    const kept: number[][] = [];
    for (let term = 0; term < terms.size; term++) {
      if (frequency[term] < minFrequency) continue;
      const words = wordsOf(usual[term]);
      if (possible(words)) places[term] = kept.push(words) - 1;
    }
    const perDocument = countPerDocument(occurrences, (run) => places[termOf[run]], kept.length);
    kept.forEach((words, place) => {
      const written = words.map((word) => text.words[word]);
      const lemma = lemmas.names[lemmas.of[words[length - 1]]];
      found.push({
        term: [...written.slice(0, -1), lemma].join(' '),
        label: written.join(' '),
        words: Uint32Array.from(words),
        ...perDocument[place],
      });
    });
    shorter = { counts, wordsOf };
  }
  return found;
}

/** Tells by its words, as numbers, whether a run can be a term. */
function possibleTerms(text: Text, lemmas: NumberedLemmas): (words: readonly number[]) => boolean {
  const letters = Uint32Array.from(text.words, (word) => word.match(/\p{L}/gu)?.length ?? 0);
  return (words) => {
    const last = words[words.length - 1];
    const total = words.reduce((sum, word) => sum + letters[word], 0);
    if (total < 3 || letters[words[0]] < 2 || letters[last] < 2) return false;
    if (words.length === 1) return lemmas.canBeNoun[last] === 1 && !text.stopWords.has(lemmas.names[lemmas.of[last]]);
    return lemmas.canBeNoun[last] === 1 || text.words[last].endsWith('ing');
  };
}

/** The runs of one length in reading order, and the document of each. */
interface Occurrences {
  readonly runs: number[];
  readonly documents: number[];
}

/** The documents of each of `size` terms and how often it occurs there; `placeOf` gives the term of a run, or none. */
function countPerDocument({ runs, documents }: Occurrences, placeOf: (run: number) => number, size: number) {
  const lists = Array.from({ length: size }, () => ({ documents: [] as number[], counts: [] as number[] }));
  runs.forEach((run, i) => {
    const place = placeOf(run);
    if (place === none) return;
    const list = lists[place];
    if (list.documents.at(-1) === documents[i]) list.counts[list.counts.length - 1]++;
    else {
      list.documents.push(documents[i]);
      list.counts.push(1);
    }
  });
  return lists.map((list) => ({
    documents: Uint32Array.from(list.documents),
    counts: Uint32Array.from(list.counts),
  }));
}

function frequencyOf({ counts }: FoundTerm): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The terms in alphabetical order, without those that occur no more often than one longer term they lie within. */
function withoutFragments(
  found: readonly FoundTerm[],
  written: readonly string[],
  lemmas: NumberedLemmas,
): FoundTerm[] {
  const sorted = found.toSorted((a, b) => (a.term < b.term ? -1 : 1));
  const nested = nestedTerms(sorted, written, lemmas);
  const frequency = sorted.map(frequencyOf);
  const fragment = new Uint8Array(sorted.length);
  sorted.forEach((_, t) => {
    for (const inner of listOf(nested, t)) if (frequency[inner] === frequency[t]) fragment[inner] = 1;
  });
  return sorted.filter((_, t) => fragment[t] === 0);
}

/** The distinct terms within each term, other than itself. */
function nestedTerms(found: readonly FoundTerm[], written: readonly string[], lemmas: NumberedLemmas): IndexLists {
  const placeOf = new Map(found.map(({ term }, place) => [term, place]));
  return indexLists(
    found.map(({ words }) => {
      const within = new Set<number>();
      for (let length = 1; length < words.length; length++) {
        for (let from = 0; from + length <= words.length; from++) {
          const run = Array.from(words.subarray(from, from + length), (word) => written[word]);
          run[length - 1] = lemmas.names[lemmas.of[words[from + length - 1]]];
          const place = placeOf.get(run.join(' '));
          if (place !== undefined) within.add(place);
        }
      }
      return Uint32Array.from(within).sort();
    }),
  );
}
