/** @file The Run panel in headless Chromium, with the site's policy. */

import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { Hono } from 'hono';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { assetRoutes } from '../pages/assets.ts';
import type { AppEnv } from '../pages/context.ts';
import { runRoutes } from '../pages/methods/routes.ts';
import { type Runner, startRuns } from '../runs/runner.ts';
import { csrf } from '../security/csrf.ts';
import { securityHeaders } from '../security/headers.ts';
import type { Site } from '../site.ts';

const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const present = existsSync(executablePath);
const title = present
  ? 'the Run panel in a browser'
  : `the Run panel in a browser (skipped: no Chromium at ${executablePath}; CHROMIUM_PATH names another)`;

const text = `The tower fell in the storm. The tower of the town fell at night. A cat slept by the fire.
People in the town heard the tower fall. In the morning the people of the town looked for the tower.`;

describe.skipIf(!present)(title, () => {
  let site: TestSite;
  let runner: Runner;
  let server: ServerType;
  let browser: Browser;
  let origin: string;

  beforeAll(async () => {
    site = await testSite();
    const app = new Hono<AppEnv>();
    server = await new Promise<ServerType>((resolve) => {
      const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made));
    });
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const here: Site = { ...site, config: { ...site.config, url: origin } };
    app.use(securityHeaders(here));
    app.route('/', assetRoutes());
    app.use(async (c, next) => {
      c.set('address', '127.0.0.1');
      await next();
    });
    app.use(csrf(here));
    app.route('/', runRoutes(here));
    runner = startRuns(here, { slots: 1 });
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await runner?.stop();
    server?.close();
    await site?.close();
  }, 60_000);

  async function open(
    path: string,
    options?: BrowserContextOptions,
  ): Promise<{ page: Page; posts: string[]; complaints: string[] }> {
    const page = await browser.newPage(options);
    const posts: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posts.push(new URL(request.url()).pathname));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${origin}${path}`);
    return { page, posts, complaints: complaints.filter((line) => !/icon\.svg|404/.test(line)) };
  }

  const run = (page: Page) => page.getByRole('button', { name: 'Run', exact: true }).click();

  it('runs LexRank on a pasted text without the server, and shades its sentences', async () => {
    const { page, posts, complaints } = await open('/methods/lexrank');
    await page.getByLabel('Text').fill(text);
    await page.getByLabel('Budget').fill('2');
    await run(page);
    await page.waitForSelector('.report h2');
    expect(await page.textContent('.report h2')).toMatch(/^2 of 5 sentences of pasted text kept/);
    expect(await page.locator('.passages li').count()).toBe(2);
    expect(await page.locator('.strip-text .heat-10').count()).toBeGreaterThan(0);
    expect(await page.textContent('.run-result .command')).toMatch(/^npx salience keep .* --by lexrank --budget 2$/);
    expect(posts).toEqual([]);
    expect(complaints.filter((line) => /Content Security|policy/i.test(line))).toEqual([]);
    await page.close();
  });

  it('gives a result of this browser an address when it is asked to', async () => {
    const { page, posts } = await open('/methods/lexrank');
    await page.getByLabel('Text').fill(text);
    await run(page);
    await page.getByRole('button', { name: 'Give this result an address' }).click();
    await page.waitForSelector('.run-result a[href^="/runs/"]');
    expect(posts).toEqual(['/methods/lexrank/runs']);
    expect(await page.textContent('.run-result .command')).toBe('npx salience keep pasted.txt --by lexrank --budget 5');
    await page.reload();
    expect(await page.textContent('.passages')).toContain('The tower of the town fell at night.');
    await page.close();
  });

  it('tells mistakes beside their fields, also of what runs here', async () => {
    const { page, posts } = await open('/methods/lexrank');
    await page.getByLabel('Budget').fill('much');
    await run(page);
    await page.waitForSelector('.field .error');
    expect(await page.getByLabel('Budget').getAttribute('aria-invalid')).toBe('true');
    expect(posts).toEqual([]);
    await page.close();
  });

  it('runs the rest on the server, and gives the page the address of the run', async () => {
    const { page, posts } = await open('/methods/random-features');
    await page.getByLabel('Budget').fill('3');
    await run(page);
    await page.waitForSelector('.report h2');
    expect(posts).toEqual(['/methods/random-features/runs']);
    expect(new URL(page.url()).pathname).toMatch(/^\/runs\/[\w-]{22}$/);
    await page.reload();
    expect(await page.textContent('.report h2')).toMatch(/^3 of 11 columns/);
    await page.close();
  });

  it('cancels what runs on the server', async () => {
    const { page, posts } = await open('/methods/shapley-workflow');
    await run(page);
    await page.waitForFunction(() => location.pathname.startsWith('/runs/'));
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForSelector('.run-result .notice');
    expect(await page.textContent('.run-result .notice')).toMatch(/cancelled/);
    expect(posts).toHaveLength(2);
    await page.close();
  });

  it('works without scripts', async () => {
    const { page } = await open('/methods/centroid', { javaScriptEnabled: false });
    await page.getByLabel('Text').fill(text);
    await page.getByLabel('Budget').fill('2');
    await run(page);
    expect(new URL(page.url()).pathname).toMatch(/^\/runs\//);
    await page.waitForSelector('.passages li');
    expect(await page.locator('.passages li').count()).toBe(2);
    await page.close();
  });
});
