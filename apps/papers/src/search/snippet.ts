/** @file The piece of a text that shows why it was found. */

import type { LexemeReader } from './lexemes.ts';

/** A piece of a snippet; `hit` where it is a word that was asked for. */
export interface SnippetPart {
  readonly text: string;
  readonly hit: boolean;
}

const mostWords = 40;

/**
 * A snippet of each paper: of its abstract, or of its title where only that has a word that was asked for.
 * @param asked the lexemes that were asked for.
 */
export async function snippetsOf(
  papers: readonly { readonly title: string; readonly abstract: string }[],
  asked: readonly string[],
  reader: LexemeReader,
): Promise<SnippetPart[][]> {
  const wanted = new Set(asked);
  const abstracts = papers.map(({ abstract }) => abstract);
  const marked = await markedTexts(abstracts, wanted, reader);
  const without = papers.flatMap((_, p) => (wanted.size > 0 && marked[p].hits.length === 0 ? [p] : []));
  const titles = await markedTexts(
    without.map((p) => papers[p].title),
    wanted,
    reader,
  );
  for (const [i, p] of without.entries()) if (titles[i].hits.length > 0) marked[p] = titles[i];
  return marked.map(snippetOf);
}

/** A word that begins like one that was asked for: which word of its text it is, and its lower case. */
interface Candidate {
  readonly at: number;
  readonly word: string;
}

/** A word that was asked for: which word of its text, and the lexemes it stands for. */
interface Hit {
  readonly at: number;
  readonly lexemes: readonly string[];
}

interface MarkedText {
  readonly text: string;
  /** In the order of the text. */
  readonly hits: readonly Hit[];
}

/** Which words of texts were asked for. */
async function markedTexts(
  texts: readonly string[],
  wanted: ReadonlySet<string>,
  reader: LexemeReader,
): Promise<MarkedText[]> {
  // A stem begins with the letter that its words begin with, so only those words are looked at.
  const letters = new Set(Array.from(wanted, (lexeme) => lexeme.charCodeAt(0)));
  const candidates = texts.map((text) => candidatesIn(text, letters));
  const lexemes = new Map<string, readonly string[] | undefined>();
  for (const some of candidates) for (const { word } of some) lexemes.set(word, undefined);
  const words = [...lexemes.keys()];
  const read = await reader.of(words);
  for (let i = 0; i < words.length; i++) {
    const own = read[i].terms.filter((term) => wanted.has(term));
    if (own.length > 0) lexemes.set(words[i], own);
  }
  return candidates.map((some, t) => {
    const hits: Hit[] = [];
    for (const { at, word } of some) {
      const own = lexemes.get(word);
      if (own) hits.push({ at, lexemes: own });
    }
    return { text: texts[t], hits };
  });
}

const letterOrDigit = /[\p{L}\p{N}]/u;

/** Whether a UTF-16 code is of a letter or digit; halves of a pair count as letters, so that they stay together. */
function isLetter(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
  return (code >= 0xd800 && code <= 0xdfff) || letterOrDigit.test(String.fromCharCode(code));
}

/** Within a word also ' ’ and -. */
const within = (code: number) => code === 39 || code === 45 || code === 0x2019 || isLetter(code);

/** Start and end of each word in turn, of the text that was read last; one list for all, since it is read and used at once. */
let bounds = new Int32Array(4096);

/** Writes the bounds of the words of a text and gives their number. */
function readBounds(text: string): number {
  if (bounds.length < text.length + 2) bounds = new Int32Array(2 * text.length + 2);
  let ends = 0;
  for (let at = 0; at < text.length; at++) {
    if (!isLetter(text.charCodeAt(at))) continue;
    bounds[ends++] = at;
    while (at < text.length && within(text.charCodeAt(at))) at++;
    bounds[ends++] = at;
  }
  return ends / 2;
}

/** The words of a text that begin with one of these letters, which are UTF-16 codes in lower case. */
function candidatesIn(text: string, letters: ReadonlySet<number>): Candidate[] {
  const found: Candidate[] = [];
  if (letters.size === 0) return found;
  const words = readBounds(text);
  for (let at = 0; at < words; at++) {
    const start = bounds[2 * at];
    let first = text.charCodeAt(start);
    if (first >= 65 && first <= 90) first += 32;
    else if (first >= 128) first = text[start].toLowerCase().charCodeAt(0);
    if (letters.has(first)) found.push({ at, word: text.slice(start, bounds[2 * at + 1]).toLowerCase() });
  }
  return found;
}

/**
 * The 40 words of the text with the most different hits, then the most hits, then the first; the first 40 where there is no hit.
 * An ellipsis stands where the text goes on.
 */
function snippetOf({ text, hits }: MarkedText): SnippetPart[] {
  const words = readBounds(text);
  if (words === 0) return text === '' ? [] : [{ text: text.slice(0, 300), hit: false }];
  const inside = new Map<string, number>();
  let best = { first: 0, different: 0, hits: 0 };
  let own = 0;
  // Windows that end with a hit; `first` is the first hit of one.
  for (let last = 0, first = 0; last < hits.length; last++) {
    for (const lexeme of hits[last].lexemes) inside.set(lexeme, (inside.get(lexeme) ?? 0) + 1);
    own += hits[last].lexemes.length;
    for (; hits[first].at <= hits[last].at - mostWords; first++) {
      for (const lexeme of hits[first].lexemes) {
        const left = inside.get(lexeme)! - 1;
        if (left === 0) inside.delete(lexeme);
        else inside.set(lexeme, left);
      }
      own -= hits[first].lexemes.length;
    }
    if (inside.size > best.different || (inside.size === best.different && own > best.hits)) {
      best = { first, different: inside.size, hits: own };
    }
  }
  const from = hits.length === 0 ? 0 : windowStart(text, words, hits, best.first);
  const to = Math.min(words, from + mostWords);
  const parts: SnippetPart[] = [];
  let at = from === 0 ? 0 : bounds[2 * from];
  let plain = from === 0 ? '' : '… ';
  for (const { at: word } of hits) {
    if (word < from || word >= to) continue;
    const [start, end] = [bounds[2 * word], bounds[2 * word + 1]];
    plain += text.slice(at, start);
    if (plain !== '') parts.push({ text: plain, hit: false });
    parts.push({ text: text.slice(start, end), hit: true });
    plain = '';
    at = end;
  }
  plain += to === words ? text.slice(at) : `${text.slice(at, bounds[2 * to - 1])} …`;
  if (plain !== '') parts.push({ text: plain, hit: false });
  return parts;
}

/** The first word of the window with hits from this one on: as much before its first hit as behind its last, from a sentence's start where one is near. */
function windowStart(text: string, words: number, hits: readonly Hit[], first: number): number {
  const begin = hits[first].at;
  let end = begin;
  for (let i = first; i < hits.length && hits[i].at < begin + mostWords; i++) end = hits[i].at;
  const lead = Math.max(0, begin - ((mostWords - (end - begin + 1)) >> 1));
  return sentenceStart(text, words, Math.max(0, Math.min(lead, words - mostWords)), begin);
}

/** The start of the sentence, where one begins within five words of `from` and not behind the first hit. */
function sentenceStart(text: string, words: number, from: number, hit: number): number {
  for (let step = 0; step <= 5; step++) {
    for (const i of [from - step, from + step]) {
      if (i <= 0 || i >= words || i > hit) continue;
      const start = bounds[2 * i];
      if (/[.!?]["')\]]*\s+["'([]*$/.test(text.slice(Math.max(0, start - 6), start))) return i;
    }
    if (from - step === 0) return 0;
  }
  return from;
}
