/**
 * @file "For you": papers by how likely somebody wants them, arranged so that no theme fills the list.
 *
 * Relevance. The log-odds of a paper p are
 *
 *     z = −2 + 3 T + 3 A + 2.5 S + 2 H,    r = 1 / (1 + e^−z)
 *
 * T = 1 − Π (1 − w) over the followed topics that p belongs to with weight w; A = 1 where a followed author wrote it;
 * S = the greatest over the saved searches of its full-text rank divided by the best paper's; H = its trending score
 * divided by the highest among the candidates. Candidates are the newest, those that trend, and the newest of all that is followed.
 *
 * Arrangement, by maximal marginal relevance (Carbonell & Goldstein 1998): next comes the p with the greatest
 *
 *     ½ r − ½ (mean over the last twenty placed q of cos(topics p, topics q))
 *
 * The mean stands where the original has the maximum, so that a topic costs the more the larger its share is: of two topics
 * with relevances r and r', the first can have at most about (1 + r − r') / 2 of the list.
 */

import { sql } from 'drizzle-orm';
import { type PaperSummary, papersByIds, trending, trendingScore } from '../papers/lists.ts';
import type { Site } from '../site.ts';
import { dayOf } from '../site.ts';
import { type Follow, followsOf } from './follows.ts';
import type { Member } from './member.ts';

export const forYouFormula =
  'z = −2 + 3 T + 3 A + 2.5 S + 2 H, r = 1 / (1 + e^−z); next comes the greatest ½ r − ½ (mean topic cosine with the last twenty)';

/** What a paper is to somebody. */
export interface Evidence {
  readonly id: string;
  readonly posted: string;
  /** Weights of its topics, by id. */
  readonly topics: ReadonlyMap<string, number>;
  /** T, A, S and H of the formula. */
  readonly topic: number;
  readonly author: 0 | 1;
  readonly search: number;
  readonly trending: number;
}

/** r of the formula. */
export function relevance({ topic, author, search, trending }: Omit<Evidence, 'id' | 'posted' | 'topics'>): number {
  return 1 / (1 + Math.exp(2 - 3 * topic - 3 * author - 2.5 * search - 2 * trending));
}

/** A paper's topic weights, of length 1; those without any are of one kind, the topic "". */
function direction(topics: ReadonlyMap<string, number>): [topic: string, share: number][] {
  const length = Math.hypot(...topics.values());
  return length === 0 ? [['', 1]] : [...topics].map(([topic, weight]) => [topic, weight / length]);
}

/** How many of the last ones a next one is compared with. */
const looksBack = 20;

/** The first `count` in the order of the formula; the same for the same candidates in any order. */
export function arranged<Candidate extends Evidence>(candidates: readonly Candidate[], count: number): Candidate[] {
  const left = candidates
    .map((paper) => ({ paper, r: relevance(paper), towards: direction(paper.topics) }))
    .sort((a, b) => b.r - a.r || b.paper.posted.localeCompare(a.paper.posted) || (a.paper.id < b.paper.id ? -1 : 1));
  const placed: typeof left = [];
  while (placed.length < count && left.length > 0) {
    // The mean of cosines with the last is one product with the mean of their directions.
    const last = placed.slice(-looksBack);
    const mean = new Map<string, number>();
    for (const { towards } of last) {
      for (const [topic, share] of towards) mean.set(topic, (mean.get(topic) ?? 0) + share / last.length);
    }
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const [i, { r, towards }] of left.entries()) {
      // The rest is less relevant still.
      if (r / 2 <= most) break;
      const like = towards.reduce((sum, [topic, share]) => sum + share * (mean.get(topic) ?? 0), 0);
      const worth = r / 2 - like / 2;
      if (worth > most) [best, most] = [i, worth];
    }
    placed.push(...left.splice(best, 1));
  }
  return placed.map(({ paper }) => paper);
}

interface Row {
  readonly id: string;
  readonly posted: string;
  readonly comments: number;
  readonly votes: number;
  readonly views: number;
  readonly topics: Record<string, number>;
  readonly author: string | null;
}

const valuesOf = (follows: readonly Follow[], kind: Follow['kind']) =>
  JSON.stringify(follows.filter((one) => one.kind === kind).map(({ value }) => value));

/** Ranks relative to the best, by paper, for each saved search. */
async function searched(site: Site, words: string): Promise<Map<string, number>> {
  const rows = await site.database.rows<{ id: string; rank: number }>(sql`
    SELECT p.id, ts_rank_cd(p.words, asked)::float8 AS rank
    FROM websearch_to_tsquery('english', ${words}) asked, LATERAL (
      SELECT id FROM papers WHERE papers.words @@ asked AND NOT withdrawn
      ORDER BY posted DESC, discussion DESC, id LIMIT 200) newest JOIN papers p ON p.id = newest.id
    ORDER BY rank DESC, p.id`);
  const best = rows[0]?.rank || 1;
  return new Map(rows.map(({ id, rank }) => [id, rank / best]));
}

/** A paper, and in a few words why it is here. */
export type ForYou = PaperSummary & { readonly because: string };

/**
 * The papers for somebody by the formula, a page of them.
 * @returns the page, and the number of candidates that were ranked.
 */
export async function forYou(
  site: Site,
  person: Pick<Member, 'id'>,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ papers: ForYou[]; total: number }> {
  const followed = await followsOf(site, person);
  const searches = await Promise.all(
    followed
      .filter(({ kind }) => kind === 'search')
      .map(async ({ name }) => ({ name, ranks: await searched(site, name) })),
  );
  const lively = (await trending(site, { limit: 100, offset: 0 })).papers.map(({ id }) => id);
  const found = JSON.stringify([...new Set([...lively, ...searches.flatMap(({ ranks }) => [...ranks.keys()])])]);
  const topicIds = valuesOf(followed, 'topic');
  const authorKeys = valuesOf(followed, 'author');
  const listed = (json: string) => sql`(SELECT jsonb_array_elements_text(${json}::jsonb))`;
  const ids = await site.database.rows<{ id: string }>(sql`
    (SELECT id FROM papers ORDER BY posted DESC, discussion DESC, id LIMIT 300)
    UNION (SELECT theirs.paper FROM jsonb_array_elements_text(${topicIds}::jsonb) AS asked(topic) CROSS JOIN LATERAL
      (SELECT paper FROM paper_topics WHERE topic = asked.topic ORDER BY posted DESC, paper LIMIT 200) theirs)
    UNION (SELECT theirs.paper FROM jsonb_array_elements_text(${authorKeys}::jsonb) AS asked(key) CROSS JOIN LATERAL
      (SELECT a.paper FROM authors a JOIN papers p ON p.id = a.paper WHERE a.key = asked.key
        ORDER BY p.posted DESC, p.id LIMIT 50) theirs)
    UNION ${listed(found)}`);
  // By themselves, since PostgreSQL would guess them to be many and read every paper.
  const rows = await site.database.rows<Row>(sql`
    SELECT p.id, p.posted::text AS posted, p.discussion AS comments, p.imported_votes + p.local_votes AS votes, p.views,
      (SELECT coalesce(jsonb_object_agg(topic, weight), '{}') FROM paper_topics WHERE paper = p.id) AS topics,
      (SELECT min(a.name) FROM authors a WHERE a.paper = p.id AND a.key = ANY(ARRAY${listed(authorKeys)})) AS author
    FROM jsonb_array_elements_text(${JSON.stringify(ids.map(({ id }) => id))}::jsonb) AS asked(id)
    JOIN papers p ON p.id = asked.id WHERE NOT p.withdrawn`);
  const today = Date.parse(dayOf(site.clock()));
  const heat = rows.map((row) => trendingScore(row, (today - Date.parse(row.posted)) / 86_400_000));
  const hottest = heat.reduce((most, score) => Math.max(most, score), Number.MIN_VALUE);
  const topicNames = new Map(followed.filter(({ kind }) => kind === 'topic').map(({ value, name }) => [value, name]));
  const candidates = rows.map(({ id, posted, topics, author }, i) => {
    const weights = new Map(Object.entries(topics));
    const theirs = [...topicNames].filter(([topic]) => weights.has(topic));
    const best = searches.reduce(
      (most, { name, ranks }) => ((ranks.get(id) ?? 0) > most.rank ? { name, rank: ranks.get(id)! } : most),
      { name: '', rank: 0 },
    );
    const because = [
      ...(author ? [`by ${author}`] : []),
      ...theirs.map(([, name]) => name),
      ...(best.rank > 0 ? [`“${best.name}”`] : []),
    ];
    return {
      id,
      posted,
      topics: weights,
      topic: 1 - theirs.reduce((rest, [topic]) => rest * (1 - weights.get(topic)!), 1),
      author: author ? (1 as const) : (0 as const),
      search: best.rank,
      trending: heat[i] / hottest,
      because:
        because.length > 0 ? `You follow ${because.join(', ')}` : heat[i] >= hottest / 2 ? 'Trending' : 'For variety',
    };
  });
  const page = arranged(candidates, offset + limit).slice(offset);
  const because = new Map(page.map((paper) => [paper.id, paper.because]));
  const papers = await papersByIds(
    site,
    page.map(({ id }) => id),
  );
  return { papers: papers.map((paper) => ({ ...paper, because: because.get(paper.id)! })), total: rows.length };
}
