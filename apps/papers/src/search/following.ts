/** @file The index in memory, loaded from the database and following it by revision. */

import { sql } from 'drizzle-orm';
import { latestRevision } from '../database/connect.ts';
import type { Day, Site } from '../site.ts';
import { LexemeReader, readTsvector } from './lexemes.ts';
import { type IndexedFacts, PaperIndex } from './paper-index.ts';

/** Title and abstract as one text, whose hash says whether they changed. */
export const textHash = sql`md5(p.title || E'\n' || p.abstract)`;

const factColumns = sql`p.id, p.revision::int8 AS revision, p.posted::text AS posted, p.author_count AS "authorCount",
  p.implemented, p.code_url IS NOT NULL AS code, ${textHash} AS "textHash"`;

interface FactRow extends Omit<IndexedFacts, 'revision'> {
  readonly revision: number | string;
}

interface TextRow extends FactRow {
  readonly title: string;
  readonly abstract: string;
  readonly words: string;
}

/** Papers read at a time; between these the server does other things. */
const pageSize = 100;
/** Changes that a search waits for; more are taken in behind it. */
const waitedFor = 500;
/** Transactions that are open for longer than this when they commit may be missed until the next start. */
const overlapMs = 60_000;

const breath = () => new Promise<void>((resolve) => setImmediate(resolve));

function factsOf({ revision, id, posted, authorCount, implemented, code, textHash: hash }: FactRow): IndexedFacts {
  return { id, revision: Number(revision), posted: posted as Day, authorCount, implemented, code, textHash: hash };
}

/** Told of what the index has taken in. */
export interface Listener {
  /** A paper is new, or has a new text: then `before` is the slot it had. Not told while everything is loaded. */
  renewed(facts: IndexedFacts, slot: number, before: number | undefined): void;
  /** The index is as the database was a moment ago. */
  followed(): Promise<void>;
}

/** The index of one site. */
export class Following {
  index = new PaperIndex();
  readonly lexemes: LexemeReader;
  /** The revision up to which changes have been taken in. */
  revision = 0;
  ready = false;
  readonly #site: Site;
  readonly #listener: Listener;
  /** Revisions seen and when, oldest first: changes are looked for from the last that is old enough. */
  #seen: { at: number; revision: number }[] = [];
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #behind = false;
  #checked = -Infinity;
  #counted = -Infinity;
  #uncounted = false;

  constructor(site: Site, listener: Listener) {
    this.#site = site;
    this.#listener = listener;
    this.lexemes = new LexemeReader(site.database);
  }

  /** Reads everything; `progress` is told how many of how many papers are read. */
  async load(total: number, progress: (done: number, total: number) => void): Promise<void> {
    this.#note(await latestRevision(this.#site.database));
    for (let last = ''; ; ) {
      const rows = await this.#site.database.rows<TextRow>(sql`
        SELECT ${factColumns}, p.title, p.abstract, p.words::text AS words FROM papers p
        WHERE p.id > ${last} ORDER BY p.id LIMIT ${pageSize}`);
      for (const row of rows) this.#put(row);
      progress(this.index.size, Math.max(total, this.index.size));
      if (rows.length < pageSize) break;
      last = rows[rows.length - 1].id;
      await breath();
    }
    await this.#listener.followed();
    this.ready = true;
    await this.current(true);
  }

  #put(row: TextRow): void {
    const facts = factsOf(row);
    const before = this.index.slotOf(facts.id);
    const slot = this.index.put(facts, { ...row, lexemes: readTsvector(row.words) });
    if (this.ready) this.#listener.renewed(facts, slot, before);
  }

  #note(revision: number): void {
    const at = performance.now();
    this.#seen.push({ at, revision });
    // In this process transactions come one after the other.
    const overlap = this.#site.database.kind === 'PGlite' ? 0 : overlapMs;
    while (this.#seen.length > 1 && this.#seen[1].at <= at - overlap) this.#seen.shift();
    this.revision = revision;
  }

  /**
   * Takes in what changed before the call: always where the database is in this process or `now` is asked for, else once a second.
   * Many changes are taken in behind the caller's back.
   */
  current(now = false): Promise<void> {
    if (!this.ready) return Promise.resolve();
    const rested = performance.now() - this.#checked > 1000;
    if (!now && !rested && this.#site.database.kind === 'PostgreSQL') return this.#next ?? Promise.resolve();
    // Whoever asks while one is under way waits for the next one, which begins after the asking.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#follow().catch((error) => {
        this.#site.log.error('the search index could not follow the database', { error: String(error) });
      });
      return this.#running;
    });
    return this.#next;
  }

  async #follow(): Promise<void> {
    const { database } = this.#site;
    this.#checked = performance.now();
    const latest = await latestRevision(database);
    if (this.#behind) return;
    if (latest === this.revision) return this.#uncounted && this.#countable() ? this.#count() : undefined;
    const [{ count }] = await database.rows<{ count: number }>(
      sql`SELECT count(*)::int AS count FROM papers WHERE revision > ${this.#seen[0].revision}`,
    );
    if (count <= waitedFor) return this.#takeIn(latest);
    this.#behind = true;
    this.#takeIn(latest)
      .catch((error) => this.#site.log.error('the search index could not follow', { error: String(error) }))
      .finally(() => {
        this.#behind = false;
      });
  }

  async #takeIn(latest: number): Promise<void> {
    const { database } = this.#site;
    let changed = false;
    for (let from = this.#seen[0].revision; ; ) {
      const rows = await database.rows<FactRow>(sql`
        SELECT ${factColumns} FROM papers p WHERE p.revision > ${from} ORDER BY p.revision LIMIT ${pageSize}`);
      const renewed: string[] = [];
      for (const row of rows) {
        const facts = factsOf(row);
        const known = this.index.factsOf(facts.id);
        if (known?.revision !== facts.revision) changed = true;
        if (known?.textHash !== facts.textHash) renewed.push(facts.id);
        else if (known.revision !== facts.revision) this.index.restate(facts);
      }
      if (renewed.length > 0) {
        const texts = await database.rows<TextRow>(sql`
          SELECT ${factColumns}, p.title, p.abstract, p.words::text AS words FROM papers p
          WHERE p.id IN (SELECT json_array_elements_text(${JSON.stringify(renewed)}::json))`);
        for (const row of texts) this.#put(row);
      }
      if (rows.length < pageSize) break;
      from = Number(rows[rows.length - 1].revision);
      await breath();
    }
    // Counting takes a moment; where no paper is other than it was, one may be gone.
    this.#uncounted = true;
    if (!changed || this.#countable()) await this.#count();
    this.#note(latest);
    await this.#listener.followed();
  }

  #countable(): boolean {
    return performance.now() - this.#counted > 1000;
  }

  /** Sees whether papers are gone. */
  async #count(): Promise<void> {
    this.#uncounted = false;
    this.#counted = performance.now();
    const [{ count }] = await this.#site.database.rows<{ count: number }>(
      sql`SELECT count(*)::int AS count FROM papers`,
    );
    if (count !== this.index.size) await this.#compare();
  }

  /** Lets go of papers that are there no longer. */
  async #compare(): Promise<void> {
    const gone = new Set(this.index.ids());
    for (let last = ''; ; ) {
      const rows = await this.#site.database.rows<{ id: string }>(
        sql`SELECT id FROM papers WHERE id > ${last} ORDER BY id LIMIT 5000`,
      );
      for (const { id } of rows) gone.delete(id);
      if (rows.length < 5000) break;
      last = rows[rows.length - 1].id;
      await breath();
    }
    for (const id of gone) this.index.remove(id);
  }
}
