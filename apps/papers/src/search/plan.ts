/** @file From a query to what is asked of the index: known words, beginnings of words, corrections, phrases. */

import type { AskedTerm } from 'salience/numerics';
import type { LexemeReader } from './lexemes.ts';
import type { PaperIndex, Phrase } from './paper-index.ts';
import { readQuery, surfaceWords } from './query.ts';

export interface Plan {
  /** `everything` for an empty query, `nothing` where no word of it is known. */
  readonly kind: 'everything' | 'words' | 'nothing';
  readonly asked: readonly AskedTerm[];
  /** Every paper found holds all of these. */
  readonly phrases: readonly Phrase[];
  /** The lexemes that are asked for, with repeats; of the beginning of a word all that it may become. */
  readonly lexemes: readonly string[];
  /** Those that say what is meant: of the beginning of a word the most frequent alone. */
  readonly meant: readonly string[];
  readonly corrected?: string;
  readonly message?: string;
}

const none = { asked: [], phrases: [], lexemes: [], meant: [] };
const quoted = (words: readonly string[]) => words.map((word) => `“${word}”`).join(', ');

/** What a query asks of this index. */
export async function planQuery(text: string, index: PaperIndex, reader: LexemeReader): Promise<Plan> {
  if (text.trim() === '') return { kind: 'everything', ...none };
  const { phrases: phrasesOfQuery, words, open } = readQuery(text);
  if (words.length === 0 && phrasesOfQuery.length === 0) {
    return { kind: 'nothing', ...none, message: 'There is no word in this query.' };
  }
  const read = await reader.of([...words, ...phrasesOfQuery]);
  const asked: AskedTerm[] = [];
  const lexemes: string[] = [];
  const meant: string[] = [];
  const unknown: string[] = [];
  const replacements = new Map<number, string>();
  const ask = (terms: readonly string[]) => {
    const known = terms.flatMap((lexeme) => {
      const term = index.termOf(lexeme);
      return term === undefined ? [] : [{ lexeme, term }];
    });
    for (const { lexeme, term } of known) {
      asked.push(term);
      lexemes.push(lexeme);
      meant.push(lexeme);
    }
    return known.length > 0;
  };
  for (const [i, word] of words.entries()) {
    // Without lexemes it is a word that is everywhere.
    if (read[i].terms.length === 0 || ask(read[i].terms)) continue;
    const [written, ...more] = surfaceWords(word);
    if (more.length > 0 || written === undefined || written.length > 64) {
      unknown.push(word);
      continue;
    }
    if (open && i === words.length - 1 && written.length >= 2) {
      const longer = await reader.of(index.beginningWith(written));
      const found = [...new Set(longer.flatMap(({ terms }) => terms))].filter(
        (lexeme) => index.termOf(lexeme) !== undefined,
      );
      if (found.length > 0) {
        asked.push(found.map((lexeme) => index.termOf(lexeme)!));
        lexemes.push(...found);
        meant.push(found[0]);
        continue;
      }
    }
    const closest = index.spelling.closest(written);
    const [own] = closest === undefined ? [] : await reader.of([closest]);
    if (closest !== undefined && own && ask(own.terms)) replacements.set(i, closest);
    else unknown.push(word);
  }
  const phrases: Phrase[] = [];
  for (const [p, phrase] of phrasesOfQuery.entries()) {
    const { terms } = read[words.length + p];
    const numbers = terms.map((lexeme) => index.termOf(lexeme));
    if (terms.length === 0) {
      return { kind: 'nothing', ...none, message: `“${phrase}” has only words that are in almost every paper.` };
    }
    if (numbers.some((number) => number === undefined)) {
      return { kind: 'nothing', ...none, message: `No paper holds “${phrase}”.` };
    }
    ask(terms);
    phrases.push({ words: surfaceWords(phrase), terms: numbers as number[] });
  }
  if (asked.length === 0) {
    const message =
      unknown.length === 0
        ? 'These words are in almost every paper; add one that tells more.'
        : `No paper holds ${quoted(unknown)}.`;
    return { kind: 'nothing', ...none, message };
  }
  return {
    kind: 'words',
    asked,
    phrases,
    lexemes,
    meant,
    ...(replacements.size > 0 && {
      corrected: [
        ...words.map((word, i) => replacements.get(i) ?? word),
        ...phrasesOfQuery.map((phrase) => `"${phrase}"`),
      ].join(' '),
    }),
    ...(unknown.length > 0 && { message: `No paper holds ${quoted(unknown)}.` }),
  };
}
