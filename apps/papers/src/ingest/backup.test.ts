import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { is, sql } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import * as schema from '../database/schema.ts';
import { seedCatalogue } from '../papers/catalogue-papers.ts';
import { upsertPapers } from '../papers/records.ts';
import { exportAll, importAll } from './backup.ts';

const names = Object.values(schema)
  .filter((one) => is(one, PgTable))
  .map((table) => getTableConfig(table as PgTable).name);

/** Every row of every table, as text. */
async function everything(site: TestSite): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = {};
  for (const name of names) {
    const rows = await site.database.rows<{ row: string }>(
      sql`SELECT to_jsonb(t)::text AS row FROM ${sql.raw(`"${name}"`)} t ORDER BY 1`,
    );
    all[name] = rows.map(({ row }) => row);
  }
  return all;
}

describe('a backup', () => {
  let site: TestSite;
  let path: string;
  beforeAll(async () => {
    site = await testSite();
    path = join(site.config.data, 'backup.gz');
    await seedCatalogue(site);
    await upsertPapers(
      site,
      [
        {
          title: 'Größe “quoted” \\ back',
          abstract: 'A\nb',
          arxiv: '2501.00001v2',
          authors: ['É. Ü'],
          posted: '2025-01-01',
        },
      ],
      'made',
    );
    const { db } = site.database;
    const run = (statement: string) => db.execute(sql.raw(statement));
    await run(`INSERT INTO "user" (id, name, email, role) VALUES ('u1', 'Ada', 'ada@example.org', 'admin')`);
    await run(`INSERT INTO votes VALUES ('2501.00001', 'u1', now())`);
    await run(`INSERT INTO comments (id, paper, parent, person, name, body, at) VALUES
      ('00000000-0000-0000-0000-000000000002', '2501.00001', NULL, 'u1', 'Ada', 'first', now())`);
    await run(`INSERT INTO comments (id, paper, parent, person, name, body, at) VALUES
      ('00000000-0000-0000-0000-000000000001', '2501.00001', '00000000-0000-0000-0000-000000000002', 'u1', 'Ada', 'answer', '2020-01-01')`);
    await run(`INSERT INTO embedding_models (id, kind, width, state, parameters, made)
      VALUES ('00000000-0000-0000-0000-00000000000a', 'built-in', 2, 'live', '\\x00ff10', now())`);
    await run(
      `INSERT INTO embeddings VALUES ('00000000-0000-0000-0000-00000000000a', '2501.00001', '\\x0000803f00000000', 'h')`,
    );
    await run(`INSERT INTO subscribers (email, address, state, cadence, topics, made)
      VALUES ('A@b.c', 'a@b.c', 'active', 'daily', ARRAY['pruning', 'with "quotes", and {braces}'], now())`);
    await run(`INSERT INTO runs (id, method, params, options, input, state, by, made, report)
      VALUES ('r', 'lexrank', '{"a": [1, 2.5]}', '{}', '{"kind": "sample"}', 'done', 'u1', now(), '{"deep": {"x": null}}')`);
  }, 60_000);
  afterAll(() => site.close());

  for (const kind of ['PGlite', 'PostgreSQL'] as const) {
    const there = kind === 'PGlite' || Boolean(process.env.TEST_DATABASE_URL);
    it.skipIf(!there)(
      `brings back every table in ${kind}${kind === 'PGlite' ? '' : whereThereIsPostgres}`,
      async () => {
        const { rows } = await exportAll(site, path);
        const made = kind === 'PostgreSQL' ? await newDatabase() : undefined;
        const other = await testSite({ databaseUrl: made?.url });
        try {
          expect(await importAll(other, path)).toEqual({ rows });
          expect(await everything(other)).toEqual(await everything(site));
          const again = join(other.config.data, 'again.gz');
          await exportAll(other, again);
          await expect(importAll(other, again)).rejects.toThrow(/not empty .* --force/);
          await importAll(other, again, { force: true });
          expect(await everything(other)).toEqual(await everything(site));
        } finally {
          await other.close();
          await made?.drop();
        }
      },
    );
  }

  it('that is wrong is refused by its line, and changes nothing', async () => {
    await exportAll(site, path);
    const before = await everything(site);
    const lines = gunzipSync(await readFile(path))
      .toString()
      .trimEnd()
      .split('\n');
    const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
    const papers = at('{"table":"papers"');
    const attempt = async (changed: string[], options = {}) => {
      const bad = join(site.config.data, 'bad.gz');
      await writeFile(bad, gzipSync(`${changed.join('\n')}\n`));
      await expect(importAll(site, bad, { force: true, ...options })).rejects.toThrow(expectation);
      expect(await everything(site)).toEqual(before);
    };
    let expectation = /line 1: this is not a backup/;
    await attempt(lines.slice(1));
    expectation = /the end is missing/;
    await attempt(lines.slice(0, -1));
    expectation = /rows were written/;
    await attempt(lines.toSpliced(at('{"table":"votes"') + 1, 1));
    expectation = /line \d+ or before: .*foreign key/;
    await attempt(lines.toSpliced(papers + 1, 1));
    expectation = /there is no table "pg_authid"/;
    await attempt(lines.with(papers, '{"table":"pg_authid","columns":["rolname"]}'));
    expectation = /has no column "words"/;
    await attempt(lines.with(papers, lines[papers].replace('"columns":[', '"columns":["words",')));
    expectation = /without a column "evil";/;
    await attempt(lines.with(papers + 1, '{"evil\\"; DROP TABLE papers": 1}'));
    expectation = /not JSON/;
    await attempt(lines.with(papers + 1, '{'));
    expectation = /unpacks to more than 1,000 bytes/;
    await attempt(lines, { maxBytes: 1_000 });
    await writeFile(join(site.config.data, 'cut.gz'), (await readFile(path)).subarray(0, 2_000));
    await expect(importAll(site, join(site.config.data, 'cut.gz'), { force: true })).rejects.toThrow(
      /not a whole gzip/,
    );
    await expect(importAll(site, join(site.config.data, 'none.gz'), { force: true })).rejects.toThrow(
      /none\.gz: there is no such file/,
    );
    expect(await everything(site)).toEqual(before);
  });
});
