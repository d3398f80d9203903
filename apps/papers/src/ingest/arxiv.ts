/** @file The arXiv API: papers of a category, day by day of submission, and single papers by their ids (Atom). */

import { isDay, type PaperInput } from '../papers/facts.ts';
import { readArxivId } from '../papers/identity.ts';
import type { Day } from '../site.ts';
import type { Item } from './items.ts';
import { UnreadableFile } from './items.ts';
import { withFormulas } from './latex.ts';
import { attribute, children, childText, type Element, readXml } from './xml.ts';

const api = 'https://export.arxiv.org/api/query';

/** The pause that arXiv asks for between requests, in milliseconds. */
export const arxivPause = 3_000;

const pageSize = 200;

/** Where the walk stands: the day whose papers are read, and how many of them were. */
export interface ArxivCursor {
  readonly day: Day;
  readonly start: number;
}

/** A category such as "cs.LG" or "hep-th". */
export const isCategory = (text: string) => /^[a-z][a-z-]*(?:\.[A-Za-z][A-Za-z-]*)?$/.test(text);

/** Paper of an entry of the Atom answer. */
function paperOf(entry: Element): PaperInput | { problem: string } {
  const address = childText(entry, 'id');
  const known = readArxivId(address);
  if (!known) return { problem: `"${address.slice(0, 80)}" is not the address of a paper at arXiv` };
  const comment = childText(entry, 'comment');
  const summary = childText(entry, 'summary');
  const published = childText(entry, 'published').slice(0, 10);
  const updated = childText(entry, 'updated').slice(0, 10);
  if (!isDay(published)) return { problem: `${known.id}: "${published}" is not a day` };
  const withdrawn =
    /\bwithdrawn\b/i.test(comment) ||
    /^this (?:paper|article|submission|manuscript) (?:has been|was|is) withdrawn\b/i.test(summary);
  const doi = childText(entry, 'doi');
  const primary = children(entry, 'primary_category').map((category) => attribute(category, 'term'));
  return {
    // As in bibliographies, so that both are known by one title.
    title: withFormulas(childText(entry, 'title')),
    abstract: summary,
    arxiv: known.id,
    version: known.version ?? 1,
    authors: children(entry, 'author').map((author) => childText(author, 'name')),
    posted: published,
    versionDate: isDay(updated) ? updated : published,
    categories: [...primary, ...children(entry, 'category').map((category) => attribute(category, 'term'))].filter(
      Boolean,
    ),
    ...(doi && { doi }),
    ...(comment && { note: comment }),
    withdrawn,
  };
}

/**
 * Reads an answer of the API.
 * @returns its records, and how many there are in all.
 * @throws UnreadableFile where it is no Atom feed, or an error of the API, which is then named.
 */
export function readArxivAnswer(text: string): { items: Item[]; total: number } {
  const [feed] = children(readXml(text), 'feed');
  if (!feed) throw new UnreadableFile('this is not an answer of the arXiv API: there is no <feed>');
  const entries = children(feed, 'entry');
  const failed = entries.find((entry) => childText(entry, 'id').includes('/api/errors'));
  if (failed) throw new UnreadableFile(`arXiv says: ${childText(failed, 'summary')}`);
  return {
    items: entries.map((entry, i): Item => {
      const made = paperOf(entry);
      return 'problem' in made ? { line: i + 1, problem: made.problem } : { line: i + 1, input: made };
    }),
    total: Number(childText(feed, 'totalResults')) || 0,
  };
}

/** Address of one page of a category's papers that were submitted on a day. */
function arxivAddress(category: string, { day, start }: ArxivCursor): string {
  const compact = day.replaceAll('-', '');
  const query = `cat:${category} AND submittedDate:[${compact}0000 TO ${compact}2359]`;
  const asked = {
    search_query: query,
    start: String(start),
    max_results: String(pageSize),
    sortBy: 'submittedDate',
    sortOrder: 'ascending',
  };
  return `${api}?${new URLSearchParams(asked)}`;
}

/** Address of single papers. */
export function arxivAddressOf(ids: readonly string[]): string {
  return `${api}?${new URLSearchParams({ id_list: ids.join(','), max_results: String(ids.length) })}`;
}

/**
 * Walks a category from the cursor to the last day, page by page.
 * @param ask gives the text at an address; it keeps to `arxivPause` and tries again where it is refused.
 * @returns pages, each with the cursor of the page after it.
 */
export async function* walkArxiv(
  category: string,
  { from, to }: { from: ArxivCursor; to: Day },
  ask: (address: string) => Promise<string>,
): AsyncGenerator<{ items: Item[]; next: ArxivCursor; day: Day }> {
  if (!isCategory(category)) throw new UnreadableFile(`"${category}" is not a category of arXiv such as cs.LG`);
  let { day, start } = from;
  while (day <= to) {
    let { items, total } = readArxivAnswer(await ask(arxivAddress(category, { day, start })));
    // The API now and then gives an empty page in the middle; once more it mostly has it.
    for (let tries = 0; items.length === 0 && start < total && tries < 3; tries++)
      ({ items, total } = readArxivAnswer(await ask(arxivAddress(category, { day, start }))));
    if (items.length === 0 && start < total)
      throw new UnreadableFile(`arXiv gives an empty page at ${start} of ${total} papers of ${day}; try again later`);
    const read: Day = day;
    start += items.length;
    if (start >= total) {
      day = new Date(Date.parse(day) + 864e5).toISOString().slice(0, 10);
      start = 0;
    }
    yield { items, next: { day, start }, day: read };
  }
}
