/** @file How a search stands in an address: /search?q=token+pruning&from=2024-01-01&topic=pruning&implemented=1&code=1&authors=2. */

import { isDay } from '../papers/facts.ts';
import type { SearchRequest } from './search.ts';

/** A search without the page of its result that is wanted. */
export type Search = Omit<SearchRequest, 'limit' | 'offset'>;

/** Longest query that is read, in characters. */
export const longestQuery = 400;

/**
 * Reads the fields of an address; topics are known by their ids.
 * @returns the search, and what was not understood and left out, each with what would be right.
 */
export function readSearch(
  given: Readonly<Record<string, string>>,
  topics: readonly { readonly id: string }[],
): { search: Search; wrong: string[] } {
  const wrong: string[] = [];
  const take = <Value>(name: string, read: (text: string) => Value | undefined, right: string): Value | undefined => {
    const text = given[name]?.trim() ?? '';
    if (text === '') return undefined;
    const value = read(text);
    if (value === undefined) wrong.push(`“${text.slice(0, 40)}” ${right}`);
    return value;
  };
  const day = (text: string) => (isDay(text) ? text : undefined);
  const yes = (text: string) => text === '1' || text === 'true' || undefined;
  const from = take('from', day, 'is no day of the calendar; days are written 2025-10-28');
  const to = take('to', day, 'is no day of the calendar; days are written 2025-10-28');
  const topic = take('topic', (text) => topics.find(({ id }) => id === text)?.id, 'is no topic');
  const implemented = take('implemented', yes, 'is not 1, which asks for papers that run here');
  const hasCode = take('code', yes, 'is not 1, which asks for papers with code');
  const minAuthors = take(
    'authors',
    (text) => (/^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined),
    'is no number of authors',
  );
  const search = {
    q: (given.q ?? '').slice(0, longestQuery).trim(),
    ...(from && { from }),
    ...(to && { to }),
    ...(topic && { topic }),
    ...(implemented && { implemented }),
    ...(hasCode && { hasCode }),
    ...(minAuthors && { minAuthors }),
  };
  return { search, wrong };
}

/** The query string of a search: what it asks for alone, in one order, so that one search has one address. */
export function searchQuery({ q, from, to, topic, implemented, hasCode, minAuthors }: Search): string {
  return new URLSearchParams({
    q,
    ...(from && { from }),
    ...(to && { to }),
    ...(topic && { topic }),
    ...(implemented && { implemented: '1' }),
    ...(hasCode && { code: '1' }),
    ...(minAuthors && { authors: String(minAuthors) }),
  }).toString();
}
