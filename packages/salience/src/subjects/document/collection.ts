/** @file A collection of documents, each a list of sentences: the subject of the text methods. */

import { InputError } from '../../core/errors.ts';
import { baseLanguage } from './language.ts';
import { splitSentences } from './sentences.ts';

export interface Sentence {
  /** The sentence as written, white space folded. */
  readonly text: string;
  /** Index of its document in the collection. */
  readonly document: number;
  /** Its place in its document, from 0. */
  readonly position: number;
}

export interface TextDocument {
  readonly name: string;
  readonly sentences: readonly Sentence[];
}

export interface Collection {
  /** BCP 47 tag, e.g. "en". */
  readonly language: string;
  readonly documents: readonly TextDocument[];
  /** All sentences, document after document, in reading order. */
  readonly sentences: readonly Sentence[];
  /** Texts that show the language at large; word statistics come from here where a method asks for them. */
  readonly background?: Collection;
}

export interface CollectionOptions {
  /** BCP 47 tag; "en" by default. */
  language?: string;
  background?: Collection;
}

/**
 * A collection of plain texts, split into sentences.
 * @throws InputError if there is no document, or one holds no sentence; ParameterError if the language is no BCP 47 tag.
 */
export function collect(
  documents: readonly { readonly name: string; readonly text: string }[],
  { language = 'en', background }: CollectionOptions = {},
): Collection {
  const split = documents.map(({ name, text }) => ({ name, sentences: splitSentences(text, language) }));
  return collectSentences(split, { language, background });
}

/**
 * A collection of documents whose sentences are known.
 * @throws as collect.
 */
export function collectSentences(
  documents: readonly { readonly name: string; readonly sentences: readonly string[] }[],
  { language = 'en', background }: CollectionOptions = {},
): Collection {
  baseLanguage(language);
  if (documents.length === 0) throw new InputError('there is no document');
  const all: Sentence[] = [];
  const gathered = documents.map(({ name, sentences }, d) => {
    if (sentences.length === 0) throw new InputError(`${name} holds no sentence`);
    const own = sentences.map((text, position): Sentence => ({ text, document: d, position }));
    for (const sentence of own) all.push(sentence);
    return { name, sentences: own };
  });
  return { language, documents: gathered, sentences: all, ...(background && { background }) };
}
