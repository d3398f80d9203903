import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { type TestSmtp, testSmtp } from '../../test/smtp.ts';
import { connect } from '../database/connect.ts';
import { upsertPapers } from '../papers/records.ts';
import type { Site } from '../site.ts';
import { deliver, deliveryCounts, lease, sendAgain, troubledDeliveries } from './deliveries.ts';
import { latestDueDay, mailJobs, makeDueIssues, makeIssue } from './issues.ts';
import { type Mail, outboxFolder, sendMail } from './mailer.ts';

const days = ['2025-12-08', '2025-12-09', '2025-12-10'];
const subscribers = Array.from({ length: 20 }, (_, i) => `reader${String(i).padStart(2, '0')}@example.org`);

async function addPapers(site: Site, over: { day?: string; count?: number; title?: string } = {}): Promise<void> {
  for (const posted of over.day ? [over.day] : days) {
    const papers = Array.from({ length: over.count ?? 3 }, (_, i) => ({
      title: `${over.title ?? 'Paper'} ${i} of ${posted}`,
      abstract: 'What matters most is kept. The rest is cut away. Little is lost.',
      authors: ['Ada Lovelace'],
      posted,
    }));
    await upsertPapers(site, papers, 'test');
  }
}

async function addSubscribers(
  site: Site,
  addresses: readonly string[] = subscribers,
  { cadence = 'daily', topics = '{}' } = {},
): Promise<void> {
  for (const address of addresses) {
    await site.database.rows(sql`
      INSERT INTO subscribers (email, address, state, cadence, topics, made)
      VALUES (${address}, ${address}, 'active', ${cadence}, ${topics}::text[], now())`);
  }
}

/** Empties what mail writes. */
async function cleared(site: Site): Promise<void> {
  await site.database.execute('TRUNCATE subscribers, issues, deliveries, papers CASCADE');
  await rm(outboxFolder(site), { recursive: true, force: true });
}

/** What lies in the outbox: "address issue", sorted. */
async function delivered(site: Site): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(outboxFolder(site)).catch(() => [])) {
    if (!name.endsWith('.eml')) continue;
    const head = (await readFile(join(outboxFolder(site), name), 'utf8')).split('\r\n\r\n', 1)[0];
    found.push(`${/^To: (\S+)/m.exec(head)?.[1]} ${/^[^.]+\.\w+/.exec(name)?.[0]}`);
  }
  return found.sort();
}

const idOf = (day: string) => `${day.replaceAll('-', '')}T180000Z.daily`;
const everyPair = days.flatMap((day) => subscribers.map((address) => `${address} ${idOf(day)}`)).sort();

/** Whether each reader has each day's issue exactly once. */
function exactlyOnce(mailbox: readonly string[]): boolean {
  return JSON.stringify([...mailbox].sort()) === JSON.stringify(everyPair);
}

/** The site of an instance whose database is gone once `lost` says so: nothing of it is written any more. */
function mortal(site: TestSite, lost: () => boolean): Site {
  const refuse = () => {
    if (lost()) throw new Error('killed');
  };
  return {
    ...site,
    clock: () => site.now,
    database: {
      ...site.database,
      async rows(...query: Parameters<typeof site.database.rows>) {
        refuse();
        return site.database.rows(...query);
      },
    } as Site['database'],
  };
}

/**
 * Three days of issues, sent by instances of which each dies after its k-th new mail, before the outcome is written down.
 * @returns the mailbox: "address issue" for each mail that left.
 */
async function threeDays(
  site: TestSite,
  k: number,
  send: (site: Site, mail: Mail) => Promise<void>,
): Promise<string[]> {
  const mailbox: string[] = [];
  for (const day of days) {
    site.now = new Date(`${day}T18:00:00Z`);
    for (let instance = 0; instance < 60; instance++) {
      let left = 0;
      const instanceSite = mortal(site, () => left >= k);
      try {
        await makeDueIssues(instanceSite);
        await deliver(instanceSite, {
          async send(_site, mail) {
            await send(site, mail);
            const pair = `${mail.to} ${/^[^.]+\.\w+/.exec(mail.messageId!)![0]}`;
            if (!mailbox.includes(pair)) left++;
            mailbox.push(pair);
          },
        });
        break;
      } catch (error) {
        expect((error as Error).message).toBe('killed');
        site.now = new Date(site.now.getTime() + lease);
      }
    }
  }
  return mailbox;
}

describe('issues go out exactly once', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  }, 60_000);
  afterAll(() => site.close());
  beforeEach(async () => {
    await cleared(site);
    site.now = new Date('2025-12-08T18:00:00Z');
    Object.assign(site.config, { smtpUrl: undefined });
  });

  it('on 3 days to 20 readers, whatever the k after whose mail every instance dies, k = 1..20', async () => {
    await addPapers(site);
    await addSubscribers(site);
    for (let k = 1; k <= 20; k++) {
      await site.database.execute('TRUNCATE issues, deliveries CASCADE');
      await rm(outboxFolder(site), { recursive: true, force: true });
      await threeDays(site, k, sendMail);
      expect(exactlyOnce(await delivered(site)), `k = ${k}`).toBe(true);
      expect(await deliveryCounts(site)).toEqual([{ state: 'sent', count: 60 }]);
    }
  }, 300_000);

  it('through SMTP nobody gets a mail twice, and those in doubt are listed', async () => {
    await addPapers(site);
    await addSubscribers(site);
    Object.assign(site.config, { smtpUrl: 'smtp://127.0.0.1:1' });
    for (const k of [1, 2, 3, 7, 20]) {
      await site.database.execute('TRUNCATE issues, deliveries CASCADE');
      const mailbox = await threeDays(site, k, async () => {});
      expect(exactlyOnce(mailbox), `k = ${k}`).toBe(true);
      const uncertain = (await troubledDeliveries(site)).length;
      expect(uncertain).toBeGreaterThan(0);
      expect(await deliveryCounts(site)).toEqual(
        [
          { state: 'sent', count: 60 - uncertain },
          { state: 'uncertain', count: uncertain },
        ].filter(({ count }) => count > 0),
      );
    }
  });

  it('the check tells when the unique keys are gone', async () => {
    const apart = await testSite();
    await addPapers(apart);
    await addSubscribers(apart);
    const mailbox: string[] = [];
    const note = async (_site: Site, mail: Mail) => {
      mailbox.push(`${mail.to} ${/^[^.]+\.\w+/.exec(mail.messageId!)![0]}`);
    };
    // Two instances have both seen that there is no issue yet.
    const both = async () => {
      mailbox.length = 0;
      await apart.database.execute('TRUNCATE issues, deliveries CASCADE');
      for (const day of days) {
        apart.now = new Date(`${day}T18:00:00Z`);
        await Promise.all([makeDueIssues(apart), makeDueIssues(apart)]);
        await deliver(apart, { send: note });
      }
      return exactlyOnce(mailbox);
    };
    expect(await both()).toBe(true);
    await apart.database.execute('ALTER TABLE issues DROP CONSTRAINT issues_once');
    expect(await both()).toBe(false);
    await apart.close();
  });

  it('a mail at which three instances die is for the administrator, and holds nobody up', async () => {
    await addPapers(site, { day: days[0] });
    await addSubscribers(site, subscribers.slice(0, 3));
    await makeDueIssues(site);
    for (let instance = 0; instance < 4; instance++) {
      let dead = false;
      const send = async (_site: Site, mail: Mail) => {
        dead = mail.to === subscribers[0];
      };
      await deliver(
        mortal(site, () => dead),
        { send },
      ).catch(() => {});
      site.now = new Date(site.now.getTime() + lease);
    }
    expect(await deliveryCounts(site)).toEqual([
      { state: 'sent', count: 2 },
      { state: 'uncertain', count: 1 },
    ]);
  });

  it('two loops at once deliver once', async () => {
    await addPapers(site);
    await addSubscribers(site);
    const mailbox: string[] = [];
    const note = async (_site: Site, mail: Mail) => {
      mailbox.push(`${mail.to} ${/^[^.]+\.\w+/.exec(mail.messageId!)![0]}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    };
    for (const day of days) {
      site.now = new Date(`${day}T18:00:00Z`);
      const instance = async () => {
        await makeDueIssues(site);
        return deliver(site, { send: note });
      };
      const counts = await Promise.all([instance(), instance()]);
      expect(counts[0].sent + counts[1].sent).toBe(20);
    }
    expect(exactlyOnce(mailbox)).toBe(true);
  });
});

describe('what an issue says', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
    await site.database.execute(
      `INSERT INTO topics (id, name, says, phrases) VALUES ('pruning', 'Pruning', '', '{prune}'), ('caches', 'Caches', '', '{cache}')`,
    );
  }, 60_000);
  afterAll(() => site.close());
  beforeEach(async () => {
    await cleared(site);
    site.now = new Date('2025-12-08T18:00:00Z');
  });

  async function only(): Promise<Awaited<ReturnType<typeof simpleParser>>> {
    const names = await readdir(outboxFolder(site));
    expect(names).toHaveLength(1);
    return simpleParser(await readFile(join(outboxFolder(site), names[0])));
  }

  it('is due at 18:00 UTC of its day', () => {
    expect(latestDueDay(new Date('2025-12-10T17:59:59Z'))).toBe('2025-12-09');
    expect(latestDueDay(new Date('2025-12-10T18:00:00Z'))).toBe('2025-12-10');
  });

  it('is the day list, picks first, at most ten, with headers of RFC 8058 and both parts', async () => {
    await addPapers(site, { day: days[0], count: 12 });
    await addSubscribers(site, ['ada@example.org']);
    const [{ id }] = await site.database.rows<{ id: string }>(sql`SELECT id FROM papers WHERE title LIKE 'Paper 11 %'`);
    await site.database.rows(sql`
      INSERT INTO picks (day, place, paper, curator, curator_name, at) VALUES (${days[0]}, 0, ${id}, 'c', 'Curator', now())`);
    for (const { name, work } of mailJobs(site)) if (name === 'deliver') await work({}, new AbortController().signal);
    const mail = await only();
    expect(mail.subject).toBe(`Paper 11 of ${days[0]} and 9 more`);
    expect(mail.date).toEqual(site.now);
    const headers = mail.headerLines.map(({ line }) => line.replace(/\r?\n\s+/g, ' ')).join('\n');
    expect(headers).toMatch(/^List-Unsubscribe: <http:\/\/papers\.test\/unsubscribe\/[0-9a-f-]{36}\/[\w-]{22}>$/m);
    expect(headers).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/m);
    expect(headers).toMatch(/^List-ID: .*<daily\.papers\.papers\.test>$/m);
    expect(mail.text?.match(/^\d+\. Paper/gm)).toHaveLength(10);
    expect(mail.text).toContain(`http://papers.test/papers/${id}`);
    for (const line of mail.text!.split('\n')) if (!line.includes('http')) expect(line.length).toBeLessThanOrEqual(72);
    expect(String(mail.html).match(/<h2/g)).toHaveLength(10);
    expect(mail.html).toContain('color-scheme');
  });

  it('escapes what papers say', async () => {
    await upsertPapers(
      site,
      [
        {
          title: 'On <script>alert(1)</script> & more',
          abstract: 'A <b>bold</b> "claim".',
          authorCount: 1,
          posted: days[0],
        },
      ],
      'test',
    );
    await addSubscribers(site, ['ada@example.org']);
    await makeDueIssues(site);
    await deliver(site);
    const mail = await only();
    expect(mail.html).not.toMatch(/<script|<b>/);
    expect(mail.html).toContain('On &lt;script&gt;');
    expect(mail.text).toContain('On <script>alert(1)</script> & more');
  });

  it('has the chosen topics alone; where nothing is left, nothing is sent', async () => {
    await addPapers(site, { day: days[0] });
    await addSubscribers(site, ['ada@example.org'], { topics: '{pruning}' });
    await addSubscribers(site, ['bob@example.org'], { topics: '{caches}' });
    await site.database.rows(sql`
      INSERT INTO paper_topics (paper, topic, weight, posted) SELECT id, 'pruning', 1, posted FROM papers WHERE title LIKE 'Paper 1 %'`);
    await makeDueIssues(site);
    expect(await deliver(site)).toMatchObject({ sent: 1, nothing: 1 });
    expect((await only()).subject).toBe(`Paper 1 of ${days[0]}`);
  });

  it('is not made of an empty day, but of papers that come in later that day, frozen then', async () => {
    await addSubscribers(site, ['ada@example.org']);
    await makeDueIssues(site);
    expect(await deliveryCounts(site)).toEqual([]);
    site.now = new Date('2025-12-08T21:00:00Z');
    await addPapers(site, { day: days[0], count: 1 });
    await makeDueIssues(site);
    await addPapers(site, { day: days[0], count: 1, title: 'Another' });
    await makeDueIssues(site);
    await deliver(site);
    expect((await only()).subject).toBe(`Paper 0 of ${days[0]}`);
  });

  it('brings what came in too late for the day before, once', async () => {
    await addPapers(site, { day: days[0], count: 1 });
    await makeDueIssues(site);
    site.now = new Date('2025-12-08T22:00:00Z');
    await addPapers(site, { day: days[0], count: 2 });
    await addPapers(site, { day: '2020-01-01', count: 1, title: 'Old' });
    site.now = new Date('2025-12-09T18:00:00Z');
    await addPapers(site, { day: days[1], count: 1 });
    await addSubscribers(site, ['ada@example.org']);
    await makeDueIssues(site);
    await deliver(site);
    const mail = await only();
    expect(mail.text?.match(/^\d+\. .*$/gm)).toEqual([`1. Paper 0 of ${days[1]}`, `2. Paper 1 of ${days[0]}`]);
    site.now = new Date('2025-12-10T18:00:00Z');
    expect(await makeIssue(site, 'daily', days[2])).toBe(false);
  });

  it('of a week takes the first of each day in turn, on Sundays', async () => {
    await addPapers(site, { count: 2 });
    await addSubscribers(site, ['ada@example.org'], { cadence: 'weekly' });
    site.now = new Date('2025-12-13T18:00:00Z');
    await makeDueIssues(site);
    expect(await deliveryCounts(site)).toEqual([]);
    site.now = new Date('2025-12-14T18:00:00Z');
    await makeDueIssues(site);
    await deliver(site);
    expect((await only()).text?.match(/^\d+\. .*$/gm)).toEqual(
      [0, 1].flatMap((n) => [...days].reverse().map((day, i) => `${n * 3 + i + 1}. Paper ${n} of ${day}`)),
    );
  });

  it('does not reach who has left since', async () => {
    await addPapers(site, { day: days[0] });
    await addSubscribers(site, ['ada@example.org']);
    await makeDueIssues(site);
    await site.database.execute(`UPDATE subscribers SET state = 'inactive'`);
    expect(await deliver(site)).toMatchObject({ sent: 0, nothing: 1 });
  });
});

describe('a mail server that answers', () => {
  let site: TestSite;
  let smtp: TestSmtp;
  beforeAll(async () => {
    smtp = await testSmtp();
    site = await testSite({ smtpUrl: smtp.url });
  }, 60_000);
  afterAll(async () => {
    await site.close();
    await smtp.close();
  });
  beforeEach(async () => {
    await cleared(site);
    Object.assign(site.config, { smtpUrl: smtp.url });
    smtp.answer = {};
    smtp.received.length = 0;
    site.now = new Date('2025-12-08T18:00:00Z');
    await addPapers(site, { day: days[0] });
    await addSubscribers(site, ['ada@example.org']);
    await makeDueIssues(site);
  });
  const later = (minutes: number) => {
    site.now = new Date(site.now.getTime() + minutes * 60_000);
  };

  it('"yes" gets the mail', async () => {
    expect(await deliver(site)).toMatchObject({ sent: 1 });
    expect(smtp.received).toHaveLength(1);
    expect(await deliver(site)).toMatchObject({ sent: 0 });
  });

  it('"not now" is asked three times, after 5 and 30 minutes, and no more', async () => {
    smtp.answer = { recipient: '451 4.7.1 greylisted' };
    expect(await deliver(site)).toMatchObject({ queued: 1 });
    later(4);
    expect(await deliver(site)).toMatchObject({ queued: 0 });
    later(1);
    expect(await deliver(site)).toMatchObject({ queued: 1 });
    later(29);
    expect(await deliver(site)).toMatchObject({ queued: 0, failed: 0 });
    later(1);
    expect(await deliver(site)).toMatchObject({ failed: 1 });
    later(1000);
    expect(await deliver(site)).toMatchObject({ queued: 0, failed: 0 });
    const [{ issue, subscriber, error }] = await troubledDeliveries(site);
    expect(error).toContain('greylisted');
    smtp.answer = {};
    expect(await sendAgain(site, issue, subscriber)).toBe(true);
    expect(await deliver(site)).toMatchObject({ sent: 1 });
    expect(await sendAgain(site, issue, subscriber)).toBe(false);
    expect(await sendAgain(site, 'x', "' OR 1=1")).toBe(false);
  });

  it('"no such mailbox" ends the subscription', async () => {
    smtp.answer = { recipient: '550 5.1.1 no such user' };
    expect(await deliver(site)).toMatchObject({ failed: 1 });
    expect(await site.database.rows(sql`SELECT state FROM subscribers`)).toEqual([{ state: 'bounced' }]);
  });

  it('"relaying denied" ends no subscription', async () => {
    smtp.answer = { recipient: '554 5.7.1 relay access denied' };
    expect(await deliver(site)).toMatchObject({ failed: 1 });
    expect(await site.database.rows(sql`SELECT state FROM subscribers`)).toEqual([{ state: 'active' }]);
  });

  it('nothing once it has the mail is in doubt, and is not given it again', async () => {
    smtp.answer = { message: 'drop' };
    expect(await deliver(site)).toMatchObject({ uncertain: 1 });
    smtp.answer = {};
    later(1000);
    expect(await deliver(site)).toMatchObject({ sent: 0 });
    expect(smtp.received).toHaveLength(1);
    const [{ messageId }] = await troubledDeliveries(site);
    expect(`<${messageId}>`).toBe(smtp.received[0].messageId);
  });

  it('not at all is tried every five minutes for three days, without counting', async () => {
    await addSubscribers(site, ['bob@example.org']);
    Object.assign(site.config, { smtpUrl: 'smtp://127.0.0.1:1' });
    for (let i = 0; i < 5; i++) {
      expect(await deliver(site)).toMatchObject({ queued: 1, failed: 0 });
      later(5);
    }
    Object.assign(site.config, { smtpUrl: smtp.url });
    expect(await deliver(site)).toMatchObject({ sent: 1 });
  });

  it('not for three days loses the issue, and it is listed', async () => {
    Object.assign(site.config, { smtpUrl: 'smtp://127.0.0.1:1' });
    later(3 * 24 * 60 + 1);
    expect(await deliver(site)).toMatchObject({ failed: 1 });
    expect(await troubledDeliveries(site)).toHaveLength(1);
  });
});

/** Starts a process that delivers; `line` gives its next line. */
function child(data: string, moment: string, databaseUrl = ''): { process: ChildProcess; line(): Promise<string> } {
  const path = fileURLToPath(new URL('../../test/mailing-child.ts', import.meta.url));
  const load = `import { runnerImport } from 'vite'; await runnerImport(${JSON.stringify(path)});`;
  const started = spawn(process.execPath, ['--input-type=module', '-e', load, '--', data, moment, databaseUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  const lines = createInterface({ input: started.stdout! })[Symbol.asyncIterator]();
  return { process: started, line: async () => (await lines.next()).value ?? '' };
}

function gone(process: ChildProcess): Promise<void> {
  return new Promise((resolve) => process.once('exit', () => resolve()));
}

describe('kill -9 in the middle of mail', () => {
  it('loses nothing and sends nothing twice: PGlite in a data folder', async () => {
    const data = await mkdtemp(join(tmpdir(), 'papers-killed-'));
    const site = await testSite({ data });
    const database = await connect({ folder: data });
    let now = new Date(`${days[0]}T18:00:00Z`);
    const there = { ...site, clock: () => now, database };
    await addPapers(there);
    await addSubscribers(there);
    for (const day of days) {
      now = new Date(`${day}T18:00:00Z`);
      await makeDueIssues(there);
    }
    await database.close();
    let moment = new Date(`${days[2]}T18:00:00Z`).getTime();
    for (const mails of [1, 17]) {
      const one = child(data, new Date(moment).toISOString());
      const ended = gone(one.process);
      expect(await one.line()).toBe('ready');
      for (let i = 0; i < mails; i++) expect(await one.line()).toBe('left');
      one.process.kill('SIGKILL');
      await ended;
      moment += lease + 1000;
    }
    const last = child(data, new Date(moment).toISOString());
    const ended = gone(last.process);
    let line = await last.line();
    while (line === 'ready' || line === 'left') line = await last.line();
    expect(JSON.parse(line)).toMatchObject({ failed: 0, uncertain: 0 });
    await ended;
    expect(exactlyOnce(await delivered(there))).toBe(true);
    await site.close();
  }, 180_000);

  it.skipIf(!process.env.TEST_DATABASE_URL)(
    `loses nothing and sends nothing twice: two instances on PostgreSQL, one killed, one stays${whereThereIsPostgres}`,
    async () => {
      const { url, drop } = await newDatabase();
      const site = await testSite({ databaseUrl: url });
      await addPapers(site);
      await addSubscribers(site);
      for (const day of days) {
        site.now = new Date(`${day}T18:00:00Z`);
        await makeDueIssues(site);
      }
      const moment = new Date(`${days[2]}T18:00:00Z`);
      const [killed, stays] = [0, 1].map(() => child(site.config.data, moment.toISOString(), url));
      const ends = [gone(killed.process), gone(stays.process)];
      expect(await killed.line()).toBe('ready');
      for (let i = 0; i < 5; i++) if ((await killed.line()) !== 'left') break;
      killed.process.kill('SIGKILL');
      await Promise.all(ends);
      site.now = new Date(moment.getTime() + lease + 1000);
      await deliver(site);
      expect(exactlyOnce(await delivered(site))).toBe(true);
      expect(await deliveryCounts(site)).toEqual([{ state: 'sent', count: 60 }]);
      await site.close();
      await drop();
    },
  );
});

describe('two instances on one PostgreSQL', () => {
  it.skipIf(!process.env.TEST_DATABASE_URL)(
    `deliver once through SMTP, and twice where rows are not locked${whereThereIsPostgres}`,
    async () => {
      const { url, drop } = await newDatabase();
      const smtp = await testSmtp();
      const sites = await Promise.all([0, 1].map(() => testSite({ databaseUrl: url, smtpUrl: smtp.url })));
      await addPapers(sites[0]);
      await addSubscribers(sites[0]);
      const instance = async (site: TestSite, day: string) => {
        site.now = new Date(`${day}T18:00:00Z`);
        await makeDueIssues(site);
        await deliver(site);
      };
      const mailbox = () =>
        smtp.received.map(({ to, messageId }) => {
          const address = (Array.isArray(to) ? to[0] : to)?.text;
          return `${address} ${/^<([^.]+\.\w+)/.exec(messageId ?? '')?.[1]}`;
        });
      for (const day of days) await Promise.all(sites.map((site) => instance(site, day)));
      expect(exactlyOnce(mailbox())).toBe(true);

      // The same where taking a row is reading it and then writing it: the first two have both read before either writes.
      smtp.received.length = 0;
      await sites[0].database.execute('TRUNCATE issues, deliveries CASCADE');
      let readers = 0;
      let meet = () => {};
      const met = new Promise<void>((resolve) => {
        meet = resolve;
      });
      const unlocked = sites.map((site) => ({
        ...site,
        clock: () => site.now,
        database: {
          ...site.database,
          rows: (async (query, within) => {
            const { dialect } = site.database.db as unknown as { dialect: Dialect };
            if (!dialect.sqlToQuery(query).sql.includes('SKIP LOCKED')) return site.database.rows(query, within);
            const [next] = await site.database.rows<{ issue: string; subscriber: string }>(sql`
              SELECT issue, subscriber FROM deliveries WHERE state = 'queued' ORDER BY due, issue, subscriber LIMIT 1`);
            if (!next) return [];
            if (++readers === 2) meet();
            await met;
            return site.database.rows(sql`
              UPDATE deliveries SET state = 'sending', held_until = '2030-01-01' WHERE issue = ${next.issue}::uuid
                AND subscriber = ${next.subscriber}::uuid
              RETURNING issue, subscriber, 1 AS attempts, message_id AS "messageId"`);
          }) as Site['database']['rows'],
        },
      }));
      for (const day of days) {
        for (const site of sites) site.now = new Date(`${day}T18:00:00Z`);
        await makeDueIssues(sites[0]);
        await Promise.all(unlocked.map((site) => deliver(site)));
      }
      expect(exactlyOnce(mailbox())).toBe(false);
      for (const site of sites) await site.close();
      await smtp.close();
      await drop();
    },
  );
});

interface Dialect {
  sqlToQuery(query: unknown): { sql: string; params: unknown[] };
}
