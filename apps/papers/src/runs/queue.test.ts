import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { runs } from '../database/schema.ts';
import type { Site } from '../site.ts';
import {
  cancelRun,
  finishRun,
  giveBack,
  holdRun,
  leaseSeconds,
  mostAtOnce,
  type NewRun,
  queueRun,
  runOf,
  TooManyRuns,
  takeRun,
  tryAgain,
  uploadOf,
  uploadPath,
} from './queue.ts';
import type { RunResult } from './result.ts';

const result: RunResult = { title: 'done', blocks: [], remarks: [] };

let site: TestSite;

function asked(by: string, more: Partial<NewRun> = {}): NewRun {
  return { method: 'lexrank', params: {}, options: {}, budget: '5', seed: 0, by, ...more };
}

function pass(seconds: number): void {
  site.now = new Date(site.now.getTime() + 1000 * seconds);
}

/** Another instance on the same database. */
function another(): Site {
  return { ...site, clock: () => site.now, database: { ...site.database } };
}

for (const kind of ['PGlite', 'PostgreSQL'] as const) {
  const there = kind === 'PGlite' || Boolean(process.env.TEST_DATABASE_URL);
  describe.skipIf(!there)(`the queue of runs in ${kind}${kind === 'PGlite' ? '' : whereThereIsPostgres}`, () => {
    let drop = async () => {};
    beforeAll(async () => {
      const made = kind === 'PostgreSQL' ? await newDatabase() : undefined;
      if (made) drop = made.drop;
      site = await testSite({ databaseUrl: made?.url });
    }, 60_000);
    beforeEach(async () => {
      await site.database.db.delete(runs);
    });
    afterAll(async () => {
      await site.close();
      await drop();
    });

    it('serves persons in turn, each one’s oldest first', async () => {
      const order: string[] = [];
      for (const by of ['ann', 'ann', 'ann', 'bob', 'cid', 'bob']) {
        order.push(`${by} ${await queueRun(site, asked(by))}`);
        pass(1);
      }
      const taken: string[] = [];
      for (;;) {
        pass(1);
        const row = await takeRun(site);
        if (!row) break;
        taken.push(`${row.by} ${row.id}`);
        await finishRun(site, row, { result });
      }
      const [ann1, ann2, ann3, bob1, cid, bob2] = order;
      expect(taken).toEqual([ann1, bob1, cid, ann2, bob2, ann3]);
    });

    it('gives nobody a second place while another waits', async () => {
      for (const by of ['ann', 'ann', 'bob']) {
        await queueRun(site, asked(by));
        pass(1);
      }
      const first = await takeRun(site);
      const second = await takeRun(another());
      expect([first?.by, second?.by]).toEqual(['ann', 'bob']);
    });

    it('gives a run to one of many who ask at once', async () => {
      await queueRun(site, asked('ann'));
      const rows = await Promise.all(Array.from({ length: 6 }, () => takeRun(another())));
      expect(rows.filter(Boolean)).toHaveLength(1);
    });

    it(`holds ${mostAtOnce} runs of a person at once`, async () => {
      for (let i = 0; i < mostAtOnce; i++) await queueRun(site, asked('ann'));
      const bytes = new TextEncoder().encode('One.');
      await expect(queueRun(site, asked('ann', { file: { name: 'a.txt', bytes } }))).rejects.toThrow(TooManyRuns);
      await queueRun(site, asked('bob'));
      const row = await takeRun(site);
      await finishRun(site, row!, { error: 'no' });
      await queueRun(site, asked(row!.by));
    });

    it('takes a run again whose instance gave no sign of life, and lets only the later one write', async () => {
      const id = await queueRun(site, asked('ann'));
      const first = await takeRun(site);
      expect(await takeRun(another())).toBeUndefined();
      pass(leaseSeconds + 1);
      const second = await takeRun(another());
      expect(second).toMatchObject({ id, attempts: 2 });
      expect(await holdRun(site, first!, undefined)).toBe(false);
      expect(await finishRun(site, first!, { result: { ...result, title: 'too late' } })).toBe(false);
      expect(await finishRun(another(), second!, { result })).toBe(true);
      expect(await runOf(site, id)).toMatchObject({ state: 'done', report: { title: 'done' } });
    });

    it('keeps a run that gives signs of life', async () => {
      await queueRun(site, asked('ann'));
      const row = await takeRun(site);
      for (let i = 0; i < 3; i++) {
        pass(leaseSeconds - 1);
        expect(await holdRun(site, row!, { what: 'ranks', done: i, total: 3 })).toBe(true);
        expect(await takeRun(another())).toBeUndefined();
      }
      expect(await runOf(site, row!.id)).toMatchObject({ progress: { what: 'ranks', done: 2, total: 3 } });
    });

    it('gives a run up after two attempts', async () => {
      const id = await queueRun(site, asked('ann'));
      for (let i = 0; i < 2; i++) {
        expect(await takeRun(site)).toMatchObject({ id });
        pass(leaseSeconds + 1);
      }
      expect(await takeRun(site)).toBeUndefined();
      expect(await runOf(site, id)).toMatchObject({ state: 'failed', error: expect.stringMatching(/server stopped/) });
    });

    it('begins a run again whose process fell, once', async () => {
      const id = await queueRun(site, asked('ann'));
      await tryAgain(site, (await takeRun(site))!, 'fell');
      await tryAgain(site, (await takeRun(site))!, 'fell');
      expect(await runOf(site, id)).toMatchObject({ state: 'failed', error: 'fell', attempts: 2 });
    });

    it('does not count a run that was given back', async () => {
      const id = await queueRun(site, asked('ann'));
      await giveBack(site, (await takeRun(site))!);
      expect(await takeRun(site)).toMatchObject({ id, attempts: 1 });
    });

    it('cancels what waits and what runs elsewhere, and nothing that is over', async () => {
      const waiting = await queueRun(site, asked('ann'));
      expect(await cancelRun(site, waiting)).toBe(true);
      expect(await takeRun(site)).toBeUndefined();
      const id = await queueRun(site, asked('ann'));
      const row = await takeRun(another());
      expect(await cancelRun(site, id)).toBe(true);
      expect(await holdRun(another(), row!, undefined)).toBe(false);
      expect(await finishRun(another(), row!, { result })).toBe(false);
      expect(await runOf(site, id)).toMatchObject({ state: 'cancelled', report: null });
      expect(await cancelRun(site, id)).toBe(false);
    });

    it('has an upload until the run is over, whole or not at all', async () => {
      const bytes = new TextEncoder().encode('One. Two.');
      const id = await queueRun(site, asked('ann', { file: { name: 'a.txt', bytes } }));
      const row = (await takeRun(site))!;
      expect(await uploadOf(site, row)).toEqual(Buffer.from(bytes));
      expect(
        await uploadOf(site, { ...row, input: { kind: 'file', name: 'a.txt', sha256: '0', bytes: 9 } }),
      ).toBeUndefined();
      await finishRun(site, row, { result });
      expect(existsSync(uploadPath(site, id))).toBe(false);
    });
  });
}
