/** @file How often words occur in the language at large. */

import { InputError } from '../../core/errors.ts';
import type { WordFrequencies } from '../../numerics/terms/weirdness.ts';
import type { Collection } from './collection.ts';
import { baseLanguage } from './language.ts';
import { lemmasOf } from './lemmas.ts';
import { subtitleCounts } from './word-lists.ts';
import { wordsOf } from './words.ts';

/**
 * General-language frequencies of the words of a vocabulary: from the collection's background where it has one, else, for
 * English, from the subtitles of films (SUBTLEX-US, Brysbaert & New 2009: 50 million words). Forms are counted with their
 * noun lemma, as the vocabulary's words are.
 * @throws InputError if there is no background and the language is not English, or the background has no words.
 */
export async function generalFrequencies(
  { language, background }: Collection,
  vocabulary: readonly string[],
): Promise<WordFrequencies> {
  if (!background && baseLanguage(language) !== 'en') {
    throw new InputError(
      `there are no general word frequencies for ${JSON.stringify(language)} here; give a background of texts in that language`,
    );
  }
  const { lemma } = await lemmasOf(language);
  const numbers = new Map(vocabulary.map((word, number) => [word, number]));
  const frequency = new Float64Array(vocabulary.length);
  let total = 0;
  for (const [word, count] of background ? counted(background) : subtitles()) {
    total += count;
    const number = numbers.get(lemma(word));
    if (number !== undefined) frequency[number] += count;
  }
  if (total === 0) throw new InputError('the background has no words');
  return { frequency, total };
}

function counted({ sentences, language }: Collection): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of sentences) {
    for (const word of wordsOf(text, language)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function subtitles(): [string, number][] {
  return subtitleCounts().map(({ word, count }) => [word.toLowerCase(), count]);
}
