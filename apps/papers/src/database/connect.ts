/** @file The database: PGlite in the data folder, or PostgreSQL where DATABASE_URL names one. The same SQL on both. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { vector } from '@electric-sql/pglite-pgvector';
import { type SQL, sql } from 'drizzle-orm';
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres';
import { migrate as migratePostgres } from 'drizzle-orm/node-postgres/migrator';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePGlite } from 'drizzle-orm/pglite';
import { migrate as migratePGlite } from 'drizzle-orm/pglite/migrator';
import pg from 'pg';
import { lockFolder } from './folder-lock.ts';
import * as schema from './schema.ts';

export type Drizzle = PgDatabase<PgQueryResultHKT, typeof schema>;

/** What runs a text of SQL with numbered values; several statements where there are no values. */
type Execute = (text: string, values?: unknown[]) => Promise<{ rows: Record<string, unknown>[]; rowCount: number }>;

export interface Database {
  readonly kind: 'PGlite' | 'PostgreSQL';
  /** Queries by Drizzle, `db.transaction` among them. */
  readonly db: Drizzle;
  /** Whether the pgvector extension is there. */
  readonly pgvector: boolean;
  readonly execute: Execute;
  /** Rows of a query written as SQL. */
  rows<Row>(query: SQL, within?: Pick<Drizzle, 'execute'>): Promise<Row[]>;
  /** How many statements were run that may have changed something; where all come from this process. */
  readonly changes?: () => number;
  /** Does something that only one instance at a time may do; the others wait for it. */
  exclusively<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

export const migrations = fileURLToPath(new URL('../../migrations', import.meta.url));

/** An empty PGlite database, made by the build: unpacking it takes a second where making one takes five. */
export const template = fileURLToPath(new URL('../../dist/empty-database.tar.gz', import.meta.url));

/** Locks in PostgreSQL are numbers; this is a name's. */
export function lockNumber(name: string): number {
  return createHash('sha256').update(name).digest().readInt32BE(0);
}

/**
 * Opens the database and brings it up to date. One process at a time may have a PGlite folder.
 * @param folder the data folder; absent for a database in memory, where there is no url.
 */
export async function connect({ url, folder }: { url?: string; folder?: string }): Promise<Database> {
  return url === undefined ? connectPGlite(folder) : connectPostgres(url);
}

/** Counts what may change something: every statement but a plain SELECT, when it is asked for and when it is done. */
function countChanges(client: PGlite): () => number {
  let changes = 0;
  const counted = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    changes++;
    return work().finally(() => {
      changes++;
    });
  };
  const { query, exec, transaction } = client;
  client.query = ((text: string, ...rest: []) => {
    const work = () => query.call(client, text, ...rest);
    return /^\s*SELECT\b/i.test(text) && !text.includes('nextval') ? work() : counted(work);
  }) as PGlite['query'];
  client.exec = (...given) => counted(() => exec.apply(client, given));
  client.transaction = ((work: Parameters<PGlite['transaction']>[0]) =>
    counted(() => transaction.call(client, work))) as PGlite['transaction'];
  return () => changes;
}

async function connectPGlite(folder: string | undefined): Promise<Database> {
  const place = folder && join(folder, 'database');
  if (place) await mkdir(place, { recursive: true });
  const unlock = place ? await lockFolder(place) : async () => {};
  try {
    const dataDir = place && join(place, 'pglite');
    const fresh = dataDir === undefined || !existsSync(dataDir);
    const loadDataDir = fresh && existsSync(template) ? new Blob([await readFile(template)]) : undefined;
    const client = await PGlite.create({ dataDir, loadDataDir, extensions: { vector, pg_trgm } });
    await client.exec('CREATE EXTENSION IF NOT EXISTS vector');
    const changes = countChanges(client);
    const db = drizzlePGlite(client, { schema });
    await migratePGlite(db, { migrationsFolder: migrations });
    return {
      kind: 'PGlite',
      db: db as unknown as Drizzle,
      pgvector: true,
      changes,
      async execute(text, values) {
        if (values && values.length > 0) {
          const { rows, affectedRows } = await client.query<Record<string, unknown>>(text, values);
          return { rows, rowCount: affectedRows || rows.length };
        }
        const results = await client.exec(text);
        const last = results.at(-1);
        return {
          rows: (last?.rows ?? []) as Record<string, unknown>[],
          rowCount: last?.affectedRows || last?.rows.length || 0,
        };
      },
      async rows<Row>(query: SQL, within: Pick<Drizzle, 'execute'> = db as unknown as Drizzle) {
        return ((await within.execute(query)) as unknown as { rows: Row[] }).rows;
      },
      exclusively: (_name, work) => work(), // the folder is this process's alone
      async close() {
        await client.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function connectPostgres(url: string): Promise<Database> {
  // Compiling a plan takes longer than any query here.
  const pool = new pg.Pool({ connectionString: url, max: 12, connectionTimeoutMillis: 10_000, options: '-c jit=off' });
  pool.on('error', () => {}); // a lost idle connection is replaced by the next query
  const db = drizzlePostgres(pool, { schema });
  const exclusively = async <Result>(
    name: string,
    work: (client: pg.PoolClient) => Promise<Result>,
  ): Promise<Result> => {
    const client = await pool.connect();
    try {
      await client.query('SELECT pg_advisory_lock($1)', [lockNumber(name)]);
      return await work(client);
    } finally {
      await client.query('SELECT pg_advisory_unlock($1)', [lockNumber(name)]).catch(() => {});
      client.release();
    }
  };
  const pgvector = await exclusively('migrations', async (client) => {
    await migratePostgres(drizzlePostgres(client, { schema }), { migrationsFolder: migrations });
    const { rows } = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'");
    if (rows.length > 0) await client.query('CREATE EXTENSION IF NOT EXISTS vector');
    return rows.length > 0;
  });
  return {
    kind: 'PostgreSQL',
    db: db as unknown as Drizzle,
    pgvector,
    async execute(text, values) {
      if (values && values.length > 0) {
        const { rows, rowCount } = await pool.query(text, values);
        return { rows, rowCount: rowCount ?? 0 };
      }
      // Several statements may begin a transaction: the connection goes back to the others without it.
      const client = await pool.connect();
      try {
        const result = await client.query(text);
        const last = Array.isArray(result) ? result.at(-1) : result;
        return { rows: last.rows, rowCount: last.rowCount ?? 0 };
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      } finally {
        client.release();
      }
    },
    async rows<Row>(query: SQL, within: Pick<Drizzle, 'execute'> = db as unknown as Drizzle) {
      return ((await within.execute(query)) as unknown as { rows: Row[] }).rows;
    },
    exclusively,
    async close() {
      await pool.end();
    },
  };
}

/** Counts a change of what readers see, so that every instance lets go of what it has cached. */
export async function touch(database: Database, within: Pick<Drizzle, 'execute'> = database.db): Promise<void> {
  await within.execute(sql`SELECT nextval('revision')`);
}

const revisions = new WeakMap<Database, { readonly changes: number | undefined; readonly value: Promise<number> }>();

/** The number of the latest change. All who ask in one turn of the loop share a query, and until the next change where all are known. */
export function latestRevision(database: Database): Promise<number> {
  const changes = database.changes?.();
  const last = revisions.get(database);
  if (last && last.changes === changes) return last.value;
  const value = new Promise<void>((resolve) => setImmediate(resolve)).then(async () => {
    if (changes === undefined) revisions.delete(database);
    const [{ value }] = await database.rows<{ value: string | number }>(
      sql`SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS value FROM revision`,
    );
    return Number(value);
  });
  revisions.set(database, { changes, value });
  value.catch(() => revisions.delete(database));
  return value;
}
