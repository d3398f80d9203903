/**
 * @file Ingest: files and sources are read in batches. With each batch the place after it is kept in the same transaction, so
 * that an ingest that was killed goes on where it was: nothing is lost, nothing is counted twice.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { sql } from 'drizzle-orm';
import { ingests } from '../database/schema.ts';
import type { JobDefinition } from '../jobs/jobs.ts';
import type { PaperInput } from '../papers/facts.ts';
import { upsertBatch } from '../papers/records.ts';
import { type Day, dayOf, type Site } from '../site.ts';
import { arxivPause, isCategory, walkArxiv } from './arxiv.ts';
import { readBibtex } from './bibtex.ts';
import { readDailyPapers, walkDaily } from './daily-papers.ts';
import { readFeed } from './feed.ts';
import { type Item, UnreadableFile } from './items.ts';
import { readJsonLines } from './jsonl.ts';
import { politely, type Sleep, sleep } from './polite-fetch.ts';
import { readRis } from './ris.ts';
import { type Fetch, safeFetch } from './safe-fetch.ts';
import { readSeedPage } from './seed-page.ts';

/** What a file holds; told from the end of its name where it is not said. */
export type Format = 'jsonl' | 'bibtex' | 'ris' | 'feed' | 'daily-papers' | 'page';

const endings: Readonly<Record<string, Format>> = {
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.bib': 'bibtex',
  '.ris': 'ris',
  '.xml': 'feed',
  '.rss': 'feed',
  '.atom': 'feed',
  '.json': 'daily-papers',
  '.txt': 'page',
};

/** Where an ingest stands, for who watches it. */
export interface IngestProgress {
  /** Records read, from where it began or went on. */
  readonly read: number;
  readonly added: number;
  readonly changed: number;
  readonly same: number;
  readonly refused: number;
  /** Of sources that are read by day. */
  readonly day?: Day;
}

export interface IngestResult extends IngestProgress {
  readonly source: string;
  /** Whether it went on with one that was interrupted; the counts are of both. */
  readonly resumed: boolean;
  /** What was wrong with refused records, the first thousand of this run. */
  readonly problems: { readonly line: number; readonly problem: string }[];
}

const batchSize = 500;
const mostProblems = 1_000;

/** Largest file that is read whole: feeds, a day's JSON, a page. */
const largestWhole = 20_000_000;

/** Largest file of records, which is read as a stream. */
const largestStream = 16 * 2 ** 30;

type Cursor = Record<string, unknown>;

/** An ingest at work: its row in the database, and what came of it. */
class Ingest {
  readonly problems: { line: number; problem: string }[] = [];
  #totals = { read: 0, added: 0, changed: 0, same: 0, refused: 0 };
  readonly #site: Site;
  readonly #id: string;
  readonly source: string;
  readonly resumed: boolean;
  #step: number;
  cursor: Cursor;
  readonly #onProgress: (progress: IngestProgress) => void;

  private constructor(
    site: Site,
    row: { id: string; source: string; cursor: Cursor; resumed: boolean },
    counts: { added: number; changed: number; same: number; refused: number },
    onProgress: (progress: IngestProgress) => void,
  ) {
    this.#site = site;
    this.#id = row.id;
    this.source = row.source;
    this.cursor = row.cursor;
    this.resumed = row.resumed;
    this.#step = Number(row.cursor.step ?? 0);
    Object.assign(this.#totals, counts);
    this.#onProgress = onProgress;
  }

  /** Goes on with the last one of this source that did not end and fits, else begins one. */
  static async open(
    site: Site,
    source: string,
    {
      fits,
      begin,
      onProgress,
    }: {
      fits: (cursor: Cursor) => boolean;
      begin: () => Promise<Cursor>;
      onProgress?: (progress: IngestProgress) => void;
    },
  ): Promise<Ingest> {
    const { db } = site.database;
    const [last] = await db
      .select()
      .from(ingests)
      .where(sql`${ingests.source} = ${source}`)
      .orderBy(sql`${ingests.started} DESC, ${ingests.id}`)
      .limit(1);
    const report = onProgress ?? (() => {});
    if (last && last.state !== 'done' && last.cursor && fits(last.cursor)) {
      await db.update(ingests).set({ state: 'running', error: null }).where(sql`${ingests.id} = ${last.id}`);
      const { added, changed, same, refused } = last;
      return new Ingest(
        site,
        { id: last.id, source, cursor: last.cursor, resumed: true },
        { added, changed, same, refused },
        report,
      );
    }
    const cursor = await begin();
    const [made] = await db
      .insert(ingests)
      .values({ source, state: 'running', cursor, started: site.clock() })
      .returning({ id: ingests.id });
    return new Ingest(
      site,
      { id: made.id, source, cursor, resumed: false },
      { added: 0, changed: 0, same: 0, refused: 0 },
      report,
    );
  }

  /** Takes a batch, and the place after it. */
  async take(items: readonly Item[], next: Cursor, day?: Day): Promise<void> {
    const good = items.filter((item): item is { line: number; input: PaperInput } => 'input' in item);
    const wrong = items.filter((item): item is { line: number; problem: string } => 'problem' in item);
    const step = this.#step + 1;
    const cursor = { ...next, step };
    const done = await upsertBatch(
      this.#site,
      good.map(({ input }) => input),
      this.source,
      async (tx, { added, changed, same, refused }) => {
        const moved = await this.#site.database.rows(
          sql`UPDATE ingests SET cursor = ${JSON.stringify(cursor)}::jsonb, added = added + ${added},
              changed = changed + ${changed}, same = same + ${same}, refused = refused + ${refused.length + wrong.length}
            WHERE id = ${this.#id} AND coalesce((cursor->>'step')::int, 0) = ${this.#step} RETURNING id`,
          tx,
        );
        if (moved.length === 0)
          throw new Error(`${this.source} is being read by another process; wait until it is done`);
      },
    );
    this.#step = step;
    this.cursor = cursor;
    this.#totals.read += items.length;
    this.#totals.added += done.added;
    this.#totals.changed += done.changed;
    this.#totals.same += done.same;
    this.#totals.refused += done.refused.length + wrong.length;
    const found = [...wrong, ...done.refused.map(({ index, reason }) => ({ line: good[index].line, problem: reason }))];
    this.problems.push(...found.sort((a, b) => a.line - b.line).slice(0, mostProblems - this.problems.length));
    this.#onProgress({ ...this.#totals, ...(day && { day }) });
  }

  /** Does the reading; the row then says how it ended. One that is aborted stays open, to be gone on with. */
  async run(read: (ingest: Ingest) => Promise<void>): Promise<IngestResult> {
    const end = (state: 'done' | 'failed', error: string | null) =>
      this.#site.database.db
        .update(ingests)
        .set({ state, error, finished: this.#site.clock() })
        .where(sql`${ingests.id} = ${this.#id}`);
    try {
      await read(this);
    } catch (error) {
      if ((error as Error).name !== 'AbortError')
        await end('failed', (error as Error).message.slice(0, 1_000)).catch(() => {});
      throw error;
    }
    await end('done', null);
    return { ...this.#totals, source: this.source, resumed: this.resumed, problems: this.problems };
  }
}

async function* wholeFile(
  path: string,
  format: Format,
  pageYear: number | undefined,
  today: Day,
): AsyncGenerator<Item> {
  const { size } = await stat(path);
  if (size > largestWhole)
    throw new UnreadableFile(
      `${path} is over ${largestWhole / 1e6} MB, too large for this format; put it into JSON lines`,
    );
  const text = await readFile(path, 'utf8');
  if (format === 'page') yield* readSeedPage(text, { pageYear });
  else yield* format === 'feed' ? readFeed(text, today) : readDailyPapers(text);
}

const streams = { jsonl: readJsonLines, bibtex: readBibtex, ris: readRis } as const;

/** Hash of a file's bytes, by which an interrupted ingest knows it again. */
async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Reads a file of papers. One that was interrupted goes on where it was when the same file is given again.
 * @param options `format` where the end of the name does not tell it; `pageYear` for the text of a page.
 * @throws UnreadableFile where it is not what it should be; what was read before stays.
 */
export async function ingestFile(
  site: Site,
  path: string,
  options: { format?: Format; pageYear?: number } = {},
  onProgress?: (progress: IngestProgress) => void,
  signal?: AbortSignal,
): Promise<IngestResult> {
  const format = options.format ?? endings[extname(path).toLowerCase()];
  if (!format)
    throw new UnreadableFile(
      `${path}: its name does not tell what it holds; known are ${Object.keys(endings).join(', ')}`,
    );
  const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new UnreadableFile(`${path}: there is no such file`) : error;
  });
  if (size > largestStream) throw new UnreadableFile(`${path} is over ${largestStream / 2 ** 30} GB; split it`);
  const file = await hashOf(path);
  const ingest = await Ingest.open(site, `file:${basename(path)}`, {
    fits: (cursor) => cursor.file === file && cursor.format === format,
    begin: async () => ({ file, format, records: 0 }),
    onProgress,
  });
  const read = async () => {
    const skipped = Number(ingest.cursor.records);
    const items =
      format in streams
        ? streams[format as keyof typeof streams](createReadStream(path))
        : wholeFile(path, format, options.pageYear, dayOf(site.clock()));
    let place = 0;
    let batch: Item[] = [];
    const flush = async () => {
      if (batch.length === 0) return;
      signal?.throwIfAborted();
      await ingest.take(batch, { file, format, records: place });
      batch = [];
    };
    for await (const item of items) {
      place++;
      if (place <= skipped) continue;
      batch.push(item);
      if (batch.length === batchSize) await flush();
    }
    await flush();
  };
  return ingest.run(() =>
    read().catch((error: Error) => {
      throw error instanceof UnreadableFile && !error.message.startsWith(path)
        ? new UnreadableFile(`${path}: ${error.message}`)
        : error;
    }),
  );
}

/** How many days before the last read one a source is read again: papers appear late. */
const overlap = 2;

/** How far back a source is read at first, in days. */
const atFirst = 7;

const daysBefore = (day: Day, days: number): Day => new Date(Date.parse(day) - days * 864e5).toISOString().slice(0, 10);

/**
 * Reads a source: "arxiv:cs.LG", "daily:https://host" or "feed:https://host/feed.xml". Those that are read by day go on from
 * the last one, at first a week back; `from` and `to` say otherwise.
 * @throws UnreadableFile for what is no source, FetchError where it does not answer.
 */
export async function ingestSource(
  site: Site,
  spec: string,
  options: { from?: Day; to?: Day; fetch?: Fetch; sleep?: Sleep } = {},
  onProgress?: (progress: IngestProgress) => void,
  signal?: AbortSignal,
): Promise<IngestResult> {
  const [, kind, rest = ''] = /^(arxiv|daily|feed):(.+)$/.exec(spec) ?? [];
  if (!kind || (kind === 'arxiv' && !isCategory(rest)) || (kind !== 'arxiv' && !/^https?:\/\//.test(rest)))
    throw new UnreadableFile(
      `"${spec}" is not a source; it should be such as "arxiv:cs.LG", "daily:https://host" or "feed:https://host/feed.xml"`,
    );
  const { fetch = safeFetch, sleep: wait = sleep } = options;
  const polite = politely(site, { fetch, sleep: wait, pauseMs: kind === 'arxiv' ? arxivPause : 1_000 });
  const ask = (address: string) => polite(address, { signal });
  const today = dayOf(site.clock());
  const to = options.to ?? today;
  const ingest = await Ingest.open(site, spec, {
    fits: (cursor) =>
      kind !== 'feed' && cursor.from === (options.from ?? cursor.from) && cursor.asked === (options.from ?? null),
    begin: async () => {
      const from = options.from ?? (await lastDayOf(site, spec)) ?? daysBefore(to, atFirst);
      return { from, asked: options.from ?? null, day: from, start: 0 };
    },
    onProgress,
  });
  const result = await ingest.run(async () => {
    if (kind === 'feed') {
      const items = readFeed(await ask(rest), today);
      for (let start = 0; start < items.length; start += batchSize)
        await ingest.take(items.slice(start, start + batchSize), { day: today });
      return;
    }
    const from = { day: String(ingest.cursor.day), start: Number(ingest.cursor.start ?? 0) };
    const { from: began, asked } = ingest.cursor;
    const pages = kind === 'arxiv' ? walkArxiv(rest, { from, to }, ask) : walkDaily(rest, { from: from.day, to }, ask);
    for await (const { items, next, day } of pages) {
      signal?.throwIfAborted();
      await ingest.take(items, { from: began, asked, ...next }, day);
    }
  });
  await forget(site, spec);
  return result;
}

/** The day from which a source is read again: a little before where it was read to last. */
async function lastDayOf(site: Site, spec: string): Promise<Day | undefined> {
  const [last] = await site.database.rows<{ day: Day }>(sql`
    SELECT cursor->>'day' AS day FROM ingests WHERE source = ${spec} AND state = 'done' AND cursor->>'asked' IS NULL
    ORDER BY started DESC LIMIT 1`);
  // The cursor is the day after the last one.
  return last && daysBefore(last.day, overlap + 1);
}

/** Takes away rows of a source that are over thirty days old, but for the last. */
async function forget(site: Site, spec: string): Promise<void> {
  const old = new Date(site.clock().getTime() - 30 * 864e5).toISOString();
  await site.database.db.execute(sql`
    DELETE FROM ingests WHERE source = ${spec} AND started < ${old}::timestamptz
      AND started < (SELECT max(started) FROM ingests WHERE source = ${spec})`);
}

/** How long a paper may wait before it counts as forgotten, in milliseconds; and how many go into one job. */
const longestWait = 10 * 60_000;
const atOnce = 500;

/** Sends the job "digest" again for papers of which it was lost, when a process died between taking and sending. */
export async function sendForgotten(site: Site): Promise<void> {
  const queue = (await site.jobs.counts()).find(({ name }) => name === 'digest');
  if (queue && queue.waiting + queue.active > 0) return;
  const before = new Date(site.clock().getTime() - longestWait).toISOString();
  const rows = await site.database.rows<{ id: string }>(sql`
    SELECT id FROM papers WHERE digested_hash IS NULL AND updated < ${before}::timestamptz ORDER BY updated LIMIT 20000`);
  for (let start = 0; start < rows.length; start += atOnce)
    await site.jobs.send('digest', { ids: rows.slice(start, start + atOnce).map(({ id }) => id) });
}

/**
 * The job "ingest", which reads the configured sources every hour or, with { source }, that one; and "digest-forgotten",
 * which looks after what an interrupted ingest left.
 */
export function ingestJobs(site: Site, tools: { fetch?: Fetch; sleep?: Sleep } = {}): JobDefinition[] {
  return [
    {
      name: 'ingest',
      cron: '7 * * * *',
      expireInSeconds: 3_300,
      async work(data, signal) {
        const { source } = data as { source?: string };
        for (const spec of source ? [source] : site.config.sources) {
          try {
            const { added, changed, same, refused } = await ingestSource(site, spec, tools, undefined, signal);
            site.log.info('source read', { source: spec, added, changed, same, refused });
          } catch (error) {
            if (signal.aborted) return;
            site.log.error('source not read', { source: spec, reason: (error as Error).message });
          }
        }
      },
    },
    { name: 'digest-forgotten', cron: '*/10 * * * *', work: () => sendForgotten(site) },
  ];
}
