/** @file The piece of a text that shows why it was found. */

import type { LexemeReader } from './lexemes.ts';

/** A piece of a snippet; `hit` where it is a word that was asked for. */
export interface SnippetPart {
  readonly text: string;
  readonly hit: boolean;
}

const mostWords = 40;
const noLexemes: readonly string[] = [];

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
  // A stem begins with the letter that its words begin with, so only those words are looked at.
  const letters = new Set(Array.from(wanted, (lexeme) => lexeme[0]));
  const written = papers.map(({ title, abstract }) => ({
    title: wordsIn(title, letters),
    abstract: wordsIn(abstract, letters),
  }));
  const candidates = new Set<string>();
  for (const { title, abstract } of written) {
    for (const word of title.candidates.values()) candidates.add(word);
    for (const word of abstract.candidates.values()) candidates.add(word);
  }
  const words = [...candidates];
  const read = await reader.of(words);
  const hits = new Map<string, readonly string[]>();
  read.forEach(({ terms }, i) => {
    const own = terms.filter((term) => wanted.has(term));
    if (own.length > 0) hits.set(words[i], own);
  });
  return papers.map((paper, p) => {
    const snippet = snippetOf(paper.abstract, written[p].abstract, hits);
    if (hits.size === 0 || snippet.some(({ hit }) => hit)) return snippet;
    const ofTitle = snippetOf(paper.title, written[p].title, hits);
    return ofTitle.some(({ hit }) => hit) ? ofTitle : snippet;
  });
}

/** Where the words of a text are, and those that begin with a letter that was asked for, in lower case. */
interface Words {
  /** Start and end of each word in turn; shape [2 · words]. */
  readonly bounds: readonly number[];
  /** By the number of the word. */
  readonly candidates: ReadonlyMap<number, string>;
}

const letterOrDigit = /[\p{L}\p{N}]/u;

/** Whether a UTF-16 code is of a letter or digit; halves of a pair count as letters, so that they stay together. */
function isLetter(code: number): boolean {
  if (code < 128) return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57);
  return (code >= 0xd800 && code <= 0xdfff) || letterOrDigit.test(String.fromCharCode(code));
}

/** Within a word also ' ’ and -. */
const within = (code: number) => code === 39 || code === 45 || code === 0x2019 || isLetter(code);

function wordsIn(text: string, letters: ReadonlySet<string>): Words {
  const bounds: number[] = [];
  const candidates = new Map<number, string>();
  for (let at = 0; at < text.length; at++) {
    if (!isLetter(text.charCodeAt(at))) continue;
    const start = at;
    while (at < text.length && within(text.charCodeAt(at))) at++;
    const first = text[start].toLowerCase();
    if (letters.has(first)) candidates.set(bounds.length / 2, text.slice(start, at).toLowerCase());
    bounds.push(start, at);
  }
  return { bounds, candidates };
}

/**
 * The 40 words of the text with the most different hits, then the most hits, then the first; the first 40 where there is no hit.
 * An ellipsis stands where the text goes on.
 * @param lexemesOf of words in lower case those that were asked for; other words are not in it.
 */
function snippetOf(
  text: string,
  { bounds, candidates }: Words,
  lexemesOf: ReadonlyMap<string, readonly string[]>,
): SnippetPart[] {
  const words = Array.from({ length: bounds.length / 2 }, (_, w) => ({
    start: bounds[2 * w],
    end: bounds[2 * w + 1],
    hits: lexemesOf.get(candidates.get(w) ?? '') ?? noLexemes,
  }));
  if (words.length === 0) return text === '' ? [] : [{ text: text.slice(0, 300), hit: false }];
  const within = new Map<string, number>();
  let hits = 0;
  let best = { from: 0, different: 0, hits: 0 };
  for (let to = 0; to < words.length; to++) {
    for (const lexeme of words[to].hits) {
      within.set(lexeme, (within.get(lexeme) ?? 0) + 1);
      hits++;
    }
    const from = to - mostWords + 1;
    if (from > 0) {
      for (const lexeme of words[from - 1].hits) {
        const left = within.get(lexeme)! - 1;
        if (left === 0) within.delete(lexeme);
        else within.set(lexeme, left);
        hits--;
      }
    }
    if (within.size > best.different || (within.size === best.different && hits > best.hits)) {
      best = { from: Math.max(0, from), different: within.size, hits };
    }
  }
  // A window that ended with its last hit gives way to one with as much before the first hit as behind the last.
  const first = words.findIndex(({ hits: own }, i) => i >= best.from && own.length > 0);
  let last = first;
  for (let i = first; i >= 0 && i < Math.min(words.length, best.from + mostWords); i++) {
    if (words[i].hits.length > 0) last = i;
  }
  const lead = first < 0 ? 0 : Math.max(0, first - ((mostWords - (last - first + 1)) >> 1));
  const from = sentenceStart(text, words, Math.max(0, Math.min(lead, words.length - mostWords)), first);
  const to = Math.min(words.length, from + mostWords);
  const parts: SnippetPart[] = [];
  let at = from === 0 ? 0 : words[from].start;
  let plain = from === 0 ? '' : '… ';
  for (let i = from; i < to; i++) {
    if (words[i].hits.length === 0) continue;
    plain += text.slice(at, words[i].start);
    if (plain !== '') parts.push({ text: plain, hit: false });
    parts.push({ text: text.slice(words[i].start, words[i].end), hit: true });
    plain = '';
    at = words[i].end;
  }
  plain += to === words.length ? text.slice(at) : `${text.slice(at, words[to - 1].end)} …`;
  if (plain !== '') parts.push({ text: plain, hit: false });
  return parts;
}

/** The start of the sentence, where one begins within five words of `from` and not behind the first hit. */
function sentenceStart(text: string, words: readonly { start: number; end: number }[], from: number, hit: number) {
  for (let step = 0; step <= 5; step++) {
    for (const i of [from - step, from + step]) {
      if (i <= 0 || i >= words.length || i > hit) continue;
      if (/[.!?]["')\]]*\s+["'([]*$/.test(text.slice(Math.max(0, words[i].start - 6), words[i].start))) return i;
    }
    if (from - step === 0) return 0;
  }
  return from;
}
