/** @file The text of a page of the original service, as a reader copies it: its papers with days, author counts, comments. */

import { isDay, limits, type PaperInput } from '../papers/facts.ts';
import { titleKey } from '../papers/identity.ts';
import type { Day } from '../site.ts';
import { type Item, monthOf, UnreadableFile, writtenDay } from './items.ts';

const dateLine = /^([A-Z][a-z]{2}) (\d{1,2})(?:, (\d{4}))?(?: (\d+))?$/;
const authorLine = /^•\s*(\S+)\s+authors?$/;
const dot = /^·$/;

interface PageDate {
  readonly day: Day;
  readonly yearInferred: boolean;
  readonly comments: number;
}

/**
 * Reads "Oct 15, 2024 5": a day, and after it the number of comments. Without a year it is the latest one in which the day
 * is not after the page's.
 * @returns the date, or what is wrong with it.
 */
export function readPageDate(text: string, pageDay: Day): PageDate | { problem: string } {
  const match = dateLine.exec(text);
  if (!match) return { problem: `"${text.slice(0, 40)}" is not a date such as "Oct 15, 2024" or "Oct 15"` };
  const [, name, day, year, comments] = match;
  const month = monthOf(name);
  if (!month) return { problem: `"${name}" is not a month such as Jan or Oct` };
  const written = (of: number) => writtenDay(of, month, Number(day));
  const found = { comments: Number(comments ?? 0) };
  if (year) {
    if (!isDay(written(Number(year)))) return { problem: `the calendar has no ${name} ${day}, ${year}` };
    return { ...found, day: written(Number(year)), yearInferred: false };
  }
  // A leap day is at most eight years back.
  for (let of = Number(pageDay.slice(0, 4)), tries = 0; tries <= 8; of--, tries++)
    if (isDay(written(of)) && written(of) <= pageDay) return { ...found, day: written(of), yearInferred: true };
  return { problem: `the calendar has no ${name} ${day}` };
}

interface Line {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads a page. Its header is skipped up to the page's date, which has no year: the caller gives it.
 * @param pageYear year in which the page was seen, from 1991; default 2025, that of the seed page.
 * @throws UnreadableFile where the header has no date, or the year is not valid.
 */
export function* readSeedPage(text: string, { pageYear = 2025 }: { pageYear?: number } = {}): Generator<Item> {
  if (!Number.isInteger(pageYear) || pageYear < 1991 || pageYear > 9999)
    throw new UnreadableFile(`page year ${pageYear} is not a whole number from 1991`);
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((content, i): Line => ({ line: i + 1, text: content.trim() }))
    .filter((line) => line.text !== '');
  const header = lines.findIndex((line) => dateLine.test(line.text));
  const firstAuthors = lines.findIndex((line) => authorLine.test(line.text));
  if (header < 0 || (firstAuthors >= 0 && header > firstAuthors))
    throw new UnreadableFile('the page’s date, such as "Dec 10", is missing at its top');
  const { line, text: written } = lines[header];
  const page = readPageDate(written, writtenDay(pageYear, 12, 31));
  if ('problem' in page) throw new UnreadableFile(`line ${line}: the page’s date: ${page.problem}`);

  const seen = new Set<string>();
  for (const item of entries(lines.slice(header + 1), page.day)) {
    if ('input' in item) {
      const key = titleKey(item.input.title);
      if (seen.has(key)) {
        yield {
          line: item.line,
          problem: `the title "${item.input.title.slice(0, 80)}" is on the page twice; the first is kept`,
        };
        continue;
      }
      seen.add(key);
    }
    yield item;
  }
}

function* entries(lines: readonly Line[], pageDay: Day): Generator<Item> {
  let at = 0;
  while (at < lines.length) {
    const title = lines[at++];
    const abstract: Line[] = [];
    while (at < lines.length && !authorLine.test(lines[at].text) && !dot.test(lines[at].text))
      abstract.push(lines[at++]);
    const named = `entry "${title.text.slice(0, 60)}"`;
    const authors = lines[at];
    if (authors === undefined || dot.test(authors.text)) {
      yield { line: title.line, problem: `${named}: the line "• 3 authors" is missing` };
      // Its date, where there is one, belongs to it.
      at++;
      if (at < lines.length && dateLine.test(lines[at].text)) at++;
      continue;
    }
    at++;
    if (at < lines.length && dot.test(lines[at].text)) at++;
    const dated = lines[at];
    if (dated === undefined || !/^[A-Z][a-z]{2} \d/.test(dated.text)) {
      yield { line: authors.line, problem: `${named}: a date such as "Oct 15, 2024" is missing after the authors` };
      continue;
    }
    at++;
    const made = record(title, abstract, authors, dated, pageDay);
    yield 'problem' in made
      ? { line: made.line, problem: `${named}: ${made.problem}` }
      : { line: title.line, input: made };
  }
}

function record(
  title: Line,
  abstract: readonly Line[],
  authors: Line,
  dated: Line,
  pageDay: Day,
): PaperInput | { line: number; problem: string } {
  const date = readPageDate(dated.text, pageDay);
  if ('problem' in date) return { line: dated.line, problem: date.problem };
  const count = Number(authorLine.exec(authors.text)![1]);
  if (!Number.isInteger(count) || count < 1)
    return { line: authors.line, problem: `"${authors.text}" is not a number of authors from 1` };
  const words = abstract.map((line) => line.text).join(' ');
  if (title.text.length > limits.title)
    return { line: title.line, problem: `the title has over ${limits.title} characters` };
  if (words.length > limits.abstract)
    return { line: abstract[0].line, problem: `the abstract has over ${limits.abstract} characters` };
  return {
    title: title.text,
    abstract: words,
    authorCount: count,
    posted: date.day,
    yearInferred: date.yearInferred,
    importedComments: date.comments,
  };
}
