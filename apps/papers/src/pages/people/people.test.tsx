/** @file The whole round of people, from a request to its answer, on PGlite and on PostgreSQL. */

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import { Hono } from 'hono';
import { simpleParser } from 'mailparser';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../../test/postgres.ts';
import { type TestSite, testSite } from '../../../test/site.ts';
import { latestRevision } from '../../database/connect.ts';
import * as schema from '../../database/schema.ts';
import { outboxFolder } from '../../mail/mailer.ts';
import { paperById } from '../../papers/lists.ts';
import { upsertPapers } from '../../papers/records.ts';
import { makeKey } from '../../people/api-keys.ts';
import { signInBy, signInToken } from '../../people/auth.ts';
import { commentsOf } from '../../people/comments.ts';
import { picksOf } from '../../people/curate.ts';
import { isFollowing } from '../../people/follows.ts';
import { session } from '../../people/session.ts';
import { votedBy } from '../../people/votes.ts';
import { address } from '../../security/address.ts';
import { limitBodies } from '../../security/body-limit.ts';
import { csrf } from '../../security/csrf.ts';
import { securityHeaders } from '../../security/headers.ts';
import { limited } from '../../security/rate-limit.ts';
import { Refused } from '../../security/refused.ts';
import type { AppEnv } from '../context.ts';
import { page } from '../layout.tsx';
import { CommentThread, FollowForm, VoteForm } from './pieces.tsx';
import { refusalPage } from './refusal.tsx';
import { peopleRoutes } from './routes.ts';

const paper = '2410.11772';

function application(site: TestSite) {
  const app = new Hono<AppEnv>();
  app.onError((error, c) =>
    c.req.path.startsWith('/api/') && error instanceof Refused ? error.getResponse() : refusalPage(c, error),
  );
  app.use(securityHeaders(site), limitBodies(), address(site), session(site), csrf(site));
  app.get('/papers/:id', async (c) => {
    const found = (await paperById(site, c.req.param('id')))!;
    const voted = await votedBy(site, c.get('person'), [found.id]);
    return page(
      c,
      { title: found.title },
      <>
        <VoteForm c={c} paper={found} voted={voted.has(found.id)} />
        <FollowForm
          c={c}
          kind="topic"
          value="pruning"
          following={await isFollowing(site, c.get('person'), 'topic', 'pruning')}
        />
        <CommentThread c={c} paper={found} comments={await commentsOf(site, found.id)} />
      </>,
    );
  });
  app.get('/search', limited(site, 'search'), (c) => c.text('found'));
  app.get('/api/me', (c) => c.json({ owner: c.get('keyOwner')?.id ?? null }));
  app.post('/api/me', (c) => c.json({ owner: c.get('keyOwner')?.id ?? null, person: c.get('person')?.id ?? null }));
  app.post('/unsubscribe/:token', (c) => c.text('unsubscribed'));
  app.route('/', peopleRoutes(site));
  return app;
}

/** A browser: it keeps cookies and posts forms as the page gave them. */
class Browser {
  readonly cookies = new Map<string, string>();
  readonly #app: Hono<AppEnv>;
  readonly #from: string;

  constructor(app: Hono<AppEnv>, from = '203.0.113.1') {
    this.#app = app;
    this.#from = from;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0)
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    headers.set('x-forwarded-for', this.#from);
    const response = await this.#app.request(`http://papers.test${path}`, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair, ...attributes] = cookie.split('; ');
      const [name, ...value] = pair.split('=');
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value.join('='));
    }
    return response;
  }

  async read(path: string): Promise<string> {
    return (await this.ask(path)).text();
  }

  /** The token of a page's forms. */
  async token(at: string): Promise<string> {
    return /name="csrf" value="([^"]*)"/.exec(await this.read(at))?.[1] ?? '';
  }

  /** Posts a form; its token is that of the page `at`. */
  async post(path: string, fields: Record<string, string>, { at = '/you', headers = {} } = {}): Promise<Response> {
    const body = new URLSearchParams({ csrf: await this.token(at), ...fields });
    return this.ask(path, { method: 'POST', body, headers: { origin: 'http://papers.test', ...headers } });
  }
}

/** The link that was mailed to an address; the mail is taken out of the outbox. */
async function linkFor(site: TestSite, to: string): Promise<string> {
  const folder = outboxFolder(site);
  for (const name of await readdir(folder)) {
    const mail = await simpleParser(await readFile(join(folder, name)));
    if (!mail.to || Array.isArray(mail.to) || mail.to.text !== to) continue;
    await rm(join(folder, name));
    return /http:\/\/papers\.test(\/sign-in\/confirm\S+)/.exec(mail.text ?? '')![1];
  }
  throw new Error(`no mail to ${to}`);
}

async function signIn(site: TestSite, app: Hono<AppEnv>, email: string, from?: string): Promise<Browser> {
  const browser = new Browser(app, from);
  await browser.post('/sign-in', { email }, { at: '/sign-in' });
  const link = await linkFor(site, email);
  const token = new URLSearchParams(link.split('?')[1]).get('token')!;
  const response = await browser.post('/sign-in/confirm', { token, next: '/' }, { at: link });
  expect(response.status).toBe(303);
  return browser;
}

const person = async (site: TestSite, email: string) =>
  (await site.database.db.select().from(schema.user).where(eq(schema.user.email, email)))[0];

function round(open: () => Promise<{ site: TestSite; drop?: () => Promise<void> }>) {
  let site: TestSite;
  let drop: (() => Promise<void>) | undefined;
  let app: Hono<AppEnv>;
  let source = 0;
  /** Another network, so that limits of one test do not meet another. */
  const elsewhere = () => `198.51.100.${++source}`;
  beforeAll(async () => {
    ({ site, drop } = await open());
    app = application(site);
    await site.database.db
      .insert(schema.topics)
      .values({ id: 'pruning', name: 'Pruning', says: 'What to leave out.', phrases: ['pruning'] });
    await upsertPapers(
      site,
      [
        {
          title: 'Layer-wise Importance Matters',
          abstract: 'Pruning: what pruning leaves of layers, and why pruning helps.',
          arxiv: paper,
          authors: ['Kai Yao'],
          posted: '2025-12-10',
        },
      ],
      'test',
    );
  }, 60_000);
  afterAll(async () => {
    await site?.close();
    await drop?.();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('a link signs in, and the session’s cookie is for this site’s server alone', async () => {
    const browser = new Browser(app, elsewhere());
    const asked = await browser.post(
      '/sign-in',
      { email: 'Ada@Example.org', next: '/papers/2410.11772' },
      { at: '/sign-in' },
    );
    expect(asked.status).toBe(303);
    expect(asked.headers.get('location')).toBe('/sign-in/sent');
    const link = await linkFor(site, 'ada@example.org');
    expect(await browser.read(link)).toContain('One click more');
    expect(await person(site, 'ada@example.org')).toBeUndefined(); // opening the link is not enough
    const { token, next } = Object.fromEntries(new URLSearchParams(link.split('?')[1]));
    const confirmed = await browser.post('/sign-in/confirm', { token, next }, { at: link });
    expect(confirmed.headers.get('location')).toBe('/papers/2410.11772');
    const cookie = confirmed.headers.getSetCookie().find((one) => one.startsWith('papers.session_token='))!;
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Lax/);
    expect(cookie).toMatch(/; Path=\//);
    expect(await browser.read('/you')).toContain('ada@example.org');
    const { name, role } = await person(site, 'ada@example.org');
    expect(name).toMatch(/^Reader [0-9a-f]{6}$/);
    expect(role).toBe('reader');
  });

  it('a link works once, and not after 15 minutes', async () => {
    const browser = new Browser(app, elsewhere());
    await browser.post('/sign-in', { email: 'once@example.org' }, { at: '/sign-in' });
    const link = await linkFor(site, 'once@example.org');
    const token = new URLSearchParams(link.split('?')[1]).get('token')!;
    expect((await browser.post('/sign-in/confirm', { token }, { at: link })).status).toBe(303);
    const racer = new Browser(app, elsewhere());
    await racer.post('/sign-in', { email: 'race@example.org' }, { at: '/sign-in' });
    const raced = new URLSearchParams((await linkFor(site, 'race@example.org')).split('?')[1]).get('token')!;
    const both = [1, 2, 3].map(() => racer.post('/sign-in/confirm', { token: raced }, { at: '/sign-in' }));
    expect((await Promise.all(both)).map(({ status }) => status).filter((status) => status === 303)).toHaveLength(1);
    const other = new Browser(app, elsewhere());
    const again = await other.post('/sign-in/confirm', { token }, { at: '/sign-in' });
    expect(again.status).toBe(410);
    expect(await again.text()).toContain('used already');
    await other.post('/sign-in', { email: 'late@example.org' }, { at: '/sign-in' });
    const late = new URLSearchParams((await linkFor(site, 'late@example.org')).split('?')[1]).get('token')!;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 15 * 60_000 + 1000 });
    expect((await other.post('/sign-in/confirm', { token: late }, { at: '/sign-in' })).status).toBe(410);
    expect(await person(site, 'late@example.org')).toBeUndefined();
  });

  it('the tokens of links are stored as hashes', async () => {
    const browser = new Browser(app, elsewhere());
    await browser.post('/sign-in', { email: 'hash@example.org' }, { at: '/sign-in' });
    const token = new URLSearchParams((await linkFor(site, 'hash@example.org')).split('?')[1]).get('token')!;
    const stored = await site.database.db.select().from(schema.verification);
    expect(stored.length).toBeGreaterThan(0);
    expect(JSON.stringify(stored)).not.toContain(token);
  });

  it('known and unknown addresses are answered alike', async () => {
    const answer = async (email: string) => {
      const browser = new Browser(app, elsewhere());
      const response = await browser.post('/sign-in', { email }, { at: '/sign-in' });
      return [response.status, response.headers.get('location'), await response.text()];
    };
    await signIn(site, app, 'known@example.org', elsewhere());
    expect(await answer('known@example.org')).toEqual(await answer('unknown@example.org'));
  });

  it('what is no address is refused', async () => {
    for (const email of ['', 'ada', 'ada@', 'a b@example.org', 'a@example.org\nbcc: b@example.org', 'a@x,b@y']) {
      const response = await new Browser(app, elsewhere()).post('/sign-in', { email }, { at: '/sign-in' });
      expect(response.status, email).toBe(400);
    }
  });

  it('nobody is led to another site', async () => {
    const browser = await signIn(site, app, 'next@example.org', elsewhere());
    for (const next of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/\t/evil.example',
      'javascript:alert(1)',
    ]) {
      const response = await browser.post(`/papers/${paper}/vote`, { on: '1', next });
      expect(response.headers.get('location'), next).toBe(`/papers/${paper}`);
      expect((await browser.ask(`/sign-in?next=${encodeURIComponent(next)}`)).headers.get('location')).toBe('/');
    }
  });

  it('signing out ends the session: the old cookie opens nothing', async () => {
    const browser = await signIn(site, app, 'out@example.org', elsewhere());
    const { id } = await person(site, 'out@example.org');
    const sessions = () => site.database.db.select().from(schema.session).where(eq(schema.session.userId, id));
    expect(await sessions()).toHaveLength(1);
    const old = new Map(browser.cookies);
    const response = await browser.post('/sign-out', {});
    expect(response.status).toBe(303);
    expect(browser.cookies.has('papers.session_token')).toBe(false);
    expect(await sessions()).toHaveLength(0);
    const thief = new Browser(app);
    for (const [name, value] of old) thief.cookies.set(name, value);
    const refused = await thief.ask('/you');
    expect(refused.status).toBe(303);
    expect(refused.headers.get('location')).toBe('/sign-in?next=%2Fyou');
  });

  it('a session of another browser is ended from the account’s page', async () => {
    const here = await signIn(site, app, 'two@example.org', elsewhere());
    const there = await signIn(site, app, 'two@example.org', elsewhere());
    const id = /name="id" value="([^"]+)"/.exec(await here.read('/you'))![1];
    await here.post('/you/sessions/end', { id });
    expect((await there.ask('/you')).status).toBe(303);
    expect((await here.ask('/you')).status).toBe(200);
  });

  it('a form without its token, with another’s, or from another site changes nothing', async () => {
    const browser = await signIn(site, app, 'csrf@example.org', elsewhere());
    const other = await signIn(site, app, 'other@example.org', elsewhere());
    const before = (await paperById(site, paper))!.votes;
    const vote = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
      browser.post(`/papers/${paper}/vote`, { on: '1', ...fields }, { headers });
    expect((await vote({ csrf: '' })).status).toBe(403);
    expect((await vote({ csrf: await other.token('/you') })).status).toBe(403);
    expect((await vote({ csrf: await new Browser(app).token('/sign-in') })).status).toBe(403);
    expect((await vote({}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await vote({}, { origin: 'null' })).status).toBe(403);
    expect((await vote({}, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await vote({}, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
    expect((await paperById(site, paper))!.votes).toBe(before);
    expect((await vote({})).status).toBe(303);
    const header = { 'x-csrf-token': await browser.token('/you') };
    expect((await vote({ csrf: '', on: '0' }, header)).status).toBe(303);
    expect((await paperById(site, paper))!.votes).toBe(before);
  });

  it('a mail program unsubscribes without a token', async () => {
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    expect((await new Browser(app).ask('/unsubscribe/secret', { method: 'POST', body })).status).toBe(200);
  });

  it('pages that readers share set no cookie and hold no token', async () => {
    const browser = new Browser(app);
    await browser.ask('/sign-in');
    const [[name]] = browser.cookies;
    expect(name).toBe('papers.form');
    const response = await browser.ask(`/papers/${paper}`);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(response.headers.has('cache-control')).toBe(false);
    const html = await response.text();
    expect(html).not.toContain('name="csrf"');
    expect(html).toContain('/sign-in?next=%2Fpapers%2F2410.11772');
    const own = await (await signIn(site, app, 'cache@example.org', elsewhere())).ask(`/papers/${paper}`);
    expect(own.headers.get('cache-control')).toBe('private, no-store');
  });

  it('one person has one vote, and readers see it change', async () => {
    const browser = await signIn(site, app, 'vote@example.org', elsewhere());
    const votes = async () => (await paperById(site, paper))!.votes;
    const before = await votes();
    const revision = await latestRevision(site.database);
    for (const _ of [1, 2]) await browser.post(`/papers/${paper}/vote`, { on: '1' });
    await Promise.all([1, 2, 3].map(() => browser.post(`/papers/${paper}/vote`, { on: '1' })));
    expect(await votes()).toBe(before + 1);
    expect(await latestRevision(site.database)).toBeGreaterThan(revision);
    expect(await browser.read(`/papers/${paper}`)).toContain('aria-pressed="true"');
    for (const _ of [1, 2]) await browser.post(`/papers/${paper}/vote`, { on: '0' });
    expect(await votes()).toBe(before);
    expect((await browser.post('/papers/none/vote', { on: '1' })).status).toBe(404);
    expect((await new Browser(app).post(`/papers/${paper}/vote`, { on: '1' }, { at: '/sign-in' })).status).toBe(403);
  });

  it('comments are threaded, counted, and leave a tombstone', async () => {
    const browser = await signIn(site, app, 'comment@example.org', elsewhere());
    await browser.post('/you/name', { name: 'Grace <b>' });
    const at = `/papers/${paper}`;
    const counted = async () => (await paperById(site, paper))!.comments;
    const before = await counted();
    const first = await browser.post(`${at}/comments`, { body: 'So *this* is <script>alert(1)</script> it' });
    expect(first.headers.get('location')).toMatch(/^\/papers\/2410\.11772#comment-/);
    const parent = first.headers.get('location')!.split('#comment-')[1];
    await browser.post(`${at}/comments`, { body: 'Indeed.', parent });
    expect(await counted()).toBe(before + 2);
    const html = await browser.read(at);
    expect(html).toContain('So <em>this</em> is');
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('Grace &lt;b&gt;');
    const other = await signIn(site, app, 'stranger@example.org', elsewhere());
    expect((await other.post(`/comments/${parent}/delete`, {})).status).toBe(403);
    expect((await browser.post(`/comments/${parent}/delete`, {})).status).toBe(303);
    await browser.post(`/comments/${parent}/delete`, {});
    expect(await counted()).toBe(before + 1);
    expect(await browser.read(at)).toContain('This comment was deleted.');
    expect(await browser.read(at)).toContain('Indeed.');
    const rows = await site.database.db.select().from(schema.comments).where(eq(schema.comments.id, parent));
    expect(rows[0].body).toBe('');
  });

  it('comments that are empty, too long, or answer nothing are refused', async () => {
    const browser = await signIn(site, app, 'bad@example.org', elsewhere());
    const say = (fields: Record<string, string>) => browser.post(`/papers/${paper}/comments`, { body: 'x', ...fields });
    expect((await say({ body: '  \n ' })).status).toBe(400);
    expect((await say({ body: 'x'.repeat(5001) })).status).toBe(400);
    expect((await say({ body: 'x'.repeat(5000) })).status).toBe(303);
    expect((await say({ parent: 'nothing' })).status).toBe(404);
    expect((await say({ parent: '00000000-0000-4000-8000-000000000000' })).status).toBe(404);
    expect((await browser.post('/papers/none/comments', { body: 'x' })).status).toBe(404);
    expect((await say({ body: 'x'.repeat(200_000) })).status).toBe(413);
  });

  it('a topic is followed and let go', async () => {
    const browser = await signIn(site, app, 'follow@example.org', elsewhere());
    const { id } = await person(site, 'follow@example.org');
    const follow = (fields: Record<string, string>) =>
      browser.post('/follow', { kind: 'topic', value: 'pruning', ...fields });
    expect((await follow({ on: '1', next: '/topics/pruning' })).headers.get('location')).toBe('/topics/pruning');
    expect(await isFollowing(site, { id }, 'topic', 'pruning')).toBe(true);
    expect((await follow({ kind: 'search', value: '/search?q=token+pruning&page=2' })).status).toBe(303);
    expect(await isFollowing(site, { id }, 'search', 'q=token+pruning')).toBe(true);
    expect((await follow({ kind: 'author', value: 'nobody' })).status).toBe(404);
    expect((await follow({ kind: 'planet' })).status).toBe(400);
    const html = await browser.read('/you');
    expect(html).toContain('/topics/pruning');
    expect(html).toContain('token pruning');
    const forThem = await browser.read('/for-you');
    expect(forThem).toContain('Layer-wise Importance Matters');
    expect(forThem).toContain('You follow Pruning');
    await follow({ on: '0' });
    expect(await isFollowing(site, { id }, 'topic', 'pruning')).toBe(false);
  });

  it('addresses of the configuration become administrators, others need one to rise', async () => {
    const admin = await signIn(site, app, 'root@example.org', elsewhere());
    const reader = await signIn(site, app, 'reader@example.org', elsewhere());
    const { id } = await person(site, 'reader@example.org');
    expect((await admin.ask('/admin')).status).toBe(200);
    expect((await reader.ask('/admin')).status).toBe(403);
    expect((await reader.ask('/curate/2025-12-10')).status).toBe(403);
    expect((await reader.post(`/admin/people/${id}/role`, { role: 'admin' })).status).toBe(403);
    expect((await admin.post(`/admin/people/${id}/role`, { role: 'emperor' })).status).toBe(400);
    expect((await admin.post(`/admin/people/${id}/role`, { role: 'curator' })).status).toBe(303);
    expect((await reader.ask('/curate/2025-12-10')).status).toBe(200);
    expect((await reader.ask('/admin')).status).toBe(403);
    const self = (await person(site, 'root@example.org')).id;
    expect((await admin.post(`/admin/people/${self}/ban`, { banned: '1' })).status).toBe(409);
  });

  it('a curator’s picks lead the day, in the order of their numbers, with the curator’s name', async () => {
    const curator = await signIn(site, app, 'root@example.org', elsewhere());
    await curator.post('/you/name', { name: 'AK' });
    await upsertPapers(
      site,
      ['2512.00001', '2512.00002'].map((arxiv) => ({
        title: `Paper ${arxiv}`,
        abstract: 'a',
        arxiv,
        authors: ['A'],
        posted: '2025-12-09',
      })),
      'test',
    );
    const revision = await latestRevision(site.database);
    const body = new URLSearchParams({ csrf: await curator.token('/you'), more: `https://arxiv.org/abs/${paper}` });
    for (const [id, place] of [
      ['2512.00001', '2'],
      ['2512.00002', '1'],
    ]) {
      body.append('paper', id);
      body.append('place', place);
    }
    const saved = await curator.ask('/curate/2025-12-09', {
      method: 'POST',
      body,
      headers: { origin: 'http://papers.test' },
    });
    expect(saved.status).toBe(303);
    expect(await latestRevision(site.database)).toBeGreaterThan(revision);
    const picks = await picksOf(site, '2025-12-09');
    expect(picks.map((pick) => pick.paper)).toEqual(['2512.00002', '2512.00001', paper]);
    expect(picks[0].curatorName).toBe('AK');
    expect(await curator.read('/curate/2025-12-09')).toContain('value="1"');
    expect((await curator.ask('/curate/2025-02-30')).status).toBe(404);
  });

  it('an administrator is led to the mail in doubt, and reads again what is a source, not a file', async () => {
    const admin = await signIn(site, app, 'root@example.org', elsewhere());
    await site.database.db
      .insert(schema.ingests)
      .values(
        ['arxiv:cs.LG', 'file:papers.bib'].map((source) => ({ source, state: 'done', started: site.clock() }) as const),
      );
    const html = await admin.read('/admin');
    expect(html).toContain('href="/admin/mail"');
    expect(html).toContain('file:papers.bib');
    expect(html).toContain('Read arxiv:cs.LG again');
    expect(html).not.toContain('Read file:papers.bib again');
  });

  it('an administrator sees reports, removes what was reported, and bans its author', async () => {
    const admin = await signIn(site, app, 'root@example.org', elsewhere());
    const author = await signIn(site, app, 'rude@example.org', elsewhere());
    const reader = await signIn(site, app, 'hurt@example.org', elsewhere());
    const said = await author.post(`/papers/${paper}/comments`, { body: 'Rude words' });
    const comment = said.headers.get('location')!.split('#comment-')[1];
    for (const reason of ['It is rude', 'Again']) await reader.post(`/comments/${comment}/report`, { reason });
    const reports = await site.database.db.select().from(schema.abuse).where(eq(schema.abuse.comment, comment));
    expect(reports).toHaveLength(1);
    expect(await admin.read('/admin')).toContain('It is rude');
    await admin.post(`/admin/reports/${reports[0].id}`, { hide: '1' });
    expect(await admin.read('/admin')).not.toContain('It is rude');
    expect(JSON.stringify(await commentsOf(site, paper))).not.toContain('Rude words');
    const { id } = await person(site, 'rude@example.org');
    await admin.post(`/admin/people/${id}/ban`, { banned: '1' });
    expect((await author.ask('/you')).status).toBe(303);
    const again = new Browser(app, elsewhere());
    expect(
      (await again.post('/sign-in', { email: 'rude@example.org' }, { at: '/sign-in' })).headers.get('location'),
    ).toBe('/sign-in/sent');
    const link = await linkFor(site, 'rude@example.org');
    const token = new URLSearchParams(link.split('?')[1]).get('token')!;
    expect((await again.post('/sign-in/confirm', { token }, { at: link })).status).toBe(410);
    expect(await site.database.db.select().from(schema.session).where(eq(schema.session.userId, id))).toEqual([]);
  });

  it('an API key is shown once, opens, and is revoked at once; a wrong one is refused', async () => {
    const browser = await signIn(site, app, 'key@example.org', elsewhere());
    const { id } = await person(site, 'key@example.org');
    const made = await browser.post('/you/keys', { name: 'laptop' });
    const [key] = /papers_[\w-]{43}/.exec(await made.text())!;
    expect(await browser.read('/you')).not.toContain(key);
    expect(JSON.stringify(await site.database.db.select().from(schema.apiKeys))).not.toContain(key);
    const api = (bearer: string) => new Browser(app).ask('/api/me', { headers: { authorization: `Bearer ${bearer}` } });
    expect(await (await api(key)).json()).toEqual({ owner: id });
    expect((await api(`${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`)).status).toBe(401);
    const keyId = /action="\/you\/keys\/revoke"[\s\S]*?name="id" value="([^"]+)"/.exec(await browser.read('/you'))![1];
    await browser.post('/you/keys/revoke', { id: keyId });
    expect((await api(key)).status).toBe(401);
  });

  it('programs are known by their key, never by a cookie without the token', async () => {
    const browser = await signIn(site, app, 'program@example.org', elsewhere());
    const who = await person(site, 'program@example.org');
    const key = await makeKey(site, who, 'k');
    const call = async (headers: Record<string, string>) =>
      (await browser.ask('/api/me', { method: 'POST', headers })).json();
    expect(await call({})).toEqual({ owner: null, person: null });
    expect(await call({ 'x-api-key': key, origin: 'https://elsewhere.example' })).toEqual({
      owner: who.id,
      person: null,
    });
    const token = { 'x-csrf-token': await browser.token('/you') };
    expect(await call(token)).toEqual({ owner: null, person: who.id });
    expect(await call({ ...token, origin: 'https://evil.example' })).toEqual({ owner: null, person: null });
  });

  it('too many searches are answered with 429, a page, and when to come back; others may go on', async () => {
    const busy = new Browser(app, elsewhere());
    let last = await busy.ask('/search');
    for (let i = 0; i < 120 && last.status === 200; i++) last = await busy.ask('/search');
    expect(last.status).toBe(429);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await last.text()).toContain('Too many searches: at most 120 in 60 seconds.');
    expect((await new Browser(app, elsewhere()).ask('/search')).status).toBe(200);
  });

  it('nobody’s mailbox is filled, wherever the requests come from', async () => {
    const answers: number[] = [];
    for (let i = 0; i < 6; i++) {
      const browser = new Browser(app, elsewhere());
      answers.push((await browser.post('/sign-in', { email: 'full@example.org' }, { at: '/sign-in' })).status);
    }
    expect(answers).toEqual([303, 303, 303, 303, 303, 429]);
  });

  it('an account takes its data along and leaves nothing behind', async () => {
    const browser = await signIn(site, app, 'leave@example.org', elsewhere());
    const { id } = await person(site, 'leave@example.org');
    const before = (await paperById(site, paper))!;
    await browser.post(`/papers/${paper}/vote`, { on: '1' });
    await browser.post(`/papers/${paper}/comments`, { body: 'My words' });
    await browser.post('/follow', { kind: 'topic', value: 'pruning', on: '1' });
    const exported = await (await browser.ask('/you/export')).json();
    expect(exported).toMatchObject({
      email: 'leave@example.org',
      votes: [{ paper }],
      comments: [{ body: 'My words' }],
      follows: [{ value: 'pruning' }],
    });
    expect((await browser.post('/you/delete', { sure: 'no' })).status).toBe(400);
    expect((await browser.post('/you/delete', { sure: 'delete' })).status).toBe(303);
    expect((await browser.ask('/you')).status).toBe(303);
    const after = (await paperById(site, paper))!;
    expect([after.votes, after.comments]).toEqual([before.votes, before.comments]);
    for (const table of [schema.user, schema.session, schema.follows, schema.votes, schema.comments] as const) {
      const rows = JSON.stringify(await site.database.db.select().from(table));
      expect(rows).not.toContain(id);
      expect(rows).not.toContain('My words');
    }
  });
}

describe('people over https', () => {
  it('cookies are sent over https alone, and none is taken from a subdomain’s form', async () => {
    const site = await testSite({ url: 'https://papers.test' });
    try {
      const app = application(site);
      const form = await app.request('https://papers.test/sign-in');
      expect(form.headers.getSetCookie()[0]).toMatch(
        /^__Host-papers\.form=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      );
      const [session] = await signInBy(site, await signInToken(site, 'ada@example.org'));
      expect(session).toMatch(/^__Secure-papers\.session_token=/);
      expect(session).toMatch(/; Secure/);
      const cookie = session.split(';')[0];
      const ask = () => app.request('https://papers.test/you', { headers: { cookie } });
      expect((await ask()).headers.getSetCookie()).toEqual([]);
      // It lives for sixty days of use: a day later its end is put off.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3_600_000 });
      const [again] = (await ask()).headers.getSetCookie();
      expect(again).toMatch(/^__Secure-papers\.session_token=.*Max-Age=5184000/);
      vi.setSystemTime(Date.now() + 61 * 24 * 3_600_000);
      expect((await ask()).status).toBe(303);
    } finally {
      vi.useRealTimers();
      await site.close();
    }
  }, 60_000);
});

describe('people on PGlite', () => {
  round(async () => ({ site: await testSite({ proxies: 1, admins: ['root@example.org'] }) }));
});

describe.skipIf(!process.env.TEST_DATABASE_URL)(`people on PostgreSQL${whereThereIsPostgres}`, () => {
  round(async () => {
    const { url, drop } = await newDatabase();
    return { site: await testSite({ proxies: 1, admins: ['root@example.org'], databaseUrl: url }), drop };
  });
});
