import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { ingestFile, sendForgotten } from './ingest.ts';

/** 1,700 lines: four batches; one in a hundred is wrong, one in fifty is an earlier paper's second version. */
const lines = Array.from({ length: 1_700 }, (_, i) => {
  if (i % 100 === 99) return '{"title":';
  const of = i % 50 === 49 ? i - 40 : i;
  return JSON.stringify({
    title: `Paper ${of}`,
    abstract: `Words on pruning ${i}.`,
    arxiv: `2501.${10_000 + of}v${of === i ? 1 : 2}`,
    authors: [`Author ${of % 9}`],
    posted: '2025-01-01',
  });
}).join('\n');

for (const kind of ['PGlite', 'PostgreSQL'] as const) {
  const there = kind === 'PGlite' || Boolean(process.env.TEST_DATABASE_URL);
  describe.skipIf(!there)(`ingest of a file into ${kind}${kind === 'PGlite' ? '' : whereThereIsPostgres}`, () => {
    let site: TestSite;
    let path: string;
    let drop = async () => {};
    beforeAll(async () => {
      const made = kind === 'PostgreSQL' ? await newDatabase() : undefined;
      if (made) drop = made.drop;
      site = await testSite({ databaseUrl: made?.url });
      path = join(site.config.data, 'made.jsonl');
      await writeFile(path, lines);
    }, 60_000);
    beforeEach(async () => {
      await site.database.db.execute(sql`DELETE FROM papers`);
      await site.database.db.execute(sql`DELETE FROM ingests`);
    });
    afterAll(async () => {
      await site.close();
      await drop();
    });
    const everything = () =>
      site.database.rows(sql`
        SELECT (SELECT jsonb_agg(to_jsonb(p) - '{revision}'::text[] ORDER BY id) FROM papers p) AS papers,
          (SELECT jsonb_agg(to_jsonb(v) ORDER BY paper, version) FROM versions v) AS versions,
          (SELECT jsonb_agg(to_jsonb(t) ORDER BY paper, topic) FROM paper_topics t) AS topics,
          (SELECT jsonb_agg(to_jsonb(i) - '{id}'::text[]) FROM ingests i) AS ingests`);

    it('that is stopped after any batch and given again ends as one that was not', async () => {
      const whole = await ingestFile(site, path);
      expect(whole).toMatchObject({ read: 1_700, added: 1_666, refused: 17, resumed: false });
      expect(whole.problems[0]).toMatchObject({ line: 100, problem: expect.stringMatching(/^not JSON/) });
      const expected = await everything();
      for (let batches = 1; batches <= 3; batches++) {
        await site.database.db.execute(sql`DELETE FROM papers`);
        await site.database.db.execute(sql`DELETE FROM ingests`);
        const stop = new AbortController();
        let done = 0;
        const count = () => {
          if (++done === batches) stop.abort();
        };
        await expect(ingestFile(site, path, {}, count, stop.signal)).rejects.toThrow(/abort/i);
        const { added, changed, same, refused, resumed } = await ingestFile(site, path);
        const { added: a, changed: c, same: s, refused: r } = whole;
        expect({ added, changed, same, refused, resumed }).toEqual({
          added: a,
          changed: c,
          same: s,
          refused: r,
          resumed: true,
        });
        expect(await everything()).toEqual(expected);
      }
      expect(await ingestFile(site, path)).toMatchObject({ added: 0, changed: 0, same: 1_683, resumed: false });
    });

    it('that another process has taken on stops', async () => {
      const thief = {
        ...site,
        jobs: {
          ...site.jobs,
          // Between the first batch and the second.
          send: async () => {
            await site.database.db.execute(sql`UPDATE ingests SET cursor = cursor || '{"step": 99}'`);
          },
        },
      };
      await expect(ingestFile(thief, path)).rejects.toThrow(/read by another process/);
    });

    it('that is not what its name says is refused', async () => {
      const odd = join(site.config.data, 'papers.docx');
      await writeFile(odd, 'x');
      await expect(ingestFile(site, odd)).rejects.toThrow(/known are \.jsonl/);
      await expect(ingestFile(site, odd, { format: 'feed' })).rejects.toThrow(/papers\.docx: .*not XML/);
      await expect(ingestFile(site, `${odd}.ris`)).rejects.toThrow(/papers\.docx\.ris: there is no such file/);
      const [{ state }] = await site.database.rows<{ state: string }>(sql`SELECT state FROM ingests`);
      expect(state).toBe('failed');
    });

    it('sends papers to be digested again where that was forgotten', async () => {
      await ingestFile(site, path);
      site.sent.length = 0;
      await sendForgotten(site);
      expect(site.sent).toEqual([]);
      site.now = new Date(site.now.getTime() + 3_600_000);
      await site.database.db.execute(sql`UPDATE papers SET digested_hash = 'x' WHERE id <> '2501.10003'`);
      await sendForgotten(site);
      expect(site.sent).toEqual([{ name: 'digest', data: { ids: ['2501.10003'] } }]);
    });
  });
}

describe('a process that is killed in the middle of an ingest', () => {
  it('loses nothing, and the next one repeats nothing', async () => {
    const data = await mkdtemp(join(tmpdir(), 'papers-ingest-'));
    try {
      const file = join(data, 'made.jsonl');
      await writeFile(file, lines);
      const entry = fileURLToPath(new URL('../../test/ingesting-child.ts', import.meta.url));
      const load = `import { runnerImport } from 'vite'; await runnerImport(${JSON.stringify(entry)});`;
      const start = (): ChildProcess =>
        spawn(process.execPath, ['--input-type=module', '-e', load, '--', data, file], {
          stdio: ['ignore', 'pipe', 'inherit'],
          cwd: fileURLToPath(new URL('../..', import.meta.url)),
        });
      const said: string[] = [];
      for (let kills = 0; kills < 2; kills++) {
        const child = start();
        for await (const line of createInterface({ input: child.stdout! })) {
          said.push(line);
          child.kill('SIGKILL');
        }
      }
      expect(said.every((line) => line.startsWith('done') === false)).toBe(true);
      const last = start();
      for await (const line of createInterface({ input: last.stdout! })) said.push(line);
      expect(said.at(-1)).toBe(`done ${JSON.stringify({ added: 1_666, same: 17, resumed: true })}`);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  }, 120_000);
});
