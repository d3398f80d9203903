/** @file Sentence boundaries, after UAX #29 (SB6 to SB11) with the knowledge of abbreviations and of lines that it leaves out. */

import { type Abbreviations, abbreviationsOf } from './abbreviations.ts';

/**
 * The sentences of a plain text in reading order, white space folded; each has a letter or a digit. A blank line ends a
 * sentence, as do headlines and the items of a list; a single line break is a space. Time is linear in the length of the text.
 * @throws ParameterError if `language` is no BCP 47 tag.
 */
export function splitSentences(text: string, language: string): string[] {
  return Array.from(sentencesOf(text, language));
}

/** As splitSentences, one at a time. */
export function* sentencesOf(text: string, language: string): Generator<string> {
  const abbreviations = abbreviationsOf(language);
  const lines = /\r(?!\n)/.test(text) ? text.replace(/\r\n?/g, '\n') : text;
  for (const paragraph of paragraphsOf(lines)) yield* sentencesIn(paragraph, abbreviations);
}

const bullet = /^(?:[-*+•‣◦▪·]|#{1,6})\s+/;
const numbering = /^(?:[–—]|\(?\d{1,3}[.)]|\(?\p{L}\))\s/u;
const headline = /^#{1,6}\s/;
const ruler = /^([-=*_~#])\1{2,}\s*$/;
const capitals = /^[^\p{Ll}]*\p{Lu}[^\p{Ll}]*\p{Lu}[^\p{Ll}]*$/u;

/** Paragraphs, list items and headlines, without the marks in front of them. */
function* paragraphsOf(text: string): Generator<string> {
  let start = -1;
  let itemised = false;
  let ended = false;
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 ? text.length : newline;
    const first = from + lengthAt(/[^\S\n]*/y, text, from);
    const line = text.slice(first, Math.min(to, first + 200)).trimEnd();
    // A number or a dash may begin any line of running prose; it begins an item where one can be expected.
    const item: RegExpExecArray | null =
      bullet.exec(line) ?? (start === -1 || itemised || ended ? numbering.exec(line) : null);
    const alone = headline.test(line) || ruler.test(line) || (start === -1 && line.length <= 80 && capitals.test(line));
    if (start !== -1 && (line === '' || item || alone)) {
      yield text.slice(start, from);
      start = -1;
    }
    if (line !== '') {
      if (start === -1) {
        itemised = item !== null;
        start = first + (bullet.exec(line)?.[0].length ?? 0);
      }
      ended = /[.!?:;…]["'”’»)]?$/.test(text.slice(Math.max(first, to - 8), to).trimEnd());
      if (alone) {
        yield text.slice(start, to);
        start = -1;
      }
    }
    from = to + 1;
  }
  if (start !== -1) yield text.slice(start);
}

function* sentencesIn(paragraph: string, abbreviations: Abbreviations): Generator<string> {
  const terminator = /[\p{Sentence_Terminal}…]/gu;
  let start = 0;
  let searched = 0;
  let worded = false;
  for (;;) {
    const match = terminator.exec(paragraph);
    const end = match ? afterTerminators(paragraph, match.index) : paragraph.length;
    if (!match || isBoundary(paragraph, start, match.index, end, abbreviations)) {
      worded ||= /[\p{L}\p{N}]/u.test(paragraph.slice(searched, end));
      searched = end;
      if (worded) {
        yield folded(paragraph.slice(start, end));
        start = end;
        worded = false;
      }
    }
    if (!match) return;
    terminator.lastIndex = end;
  }
}

function folded(sentence: string): string {
  const trimmed = sentence.trim();
  return /\s\s|[^\S ]/.test(trimmed) ? trimmed.replace(/\s+/g, ' ') : trimmed;
}

/** How many characters a sticky pattern matches at a place. */
function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0].length ?? 0;
}

/** The end of a run of terminators with the closing quotes, brackets and note numbers that stay with them. */
function afterTerminators(paragraph: string, at: number): number {
  let end = at;
  while (end < paragraph.length) {
    const character = String.fromCodePoint(paragraph.codePointAt(end)!);
    const after = end + character.length;
    // “ closes a German quotation and opens most others.
    const closes = /\p{Pi}/u.test(character)
      ? !/^[\p{L}\p{N}]/u.test(paragraph.slice(after, after + 2))
      : /[\p{Sentence_Terminal}…\p{Pe}\p{Pf}"']/u.test(character);
    if (!closes) break;
    end = after;
  }
  end += lengthAt(/\s»(?!\S)/y, paragraph, end);
  return end + lengthAt(/(?:\[\d{1,4}\]|[¹²³⁰⁴-⁹]){0,9}/y, paragraph, end);
}

function isBoundary(paragraph: string, start: number, at: number, end: number, abbreviations: Abbreviations): boolean {
  const next = end + lengthAt(/\s*/y, paragraph, end);
  if (next === paragraph.length) return true;
  // East Asian full stops need no space after them.
  if (/[。．｡！？]/.test(paragraph[at])) return next > end || !/\p{N}/u.test(paragraph[end]);
  if (next === end || /[\p{Sentence_Terminal}…]/u.test(paragraph[next])) return false;
  const opening = next + lengthAt(/[\p{Ps}\p{Pi}"'¿¡*_–—-]{0,8}/uy, paragraph, next);
  if (/^\p{Ll}/u.test(paragraph.slice(opening, opening + 2))) return false;
  const single = paragraph[at] === '.' && !/[\p{Sentence_Terminal}…]/u.test(paragraph[at + 1] ?? '');
  return !single || !isAbbreviated(paragraph, start, at, opening, abbreviations);
}

/** Whether the full stop at `at`, before something that could begin a sentence at `opening`, belongs to an abbreviation. */
function isAbbreviated(
  paragraph: string,
  start: number,
  at: number,
  opening: number,
  { leading, numbered, trailing, starters, ordinals }: Abbreviations,
): boolean {
  if (at - start <= 16 && isEnumerator(paragraph.slice(start, at))) return true;
  const token = /[^\s()[\]{}"“”„«»'’‘/—–]*$/u.exec(paragraph.slice(Math.max(start, at - 24), at))![0];
  const abbreviation = token.toLowerCase();
  const following = /^\p{L}[\p{L}\p{M}]{0,23}/u.exec(paragraph.slice(opening, opening + 24))?.[0] ?? '';
  const dotted = paragraph[opening + following.length] === '.';
  const starts = !dotted && starters.has(following.toLowerCase());
  if (/^\p{L}$/u.test(token)) {
    if (dotted && following.length === 1) return true;
    if (/\p{Lu}/u.test(token) && following !== '') return !starts;
  }
  if (leading.has(abbreviation)) return true;
  if (numbered.has(abbreviation) && /^(?:\p{N}|[IVXLC]+\b)/u.test(paragraph.slice(opening, opening + 8))) return true;
  if (trailing.has(abbreviation) || /^\p{L}{1,3}(?:\.-?\p{L}{1,3})+$/u.test(token)) return !starts;
  return ordinals && /^\d{1,2}$/.test(token) && !starts;
}

/** The number of a section or a list item: "2", "(a", "IV", "3.1". */
function isEnumerator(text: string): boolean {
  return /^\s*[("“]?(?:\d{1,3}(?:\.\d{1,3})*|\p{L}|[ivx]{1,5}|[IVX]{1,5})$/u.test(text);
}
