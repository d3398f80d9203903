import { sql } from 'drizzle-orm';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { touch } from '../database/connect.ts';
import type { AppEnv } from '../pages/context.ts';
import { upsertPapers } from '../papers/records.ts';
import { printable } from './feed.ts';
import { feedRoutes } from './feed-routes.ts';

interface Link {
  rel: string;
  href: string;
  type?: string;
}
interface AtomEntry {
  id: string;
  title: string;
  summary: string;
  content: { '#text': string; type: string };
  published: string;
  updated: string;
  link: Link[];
  author?: { name: string; uri: string }[];
  category?: { term: string; scheme: string }[];
}
interface AtomFeed {
  id: string;
  title: string;
  updated: string;
  link: Link[];
  author: { name: string }[];
  entry?: AtomEntry[];
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  htmlEntities: true,
  isArray: (name) => ['entry', 'author', 'category', 'link'].includes(name),
});
const tag = /^tag:papers\.test,2025:[!-~]+$/;
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Parses, and holds the feed to RFC 4287. */
function atom(text: string): AtomFeed {
  expect(XMLValidator.validate(text)).toBe(true);
  const { feed } = parser.parse(text) as { feed: AtomFeed & { xmlns: string } };
  expect(feed.xmlns).toBe('http://www.w3.org/2005/Atom');
  for (const { id, title, updated, link } of [feed, ...(feed.entry ?? [])]) {
    expect(id).toMatch(tag);
    expect(title).not.toBe('');
    expect(updated).toMatch(moment);
    expect(link.filter(({ rel }) => rel === 'alternate')).toHaveLength(1);
    for (const { href } of link) expect(URL.canParse(href)).toBe(true);
  }
  expect(feed.link.filter(({ rel }) => rel === 'self')).toHaveLength(1);
  expect(feed.author).toHaveLength(1);
  const ids = (feed.entry ?? []).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  return feed;
}

interface JsonFeed {
  version: string;
  title: string;
  home_page_url: string;
  feed_url: string;
  items: Record<string, unknown>[];
}

/** Parses, and holds the feed to the rules of JSON Feed 1.1. */
function jsonFeed(text: string): JsonFeed {
  const feed = JSON.parse(text) as JsonFeed;
  expect(feed.version).toBe('https://jsonfeed.org/version/1.1');
  expect(typeof feed.title).toBe('string');
  expect(URL.canParse(feed.home_page_url) && URL.canParse(feed.feed_url)).toBe(true);
  for (const item of feed.items) {
    expect(typeof item.id === 'string' && item.id !== '').toBe(true);
    expect(typeof item.content_text === 'string' || typeof item.content_html === 'string').toBe(true);
    expect(URL.canParse(String(item.url))).toBe(true);
    for (const date of ['date_published', 'date_modified']) expect(item[date]).toMatch(moment);
    expect((item.tags as unknown[]).every((name) => typeof name === 'string')).toBe(true);
    for (const author of (item.authors ?? []) as Record<string, unknown>[]) expect(typeof author.name).toBe('string');
  }
  return feed;
}

describe('feeds', () => {
  let site: TestSite;
  let app: Hono<AppEnv>;
  let topic: string;
  let key: string;
  beforeAll(async () => {
    site = await testSite();
    app = new Hono<AppEnv>()
      .use(async (c, next) => {
        c.set('address', '192.0.2.1');
        await next();
      })
      .route('/', feedRoutes(site));
    await upsertPapers(
      site,
      [
        {
          title: 'Pruning of weights & <b>heads</b> ]]> "quoted"',
          abstract: 'We prune weights. They matter little; x < y & z.',
          authors: ["Ada O'Lovelace", 'Grace <Hopper>'],
          arxiv: '2512.00001v2',
          categories: ['cs.LG'],
          codeUrl: 'https://github.com/ada/prune?a=1&b=2',
          posted: '2025-12-10',
        },
        { title: 'Only counted', abstract: 'No names are known here.', authorCount: 3, posted: '2025-12-10' },
        { title: 'The day before', abstract: 'It came earlier.', authors: ['Grace <Hopper>'], posted: '2025-12-09' },
      ],
      'test',
    );
    // What must not reach XML, past every check on the way in.
    await site.database.rows(sql`UPDATE papers SET abstract = 'We' || chr(8) || ' prune' || chr(65535) || ' weights.'
      WHERE title = 'Only counted'`);
    const [{ id }] = await site.database.rows<{ id: string }>(sql`SELECT id FROM topics ORDER BY id LIMIT 1`);
    topic = id;
    await site.database.rows(sql`
      INSERT INTO paper_topics (paper, topic, weight, posted) SELECT id, ${topic}, 1, posted FROM papers ON CONFLICT DO NOTHING`);
    key = (await site.database.rows<{ key: string }>(sql`SELECT key FROM authors WHERE name LIKE 'Ada%'`))[0].key;
  }, 60_000);
  afterAll(() => site.close());

  const get = async (path: string, headers: Record<string, string> = {}) => app.request(path, { headers });

  it('are there as Atom and JSON for everything that has a page, with the address of each and of its page', async () => {
    const pages: [string, string, number][] = [
      ['', '/', 3],
      ['/day/2025-12-10', '/day/2025-12-10', 2],
      ['/day/1999-01-01', '/day/1999-01-01', 0],
      ['/week/2025-W50', '/week/2025-W50', 3],
      ['/month/2025-12', '/month/2025-12', 3],
      ['/trending', '/trending', 3],
      ['/newest', '/newest', 3],
      ['/discussed', '/discussed', 3],
      [`/topics/${topic}`, `/topics/${topic}`, 3],
      [`/authors/${key}`, `/authors/${key}`, 1],
    ];
    for (const [place, page, count] of pages) {
      const xml = await get(`${place}/feed.xml`);
      expect(xml.headers.get('content-type')).toBe('application/atom+xml; charset=utf-8');
      const feed = atom(await xml.text());
      expect(feed.entry ?? [], place).toHaveLength(count);
      expect(feed.link.map(({ rel, href }) => `${rel} ${href}`)).toEqual([
        `self http://papers.test${place}/feed.xml`,
        `alternate http://papers.test${page}`,
      ]);
      const json = await get(`${place}/feed.json`);
      expect(json.headers.get('content-type')).toBe('application/feed+json; charset=utf-8');
      const parsed = jsonFeed(await json.text());
      expect(parsed.items).toHaveLength(count);
      expect(parsed.feed_url).toBe(`http://papers.test${place}/feed.json`);
      expect(parsed.items.map(({ id }) => id)).toEqual((feed.entry ?? []).map(({ id }) => id));
    }
  });

  it('of a search have its query, filters too, under both addresses', async () => {
    const feed = atom(await (await get('/search/feed.xml?q=prune&code=1&junk=2')).text());
    expect(feed.entry?.map(({ id }) => id)).toEqual(['tag:papers.test,2025:papers/2512.00001']);
    expect(feed.link[0].href).toBe('http://papers.test/search/feed.xml?q=prune&code=1');
    expect(feed.link[1].href).toBe('http://papers.test/search?q=prune&code=1');
    expect(atom(await (await get('/search.xml?q=prune&code=1')).text())).toEqual(feed);
    expect(jsonFeed(await (await get('/search.json?q=prune&code=1')).text()).items).toHaveLength(1);
    const odd = atom(await (await get(`/search/feed.xml?q=${encodeURIComponent('"<&>\u0007')}`)).text());
    expect(odd.title).toContain('"<&>');
  });

  it('say of a paper what there is, and nothing breaks out of its text', async () => {
    const feed = atom(await (await get('/day/2025-12-10/feed.xml')).text());
    const entry = feed.entry!.find(({ id }) => id.endsWith('2512.00001'))!;
    expect(entry.title).toBe('Pruning of weights & <b>heads</b> ]]> "quoted"');
    expect(entry.summary).toBe('We prune weights. They matter little; x < y & z.');
    expect(entry.content.type).toBe('html');
    expect(entry.content['#text']).toContain('x &#60; y &#38; z');
    expect(entry.author?.map(({ name }) => name)).toEqual(["Ada O'Lovelace", 'Grace <Hopper>']);
    expect(entry.author?.[0].uri).toBe(`http://papers.test/authors/${key}`);
    expect(entry.category?.map(({ term }) => term)).toEqual(expect.arrayContaining([topic, 'cs.LG']));
    expect(entry.published).toBe('2025-12-10T00:00:00.000Z');
    expect(entry.link.map(({ href }) => href)).toContain('https://github.com/ada/prune?a=1&b=2');
    const counted = feed.entry!.find(({ title }) => title === 'Only counted')!;
    expect(counted.author).toBeUndefined();
    expect(counted.summary).toBe('We prune weights.');
  });

  it('have the digest as summary where there is one', async () => {
    await site.database.rows(sql`UPDATE papers SET digest = '[{"text":"First.","score":1},{"text":"Second.","score":0.5}]'
      WHERE title = 'The day before'`);
    const [entry] = atom(await (await get('/day/2025-12-09/feed.xml')).text()).entry!;
    expect(entry.summary).toBe('First. Second.');
  });

  it('keep the id of an entry when the paper changes, and tell that it did', async () => {
    const read = async () => atom(await (await get('/day/2025-12-09/feed.xml')).text()).entry![0];
    const before = await read();
    site.now = new Date('2025-12-10T13:00:00Z');
    await upsertPapers(
      site,
      [
        {
          title: 'The day before',
          abstract: 'It came earlier. Now there is more.',
          authors: ['Grace <Hopper>'],
          posted: '2025-12-09',
          version: 2,
        },
      ],
      'test',
    );
    const after = await read();
    expect(after.id).toBe(before.id);
    expect(after.published).toBe(before.published);
    expect(after.updated > before.updated).toBe(true);
  });

  it('are not sent again to who has them, until something changes', async () => {
    const one = await get('/feed.xml');
    const etag = one.headers.get('etag')!;
    const modified = one.headers.get('last-modified')!;
    expect((await get('/feed.xml', { 'if-none-match': etag })).status).toBe(304);
    expect((await get('/feed.xml', { 'if-none-match': `"x", ${etag}` })).status).toBe(304);
    expect((await get('/feed.xml', { 'if-modified-since': modified })).status).toBe(304);
    expect((await get('/feed.xml', { 'if-none-match': '"other"', 'if-modified-since': modified })).status).toBe(200);
    await touch(site.database);
    expect((await get('/feed.xml', { 'if-none-match': etag })).status).toBe(200);
    expect((await get('/feed.xml', { 'if-modified-since': modified })).status).toBe(200);
  });

  it('are not there for what has no page', async () => {
    for (const path of [
      '/day/2025-02-30/feed.xml',
      '/week/2025-W60/feed.xml',
      '/month/2025-13/feed.json',
      '/topics/no-such/feed.json',
      '/authors/no-body/feed.xml',
    ]) {
      expect((await get(path)).status).toBe(404);
    }
  });

  it('hold nothing that XML cannot', () => {
    expect(printable('a\u0000b\u000bc\ud800d\ufffee\tf\u{1f600}')).toBe('abcde\tf\u{1f600}');
  });
});
