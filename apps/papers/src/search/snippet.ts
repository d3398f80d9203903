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
  // A stem begins with the letter that its words begin with.
  const letters = new Set(Array.from(wanted, (lexeme) => lexeme[0]));
  const candidates = new Set<string>();
  for (const paper of papers) {
    const { byLetter } = writtenIn(paper);
    for (const letter of letters) for (const lower of byLetter.get(letter) ?? []) candidates.add(lower);
  }
  const words = [...candidates];
  const read = await reader.of(words);
  const hits = new Map<string, readonly string[]>();
  read.forEach(({ terms }, i) => {
    const own = terms.filter((term) => wanted.has(term));
    if (own.length > 0) hits.set(words[i], own);
  });
  const lexemesOf = (word: string) => hits.get(word) ?? noLexemes;
  return papers.map((paper) => {
    const written = writtenIn(paper);
    const snippet = snippetOf(paper.abstract, written.abstract, lexemesOf);
    if (hits.size === 0 || snippet.some(({ hit }) => hit)) return snippet;
    const ofTitle = snippetOf(paper.title, written.title, lexemesOf);
    return ofTitle.some(({ hit }) => hit) ? ofTitle : snippet;
  });
}

const word = /[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu;

/** A word of a text and its place. */
interface Written {
  readonly start: number;
  readonly end: number;
  readonly lower: string;
}

interface WrittenPaper {
  readonly title: readonly Written[];
  readonly abstract: readonly Written[];
  /** The different words by their first letter. */
  readonly byLetter: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Summaries are kept, and so are their words. */
const known = new WeakMap<object, WrittenPaper>();

function writtenIn(paper: { readonly title: string; readonly abstract: string }): WrittenPaper {
  let written = known.get(paper);
  if (!written) {
    const title = wordsIn(paper.title);
    const abstract = wordsIn(paper.abstract);
    const byLetter = new Map<string, Set<string>>();
    for (const { lower } of [...title, ...abstract]) {
      const own = byLetter.get(lower[0]) ?? new Set();
      byLetter.set(lower[0], own.add(lower));
    }
    written = { title, abstract, byLetter };
    known.set(paper, written);
  }
  return written;
}

function wordsIn(text: string): Written[] {
  const words: Written[] = [];
  for (const { 0: written, index } of text.matchAll(word)) {
    words.push({ start: index, end: index + written.length, lower: written.toLowerCase() });
  }
  return words;
}

/**
 * The 40 words of the text with the most different hits, then the most hits, then the first; the first 40 where there is no hit.
 * An ellipsis stands where the text goes on.
 * @param lexemesOf of a word in lower case those that were asked for, none for other words.
 */
function snippetOf(
  text: string,
  written: readonly Written[],
  lexemesOf: (word: string) => readonly string[],
): SnippetPart[] {
  const words = written.map(({ start, end, lower }) => ({ start, end, hits: lexemesOf(lower) }));
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
