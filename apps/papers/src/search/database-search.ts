/** @file Search by the database itself, for collections too large for memory: its full text index, pgvector or exact batches. */

import { type SQL, sql } from 'drizzle-orm';
import type { Day, Site } from '../site.ts';
import { Best } from './best.ts';
import type { LexemeReader } from './lexemes.ts';
import { readQuery } from './query.ts';
import type { Filters } from './site-search.ts';
import { cosineOf, vectorFrom } from './vector-bytes.ts';
import { isComplete } from './vector-table.ts';

export interface DatabasePlan {
  readonly kind: 'everything' | 'words' | 'nothing';
  /** A tsquery of any of the words. */
  readonly words: string;
  readonly phrases: readonly string[];
  readonly lexemes: readonly string[];
  readonly message?: string;
}

export interface RankedPaper {
  readonly id: string;
  readonly posted: Day;
}

const batchSize = 5000;
/** Rounding may swap neighbours; more are looked at than asked for, then told apart exactly. */
const spare = 8;

/** What a query asks of the database: its lexemes, the last word as a beginning. Words are not corrected here. */
export async function planDatabaseQuery(text: string, reader: LexemeReader): Promise<DatabasePlan> {
  const none = { words: '', phrases: [], lexemes: [] };
  if (text.trim() === '') return { kind: 'everything', ...none };
  const { phrases, words, open } = readQuery(text);
  if (words.length === 0 && phrases.length === 0) {
    return { kind: 'nothing', ...none, message: 'There is no word in this query.' };
  }
  const read = await reader.of([...words, ...phrases]);
  const lexemes = read.flatMap(({ terms }) => terms);
  if (lexemes.length === 0 || read.slice(words.length).some(({ terms }) => terms.length === 0)) {
    return { kind: 'nothing', ...none, message: 'These words are in almost every paper; add one that tells more.' };
  }
  const quoted = (lexeme: string) => `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  const asked = lexemes.map(quoted);
  const last = words.at(-1)?.toLowerCase();
  if (open && last && last.length >= 3) asked.push(`${quoted(last)}:*`);
  return { kind: 'words', words: asked.join(' | '), phrases, lexemes };
}

/** Conditions that a paper p passes. */
function passes({ from, to, topic, implemented, hasCode, minAuthors }: Filters): SQL {
  return sql.join(
    [
      sql`true`,
      ...(from ? [sql`p.posted >= ${from}`] : []),
      ...(to ? [sql`p.posted <= ${to}`] : []),
      ...(topic === undefined
        ? []
        : [sql`EXISTS (SELECT FROM paper_topics t WHERE t.paper = p.id AND t.topic = ${topic})`]),
      ...(implemented ? [sql`p.implemented`] : []),
      ...(hasCode ? [sql`p.code_url IS NOT NULL`] : []),
      ...(minAuthors === undefined ? [] : [sql`p.author_count >= ${minAuthors}`]),
    ],
    sql` AND `,
  );
}

/** A text as its words, parted by single spaces. */
const plainWords = (text: SQL) => sql`' ' || regexp_replace(lower(${text}), '[^[:alnum:]]+', ' ', 'g') || ' '`;

/** Conditions that a paper p holds all phrases as written. */
function holds(phrases: readonly string[]): SQL {
  return sql.join(
    [
      sql`true`,
      ...phrases.map((phrase) => {
        const plain = ` ${phrase
          .toLowerCase()
          .replace(/[^\p{L}\p{N}]+/gu, ' ')
          .trim()} `;
        return sql`p.words @@ phraseto_tsquery('english', ${phrase})
          AND (strpos(${plainWords(sql`p.title`)}, ${plain}) > 0 OR strpos(${plainWords(sql`p.abstract`)}, ${plain}) > 0)`;
      }),
    ],
    sql` AND `,
  );
}

/** The newest papers that pass. */
export async function newestPapers(
  { database }: Site,
  request: Filters & { readonly limit: number; readonly offset: number },
): Promise<{ ids: string[]; total: number }> {
  const where = passes(request);
  const rows = await database.rows<{ id: string }>(sql`
    SELECT p.id FROM papers p WHERE ${where} ORDER BY p.posted DESC, p.id LIMIT ${request.limit} OFFSET ${request.offset}`);
  const [{ total }] = await database.rows<{ total: number }>(
    sql`SELECT count(*)::int AS total FROM papers p WHERE ${where}`,
  );
  return { ids: rows.map(({ id }) => id), total };
}

/** Papers with any of the words by ts_rank, best first, at most so many, and how many there are. */
export async function rankByWords(
  { database }: Site,
  { words, phrases }: DatabasePlan,
  filters: Filters,
  most: number,
): Promise<{ ranked: RankedPaper[]; total: number }> {
  const where = sql`p.words @@ ${words}::tsquery AND ${passes(filters)} AND ${holds(phrases)}`;
  const ranked = await database.rows<RankedPaper>(sql`
    SELECT p.id, p.posted::text AS posted FROM papers p WHERE ${where}
    ORDER BY ts_rank(p.words, ${words}::tsquery) DESC, p.posted DESC, p.id LIMIT ${most}`);
  const [{ total }] = await database.rows<{ total: number }>(
    sql`SELECT count(*)::int AS total FROM papers p WHERE ${where}`,
  );
  return { ranked, total };
}

/** How many of these papers hold none of the words. */
export async function withoutWords(
  { database }: Site,
  { words }: DatabasePlan,
  papers: readonly RankedPaper[],
): Promise<number> {
  if (papers.length === 0) return 0;
  const ids = JSON.stringify(papers.map(({ id }) => id));
  const [{ count }] = await database.rows<{ count: number }>(sql`
    SELECT count(*)::int AS count FROM papers p
    WHERE p.id IN (SELECT json_array_elements_text(${ids}::json)) AND NOT p.words @@ ${words}::tsquery`);
  return count;
}

/** A paper that is near: `slot` is the paper, as the memory's answers have a slot. */
export interface NearPaper {
  readonly slot: RankedPaper;
  readonly cosine: number;
}

const byCosine = (a: NearPaper, b: NearPaper) =>
  b.cosine - a.cosine ||
  (a.slot.posted === b.slot.posted ? (a.slot.id < b.slot.id ? -1 : 1) : a.slot.posted > b.slot.posted ? -1 : 1);

/**
 * The papers with the highest cosines above 0 to a query under the model in use, best first: by pgvector's exact order where its
 * table is complete, else from all vectors in batches. Both are told apart in double precision, so they are the same.
 */
export async function nearestPapers(
  site: Site,
  query: Float32Array,
  most: number,
  filters: Filters,
  plan?: DatabasePlan,
): Promise<NearPaper[]> {
  const { database } = site;
  const where = sql`${passes(filters)} AND ${holds(plan?.phrases ?? [])}`;
  const live = sql`(SELECT id FROM embedding_models WHERE state = 'live' LIMIT 1)`;
  let candidates: string[];
  if (await isComplete(database)) {
    const rows = await database.rows<{ id: string }>(sql`
      SELECT p.id FROM embedding_vectors v JOIN papers p ON p.id = v.paper
      WHERE v.model = ${live} AND ${where}
      ORDER BY v.value <=> ${`[${query.join(',')}]`}::vector, p.posted DESC, p.id LIMIT ${most + spare}`);
    candidates = rows.map(({ id }) => id);
  } else {
    const seen: RankedPaper[] = [];
    const best = new Best(most + spare, (a, b) => byCosine(near(seen[a]), near(seen[b])) < 0);
    for (let last = ''; ; ) {
      const rows = await database.rows<RankedPaper & { vector: Uint8Array }>(sql`
        SELECT p.id, p.posted::text AS posted, e.vector FROM embeddings e JOIN papers p ON p.id = e.paper
        WHERE e.model = ${live} AND e.paper > ${last} AND ${where} ORDER BY e.paper LIMIT ${batchSize}`);
      for (const { id, posted, vector } of rows)
        best.offer(seen.push({ id, posted }) - 1, cosineOf(query, vectorFrom(vector)));
      if (rows.length < batchSize) break;
      last = rows[rows.length - 1].id;
    }
    candidates = best.ranked().map((place) => seen[place].id);
  }
  const rows = await database.rows<RankedPaper & { vector: Uint8Array }>(sql`
    SELECT p.id, p.posted::text AS posted, e.vector FROM embeddings e JOIN papers p ON p.id = e.paper
    WHERE e.model = ${live} AND e.paper IN (SELECT json_array_elements_text(${JSON.stringify(candidates)}::json))`);
  return rows
    .map(({ id, posted, vector }) => ({ slot: { id, posted }, cosine: cosineOf(query, vectorFrom(vector)) }))
    .filter(({ cosine }) => cosine > 0)
    .sort(byCosine)
    .slice(0, most);
}

const near = (slot: RankedPaper): NearPaper => ({ slot, cosine: 0 });

/** Ids of the papers nearest to one, at most so many. */
export async function relatedPapers(site: Site, paperId: string, limit: number): Promise<string[]> {
  const [own] = await site.database.rows<{ vector: Uint8Array }>(sql`
    SELECT e.vector FROM embeddings e JOIN embedding_models m ON m.id = e.model
    WHERE m.state = 'live' AND e.paper = ${paperId}`);
  if (!own) return [];
  const found = await nearestPapers(site, vectorFrom(own.vector), limit + 1, {});
  return found
    .map(({ slot }) => slot.id)
    .filter((id) => id !== paperId)
    .slice(0, limit);
}
