import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { simpleParser } from 'mailparser';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { testSmtp } from '../../test/smtp.ts';
import { outboxFolder } from './mailer.ts';
import {
  awaited,
  confirmationJob,
  confirmSubscription,
  recordBounce,
  requestSubscription,
  subscriberCounts,
  unsubscribe,
  unsubscribeLink,
} from './subscribers.ts';

describe('subscribers', () => {
  let site: TestSite;
  /** Another one in each test, since addresses are limited. */
  let ada: { email: string; cadence: 'daily'; topics: string[] };
  let tests = 0;
  beforeAll(async () => {
    site = await testSite();
    await site.database.execute(
      `INSERT INTO topics (id, name, says, phrases) VALUES ('pruning', 'Pruning', '', '{}'), ('caches', 'Caches', '', '{}')`,
    );
  }, 60_000);
  afterAll(() => site.close());
  beforeEach(async () => {
    await site.database.execute('TRUNCATE subscribers CASCADE');
    await rm(outboxFolder(site), { recursive: true, force: true });
    site.sent.length = 0;
    ada = { email: `Ada${++tests}@example.org`, cadence: 'daily', topics: [] };
  });

  /** The links in the mails of the outbox, oldest first. */
  async function links(): Promise<string[]> {
    await site.drain([confirmationJob(site)]);
    later(1000);
    const found: string[] = [];
    for (const name of (await readdir(outboxFolder(site)).catch(() => [])).sort()) {
      const mail = await simpleParser(await readFile(join(outboxFolder(site), name)));
      const link = /http:\/\/papers\.test\/subscribe\/confirm\/(\S+)/.exec(mail.text ?? '')?.[1];
      if (link) found.push(link);
    }
    return found;
  }
  const later = (milliseconds: number) => {
    site.now = new Date(site.now.getTime() + milliseconds);
  };
  async function row() {
    const [found] = await site.database.rows<Record<string, unknown>>(sql`SELECT * FROM subscribers`);
    return found;
  }
  async function activeAda(): Promise<string> {
    await requestSubscription(site, ada);
    await confirmSubscription(site, (await links()).at(-1)!);
    return String((await row()).id);
  }

  it('are pending until the link in the mail is confirmed, which works once', async () => {
    await requestSubscription(site, { ...ada, topics: ['pruning'] });
    const [token] = await links();
    expect(Buffer.from(token, 'base64url')).toHaveLength(16);
    expect(await row()).toMatchObject({ state: 'pending', address: ada.email.toLowerCase() });
    expect(JSON.stringify(await row())).not.toContain(token);
    expect(await awaited(site, token)).toMatchObject({ email: ada.email, wanted: { topics: ['pruning'] } });
    expect(await confirmSubscription(site, token)).toMatchObject({ wanted: { cadence: 'daily' } });
    expect(await row()).toMatchObject({ state: 'active', topics: ['pruning'], confirm_hash: null });
    expect(await confirmSubscription(site, token)).toBeUndefined();
    expect(await awaited(site, token)).toBeUndefined();
  });

  it('cannot confirm after 48 hours, nor with another token', async () => {
    await requestSubscription(site, ada);
    const [token] = await links();
    later(48 * 3_600_000 - 2000);
    expect(await awaited(site, token)).toBeDefined();
    expect(await confirmSubscription(site, `${token.slice(1)}A`)).toBeUndefined();
    later(2000);
    expect(await confirmSubscription(site, token)).toBeUndefined();
    expect(await row()).toMatchObject({ state: 'pending' });
  });

  it('confirm changes too; until then all stays, and the latest link alone is good', async () => {
    await activeAda();
    await requestSubscription(site, { email: ada.email.toLowerCase(), cadence: 'weekly', topics: ['caches'] });
    await links();
    await requestSubscription(site, {
      email: ada.email.toLowerCase(),
      cadence: 'weekly',
      topics: ['pruning', 'caches', 'caches'],
    });
    expect(await row()).toMatchObject({ state: 'active', cadence: 'daily', topics: [] });
    const all = await links();
    expect(await confirmSubscription(site, all.at(-2)!)).toBeUndefined();
    await confirmSubscription(site, all.at(-1)!);
    expect(await row()).toMatchObject({ state: 'active', cadence: 'weekly', topics: ['caches', 'pruning'] });
  });

  it('get the same confirmation mail when its job is repeated after a crash', async () => {
    await requestSubscription(site, ada);
    const [job] = site.sent;
    await links();
    await confirmationJob(site).work(job.data, new AbortController().signal);
    const [token, ...more] = await links();
    expect(more).toEqual([]);
    expect(await confirmSubscription(site, token)).toBeDefined();
  });

  it('are sent five confirmations an hour at most', async () => {
    for (let i = 0; i < 5; i++) await requestSubscription(site, ada);
    await expect(requestSubscription(site, { ...ada, email: ada.email.toUpperCase() })).rejects.toMatchObject({
      status: 429,
    });
    await requestSubscription(site, { ...ada, email: 'other@example.org' });
  });

  it.each([
    ['no address', { email: '' }, 'e-mail address'],
    ['a malformed address', { email: 'ada@' }, 'e-mail address'],
    ['a header in the address', { email: 'ada@example.org\r\nBcc: eve@example.org' }, 'e-mail address'],
    ['an unknown topic', { topics: ['no-such'] }, 'no topic "no-such"'],
    ['an unknown cadence', { cadence: 'hourly' as 'daily' }, 'daily or weekly'],
  ])('are refused with %s', async (_what, over, message) => {
    await expect(requestSubscription(site, { ...ada, ...over })).rejects.toThrow(message);
    expect(await subscriberCounts(site)).toEqual([]);
  });

  it('leave by a link of their own that never expires, and come back only by confirming', async () => {
    const id = await activeAda();
    const token = unsubscribeLink(site, id).split('/').at(-1)!;
    await requestSubscription(site, { ...ada, cadence: 'weekly' });
    const waiting = (await links()).at(-1)!;
    later(400 * 86_400_000);
    expect(await unsubscribe(site, id, `${token.slice(1)}A`)).toBe(false);
    expect(await unsubscribe(site, '00000000-0000-4000-8000-000000000000', token)).toBe(false);
    expect(await unsubscribe(site, "' OR 1=1", token)).toBe(false);
    expect(await row()).toMatchObject({ state: 'active' });
    expect(await unsubscribe(site, id, token)).toBe(true);
    expect(await unsubscribe(site, id, token)).toBe(true);
    expect(await row()).toMatchObject({ state: 'inactive' });
    expect(await confirmSubscription(site, waiting)).toBeUndefined();
    await activeAda();
    expect(await row()).toMatchObject({ state: 'active' });
  });

  it('stop after one hard or three soft bounces, until they confirm anew', async () => {
    await activeAda();
    expect(await recordBounce(site, ada.email.toUpperCase(), 'soft')).toBe('active');
    expect(await recordBounce(site, ada.email, 'soft')).toBe('active');
    expect(await recordBounce(site, ada.email, 'soft')).toBe('bounced');
    await activeAda();
    expect(await row()).toMatchObject({ state: 'active', bounces: 0 });
    expect(await recordBounce(site, ada.email, 'hard')).toBe('bounced');
    expect(await recordBounce(site, 'nobody@example.org', 'hard')).toBeUndefined();
  });

  it('whose confirmation the server refuses for good are bounced; a server that is away is tried again', async () => {
    const smtp = await testSmtp();
    Object.assign(site.config, { smtpUrl: smtp.url });
    smtp.answer = { recipient: '550 5.1.1 no such user' };
    await requestSubscription(site, ada);
    await site.drain([confirmationJob(site)]);
    expect(await row()).toMatchObject({ state: 'bounced' });
    await smtp.close();
    await requestSubscription(site, ada);
    await expect(site.drain([confirmationJob(site)])).rejects.toThrow('SMTP');
    Object.assign(site.config, { smtpUrl: undefined });
  });
});
