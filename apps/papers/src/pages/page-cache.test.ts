/** @file The cache of shared pages, behind a real server. */

import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PageCache } from './page-cache.ts';

let revision = 1;
let made: string[] = [];
let asked = 0;
let cache: PageCache;
let server: Server;
let origin: string;

const page = `<!doctype html><title>page</title>${'<p>a paragraph of some length, said again</p>'.repeat(100)}`;

/** What lies behind the cache: every path is a page, but for those that are not to be shared. */
async function fetchPage(url: string): Promise<Response> {
  made.push(url);
  await new Promise((resolve) => setTimeout(resolve, 5));
  if (url.startsWith('/lost'))
    return new Response('no such page', { status: 404, headers: { 'content-type': 'text/html' } });
  if (url.startsWith('/cookie')) {
    return new Response(page, { headers: { 'content-type': 'text/html', 'set-cookie': `token=${made.length}` } });
  }
  if (url.startsWith('/form')) {
    return new Response(page, { headers: { 'content-type': 'text/html', 'cache-control': 'no-store' } });
  }
  return new Response(`${page}${revision}`, { headers: { 'content-type': 'text/html; charset=utf-8' } });
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const how = await cache.answer(request, response);
    if (how === 'pass') response.writeHead(200, { 'x-passed': 'yes' }).end('passed');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  revision = 1;
  made = [];
  asked = 0;
  cache = new PageCache({
    fetch: (request) => fetchPage(request.url!),
    latestRevision: async () => {
      asked++;
      return revision;
    },
    trustedFor: 20,
  });
});

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  fetch(`${origin}${path}`, { headers, method });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the cache of pages', () => {
  it('makes a page once until something changes', async () => {
    const first = await (await get('/')).text();
    expect(await (await get('/')).text()).toBe(first);
    expect(made).toEqual(['/']);
    revision = 2;
    await pause(30);
    expect(await (await get('/')).text()).toBe(`${page}2`);
    expect(made).toEqual(['/', '/']);
  });

  it('sees a change of this process at once', async () => {
    await get('/');
    revision = 2;
    cache.changed();
    expect(await (await get('/')).text()).toBe(`${page}2`);
  });

  it('asks for the revision once for all who come within a moment', async () => {
    let release = (_revision: number) => {};
    const answered = new Promise<number>((resolve) => {
      release = resolve;
    });
    let came = 0;
    cache = new PageCache({
      fetch: (request) => fetchPage(request.url!),
      latestRevision: () => {
        asked++;
        return answered;
      },
      trustedFor: 3_600_000,
    });
    const arrive = () => came++;
    server.on('request', arrive);
    const answers = Array.from({ length: 20 }, () => get('/'));
    await vi.waitUntil(() => came === 20, { timeout: 30_000 });
    server.off('request', arrive);
    release(1);
    await Promise.all(answers);
    await get('/');
    expect(asked).toBe(1);
  });

  it('makes a page once for all who wait for it', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => get('/many').then((answer) => answer.text())));
    expect(new Set(answers).size).toBe(1);
    expect(made).toEqual(['/many']);
  });

  it('keeps pages apart by their whole address', async () => {
    await get('/search?q=a');
    await get('/search?q=b');
    expect(made).toHaveLength(2);
  });

  it('lets through who has a session, a key or a path of their own', async () => {
    for (const [path, headers] of [
      ['/', { cookie: 'better-auth.session_token=x' }],
      ['/', { authorization: 'Bearer x' }],
      ['/api/papers', {}],
      ['/you', {}],
      ['/runs/abc', {}],
      ['/subscribe', {}],
    ] as const) {
      expect((await get(path, headers)).headers.get('x-passed')).toBe('yes');
    }
    expect((await get('/', {}, 'POST')).headers.get('x-passed')).toBe('yes');
    expect(made).toEqual([]);
  });

  it('keeps neither what sets a cookie, nor forms with a token, nor what is lost', async () => {
    for (const path of ['/cookie', '/form', '/lost']) {
      await get(path);
      await get(path);
    }
    expect(made).toHaveLength(6);
    expect(cache.size.pages).toBe(0);
    expect((await get('/lost')).status).toBe(404);
    expect((await get('/cookie')).headers.getSetCookie()).toHaveLength(1);
  });

  it('two who wait for an answer with a cookie get one each', async () => {
    const cookies = await Promise.all(
      [get('/cookie'), get('/cookie')].map(async (answer) => (await answer).headers.get('set-cookie')),
    );
    expect(new Set(cookies).size).toBe(2);
  });

  it('whoever comes after a change waits for no page that was begun before it', async () => {
    const before = get('/slow');
    await vi.waitUntil(() => made.length === 1, { timeout: 30_000 });
    revision = 2;
    cache.changed();
    expect(await (await get('/slow')).text()).toBe(`${page}2`);
    await before;
    expect(made).toEqual(['/slow', '/slow']);
  });

  it('an address that names a host is no path, and is not kept', async () => {
    const { port } = new URL(origin);
    for (const path of ['http://elsewhere.test/you', '//elsewhere.test/you', '//', '/\\elsewhere.test/you']) {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request({ port, path, host: '127.0.0.1' }, resolve).on('error', reject).end();
      });
      answer.resume();
      expect(answer.headers['x-passed']).toBe('yes');
    }
    expect(made).toEqual([]);
  });

  it('answers 304 to who has the page already, and HEAD without a body', async () => {
    const etag = (await get('/')).headers.get('etag')!;
    const again = await get('/', { 'if-none-match': etag });
    expect(again.status).toBe(304);
    const head = await get('/', {}, 'HEAD');
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await head.text()).toBe('');
  });

  it('packs pages, and the unpacked page is the same', async () => {
    const plain = await get('/', { 'accept-encoding': 'identity' });
    const packed = await get('/', { 'accept-encoding': 'gzip' });
    const brotli = await get('/', { 'accept-encoding': 'br' });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(brotli.headers.get('content-encoding')).toBe('br');
    const text = await plain.text();
    expect(await packed.text()).toBe(text);
    expect(await brotli.text()).toBe(text);
    expect(plain.headers.get('vary')).toContain('Cookie');
  });

  it('never grows beyond its bytes', async () => {
    cache = new PageCache({
      fetch: (request) => fetchPage(request.url!),
      latestRevision: async () => revision,
      maxBytes: 40_000,
    });
    for (let i = 0; i < 30; i++) await get(`/?page=${i}`);
    expect(cache.size.bytes).toBeLessThanOrEqual(40_000);
    expect(cache.size.pages).toBeGreaterThan(1);
  });
});
