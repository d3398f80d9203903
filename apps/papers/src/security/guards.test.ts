/** @file Headers, sizes and limits of a request. */

import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { limitBodies } from './body-limit.ts';
import { securityHeaders } from './headers.ts';
import { count } from './rate-limit.ts';
import { Refused } from './refused.ts';

describe('guards', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  }, 60_000);
  afterAll(() => site.close());

  const answer = (url = site.config.url) => {
    const app = new Hono();
    app.use(securityHeaders({ ...site, config: { ...site.config, url } }), limitBodies([[/^\/runs/, 1024 * 1024]]));
    app.all('*', async (c) => c.text(String((await c.req.text()).length)));
    return app;
  };

  it('a page may load and run what is of this site alone, inline nothing', async () => {
    const { headers } = await answer().request('/');
    const policy = headers.get('content-security-policy')!;
    expect(policy.split('; ').sort()).toEqual([
      "base-uri 'none'",
      "default-src 'self'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "img-src 'self' data:",
      "object-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self'",
    ]);
    expect(policy).not.toContain('unsafe-inline');
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-frame-options': 'DENY',
    });
    expect(headers.has('strict-transport-security')).toBe(false);
    expect((await answer('https://papers.test').request('/')).headers.get('strict-transport-security')).toContain(
      'max-age',
    );
  });

  it('what is too long is refused before it is read, told or not told', async () => {
    const post = (path: string, bytes: number) => answer().request(path, { method: 'POST', body: 'x'.repeat(bytes) });
    const told = (path: string, bytes: number) =>
      answer().request(path, { method: 'POST', body: 'x', headers: { 'content-length': String(bytes) } });
    expect(await (await post('/', 128 * 1024)).text()).toBe(String(128 * 1024));
    expect((await post('/', 128 * 1024 + 1)).status).toBe(413);
    expect((await told('/', 10 ** 9)).status).toBe(413);
    expect((await post('/runs', 128 * 1024 + 1)).status).toBe(200);
    expect((await post('/runs', 1024 * 1024 + 1)).status).toBe(413);
  });

  it('a limit is a person’s own, says when to come back, and then lets through again', async () => {
    for (let i = 0; i < 10; i++) await count(site, 'comment', 'ada');
    const refused = await count(site, 'comment', 'ada').catch((error) => error as Refused);
    expect(refused).toBeInstanceOf(Refused);
    expect((refused as Refused).status).toBe(429);
    const seconds = Number((refused as Refused).headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(600);
    await count(site, 'comment', 'grace');
    await count(site, 'vote', 'ada');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    await count(site, 'comment', 'ada');
    vi.useRealTimers();
  });
});

describe.skipIf(!process.env.TEST_DATABASE_URL)(`limits on PostgreSQL${whereThereIsPostgres}`, () => {
  it('two instances count together, and name nobody in the database', async () => {
    const { url, drop } = await newDatabase();
    const one = await testSite({ databaseUrl: url });
    const other = await testSite({ databaseUrl: url });
    try {
      const results = await Promise.allSettled(
        Array.from({ length: 14 }, (_, i) => count(i % 2 ? one : other, 'comment', 'ada@example.org')),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
      const { rows } = await one.database.execute('SELECT key FROM rate_limits');
      expect(rows).toHaveLength(1);
      expect(rows[0].key).not.toContain('ada');
    } finally {
      await one.close();
      await other.close();
      await drop();
    }
  });
});
