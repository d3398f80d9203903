/** @file Records come in: many at a time, each found by its arXiv id, DOI or title, and made one with what is known. */

import { sql } from 'drizzle-orm';
import { type Drizzle, lockNumber } from '../database/connect.ts';
import type { Site } from '../site.ts';
import { compatible, type Facts, factsOf, merge, type PaperInput, RefusedRecord, type VersionFacts } from './facts.ts';
import { authorKey, paperId } from './identity.ts';
import { type Assign, assigner, storedTopics } from './topics.ts';

export { authorKey, type PaperInput };

export interface Upserted {
  readonly added: number;
  readonly changed: number;
  readonly same: number;
  readonly refused: { readonly index: number; readonly reason: string }[];
}

/** A paper at work: its facts, and the rows that the database has of it. */
interface Held {
  facts: Facts;
  /** Ids of its rows: none for a new one, several where it turns out that two are one. */
  rows: string[];
  /** The facts that the first of the rows holds. */
  before?: Facts;
}

/** Rows as one parameter, which both databases take quickly however many there are. */
const json = (rows: unknown) => sql`${JSON.stringify(rows)}::jsonb`;
const texts = (values: Iterable<string>) => sql`ARRAY(SELECT jsonb_array_elements_text(${json([...values])}))`;

const mostAtOnce = 1_000;

/** Done in the transaction of a batch, when it is known what the batch did. */
export type AlongWith = (tx: Drizzle, done: Upserted) => Promise<void>;

/**
 * Takes records of a source (a few words, kept with the texts). A batch is one transaction. Records of one paper from several
 * sources become one; what is there already changes nothing, the order does not matter. (One thing cannot be known: where
 * papers with different arXiv ids have one title, a record with nothing but that title goes to one that is there.) Sends the
 * job "digest" with { ids } for papers whose text is new.
 * @returns how many papers were added and changed, how many records changed nothing, and which were refused, why.
 */
export async function upsertPapers(site: Site, inputs: readonly PaperInput[], source: string): Promise<Upserted> {
  const total = { added: 0, changed: 0, same: 0, refused: [] as { index: number; reason: string }[] };
  for (let start = 0; start < inputs.length; start += mostAtOnce) {
    const done = await upsertBatch(site, inputs.slice(start, start + mostAtOnce), source);
    total.added += done.added;
    total.changed += done.changed;
    total.same += done.same;
    total.refused.push(...done.refused.map(({ index, reason }) => ({ index: start + index, reason })));
  }
  return total;
}

/** Takes records as `upsertPapers` does, all in one transaction, in which `alongWith` is done too. */
export async function upsertBatch(
  site: Site,
  inputs: readonly PaperInput[],
  source: string,
  alongWith: AlongWith = async () => {},
): Promise<Upserted> {
  const records: Facts[] = [];
  const refused: { index: number; reason: string }[] = [];
  inputs.forEach((input, index) => {
    try {
      records.push(factsOf(input, source));
    } catch (error) {
      if (!(error instanceof RefusedRecord)) throw error;
      refused.push({ index, reason: error.message });
    }
  });
  const { digest, ...done } = await site.database.db.transaction(async (tx) => {
    const { added, changed, digest } =
      records.length > 0 ? await takeBatch(site, tx, records, source) : { added: 0, changed: 0, digest: [] };
    const done = { added, changed, same: records.length - added - changed, refused, digest };
    await alongWith(tx, done);
    return done;
  });
  if (digest.length > 0) await site.jobs.send('digest', { ids: digest });
  return done;
}

async function takeBatch(site: Site, tx: Drizzle, records: readonly Facts[], source: string) {
  // One batch at a time, whichever instance it comes from: two must not add one paper twice.
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockNumber('papers')})`);
  const assign = assigner(await storedTopics(site, tx));
  const shelf = new Shelf(await stored(site, tx, records));
  for (const record of records) shelf.take(record);
  const fresh = [...shelf.held].filter(({ rows }) => rows.length === 0);
  const changed = [...shelf.held].filter(
    ({ rows, before, facts }) => rows.length > 1 || (before && JSON.stringify(before) !== JSON.stringify(facts)),
  );
  for (const { rows } of changed) await joinRows(tx, rows);
  await writeChanged(site, tx, changed);
  await writeFresh(site, tx, fresh, source);
  await writeParts(tx, [...fresh, ...changed], assign);
  const digest = [
    ...fresh,
    ...changed.filter(
      ({ rows, before, facts }) =>
        rows[0] !== paperId(facts) || before?.title !== facts.title || before.abstract !== facts.abstract,
    ),
  ].map(({ facts }) => paperId(facts));
  return { added: fresh.length, changed: changed.length, digest };
}

/** The papers of a batch, found by what they are known by. */
class Shelf {
  readonly held = new Set<Held>();
  readonly #byArxiv = new Map<string, Held>();
  readonly #byDoi = new Map<string, Held>();
  readonly #byTitle = new Map<string, Set<Held>>();

  constructor(stored: readonly Held[]) {
    for (const one of stored) this.#place(one);
  }

  #place(one: Held) {
    this.held.add(one);
    const { arxiv, doi } = one.facts;
    if (arxiv) this.#byArxiv.set(arxiv, one);
    if (doi) this.#byDoi.set(doi, one);
    for (const key of keysOf(one.facts)) {
      const same = this.#byTitle.get(key) ?? new Set();
      this.#byTitle.set(key, same.add(one));
    }
  }

  #remove(one: Held) {
    this.held.delete(one);
    const { arxiv, doi } = one.facts;
    if (arxiv) this.#byArxiv.delete(arxiv);
    if (doi) this.#byDoi.delete(doi);
    for (const key of keysOf(one.facts)) this.#byTitle.get(key)?.delete(one);
  }

  /** Puts a record to the paper it is of; those that it shows to be one paper become one. */
  take(record: Facts) {
    let one: Held = { facts: record, rows: [] };
    const known = record.doi ? this.#byDoi.get(record.doi) : undefined;
    // A DOI belongs to one paper; that of another arXiv id keeps it.
    if (known && !compatible(known.facts, record)) one.facts = { ...record, doi: null };
    for (let other = this.#match(one.facts); other; other = this.#match(one.facts)) {
      this.#remove(other);
      one = {
        facts: merge(other.facts, one.facts),
        rows: [...other.rows, ...one.rows],
        before: other.before ?? one.before,
      };
    }
    this.#place(one);
  }

  #match(facts: Facts): Held | undefined {
    const known = (facts.arxiv && this.#byArxiv.get(facts.arxiv)) || (facts.doi && this.#byDoi.get(facts.doi));
    if (known) return known;
    const sameTitle = keysOf(facts).flatMap((key) => [...(this.#byTitle.get(key) ?? [])]);
    return sameTitle
      .filter((other) => compatible(other.facts, facts))
      .sort((a, b) => (paperId(a.facts) < paperId(b.facts) ? -1 : 1))[0];
  }
}

/** Keys of all the titles a paper has had. */
const keysOf = (facts: Facts): string[] => [
  ...new Set([facts.titleKey, ...facts.versions.map((version) => version.titleKey)]),
];

/** The papers in the database that share an arXiv id, a DOI or a title with one of the records. */
async function stored(site: Site, tx: Drizzle, records: readonly Facts[]): Promise<Held[]> {
  const keys = texts(records.map((record) => record.titleKey));
  const rows = await site.database.rows<Facts & { id: string }>(
    sql`
    WITH found AS (
      SELECT id FROM papers WHERE arxiv = ANY(${texts(records.flatMap(({ arxiv }) => arxiv ?? []))})
      UNION SELECT id FROM papers WHERE doi = ANY(${texts(records.flatMap(({ doi }) => doi ?? []))})
      UNION SELECT id FROM papers WHERE title_key = ANY(${keys})
      UNION SELECT paper FROM versions WHERE title_key = ANY(${keys}))
    SELECT id, title, title_key AS "titleKey", abstract, abstract_kind AS "abstractKind", arxiv, doi, version,
      text_version AS "textVersion", text_at::text AS "textAt", text_source AS "textSource",
      (SELECT coalesce(jsonb_agg(name ORDER BY place), '[]') FROM authors WHERE paper = id) AS authors,
      authors_version AS "authorsVersion", author_count AS "authorCount", posted::text, year_inferred AS "yearInferred",
      withdrawn, to_jsonb(categories) AS categories, to_jsonb(links) AS links, code_url AS "codeUrl",
      code_given AS "codeGiven", system, implemented, imported_comments AS "importedComments",
      imported_votes AS "importedVotes", submitted_by AS "submittedBy",
      (SELECT coalesce(jsonb_agg(jsonb_build_object('version', v.version, 'at', v.at::text, 'title', v.title,
        'titleKey', v.title_key, 'abstract', v.abstract, 'note', v.note) ORDER BY v.version), '[]')
        FROM versions v WHERE v.paper = id) AS versions
    FROM papers WHERE id IN (SELECT id FROM found)`,
    tx,
  );
  return rows.map(({ id, ...facts }) => {
    const inOrder = { ...facts, versions: facts.versions.map(versionInOrder) };
    return { facts: inOrder, before: inOrder, rows: [id] };
  });
}

/** With its fields in the order in which merging leaves them, so that equal ones are equal as JSON. */
const versionInOrder = ({ version, at, title, titleKey: key, abstract, note }: VersionFacts): VersionFacts => ({
  version,
  at,
  title,
  titleKey: key,
  abstract,
  note,
});

/** Moves everything that hangs on the other rows to the first, and takes the others away. */
async function joinRows(tx: Drizzle, [kept, ...others]: readonly string[]) {
  for (const other of others) {
    await tx.execute(sql`UPDATE comments SET paper = ${kept} WHERE paper = ${other}`);
    await tx.execute(sql`INSERT INTO votes (paper, person, at)
      SELECT ${kept}, person, at FROM votes WHERE paper = ${other} ON CONFLICT DO NOTHING`);
    await tx.execute(sql`INSERT INTO views (paper, day, visitor, counted)
      SELECT ${kept}, day, visitor, counted FROM views WHERE paper = ${other} ON CONFLICT DO NOTHING`);
    await tx.execute(sql`INSERT INTO picks (day, place, paper, curator, curator_name, at)
      SELECT day, place, ${kept}, curator, curator_name, at FROM picks WHERE paper = ${other} ON CONFLICT DO NOTHING`);
    await tx.execute(sql`UPDATE issues SET papers = array_replace(papers, ${other}::text, ${kept}::text)
      WHERE ${other} = ANY(papers)`);
    await tx.execute(sql`UPDATE papers SET
        local_comments = (SELECT count(*) FROM comments WHERE paper = ${kept} AND deleted IS NULL),
        local_votes = (SELECT count(*) FROM votes WHERE paper = ${kept}),
        views = views + (SELECT views FROM papers WHERE id = ${other}),
        first_seen = least(first_seen, (SELECT first_seen FROM papers WHERE id = ${other}))
      WHERE id = ${kept}`);
    await tx.execute(sql`DELETE FROM papers WHERE id = ${other}`);
  }
}

/** Columns of papers that come from facts, with their types. */
const columns = [
  ['title', 'text'],
  ['title_key', 'text'],
  ['abstract', 'text'],
  ['abstract_kind', 'text'],
  ['arxiv', 'text'],
  ['doi', 'text'],
  ['version', 'int'],
  ['text_version', 'int'],
  ['text_at', 'date'],
  ['text_source', 'text'],
  ['authors_version', 'int'],
  ['author_count', 'int'],
  ['posted', 'date'],
  ['year_inferred', 'boolean'],
  ['withdrawn', 'boolean'],
  ['categories', 'text[]'],
  ['links', 'text[]'],
  ['code_url', 'text'],
  ['code_given', 'boolean'],
  ['system', 'text'],
  ['implemented', 'boolean'],
  ['imported_comments', 'int'],
  ['imported_votes', 'int'],
  ['submitted_by', 'text'],
] as const;
const named = columns.map(([name]) => name).join(', ');
const typed = columns.map(([name, type]) => `${name} ${type}`).join(', ');

const fieldOf = (column: string) => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const rowOf = (facts: Facts) => ({
  id: paperId(facts),
  ...Object.fromEntries(columns.map(([name]) => [name, facts[fieldOf(name) as keyof Facts]])),
});

async function writeFresh(site: Site, tx: Drizzle, fresh: readonly Held[], source: string) {
  if (fresh.length === 0) return;
  const now = site.clock().toISOString();
  await tx.execute(sql`
    INSERT INTO papers (id, first_seen, updated, source, ${sql.raw(named)})
    SELECT id, ${now}::timestamptz, ${now}::timestamptz, ${source}, ${sql.raw(named)}
    FROM jsonb_to_recordset(${json(fresh.map(({ facts }) => rowOf(facts)))}) AS r(id text, ${sql.raw(typed)})`);
}

async function writeChanged(site: Site, tx: Drizzle, changed: readonly Held[]) {
  if (changed.length === 0) return;
  const now = site.clock().toISOString();
  const renamed = changed.filter(({ rows, facts }) => rows[0] !== paperId(facts));
  const rows = changed.map(({ facts, rows: [was] }) => ({ was, ...rowOf(facts) }));
  await tx.execute(sql`
    UPDATE papers p SET (id, updated, revision, digested_hash, ${sql.raw(named)}) =
      (r.id, ${now}::timestamptz, nextval('revision'),
        CASE WHEN p.title = r.title AND p.abstract = r.abstract THEN p.digested_hash END, ${sql.raw(columns.map(([name]) => `r.${name}`).join(', '))})
    FROM jsonb_to_recordset(${json(rows)}) AS r(was text, id text, ${sql.raw(typed)}) WHERE p.id = r.was`);
  for (const { rows: was, facts } of renamed) {
    await tx.execute(sql`UPDATE issues SET papers = array_replace(papers, ${was[0]}::text, ${paperId(facts)}::text)
      WHERE ${was[0]} = ANY(papers)`);
  }
}

/** Authors, versions and topics of papers whose rows stand. */
async function writeParts(tx: Drizzle, held: readonly Held[], assign: Assign) {
  const named = held.filter(({ before, facts }) => before?.authors.join('\n') !== facts.authors.join('\n'));
  const existing = (some: readonly Held[]) => some.filter(({ before }) => before).map(({ facts }) => paperId(facts));
  const writes = async (table: string, columnsOf: string, some: readonly Held[], rows: object[]) => {
    const ids = existing(some);
    if (ids.length > 0) await tx.execute(sql`DELETE FROM ${sql.raw(table)} WHERE paper = ANY(${texts(ids)})`);
    if (rows.length === 0) return;
    const names = columnsOf.replace(/ \w+(?=,|$)/g, '');
    await tx.execute(sql`INSERT INTO ${sql.raw(table)} (${sql.raw(names)})
      SELECT ${sql.raw(names)} FROM jsonb_to_recordset(${json(rows)}) AS r(${sql.raw(columnsOf)})`);
  };
  await writes(
    'authors',
    'paper text, place int, name text, key text',
    named,
    named.flatMap(({ facts }) =>
      facts.authors.map((name, place) => ({ paper: paperId(facts), place, name, key: authorKey(name) })),
    ),
  );
  const versioned = held.filter(
    ({ before, facts }) => JSON.stringify(before?.versions) !== JSON.stringify(facts.versions),
  );
  await writes(
    'versions',
    'paper text, version int, at date, title text, title_key text, abstract text, note text',
    versioned,
    versioned.flatMap(({ facts }) =>
      facts.versions.map(({ titleKey: key, ...version }) => ({ paper: paperId(facts), title_key: key, ...version })),
    ),
  );
  await writes(
    'paper_topics',
    'paper text, topic text, weight real, posted date',
    held,
    held.flatMap(({ facts }) =>
      [...assign(facts)].map(([topic, weight]) => ({ paper: paperId(facts), topic, weight, posted: facts.posted })),
    ),
  );
}
