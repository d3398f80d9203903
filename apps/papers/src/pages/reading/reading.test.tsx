import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../../test/site.ts';
import { picks, user } from '../../database/schema.ts';
import { seedCatalogue } from '../../papers/catalogue-papers.ts';
import type { PaperInput } from '../../papers/facts.ts';
import { upsertPapers } from '../../papers/records.ts';
import { addComment } from '../../people/comments.ts';
import type { AppEnv, Person } from '../context.ts';
import { readingRoutes } from './reading-routes.ts';
import { brokenPage, notFoundPage } from './refusals.tsx';

const ada: Person = { id: 'ada', name: 'Ada', email: 'ada@example.org', role: 'reader' };
const evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>';

const papers: PaperInput[] = [
  {
    title: `Attack ${evil}`,
    abstract: `An abstract with ${evil} in it, about token pruning of attackers.`,
    arxiv: '2501.00001v2',
    authors: [`Mallory ${evil}`, 'Bob'],
    posted: '2025-01-02',
    links: ['https://example.org/"onmouseover="alert(1)'],
  },
  {
    title: 'A paper that its authors took back',
    abstract: 'It was wrong.',
    arxiv: '2501.00002',
    authors: ['Bob'],
    posted: '2025-01-02',
    withdrawn: true,
  },
  ...Array.from({ length: 45 }, (_, i) => ({
    title: `Long paper number ${i}`,
    abstract: `${'A sentence about sparse attention and what is kept of it. '.repeat(30)}`,
    arxiv: `2502.${String(10_000 + i)}`,
    authors: Array.from({ length: 20 }, (_, k) => `Author ${i} Number ${k}`),
    posted: '2025-02-03',
    importedComments: i,
  })),
];

describe('pages that are read', () => {
  let site: TestSite;
  let app: Hono<AppEnv>;
  let person: Person | undefined;
  beforeAll(async () => {
    site = await testSite();
    await seedCatalogue(site);
    await upsertPapers(site, papers, 'test');
    await site.database.db.insert(user).values({ id: 'ada', name: 'Ada', email: 'ada@example.org' });
    await addComment(site, { ...ada } as never, '2501.00001', `A comment ${evil}`);
    app = new Hono<AppEnv>();
    app.use(async (c, next) => {
      c.set('address', '192.0.2.1');
      c.set('csrf', person ? 'the-token' : '');
      c.set('person', person);
      await next();
    });
    app.route('/', readingRoutes(site));
    app.get('/broken', () => {
      throw new Error('inner secrets');
    });
    app.notFound((c) => notFoundPage(c as never));
    app.onError((_, c) => brokenPage(c as never) as never);
  }, 60_000);
  afterAll(() => site.close());

  const get = async (path: string) => {
    const response = await app.request(path);
    const html = await response.text();
    return {
      status: response.status,
      location: response.headers.get('location'),
      html,
      document: parseHTML(html).document,
    };
  };
  const titles = (document: Document) =>
    [...document.querySelectorAll('.paper-title')].map((title) => title.textContent!.trim());

  const found = [
    '/',
    '/?page=1',
    '/day/2025-02-03',
    '/day/2025-02-03?page=3',
    '/day/1999-01-01',
    '/week/2025-W06',
    '/month/2025-02?page=2',
    '/trending',
    '/newest?page=2',
    '/discussed',
    '/papers/2501.00001',
    '/papers/2501.00002',
    '/papers/1109.2128',
    '/papers/2502.10003',
    '/topics',
    '/topics/pruning',
    '/authors/bob',
    '/search',
    '/search?q=token+pruning',
    `/search?q=${encodeURIComponent(evil)}`,
    '/search?q=pruning&from=2011-01-01&to=2025-12-31&topic=pruning&implemented=1&code=1&authors=2',
    '/about',
  ];

  it.each(found)('%s is a whole page, without a script, style or event of its own', async (path) => {
    for (const who of [undefined, ada]) {
      person = who;
      const { status, html, document } = await get(path);
      person = undefined;
      expect(status).toBe(200);
      expect(html.startsWith('<!doctype html><html lang="en">')).toBe(true);
      expect(document.querySelectorAll('h1')).toHaveLength(1);
      expect(document.querySelector('title')!.textContent).not.toBe('');
      expect(document.querySelector('link[rel=canonical]')!.getAttribute('href')).toMatch(/^http:\/\/papers\.test\//);
      expect(document.querySelectorAll('main')).toHaveLength(1);
      const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)]);
      for (const element of document.querySelectorAll('*')) {
        for (const { name, value } of element.attributes) {
          expect(name).not.toMatch(/^(on|style$)/);
          if (/^(href|src|action)$/.test(name)) expect(value).toMatch(/^(\/(?!\/)|#|https?:\/\/)/);
        }
      }
      for (const script of document.querySelectorAll('script')) {
        expect(script.textContent).toBe('');
        expect(script.getAttribute('src')).toMatch(/^\/assets\//);
      }
      expect(document.querySelectorAll('style, img[src=x]')).toHaveLength(0);
      expect(html).not.toContain('<img src=x');
      expect(html).not.toContain('undefined');
    }
  });

  it.each(found)('%s carries nothing of a person for readers who are not signed in', async (path) => {
    const { document, html } = await get(path);
    expect(document.querySelectorAll('form[method=post], [name=csrf]')).toHaveLength(0);
    expect(html).not.toContain('the-token');
  });

  it('a page of twenty long papers stays under 60 KB with its styles and scripts', async () => {
    const { html, document } = await get('/day/2025-02-03');
    expect(titles(document)).toHaveLength(20);
    const assets = [...document.querySelectorAll('script, link[rel=stylesheet]')].map((element) =>
      readFile(
        new URL(`../../../dist/public${element.getAttribute('src') ?? element.getAttribute('href')}`, import.meta.url),
      ),
    );
    const bytes = (await Promise.all(assets)).reduce((sum, { length }) => sum + length, Buffer.byteLength(html));
    expect(bytes).toBeLessThan(60_000);
  });

  it('the first page is the latest day with papers, in the order of its picks', async () => {
    const { document } = await get('/');
    expect(document.querySelector('h1')!.textContent).toBe('Today, Dec 10, 2025');
    expect(titles(document)[0]).toMatch(/^LexRank/);
    expect(document.querySelector('.heading .muted')!.textContent).toContain('picked by salience');
    expect(document.querySelector('.banner')!.textContent).toContain('Get trending papers in your email inbox!');
  });

  it('a short day is followed on the first page by earlier papers, each once', async () => {
    const before = site.now;
    site.now = new Date('2025-12-11T12:00:00Z');
    await site.database.db
      .insert(picks)
      .values({ day: '2025-12-11', place: 0, paper: '2502.10044', curator: 'ada', curatorName: 'Ada', at: site.now });
    const { document } = await get('/');
    site.now = before;
    const all = titles(document);
    expect(all[0]).toBe('Long paper number 44');
    expect(all).toHaveLength(20);
    expect(new Set(all).size).toBe(20);
  });

  it('days lead to the days before and after that have papers, weeks and months to theirs', async () => {
    const { document } = await get('/day/2025-01-02');
    const ways = [...document.querySelectorAll('.before-after a')].map((a) => a.getAttribute('href'));
    expect(ways[1]).toBe('/day/2025-02-03');
    expect(document.querySelector('form[action="/day"] input[name=day]')?.getAttribute('value')).toBe('2025-01-02');
    expect((await get('/day?day=2025-02-03')).location).toBe('/day/2025-02-03');
    const tabs = [...document.querySelectorAll('.tabs a')].map((a) => a.getAttribute('href'));
    expect(tabs).toEqual(['/day/2025-01-02', '/week/2025-W01', '/month/2025-01', '/trending', '/newest', '/discussed']);
    const week = await get('/week/2025-W01');
    expect([...week.document.querySelectorAll('.before-after a')].map((a) => a.getAttribute('href'))).toEqual([
      '/week/2024-W52',
      '/week/2025-W02',
    ]);
  });

  it('every list says where its feeds are, to feed readers and to people', async () => {
    for (const path of [
      '/',
      '/day/2025-01-02',
      '/week/2025-W01',
      '/month/2025-01',
      '/trending',
      '/newest',
      '/discussed',
    ]) {
      const { document } = await get(path);
      const feeds = ['xml', 'json'].map((ending) => `${path === '/' ? '' : path}/feed.${ending}`);
      const told = [...document.querySelectorAll('link[rel=alternate]')].map((link) => link.getAttribute('href'));
      expect(told, path).toEqual(feeds);
      const linked = [...document.querySelectorAll('.feeds a')].map((a) => a.getAttribute('href'));
      expect(linked, path).toEqual(feeds);
    }
  });

  it('lists have pages of twenty', async () => {
    const { document } = await get('/month/2025-02?page=2');
    expect(titles(document)).toHaveLength(20);
    expect([...document.querySelectorAll('.pages a')].map((a) => a.getAttribute('href'))).toEqual([
      '/month/2025-02',
      '/month/2025-02?page=3',
    ]);
  });

  it.each([
    ['/day/2025-02-30', '“2025-02-30” is no day of the calendar'],
    ['/day/yesterday', 'days are written 2025-10-28'],
    ['/week/2025-W53', 'is no week'],
    ['/month/2025-13', 'is no month'],
    ['/papers/2501.99999', 'no such paper'],
    ['/topics/none', 'There is no topic “none”'],
    ['/authors/nobody', 'No paper here is by an author of that name'],
    ['/trending?page=0', '“0” is no page'],
    ['/newest?page=9999', 'no page 9999'],
    ['/day/2025-02-03?page=99', 'no page 99'],
    ['/nowhere', 'nothing at this address'],
    [`/day/${encodeURIComponent(evil)}`, 'is no day of the calendar'],
  ])('%s is not found, and the page says why', async (path, says) => {
    const { status, document, html } = await get(path);
    expect(status).toBe(404);
    expect(document.querySelector('main')!.textContent).toContain(says);
    expect(html).not.toContain('<img src=x');
  });

  it('what broke is not shown', async () => {
    const { status, html } = await get('/broken');
    expect(status).toBe(500);
    expect(html).not.toContain('inner secrets');
  });

  it('addresses of the original and former ids lead on, never to another site', async () => {
    expect(await get('/papers/date/2025-02-03')).toMatchObject({ status: 301, location: '/day/2025-02-03' });
    expect(await get('/papers/2501.00001v1')).toMatchObject({ status: 301, location: '/papers/2501.00001' });
    expect(await get('/day?day=2025-02-03')).toMatchObject({ status: 303, location: '/day/2025-02-03' });
    for (const path of ['/papers/date/%2F%2Fevil.example', '/day?day=//evil.example', '/papers/%2F%2Fevil.example']) {
      expect(await get(path), path).toMatchObject({ status: 404, location: null });
    }
  });

  it('a paper shows its authors, versions, words and whose they are', async () => {
    const { document } = await get('/papers/2501.00001');
    expect(document.querySelector('h1')!.textContent).toBe(papers[0].title);
    expect(document.querySelector('.authors')!.textContent).toContain(`Mallory ${evil}`);
    expect(document.querySelector('#abstract')!.textContent).toBe('Abstract');
    expect(document.querySelector('.comments')!.textContent).toContain('A comment');
    expect((await get('/papers/2501.00002')).document.querySelector('.error')!.textContent).toContain('Withdrawn.');
  });

  it('an implemented paper has its card, its Run panel and the verdict on its claim', async () => {
    const { document } = await get('/papers/1109.2128');
    expect(document.querySelector('#abstract')!.textContent).toBe('Our summary');
    expect(document.querySelector('#run run-panel')).not.toBeNull();
    expect(document.querySelector('#claim')!.textContent).toContain('reproduced');
    expect(document.querySelector('script[src*=run-panel]')).not.toBeNull();
  });

  it('a search marks what it found, says what it corrected, and names what it did not understand', async () => {
    const { document } = await get('/search?q=sparse+attention&from=2025-02-30');
    expect(document.querySelector('.snippet mark')).not.toBeNull();
    expect(document.querySelector('.error')!.textContent).toContain('“2025-02-30” is no day of the calendar');
    const misspelt = await get('/search?q=atention');
    expect(misspelt.document.querySelector('.notice')!.textContent).toContain('attention');
  });

  it('robots, the icon and the search’s description are there', async () => {
    expect((await get('/robots.txt')).html).toContain('Disallow: /sign-in');
    expect((await get('/icon.svg')).html).toMatch(/^<svg /);
    expect((await get('/opensearch.xml')).html).toContain('template="http://papers.test/search?q={searchTerms}"');
  });
});
