/**
 * @file Backups: everything in the database as one file of JSON lines, packed by gzip. First a header, then each table's name
 * and columns followed by its rows, at the end their number. Jobs that wait are not part of it, nor are files of the data folder.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { is, sql } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { type Drizzle, latestRevision, lockNumber, touch } from '../database/connect.ts';
import * as schema from '../database/schema.ts';
import type { Site } from '../site.ts';
import { linesOf, UnreadableFile } from './items.ts';

interface Table {
  readonly name: string;
  /** Those that are stored, not computed. */
  readonly columns: readonly string[];
  /** Of the columns those that name another row of the same table. */
  readonly own: readonly string[];
  readonly needs: ReadonlySet<string>;
}

/** All tables, each after those that its rows refer to. */
function allTables(): Table[] {
  const tables = Object.values(schema).filter((one) => is(one, PgTable));
  const described = tables.map((table): Table => {
    const { name, columns, foreignKeys } = getTableConfig(table as PgTable);
    const references = foreignKeys.map((key) => key.reference());
    const target = (key: (typeof references)[number]) => getTableConfig(key.foreignTable).name;
    return {
      name,
      columns: columns.filter((column) => !column.generated).map((column) => column.name),
      own: references.filter((key) => target(key) === name).flatMap((key) => key.columns.map((column) => column.name)),
      needs: new Set(references.map(target).filter((other) => other !== name)),
    };
  });
  const ordered: Table[] = [];
  const placed = new Set<string>();
  while (ordered.length < described.length) {
    const next = described.find(
      ({ name, needs }) => !placed.has(name) && [...needs].every((other) => placed.has(other)),
    );
    if (!next) throw new Error('the tables refer to each other in a circle');
    ordered.push(next);
    placed.add(next.name);
  }
  return ordered;
}

const quoted = (name: string) => sql.raw(`"${name}"`);
const list = (names: readonly string[]) => sql.raw(names.map((name) => `"${name}"`).join(', '));

const formatVersion = 1;
const header = z.strictObject({
  format: z.literal('salience-papers'),
  version: z.literal(formatVersion),
  made: z.string(),
  revision: z.number().int().min(0),
});
const tableLine = z.strictObject({ table: z.string(), columns: z.array(z.string()).min(1) });
const endLine = z.strictObject({ end: z.number().int().min(0) });

/** What a backup did, table by table. */
export interface BackupProgress {
  readonly table: string;
  readonly rows: number;
}

const fetched = 500;

/**
 * Writes everything to a file, as it is at one moment. It is written beside and renamed, so a whole file is there or none.
 * @returns the number of rows.
 */
export async function exportAll(
  site: Site,
  path: string,
  onProgress: (progress: BackupProgress) => void = () => {},
): Promise<{ rows: number }> {
  const partial = `${path}.partial-${process.pid}`;
  let total = 0;
  try {
    await site.database.db.transaction(
      async (tx) => {
        const lines = async function* () {
          const about = {
            format: 'salience-papers',
            version: formatVersion,
            made: site.clock().toISOString(),
            revision: await latestRevision(site.database.kind === 'PGlite' ? within(site, tx) : site.database),
          };
          yield `${JSON.stringify(about)}\n`;
          for (const table of allTables()) {
            yield `${JSON.stringify({ table: table.name, columns: table.columns })}\n`;
            let rows = 0;
            await tx.execute(sql`DECLARE exported NO SCROLL CURSOR FOR
              SELECT to_jsonb(chosen)::text AS row FROM (SELECT ${list(table.columns)} FROM ${quoted(table.name)}) chosen`);
            for (;;) {
              const some = await site.database.rows<{ row: string }>(sql.raw(`FETCH ${fetched} FROM exported`), tx);
              if (some.length === 0) break;
              rows += some.length;
              yield some.map(({ row }) => `${row}\n`).join('');
            }
            await tx.execute(sql`CLOSE exported`);
            total += rows;
            onProgress({ table: table.name, rows });
          }
          yield `${JSON.stringify({ end: total })}\n`;
        };
        await pipeline(Readable.from(lines()), createGzip(), createWriteStream(partial, { mode: 0o600, flags: 'wx' }));
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );
    const file = await open(partial, 'r+');
    await file.sync();
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  return { rows: total };
}

/** The database as seen from within a transaction: PGlite has one connection, which the transaction holds. */
const within = (site: Site, tx: Drizzle): Site['database'] => ({
  ...site.database,
  rows: (query) => site.database.rows(query, tx),
});

/** Longest line of a backup, in characters: a row with a report is the largest there is. */
const longestLine = 64 * 2 ** 20;
const largestBatch = 4 * 2 ** 20;

/**
 * Fills the database from a backup, all of it or, where anything is wrong, nothing.
 * @param options `force` takes away first what is there; `maxBytes` limits the unpacked size, default 64 GiB.
 * @throws UnreadableFile naming the line where it is no whole backup; Error where the database is not empty.
 */
export async function importAll(
  site: Site,
  path: string,
  { force = false, maxBytes = 64 * 2 ** 30 }: { force?: boolean; maxBytes?: number } = {},
  onProgress: (progress: BackupProgress) => void = () => {},
): Promise<{ rows: number }> {
  const tables = allTables();
  return site.database.db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${lockNumber('papers')})`);
    await makeRoom(site, tx, tables, force);
    let total = 0;
    let table: Table | undefined;
    let columns: readonly string[] = [];
    let rows = 0;
    let batch: Record<string, unknown>[] = [];
    let batchBytes = 0;
    let revision: number | undefined;
    let ended = false;
    // Rows that name another of their table are told of it when all are there.
    const later: { table: string; column: string; key: unknown; value: unknown }[] = [];

    const flush = async (line: number) => {
      if (!table || batch.length === 0) return;
      const into = quoted(table.name);
      await tx
        .execute(sql`INSERT INTO ${into} (${list(columns)})
          SELECT ${list(columns)} FROM jsonb_populate_recordset(null::${into}, ${JSON.stringify(batch)}::jsonb)`)
        .catch(({ cause, message }: Error) => {
          throw new UnreadableFile(
            `${path}: line ${line} or before: ${cause instanceof Error ? cause.message : message}`,
          );
        });
      batch = [];
      batchBytes = 0;
    };
    const finish = async (line: number) => {
      await flush(line);
      if (table) onProgress({ table: table.name, rows });
      for (const { table: of, column, key, value } of later.splice(0)) {
        await tx.execute(sql`UPDATE ${quoted(of)} SET ${quoted(column)} = ${value}::uuid WHERE id = ${key}::uuid`);
      }
    };

    for await (const { line, text } of linesOf(unpacked(path, maxBytes), longestLine)) {
      const wrong = (what: string) => new UnreadableFile(`${path}: line ${line}: ${what}`);
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch (error) {
        throw wrong(`not JSON: ${(error as Error).message}`);
      }
      if (ended) throw wrong('something stands after the end');
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('a row is missing');
      if (line === 1) {
        const read = header.safeParse(value);
        if (!read.success) throw wrong('this is not a backup of this application, or one of another version of it');
        revision = read.data.revision;
        continue;
      }
      const end = endLine.safeParse(value);
      if (end.success) {
        await finish(line);
        if (end.data.end !== total) throw wrong(`${end.data.end} rows were written, ${total} are there`);
        ended = true;
        continue;
      }
      const named = tableLine.safeParse(value);
      if (named.success) {
        await finish(line);
        const next = tables.find(({ name }) => name === named.data.table);
        if (!next) throw wrong(`there is no table "${named.data.table.slice(0, 80)}"`);
        if (table && tables.indexOf(next) <= tables.indexOf(table))
          throw wrong(`table "${next.name}" stands twice, or after one that needs it`);
        const unknown = named.data.columns.find((column) => !next.columns.includes(column));
        if (unknown !== undefined) throw wrong(`table "${next.name}" has no column "${unknown.slice(0, 80)}"`);
        if (new Set(named.data.columns).size < named.data.columns.length) throw wrong('a column stands twice');
        table = next;
        columns = named.data.columns;
        rows = 0;
        continue;
      }
      if (!table) throw wrong('a row stands before its table');
      const row = value as Record<string, unknown>;
      const unknown = Object.keys(row).find((column) => !columns.includes(column));
      if (unknown !== undefined)
        throw wrong(`table "${table.name}" was written without a column "${unknown.slice(0, 80)}"`);
      for (const column of table.own) {
        if (row[column] === null || row[column] === undefined) continue;
        later.push({ table: table.name, column, key: row.id, value: row[column] });
        row[column] = null;
      }
      batch.push(row);
      batchBytes += text.length;
      rows++;
      total++;
      if (batch.length >= fetched || batchBytes > largestBatch) await flush(line);
    }
    if (!ended || revision === undefined)
      throw new UnreadableFile(`${path}: the end is missing; the file is not whole`);
    await tx.execute(sql`SELECT setval('revision', greatest(${revision}::bigint + 1, nextval('revision')))`);
    await touch(site.database, tx);
    return { rows: total };
  });
}

async function makeRoom(site: Site, tx: Drizzle, tables: readonly Table[], force: boolean): Promise<void> {
  if (force) {
    await tx.execute(sql`TRUNCATE ${list(tables.map(({ name }) => name))}`);
    return;
  }
  for (const { name } of tables) {
    const found = await site.database.rows(sql`SELECT 1 AS there FROM ${quoted(name)} LIMIT 1`, tx);
    if (found.length > 0)
      throw new Error(
        `the database is not empty (table "${name}" has rows); to replace all that is there, say --force`,
      );
  }
}

/** The bytes of a packed file, no more than may be. */
async function* unpacked(path: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const source = createReadStream(path);
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  let bytes = 0;
  try {
    for await (const chunk of source.pipe(gunzip)) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxBytes)
        throw new UnreadableFile(`${path} unpacks to more than ${maxBytes.toLocaleString('en')} bytes`);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UnreadableFile(`${path}: there is no such file`);
    throw code?.startsWith('Z_') ? new UnreadableFile(`${path} is not a whole gzip file: ${message}`) : error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}
