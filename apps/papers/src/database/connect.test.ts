/** @file The database, on PGlite and on PostgreSQL. */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { openJobs } from '../jobs/jobs.ts';
import { connect, type Database, latestRevision, migrations, touch } from './connect.ts';

const onPostgres = describe.skipIf(!process.env.TEST_DATABASE_URL);

function bothHold(open: () => Promise<{ database: Database; drop(): Promise<void> }>) {
  let database: Database;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    ({ database, drop } = await open());
  });
  afterAll(async () => {
    await database?.close();
    await drop?.();
  });

  it('counts every change, so that caches can tell', async () => {
    const before = await latestRevision(database);
    await touch(database);
    expect(await latestRevision(database)).toBeGreaterThan(before);
  });

  it('a change that is rolled back leaves no row', async () => {
    const insert = sql`INSERT INTO topics (id, name, says, phrases) VALUES ('t', 't', 't', '{}')`;
    await expect(
      database.db.transaction(async (tx) => {
        await tx.execute(insert);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await database.rows(sql`SELECT id FROM topics`)).toEqual([]);
  });

  it('a job that fails is done again, and what was sent before is not lost', async () => {
    const jobs = await openJobs(database, () => {});
    const seen: number[] = [];
    await jobs.send('count', { n: 1 });
    await jobs.start([
      {
        name: 'count',
        work: async (data) => {
          seen.push((data as { n: number }).n);
          if (seen.length === 1) throw new Error('the first time');
        },
      },
    ]);
    const end = Date.now() + 30_000;
    while (seen.length < 2 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(seen).toEqual([1, 1]);
    await jobs.stop();
  });
}

describe('in PGlite, the database', () => {
  bothHold(async () => ({ database: await connect({}), drop: async () => {} }));

  it('is one process’s at a time, and free again when closed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'papers-connect-'));
    const first = await connect({ folder });
    await expect(connect({ folder })).rejects.toThrow('open in this process already');
    await first.close();
    await (await connect({ folder })).close();
    await rm(folder, { recursive: true });
  });
});

describe('a migration that comes later', () => {
  it('goes forward over data that is there, once, and an older program leaves it as it is', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'papers-migrations-'));
    await cp(migrations, folder, { recursive: true });
    const journalPath = join(folder, 'meta', '_journal.json');
    const journal = JSON.parse(await readFile(journalPath, 'utf8'));
    const { idx, when } = journal.entries.at(-1);
    journal.entries.push({ idx: idx + 1, version: '7', when: when + 1000, tag: 'later', breakpoints: true });
    await writeFile(journalPath, JSON.stringify(journal));
    await writeFile(join(folder, 'later.sql'), "ALTER TABLE topics ADD COLUMN later text NOT NULL DEFAULT 'new'");
    const database = await connect({});
    const db = database.db as unknown as Parameters<typeof migrate>[0];
    await database.db.execute(
      sql`INSERT INTO topics (id, name, says, phrases) VALUES ('old', 'Old', 'It was there.', '{}')`,
    );
    await migrate(db, { migrationsFolder: folder });
    await migrate(db, { migrationsFolder: folder });
    const rows = () => database.rows(sql`SELECT id, says, later FROM topics WHERE id = 'old'`);
    expect(await rows()).toEqual([{ id: 'old', says: 'It was there.', later: 'new' }]);
    await migrate(db, { migrationsFolder: migrations });
    expect(await rows()).toHaveLength(1);
    await database.close();
    await rm(folder, { recursive: true });
  });
});

onPostgres(`in PostgreSQL, the database${whereThereIsPostgres}`, () => {
  bothHold(async () => {
    const { url, drop } = await newDatabase();
    // Two instances at once: one migrates, the other waits.
    const [database, other] = await Promise.all([connect({ url }), connect({ url })]);
    await other.close();
    return { database, drop };
  });
});
