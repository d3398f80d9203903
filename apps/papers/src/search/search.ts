/** @file Search by words and by meaning at once; papers that are related to one. */

import { type PaperSummary, papersByIds } from '../papers/lists.ts';
import type { Day, Site } from '../site.ts';
import { planQuery } from './plan.ts';
import { searchOf } from './site-search.ts';
import { type SnippetPart, snippetsOf } from './snippet.ts';

export type { SnippetPart };

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

/** Searches for words and phrases; of unknown words alone nothing is found, and a message says so. */
export async function search(site: Site, request: SearchRequest): Promise<SearchResult> {
  const { limit, offset } = request;
  const found = searchOf(site);
  await found.prepare();
  const { index, lexemes } = found.following;
  const plan = await planQuery(request.q, index, lexemes);
  const allowed = await found.allowed(request);
  const { ranked, total } =
    plan.kind === 'everything'
      ? index.newest(allowed, offset + limit)
      : plan.kind === 'words'
        ? index.rank(plan.asked, index.holdingAll(plan.phrases, allowed), offset + limit)
        : { ranked: [], total: 0 };
  const ids = ranked.slice(offset, offset + limit).map((slot) => index.idAt(slot));
  const summaries = await papersByIds(site, ids);
  const snippets = await snippetsOf(summaries, plan.lexemes, lexemes);
  return {
    papers: summaries.map((paper, i) => ({ ...paper, snippet: snippets[i] })),
    total,
    ...(plan.corrected !== undefined && { corrected: plan.corrected }),
    ...(plan.message !== undefined && { message: plan.message }),
  };
}

/** The papers nearest to one by meaning, at most so many; none where there is no such paper. */
export async function related(site: Site, paperId: string, limit: number): Promise<PaperSummary[]> {
  const found = searchOf(site);
  await found.prepare();
  const { index } = found.following;
  const slot = index.slotOf(paperId);
  if (slot === undefined) return [];
  const { ranked } = index.rank(index.tellingTerms(slot, 12), index.alive, limit + 1);
  return papersByIds(
    site,
    ranked
      .filter((other) => other !== slot)
      .slice(0, limit)
      .map((other) => index.idAt(other)),
  );
}
