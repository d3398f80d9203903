/** @file Lists of papers as readers see them: a day, a span of days, trending, newest, most discussed, by topic and author. */

import { type SQL, sql } from 'drizzle-orm';
import { type Database, latestRevision } from '../database/connect.ts';
import { inOneQueryOf } from '../database/in-one-query.ts';
import type { Day, Site } from '../site.ts';
import { dayOf } from '../site.ts';
import { readPaperId } from './identity.ts';

export { countView } from './views.ts';

/** A paper as lists show it. */
export interface PaperSummary {
  readonly id: string;
  readonly title: string;
  /** Empty where no source has one. */
  readonly abstract: string;
  readonly abstractKind: 'abstract' | 'summary';
  /** Empty where only their number is known. */
  readonly authors: readonly { readonly name: string; readonly key: string }[];
  readonly authorCount: number;
  readonly posted: Day;
  readonly yearInferred: boolean;
  /** Imported and local. */
  readonly comments: number;
  readonly votes: number;
  /** Readers a day, summed. */
  readonly views: number;
  readonly system: string | null;
  readonly implemented: boolean;
  readonly arxiv: string | null;
  readonly doi: string | null;
  readonly codeUrl: string | null;
  readonly digest: readonly { readonly text: string; readonly score: number }[] | null;
  readonly keyphrases: readonly { readonly phrase: string; readonly score: number }[] | null;
  readonly topics: readonly { readonly id: string; readonly name: string }[];
  readonly withdrawn: boolean;
  /** Where a curator picked it for the day that is listed; places from 0. */
  readonly pick?: { readonly place: number; readonly curatorName: string };
}

/** A paper as its own page shows it. */
export interface PaperRecord extends PaperSummary {
  readonly version: number;
  readonly versions: readonly {
    readonly version: number;
    readonly at: Day;
    readonly title: string;
    readonly note: string | null;
  }[];
  readonly categories: readonly string[];
  readonly links: readonly string[];
  readonly firstSeen: Date;
  readonly updated: Date;
  /** Where it came from first, and where its text is from. */
  readonly source: string;
  readonly textSource: string;
}

export interface PaperList {
  readonly papers: PaperSummary[];
  /** Of the whole list, of which this may be a page. */
  readonly total: number;
}

/** A page of a list. */
export interface Page {
  readonly limit: number;
  readonly offset: number;
}

const summaryColumns = sql`
  p.id, p.title, p.abstract, p.abstract_kind AS "abstractKind",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.name, 'key', a.key) ORDER BY a.place), '[]')
    FROM authors a WHERE a.paper = p.id) AS authors,
  p.author_count AS "authorCount", p.posted::text AS posted, p.year_inferred AS "yearInferred",
  p.discussion AS comments, p.imported_votes + p.local_votes AS votes, p.views, p.system, p.implemented, p.arxiv, p.doi,
  p.code_url AS "codeUrl", p.digest, p.keyphrases,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY pt.weight DESC, t.name), '[]')
    FROM paper_topics pt JOIN topics t ON t.id = pt.topic WHERE pt.paper = p.id) AS topics,
  p.withdrawn`;

/** Newest first, then by discussion: the order of the index papers_posted. */
const newestFirst = sql`p.posted DESC, p.discussion DESC, p.id`;

type RecordRow = Omit<PaperRecord, 'firstSeen' | 'updated'> & Record<'asked' | 'seen' | 'at', string>;

/** Whole papers; `asked` is a table of what was asked for, and `where` says which papers that is. */
async function records(database: Database, asked: SQL, where: SQL): Promise<Map<string, PaperRecord>> {
  const rows = await database.rows<RecordRow>(sql`
    SELECT asked.key AS asked, ${summaryColumns}, p.version, p.categories, p.links, p.source,
      p.text_source AS "textSource", extract(epoch FROM p.first_seen) AS seen, extract(epoch FROM p.updated) AS at,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version, 'at', v.at::text, 'title', v.title,
        'note', v.note) ORDER BY v.version), '[]') FROM versions v WHERE v.paper = p.id) AS versions
    FROM ${asked} JOIN papers p ON ${where}`);
  return new Map(
    rows.map(({ asked: key, seen, at, ...record }) => [
      key,
      { ...record, firstSeen: new Date(Number(seen) * 1e3), updated: new Date(Number(at) * 1e3) },
    ]),
  );
}

const recordById = inOneQueryOf((database, ids) =>
  records(database, sql`jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS asked(key)`, sql`p.id = asked.key`),
);

/** One paper by its id, which may carry a version ("2410.11772v2") or be one it had before a better one was known. */
export async function paperById({ database }: Site, id: string): Promise<PaperRecord | undefined> {
  const { ids, doi, titleKey } = readPaperId(id);
  for (const one of ids) {
    const found = await recordById(database, one);
    if (found) return found;
  }
  const find = async (key: string, where: SQL) =>
    (await records(database, sql`(SELECT ${key}::text) AS asked(key)`, where)).get(key);
  return (
    (doi ? await find(doi, sql`p.doi = asked.key`) : undefined) ??
    (await find(
      titleKey,
      sql`p.id = (SELECT id FROM papers WHERE title_key = asked.key
      UNION SELECT paper FROM versions WHERE title_key = asked.key ORDER BY 1 LIMIT 1)`,
    ))
  );
}

/** The papers with these ids, in this order; those that there are not are left out. */
export async function papersByIds(site: Site, ids: readonly string[]): Promise<PaperSummary[]> {
  if (ids.length === 0) return [];
  return site.database.rows<PaperSummary>(sql`
    SELECT ${summaryColumns}
    FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) WITH ORDINALITY AS asked(id, place)
    JOIN papers p ON p.id = asked.id ORDER BY asked.place`);
}

/** A day: the curators' picks in their order, then the other papers posted on it, by discussion, then title. */
export async function dayList(site: Site, day: Day): Promise<PaperList> {
  const picked = await site.database.rows<{ paper: string; place: number; curatorName: string }>(sql`
    SELECT paper, place, curator_name AS "curatorName" FROM picks WHERE day = ${day} ORDER BY place, paper`);
  const picks = (
    await papersByIds(
      site,
      picked.map(({ paper }) => paper),
    )
  ).map((paper, i) => ({
    ...paper,
    pick: { place: picked[i].place, curatorName: picked[i].curatorName },
  }));
  const others = await site.database.rows<PaperSummary>(sql`
    SELECT ${summaryColumns} FROM papers p
    WHERE p.posted = ${day} AND NOT EXISTS (SELECT FROM picks WHERE picks.day = ${day} AND picks.paper = p.id)
    ORDER BY p.discussion DESC, p.title, p.id`);
  const papers = [...picks, ...others];
  return { papers, total: papers.length };
}

/** The latest day, not after the given one, that has picks or papers. */
export async function latestDay(site: Site, notAfter: Day): Promise<Day | undefined> {
  const [{ day }] = await site.database.rows<{ day: Day | null }>(sql`
    SELECT greatest((SELECT max(posted) FROM papers WHERE posted <= ${notAfter}),
      (SELECT max(day) FROM picks WHERE day <= ${notAfter}))::text AS day`);
  return day ?? undefined;
}

/** The nearest days before and after this one that have picks or papers. */
export async function daysAround(site: Site, day: Day): Promise<{ before?: Day; after?: Day }> {
  const [{ before, after }] = await site.database.rows<{ before: Day | null; after: Day | null }>(sql`
    SELECT greatest((SELECT max(posted) FROM papers WHERE posted < ${day}),
        (SELECT max(day) FROM picks WHERE day < ${day}))::text AS before,
      least((SELECT min(posted) FROM papers WHERE posted > ${day}),
        (SELECT min(day) FROM picks WHERE day > ${day}))::text AS after`);
  return { ...(before && { before }), ...(after && { after }) };
}

const counted = new WeakMap<Database, { revision: number; counts: Map<string, Promise<number>> }>();

/** A count that is made once for each state of the database. */
async function countOf({ database }: Site, what: string, query: SQL): Promise<number> {
  const revision = await latestRevision(database);
  let known = counted.get(database);
  if (known?.revision !== revision) {
    known = { revision, counts: new Map() };
    counted.set(database, known);
  }
  let count = known.counts.get(what);
  if (!count) {
    count = database.rows<{ count: number }>(query).then(([row]) => row.count);
    count.catch(() => known.counts.delete(what));
    known.counts.set(what, count);
  }
  return count;
}

const countAll = (site: Site) => countOf(site, 'all', sql`SELECT count(*)::int AS count FROM papers`);

async function paged(site: Site, from: SQL, order: SQL, { limit, offset }: Page): Promise<PaperSummary[]> {
  // Ids first: authors and topics are only looked up for the page itself.
  return site.database.rows<PaperSummary>(sql`
    SELECT ${summaryColumns} FROM (SELECT p.id FROM ${from} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}) page
    JOIN papers p ON p.id = page.id ORDER BY ${order}`);
}

/** The papers posted from one day to another, both included; newest first, then by discussion. */
export async function rangeList(
  site: Site,
  { from, to, limit, offset }: { from: Day; to: Day } & Page,
): Promise<PaperList> {
  const where = sql`papers p WHERE p.posted BETWEEN ${from} AND ${to}`;
  const [papers, total] = await Promise.all([
    paged(site, where, newestFirst, { limit, offset }),
    countOf(site, `${from} ${to}`, sql`SELECT count(*)::int AS count FROM ${where}`),
  ]);
  return { papers, total };
}

/** All papers, newest first, then by discussion. */
export async function newest(site: Site, page: Page): Promise<PaperList> {
  const [papers, total] = await Promise.all([paged(site, sql`papers p`, newestFirst, page), countAll(site)]);
  return { papers, total };
}

/** All papers, those with the most comments first, then the newest. */
export async function mostDiscussed(site: Site, page: Page): Promise<PaperList> {
  const [papers, total] = await Promise.all([
    paged(site, sql`papers p`, sql`p.discussion DESC, p.posted DESC, p.id`, page),
    countAll(site),
  ]);
  return { papers, total };
}

/** The papers of a topic, newest first. */
export async function papersOfTopic(site: Site, topic: string, { limit, offset }: Page): Promise<PaperList> {
  const [papers, total] = await Promise.all([
    site.database.rows<PaperSummary>(sql`
      SELECT ${summaryColumns} FROM (SELECT paper FROM paper_topics WHERE topic = ${topic}
        ORDER BY posted DESC, paper LIMIT ${limit} OFFSET ${offset}) page
      JOIN papers p ON p.id = page.paper ORDER BY p.posted DESC, p.id`),
    countOf(site, `topic ${topic}`, sql`SELECT count(*)::int AS count FROM paper_topics WHERE topic = ${topic}`),
  ]);
  return { papers, total };
}

/** The papers of an author, by the key of the name; newest first. */
export async function papersOfAuthor(site: Site, key: string, page: Page): Promise<PaperList> {
  const from = sql`(SELECT DISTINCT paper FROM authors WHERE key = ${key}) theirs JOIN papers p ON p.id = theirs.paper`;
  const [papers, [{ count }]] = await Promise.all([
    paged(site, from, newestFirst, page),
    site.database.rows<{ count: number }>(
      sql`SELECT count(DISTINCT paper)::int AS count FROM authors WHERE key = ${key}`,
    ),
  ]);
  return { papers, total: count };
}

/** How fast trending forgets. */
export const gravity = 1.5;

/**
 * Score of a paper in trending: (comments + votes + ln(1 + views) + 1) / (age + 2)^1.5, age in whole days (UTC), at least 0.
 * @param ageDays days from the day it was posted to the clock's day.
 */
export function trendingScore(
  { comments, votes, views }: { comments: number; votes: number; views: number },
  ageDays: number,
): number {
  return (comments + votes + Math.log(1 + views) + 1) / (Math.max(0, ageDays) + 2) ** gravity;
}

/** The same formula in SQL, for a row `p` of papers on a day. */
const scoreOn = (today: Day) =>
  sql`(p.activity + 1) / power(greatest(0, ${today}::date - p.posted) + 2.0::float8, ${gravity}::float8)`;

/** Counts are below 2^31, so are levels below 34. */
const allLevels = Array.from({ length: 34 }, (_, level) => `(${level})`).join(', ');

/**
 * Papers by their trending score, then the newest.
 *
 * The score is not computed for all of them, and yet the list is exact. Papers lie on levels, level k having an activity
 * A with 2^k ≤ 1 + A < 2^(k+1) (an index holds each level by day). The newest n of each level are scored first, n being the
 * number that is asked for: the n-th best of them has a score s that the list's last paper has too, at least. On level k only
 * papers of an age with 2^(k+1) / (age + 2)^1.5 ≥ s can reach it; only these are ranked.
 */
export async function trending(site: Site, { limit, offset }: Page): Promise<PaperList> {
  const today = dayOf(site.clock());
  const wanted = limit + offset;
  const score = scoreOn(today);
  // Two questions, for with dates in it the second is planned for the few rows that it reads.
  const [{ least, levels }] = await site.database.rows<{ least: number | null; levels: number[] | null }>(sql`
    WITH early AS (
      SELECT levels.level, best.score FROM (VALUES ${sql.raw(allLevels)}) AS levels(level) CROSS JOIN LATERAL (
        SELECT ${score} AS score FROM papers p WHERE p.level = levels.level
        ORDER BY p.posted DESC, p.id LIMIT ${wanted}) best)
    SELECT (SELECT score FROM early ORDER BY score DESC LIMIT 1 OFFSET ${wanted - 1}) AS least,
      (SELECT jsonb_agg(DISTINCT level) FROM early) AS levels`);
  if (!levels) return { papers: [], total: 0 };
  const parts = levels.map((level) => {
    const age = least ? Math.min(700_000, Math.ceil((2 ** (level + 1) / least) ** (1 / gravity) * 1.000001)) : 700_000;
    return sql`(SELECT p.id, p.posted, ${score} AS score FROM papers p
      WHERE p.level = ${level} AND p.posted >= ${today}::date - ${age}::int
      ORDER BY score DESC, p.posted DESC, p.id LIMIT ${wanted})`;
  });
  const [ids, total] = await Promise.all([
    site.database.rows<{ id: string }>(sql`
      SELECT id FROM (${sql.join(parts, sql` UNION ALL `)}) best
      ORDER BY score DESC, posted DESC, id LIMIT ${limit} OFFSET ${offset}`),
    countAll(site),
  ]);
  return {
    papers: await papersByIds(
      site,
      ids.map(({ id }) => id),
    ),
    total,
  };
}
