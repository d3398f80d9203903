/** @file Which papers /api/daily_papers and /api/papers list, and in which order. */

import { type SQL, sql } from 'drizzle-orm';
import {
  dayList,
  gravity,
  type PaperSummary,
  papersByIds,
  rangeList,
  trending,
  trendingScore,
} from '../papers/lists.ts';
import { type Day, dayOf, type Site } from '../site.ts';
import { fileSource, siteName } from './original-answers.ts';

export interface Asked {
  /** The list of this day, curated. */
  readonly day?: Day;
  /** Papers posted in these days, both included. */
  readonly span?: { readonly from: Day; readonly to: Day };
  /** Name of the person or source that brought it; capitals do not matter. */
  readonly submitter?: string;
  readonly sort?: 'publishedAt' | 'trending';
  readonly limit: number;
  readonly offset: number;
}

export interface Listed {
  readonly papers: PaperSummary[];
  /** Of the whole list. */
  readonly total: number;
}

const msPerDay = 86_400_000;

/** A paper's trending score on the clock's day. */
export function scoreOf(site: Site, paper: PaperSummary): number {
  const today = Date.parse(dayOf(site.clock()));
  return trendingScore(paper, Math.round((today - Date.parse(paper.posted)) / msPerDay));
}

const broughtBy = (name: string): SQL => sql`(lower(coalesce(u.name,
    CASE WHEN starts_with(p.source, ${fileSource}) THEN ${siteName} ELSE p.source END)) = lower(${name})
  OR EXISTS (SELECT FROM picks WHERE picks.paper = p.id AND lower(picks.curator_name) = lower(${name})))`;

/**
 * A page of what is asked for. A day comes in its curated order, a span by votes as the original has it, everything else
 * newest first; or by trending score.
 */
export async function dailyPapers(site: Site, asked: Asked): Promise<Listed> {
  const { day, span, submitter, sort, limit, offset } = asked;
  if (day !== undefined && submitter === undefined) {
    const { papers, total } = await dayList(site, day);
    const ordered = sort === 'trending' ? papers.toSorted((a, b) => scoreOf(site, b) - scoreOf(site, a)) : papers;
    return { papers: ordered.slice(offset, offset + limit), total };
  }
  if (day === undefined && span === undefined && submitter === undefined && sort === 'trending') {
    return trending(site, { limit, offset });
  }
  const today = dayOf(site.clock());
  if (day === undefined && span === undefined && submitter === undefined) {
    return rangeList(site, { from: '0001-01-01', to: today, limit, offset });
  }
  const { from, to } = day === undefined ? (span ?? { from: '0001-01-01', to: today }) : { from: day, to: day };
  const where = sql`p.posted BETWEEN ${from} AND ${to} AND ${submitter === undefined ? sql`true` : broughtBy(submitter)}`;
  const votes = sql`p.imported_votes + p.local_votes`;
  // The formula of trendingScore.
  const score = sql`(p.activity + 1) / power(greatest(0, ${today}::date - p.posted) + 2.0::float8, ${gravity}::float8)`;
  const first = sort === 'trending' ? sql`${score} DESC,` : span ? sql`${votes} DESC,` : sql``;
  const order = sql`${first} p.posted DESC, p.discussion DESC, p.id`;
  const tables = sql`papers p ${submitter === undefined ? sql`` : sql`LEFT JOIN "user" u ON u.id = p.submitted_by`}`;
  const [ids, [{ total }]] = await Promise.all([
    site.database.rows<{ id: string }>(
      sql`SELECT p.id FROM ${tables} WHERE ${where} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`,
    ),
    site.database.rows<{ total: number }>(sql`SELECT count(*)::int AS total FROM ${tables} WHERE ${where}`),
  ]);
  const papers = await papersByIds(
    site,
    ids.map(({ id }) => id),
  );
  return { papers, total };
}
