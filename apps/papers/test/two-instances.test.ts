/** @file Two servers, as an operator starts them, on one PostgreSQL: one feed, one sign-in, no double mail, no lost run. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Database } from '../src/database/connect.ts';
import { openJobs } from '../src/jobs/jobs.ts';
import { dayOf } from '../src/site.ts';
import { newDatabase, whereThereIsPostgres } from './postgres.ts';
import { type TestSmtp, testSmtp } from './smtp.ts';

const program = fileURLToPath(new URL('../bin/papers.js', import.meta.url));
const subscribers = 40;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

interface Instance {
  readonly origin: string;
  readonly process: ChildProcess;
}

describe.skipIf(!process.env.TEST_DATABASE_URL)(`two instances on one PostgreSQL${whereThereIsPostgres}`, () => {
  let folder: string;
  let url: string;
  let drop: () => Promise<void>;
  let smtp: TestSmtp;
  let database: Database;
  const instances: Instance[] = [];

  /** Starts a server and waits until it is ready. */
  async function start(name: string): Promise<Instance> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const child = spawn(process.execPath, [program, 'serve'], {
      env: {
        ...process.env,
        PORT: String(port),
        SALIENCE_URL: 'http://papers.test',
        SALIENCE_DATA: join(folder, name),
        SALIENCE_SECRET: 'one secret for both instances, long enough',
        DATABASE_URL: url,
        SMTP_URL: smtp.url,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(`${origin}/readyz`).catch(() => undefined);
      if (answer?.status === 200) {
        const instance = { origin, process: child };
        instances.push(instance);
        return instance;
      }
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${errors}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`${name} was not ready within a minute: ${errors}`);
  }

  async function end({ process: child }: Instance, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'papers-two-'));
    ({ url, drop } = await newDatabase());
    smtp = await testSmtp();
    // Both migrate and seed at the same time.
    await Promise.all([start('one'), start('two')]);
    database = await connect({ url });
  }, 120_000);

  afterAll(async () => {
    for (const instance of instances) await end(instance, 'SIGTERM');
    await database?.close();
    await smtp?.close();
    await drop?.();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('seed one feed, and both show it', async () => {
    const [{ papers }] = await database.rows<{ papers: number }>(sql`SELECT count(*)::int AS papers FROM papers`);
    expect(papers).toBe(59);
    const [one, two] = await Promise.all(instances.map(async ({ origin }) => (await fetch(`${origin}/`)).text()));
    expect(one).toContain('LexRank');
    expect(two).toBe(one);
  });

  it('a change that comes through one is on the pages of the other', async () => {
    const [one, two] = instances;
    const page = async ({ origin }: Instance) => (await fetch(`${origin}/papers/1109.2128`)).text();
    const before = await page(two);
    expect(await page(one)).toBe(before);
    await database.db.transaction(async (tx) => {
      await tx.execute(
        sql`UPDATE papers SET imported_comments = 77, revision = nextval('revision') WHERE id = '1109.2128'`,
      );
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await page(one)).toContain('77');
    expect(await page(two)).toContain('77');
  });

  it('each subscriber gets the issue once, though one instance is killed while it is sent', async () => {
    const yesterday = dayOf(new Date(Date.now() - 86_400_000));
    const today = dayOf(new Date());
    await database.db.execute(
      sql`UPDATE papers SET posted = ${yesterday}::date, revision = nextval('revision') WHERE system = 'lexrank'`,
    );
    await database.db.execute(
      sql`UPDATE papers SET posted = ${today}::date, revision = nextval('revision') WHERE system = 'gblm'`,
    );
    await database.db.execute(sql`
      INSERT INTO subscribers (email, address, state, cadence, made, confirmed)
      SELECT 'r' || i || '@example.org', 'r' || i || '@example.org', 'active', 'daily', now() - interval '3 days', now() - interval '3 days'
      FROM generate_series(1, ${subscribers}::int) AS i`);
    const jobs = await openJobs(database, () => {});
    await jobs.send('deliver', {});
    await jobs.send('deliver', {});
    const until = async (enough: () => boolean, seconds: number) => {
      const end = Date.now() + 1000 * seconds;
      while (!enough() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(() => smtp.received.length >= 5, 60);
    expect(smtp.received.length).toBeGreaterThanOrEqual(5);
    await end(instances[0], 'SIGKILL');
    await jobs.send('deliver', {});
    // At rest when nothing waits and what the one that stays had in its hands has left them.
    const open = async () =>
      (
        await database.rows<{ queued: number; sending: number }>(sql`
          SELECT count(*) FILTER (WHERE state = 'queued')::int AS queued, count(*) FILTER (WHERE state = 'sending')::int AS sending
          FROM deliveries`)
      )[0];
    for (let rest = 0, before = -1, tries = 0; rest < 10 && tries < 600; tries++) {
      const { queued, sending } = await open();
      rest = queued === 0 && sending === before ? rest + 1 : 0;
      before = sending;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await jobs.stop();
    const to = smtp.received.map((mail) => (mail.to && !Array.isArray(mail.to) ? mail.to.text : ''));
    // The four mails that the killed instance may have had in its hands are left for a person to decide: never sent twice.
    const [{ doubtful }] = await database.rows<{ doubtful: number }>(
      sql`SELECT count(*)::int AS doubtful FROM deliveries WHERE state IN ('sending', 'uncertain')`,
    );
    expect(new Set(to).size).toBe(to.length);
    expect(doubtful).toBeLessThanOrEqual(4);
    expect(to.length).toBeGreaterThanOrEqual(subscribers - doubtful);
  }, 120_000);

  it('the one that stays goes on, and another takes the place of the one that was killed', async () => {
    expect((await fetch(`${instances[1].origin}/`)).status).toBe(200);
    const third = await start('one');
    expect(await (await fetch(`${third.origin}/papers/1109.2128`)).text()).toContain('77');
  }, 90_000);
});
