import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../../test/site.ts';
import { mailJobs } from '../../mail/issues.ts';
import { outboxFolder } from '../../mail/mailer.ts';
import { unsubscribeLink } from '../../mail/subscribers.ts';
import { upsertPapers } from '../../papers/records.ts';
import { csrf } from '../../security/csrf.ts';
import type { AppEnv } from '../context.ts';
import { subscribeRoutes } from './subscribe-routes.tsx';

describe('the pages of a subscription', () => {
  let site: TestSite;
  let app: Hono<AppEnv>;
  beforeAll(async () => {
    site = await testSite();
    app = new Hono<AppEnv>()
      .use(async (c, next) => {
        c.set('address', '192.0.2.1');
        const role = c.req.header('x-test-role') as 'reader' | 'admin' | undefined;
        if (role) {
          c.set('person', { id: role, name: role, email: `${role}@example.org`, role });
          c.set('session' as never, role as never);
        }
        await next();
      })
      .use(csrf(site) as never)
      .route('/', subscribeRoutes(site));
    await upsertPapers(
      site,
      [{ title: 'On pruning', abstract: 'We prune.', authorCount: 1, posted: '2025-12-10' }],
      'test',
    );
  }, 60_000);
  afterAll(() => site.close());

  /** Loads a page with a form and posts it with these fields, as a browser would. */
  async function submit(path: string, fields: Record<string, string> | [string, string][] = {}) {
    const shown = await app.request(path);
    expect(shown.status).toBe(200);
    expect(shown.headers.get('cache-control')).toContain('no-store');
    const html = await shown.text();
    const cookie = shown.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    const body = new URLSearchParams(fields);
    body.set('csrf', /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '');
    return app.request(path, { method: 'POST', headers: { cookie }, body });
  }
  const state = async () =>
    (await site.database.rows<{ id: string; state: string }>(sql`SELECT * FROM subscribers`))[0];
  async function mails(): Promise<string[]> {
    const names = (await readdir(outboxFolder(site)).catch(() => [])).sort();
    return Promise.all(names.map((name) => readFile(join(outboxFolder(site), name), 'utf8')));
  }

  it('lead from the form to the mail, the button, an issue and out again', async () => {
    const asked = await submit('/subscribe', { email: 'ada@example.org', cadence: 'daily' });
    expect(asked.status).toBe(200);
    expect(await asked.text()).toContain('Look into your mailbox');
    await site.drain(mailJobs(site));
    const [confirmation] = await mails();
    const link = /\/subscribe\/confirm\/[\w-]{22}/.exec(confirmation)![0];
    expect((await state()).state).toBe('pending');
    await app.request(link);
    expect((await state()).state).toBe('pending');
    expect(await (await submit(link)).text()).toContain('Thank you');
    expect((await state()).state).toBe('active');
    expect((await app.request(link)).status).toBe(410);

    site.now = new Date('2025-12-10T18:00:00Z');
    await site.jobs.send('deliver', {});
    await site.drain(mailJobs(site));
    const issue = (await mails()).at(-1)!.replace(/\r\n[ \t]/g, ' ');
    expect(issue).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    const out = /^List-Unsubscribe: <http:\/\/papers\.test(\S+)>/m.exec(issue)![1];
    expect(await (await app.request(out)).text()).toContain('<button');
    expect((await state()).state).toBe('active');
    // As a mail program does it: no cookie, no token, from elsewhere (RFC 8058).
    const done = await app.request(out, {
      method: 'POST',
      headers: { origin: 'https://mail.example' },
      body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
    });
    expect(done.status).toBe(200);
    expect((await state()).state).toBe('inactive');
  });

  it('answer the same for known and unknown addresses', async () => {
    const page = async (email: string) =>
      (await (await submit('/subscribe', { email, cadence: 'weekly' })).text()).replaceAll(email, '');
    expect(await page('ada@example.org')).toBe(await page('eve@example.org'));
  });

  it('show what was typed, and what is wrong with it', async () => {
    const answer = await submit('/subscribe', { email: '"><b>no', cadence: 'daily' });
    expect(answer.status).toBe(400);
    const html = await answer.text();
    expect(html).toContain('not an e-mail address');
    expect(html).toContain('value="&quot;&gt;&lt;b&gt;no"');
  });

  it('refuse forms of other sites, and links that are not whole', async () => {
    const body = new URLSearchParams({ email: 'mallory@example.org', cadence: 'daily' });
    expect((await app.request('/subscribe', { method: 'POST', body })).status).toBe(403);
    const { id } = await state();
    const path = new URL(unsubscribeLink(site, id)).pathname;
    for (const wrong of [
      path.slice(0, -1),
      path.replace(
        id,
        id.replace(/^./, (first) => (first === '0' ? '1' : '0')),
      ),
    ]) {
      expect((await app.request(wrong)).status).toBe(404);
      expect((await app.request(wrong, { method: 'POST' })).status).toBe(404);
    }
    expect((await app.request('/subscribe/confirm/xyz')).status).toBe(410);
  });

  it('let administrators alone send again what is in doubt', async () => {
    await site.database.execute(`UPDATE deliveries SET state = 'uncertain', error = 'lost'`);
    const as = (role: string) => ({ 'x-test-role': role });
    expect((await app.request('/admin/mail', { headers: as('reader') })).status).toBe(403);
    expect((await app.request('/admin/mail')).status).toBe(303);
    const html = await (await app.request('/admin/mail', { headers: as('admin') })).text();
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)![1];
    const body = () => new URLSearchParams(['csrf', 'issue', 'subscriber'].map((name) => [name, field(name)]));
    const post = (role: string) =>
      app.request('/admin/mail/again', { method: 'POST', headers: as(role), body: body() });
    expect((await post('reader')).status).toBe(403);
    expect((await post('admin')).status).toBe(303);
    expect(await site.database.rows(sql`SELECT state FROM deliveries`)).toEqual([{ state: 'queued' }]);
    expect((await post('admin')).status).toBe(409);
  });

  it('have no inline style or script', async () => {
    const html = await (await app.request('/subscribe')).text();
    expect(html).not.toMatch(/ style=| on\w+=|<script(?![^>]*src=)/);
    expect(html).toContain('name="topic"');
  });
});
