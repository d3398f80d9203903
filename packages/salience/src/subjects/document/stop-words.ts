/** @file Stop words: the words of a language that say little about what a text is about. */

import { baseLanguage } from './language.ts';
import { stopWordLists } from './word-lists.ts';

const none: ReadonlySet<string> = new Set();
const sets = new Map<string, ReadonlySet<string>>();
let lists: Readonly<Record<string, readonly string[]>> | undefined;

/**
 * The stop words of a language in lower case, from the lists of stopwords-iso; the empty set for a language without a list.
 * @throws ParameterError if `language` is no BCP 47 tag.
 */
export function stopWordsOf(language: string): ReadonlySet<string> {
  const base = baseLanguage(language);
  const code = base === 'nb' || base === 'nn' ? 'no' : base;
  lists ??= stopWordLists();
  const list = Object.hasOwn(lists, code) ? lists[code] : undefined;
  if (!list) return none;
  const words = sets.get(code) ?? new Set(list.map((word) => word.normalize('NFKC').toLowerCase()));
  sets.set(code, words);
  return words;
}
