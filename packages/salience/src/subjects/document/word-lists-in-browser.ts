/** @file Lists of words in a browser: the stop words. The counts of words in subtitles are 4 MB and stay away. */

import lists from 'stopwords-iso';
import { InputError } from '../../core/errors.ts';

/** Stop words by language: the lists of stopwords-iso. */
export function stopWordLists(): Readonly<Record<string, readonly string[]>> {
  return lists;
}

/** @throws InputError always. */
export function subtitleCounts(): readonly { readonly word: string; readonly count: number }[] {
  throw new InputError('there are no general word frequencies in a browser; give a background of texts');
}
