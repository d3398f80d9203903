/** @file Search by words and by meaning at once; papers that are related to one. */

import type { PaperSummary } from '../papers/lists.ts';
import type { Day, Site } from '../site.ts';
import {
  nearestPapers,
  newestPapers,
  planDatabaseQuery,
  rankByWords,
  relatedPapers,
  withoutWords,
} from './database-search.ts';
import { depth, fuse, fused } from './fuse.ts';
import { planQuery } from './plan.ts';
import { type SiteSearch, searchOf } from './site-search.ts';
import { type SnippetPart, snippetsOf } from './snippet.ts';

/** What is looked for, and which page of what is found. */
export interface SearchRequest {
  /** Words, "phrases in quotes"; where it is empty the newest papers are given. */
  readonly q: string;
  readonly from?: Day;
  readonly to?: Day;
  /** Id of a topic. */
  readonly topic?: string;
  readonly implemented?: boolean;
  readonly hasCode?: boolean;
  readonly minAuthors?: number;
  readonly limit: number;
  readonly offset: number;
}

/** A paper with the piece of its text that shows why it was found. */
export type FoundPaper = PaperSummary & { readonly snippet: SnippetPart[] };

export interface SearchResult {
  readonly papers: FoundPaper[];
  /** How many were found, of which this is a page. */
  readonly total: number;
  /** The query that was searched for, where a word of it is in no paper and another is close. */
  readonly corrected?: string;
  /** Why nothing was found, or which words are in no paper. */
  readonly message?: string;
}

/** Papers that are found by meaning alone, at most, and how near they must be beside the nearest. */
const mostByMeaning = 100;
const nearEnough = 0.5;
/** What a place by meaning is worth beside one by words: by the built-in embedder less, since it knows little (docs/search.md). */
const weightOf = (kind: string | undefined) => (kind === 'built-in' ? 0.25 : 1);

/** What was found: ids of the page, and what the snippets mark. */
interface Answer {
  readonly ids: readonly string[];
  readonly total: number;
  readonly lexemes: readonly string[];
  readonly corrected?: string;
  readonly message?: string;
}

/**
 * Searches by words (BM25 over PostgreSQL's lexemes) and by meaning (cosines of vectors), fused by reciprocal rank; papers are
 * filtered before they are ranked; of equals the newer comes first. Of unknown words alone nothing is found, and a message says so.
 */
export async function search(site: Site, request: SearchRequest): Promise<SearchResult> {
  const found = searchOf(site);
  const inMemory = await found.prepare();
  const { ids, lexemes, total, corrected, message } = inMemory
    ? await answerFromMemory(found, request)
    : await answerFromDatabase(found, request);
  const summaries = await found.summaries.of(ids);
  const snippets = await snippetsOf(summaries, lexemes, found.following.lexemes);
  return {
    papers: summaries.map((paper, i) => ({ ...paper, snippet: snippets[i] })),
    total,
    ...(corrected !== undefined && { corrected }),
    ...(message !== undefined && { message }),
  };
}

async function answerFromMemory(found: SiteSearch, request: SearchRequest): Promise<Answer> {
  const { index, lexemes: reader } = found.following;
  const { vectors } = found.meaning;
  const { limit, offset, q } = request;
  const last = offset + limit;
  const plan = await planQuery(q, index, reader);
  const { lexemes, corrected, message } = plan;
  const said = { lexemes, corrected, message };
  const filtered = await found.allowed(request);
  const page = (slots: readonly number[]) => slots.slice(offset, last).map((slot) => index.idAt(slot));
  if (plan.kind === 'nothing') return { ids: [], total: 0, ...said };
  if (plan.kind === 'everything') {
    const { ranked, total } = index.newest(filtered, last);
    return { ids: page(ranked), total, ...said, ...(total === 0 && { message: nothingPasses }) };
  }
  const allowed = index.holdingAll(plan.phrases, filtered);
  const query = vectors && (await found.meaning.place(corrected ?? q, plan.meant));
  const nearest = query ? nearOnes(await vectors.nearest(query, allowed, mostByMeaning)) : [];
  const weight = weightOf(found.meaning.kind);
  const deep = depth(last, weight);
  const words = index.rank(plan.asked, allowed, Math.max(deep, last), nearest);
  const both = fuse(words.ranked.slice(0, deep), nearest, weight, index.before).filter(
    (slot) => index.alive[slot] === 1,
  );
  const total = words.total + words.without.length;
  if (last > both.length) {
    const first = new Set(both);
    both.push(...words.ranked.filter((slot) => !first.has(slot)));
  }
  return {
    ids: page(both),
    total,
    ...said,
    ...(total === 0 && { message: message ?? nothingHolds(plan.phrases.length) }),
  };
}

const nothingPasses = 'No paper passes these filters.';
const nothingHolds = (phrases: number) =>
  phrases > 0 ? 'No paper that passes holds this phrase.' : 'No paper with these words passes these filters.';

/** Those that are at least half as near as the nearest. */
function nearOnes<Item>(nearest: readonly { readonly slot: Item; readonly cosine: number }[]): Item[] {
  return nearest.filter(({ cosine }) => cosine >= nearEnough * nearest[0].cosine).map(({ slot }) => slot);
}

async function answerFromDatabase({ site, following, meaning }: SiteSearch, request: SearchRequest): Promise<Answer> {
  const { limit, offset, q } = request;
  const last = offset + limit;
  const plan = await planDatabaseQuery(q, following.lexemes);
  const { lexemes, message } = plan;
  if (plan.kind === 'nothing') return { ids: [], total: 0, lexemes, message };
  if (plan.kind === 'everything') return { ...(await newestPapers(site, request)), lexemes };
  await meaning.openModel();
  const words = await rankByWords(site, plan, request, Math.max(fused, last));
  const query = await meaning.place(q, lexemes);
  const nearest = query ? nearOnes(await nearestPapers(site, query, mostByMeaning, request, plan)) : [];
  const without = await withoutWords(site, plan, nearest);
  const ranked = words.ranked.slice(0, fused);
  const posted = new Map([...words.ranked, ...nearest].map(({ id, posted: day }) => [id, day]));
  const both = fuse(
    ranked.map(({ id }) => id),
    nearest.map(({ id }) => id),
    weightOf(meaning.kind),
    (a, b) => (posted.get(a) === posted.get(b) ? a < b : posted.get(a)! > posted.get(b)!),
  );
  if (last > both.length) {
    const first = new Set(both);
    both.push(...words.ranked.map(({ id }) => id).filter((id) => !first.has(id)));
  }
  const total = words.total + without;
  return {
    ids: both.slice(offset, last),
    total,
    lexemes,
    ...(total === 0 && { message: nothingHolds(plan.phrases.length) }),
  };
}

/** The papers nearest to one by meaning, at most so many and at least half as near as the nearest; none where there is no such paper. */
export async function related(site: Site, paperId: string, limit: number): Promise<PaperSummary[]> {
  const found = searchOf(site);
  const inMemory = await found.prepare();
  if (!inMemory) {
    const near = await relatedPapers(site, paperId, limit);
    return found.summaries.of(near);
  }
  const { index } = found.following;
  const { vectors } = found.meaning;
  const slot = index.slotOf(paperId);
  if (slot === undefined) return [];
  const own = vectors?.at(slot);
  // Without a vector its most telling words stand for it.
  const near =
    vectors && own?.some((value) => value !== 0)
      ? nearOnes(
          (await vectors.nearest(own.slice(), index.alive, limit + 1)).filter(({ slot: other }) => other !== slot),
        )
      : index.rank(index.tellingTerms(slot, 12), index.alive, limit + 1).ranked;
  const others = near.filter((other) => other !== slot && index.alive[other] === 1).slice(0, limit);
  return found.summaries.of(others.map((other) => index.idAt(other)));
}
