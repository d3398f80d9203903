/** @file Lemmas of nouns, and which words can be nouns, where there is a dictionary for the language (English: WordNet's). */

import { baseLanguage } from './language.ts';

export interface Lemmas {
  /** The noun lemma of a lower-case word, without a possessive 's; the word itself where none is known. */
  lemma(word: string): string;
  /** False for a word that the dictionary knows as a verb or an adjective and not as a noun. */
  canBeNoun(word: string): boolean;
}

/** Lemmas of a language; without a dictionary every word is its own lemma and can be a noun. */
export async function lemmasOf(language: string): Promise<Lemmas> {
  if (baseLanguage(language) !== 'en') return { lemma: (word) => word, canBeNoun: () => true };
  const { default: wink } = await import('wink-lemmatizer');
  // The dictionary is only asked through inflections: it takes an ending off where a word of that kind is left.
  const knows = (word: string, lemma: (form: string) => string, endings: readonly string[]) =>
    lemma(word) !== word || endings.some((ending) => lemma(word + ending) === word);
  return {
    lemma: (word) => wink.noun(word.replace(/'s$/, '')),
    canBeNoun: (word) =>
      knows(word, wink.noun, ['s', 'es']) ||
      !(knows(word, wink.verb, ['s', 'ing']) || knows(word, wink.adjective, ['er'])),
  };
}
