/** @file The words of a text. */

import { baseLanguage } from './language.ts';

interface WordRules {
  readonly lower: (text: string) => string;
  /** Matches a word; absent where words are not told apart by spaces. */
  readonly pattern?: RegExp;
  readonly segmenter?: Intl.Segmenter;
}

/** Written without spaces between words. */
const unspaced = new Set(['zh', 'yue', 'ja', 'th', 'km', 'lo', 'my']);
/** An apostrophe ends a word that was cut short before a vowel: l'eau, dell'arte. */
const eliding = new Set(['fr', 'it', 'ca', 'oc']);
/** Lower case differs from the rest of the world's. */
const ownCase = new Set(['tr', 'az', 'lt']);

const letters = String.raw`[\p{L}\p{N}][\p{L}\p{N}\p{M}\u200c\u200d]*`;
const number = String.raw`(?<=\p{Nd})[.,]\p{Nd}[\p{L}\p{N}\p{M}]*`;
const joined = new RegExp(`${letters}(?:['\u2010-]${letters}|${number})*`, 'gu');
const elided = new RegExp(`${letters}(?:[\u2010-]${letters}|${number})*`, 'gu');

const rules = new Map<string, WordRules>();

function rulesOf(language: string): WordRules {
  let found = rules.get(language);
  if (!found) {
    const base = baseLanguage(language);
    const lower = (text: string) => (ownCase.has(base) ? text.toLocaleLowerCase(base) : text.toLowerCase());
    found = unspaced.has(base)
      ? { lower, segmenter: new Intl.Segmenter(language, { granularity: 'word' }) }
      : { lower, pattern: eliding.has(base) ? elided : joined };
    rules.set(language, found);
  }
  return found;
}

/**
 * The words of a text in reading order, NFKC-folded and in lower case. A word is letters and digits, with the apostrophes and
 * hyphens inside it ("don't", "well-known") and the point or comma inside a number; where a language writes no spaces,
 * the words that Intl.Segmenter tells apart.
 * @throws ParameterError if `language` is no BCP 47 tag.
 */
export function wordsOf(text: string, language: string): string[] {
  const { lower, pattern, segmenter } = rulesOf(language);
  const words: string[] = [];
  for (const piece of piecesOf(text, segmenter ? 512 : 65_536)) {
    const folded = lower(piece.normalize('NFKC'))
      .replace(/[’ʼ]/g, "'")
      .replace(/\u00ad/g, '');
    if (pattern) {
      for (const word of folded.match(pattern) ?? []) words.push(word);
    } else if (segmenter) {
      for (const { segment, isWordLike } of segmenter.segment(folded)) if (isWordLike) words.push(segment);
    }
  }
  return words;
}

/**
 * The text in pieces of at most `size` characters, cut after white space, else after punctuation, else anywhere: a regular
 * expression overflows its stack on a word of megabytes, and the time of Intl.Segmenter grows with the square of its text.
 */
function* piecesOf(text: string, size: number): Generator<string> {
  let from = 0;
  while (text.length - from > size) {
    let to = from + size;
    while (to > from && !/\s/.test(text[to - 1])) to--;
    if (to === from) for (to = from + size; to > from && !/\p{P}/u.test(text[to - 1]); ) to--;
    if (to === from) to = from + size;
    yield text.slice(from, to);
    from = to;
  }
  yield text.slice(from);
}
