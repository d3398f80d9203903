/** @file The feed as a reader meets it, in headless Chromium. */

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParsedMail, simpleParser } from 'mailparser';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { madePapers } from '../bench/made-papers.js';
import { digestJobs } from '../src/digest/digest-jobs.ts';
import { ingestFile } from '../src/ingest/ingest.ts';
import { mailJobs } from '../src/mail/issues.ts';
import { seedCatalogue } from '../src/papers/catalogue-papers.ts';
import { upsertPapers } from '../src/papers/records.ts';
import { type Runner, startRuns } from '../src/runs/runner.ts';
import { searchJobs } from '../src/search/embedding-jobs.ts';
import { openSearch, refreshSearch } from '../src/search/site-search.ts';
import { listener } from '../src/server.ts';
import { type TestSite, testSite } from './site.ts';

const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const present = existsSync(executablePath);
const title = present
  ? 'in a browser'
  : `in a browser (skipped: no Chromium at ${executablePath}; CHROMIUM_PATH names another)`;
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const silence = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
const seedPage = fileURLToPath(new URL('../../../../shared/seeds/daily-papers-importance-scores.txt', import.meta.url));
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

describe.skipIf(!present)(title, () => {
  let site: TestSite;
  let server: Server;
  let runner: Runner;
  let browser: Browser;
  let origin: string;

  const drain = () => site.drain([...digestJobs(site), ...searchJobs(site), ...mailJobs(site)]);

  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    site = await testSite({ url: origin });
    await seedCatalogue(site);
    if (existsSync(seedPage)) await ingestFile(site, seedPage, { pageYear: 2025 });
    await upsertPapers(site, [...madePapers(300)], 'made');
    await site.jobs.send('train-embeddings', {});
    await drain();
    await openSearch(site);
    const { listen } = listener(site);
    server.on('request', (request, response) => void listen(request, response));
    runner = startRuns(site);
    browser = await chromium.launch({ executablePath, args: [...flags, ...silence] });
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await runner?.stop();
    server?.closeAllConnections();
    server?.close();
    await site?.close();
  });

  /** A page of a reader of its own; what the console complains of fails the test. */
  async function reader(
    options: Parameters<Browser['newPage']>[0] = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage({ baseURL: origin, ...options });
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    return { page, complaints };
  }

  /** Mails to an address in the outbox, oldest first. */
  async function mailsTo(address: string): Promise<ParsedMail[]> {
    const folder = join(site.config.data, 'outbox');
    const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.eml')).sort();
    const mails = await Promise.all(names.map(async (name) => simpleParser(await readFile(join(folder, name)))));
    return mails.filter(({ to }) => to && !Array.isArray(to) && to.text.includes(address));
  }

  /** The first link of a mail's text with this path. */
  function linkIn(mail: ParsedMail, path: string): string {
    const links = [...(mail.text ?? '').matchAll(/https?:\/\/\S+/g)].map(([link]) => link.replace(/[)>.,]+$/, ''));
    const found = links.find((link) => new URL(link).pathname.startsWith(path));
    if (!found) throw new Error(`no link to ${path} in: ${mail.text}`);
    return found;
  }

  async function signIn(page: Page, email: string): Promise<void> {
    await page.goto('/sign-in');
    await page.getByLabel(/e-mail/i).fill(email);
    await page.locator('main form button[type=submit]').click();
    await drain();
    const mail = (await mailsTo(email)).at(-1)!;
    await page.goto(linkIn(mail, '/sign-in'));
    await page.locator('main form button[type=submit]').click();
    await page.waitForLoadState();
  }

  it('the day’s list has the papers that can be run, and each leads to its page', async () => {
    const { page, complaints } = await reader();
    await page.goto('/');
    const titles = page.locator('article.paper h2 a');
    expect(await titles.count()).toBeGreaterThanOrEqual(13);
    await titles.filter({ hasText: 'LexRank: Graph-based' }).click();
    expect(await page.locator('h1').innerText()).toMatch(/LexRank/);
    expect(page.url()).toBe(`${origin}/papers/1109.2128`);
    expect(complaints).toEqual([]);
  });

  it('pages are read without scripts', async () => {
    const { page } = await reader({ javaScriptEnabled: false });
    await page.goto('/');
    expect(await page.locator('article.paper').count()).toBeGreaterThanOrEqual(13);
    await page.locator('header input[type=search]').fill('pruning weights');
    await page.locator('header input[type=search]').press('Enter');
    expect(await page.locator('article.paper').count()).toBeGreaterThan(0);
  });

  it.skipIf(!existsSync(seedPage))(
    `“importance scores” finds the seed page’s papers above others${existsSync(seedPage) ? '' : ' (skipped: the seed page is not beside the repository)'}`,
    async () => {
      const { page } = await reader();
      await page.goto('/search?q=importance+scores');
      const links = await page
        .locator('article.paper h2 a')
        .evaluateAll((all) => all.map((a) => a.getAttribute('href')!));
      const made = new Set([...madePapers(300)].map(({ arxiv }) => `/papers/${arxiv}`));
      const precision = links.slice(0, 20).filter((href) => !made.has(href)).length / 20;
      expect(links.length).toBeGreaterThanOrEqual(20);
      expect(precision).toBeGreaterThanOrEqual(0.9);
    },
  );

  it('a reader subscribes, confirms, receives the day’s papers once, and unsubscribes', async () => {
    const { page } = await reader();
    const email = 'ada@example.org';
    await page.goto('/subscribe');
    await page.getByLabel(/e-mail/i).fill(email);
    await page.locator('main form button[type=submit]').click();
    await drain();
    expect(await mailsTo(email)).toHaveLength(1);
    await page.goto(linkIn((await mailsTo(email))[0], '/subscribe/confirm'));
    await page.locator('main form button[type=submit]').click();
    await page.waitForLoadState();
    const work = mailJobs(site).find(({ cron }) => cron)!;
    const evening = async (moment: string) => {
      site.now = new Date(moment);
      await work.work({}, new AbortController().signal);
      await drain();
    };
    await evening('2025-12-10T18:05:00Z');
    await evening('2025-12-10T18:10:00Z');
    const mails = await mailsTo(email);
    expect(mails).toHaveLength(2);
    const issue = mails[1];
    expect(issue.text).toMatch(/LexRank/);
    expect(issue.html).toMatch(/LexRank/);
    expect(String(issue.headers.get('list-unsubscribe-post') ?? JSON.stringify(issue.headers.get('list')))).toMatch(
      /One-Click/i,
    );
    await page.goto(linkIn(issue, '/unsubscribe'));
    await page.locator('main form button[type=submit]').click();
    await page.waitForLoadState();
    await upsertPapers(
      site,
      [{ title: 'A paper of the next day', abstract: 'It is new.', posted: '2025-12-11', authorCount: 1 }],
      'test',
    );
    await evening('2025-12-11T18:05:00Z');
    expect(await mailsTo(email)).toHaveLength(2);
    site.now = new Date('2025-12-10T19:00:00Z');
  });

  it('a reader signs in by link, votes, comments, signs out', async () => {
    const { page, complaints } = await reader();
    await signIn(page, 'grace@example.org');
    await page.goto('/papers/1109.2128');
    await page.locator('form.vote button').first().click();
    await page.waitForLoadState();
    await page.goto('/papers/1109.2128');
    expect(await page.locator('form.vote input[name=on]').first().inputValue()).toBe('0');
    const words = 'A **classic**, <script>alert(1)</script> said.';
    await page.locator('form[action$="/comments"] textarea').last().fill(words);
    await page.locator('form[action$="/comments"]').last().locator('button[type=submit]').click();
    await page.waitForLoadState();
    expect(await page.locator('#comments').innerText()).toContain('classic');
    expect(await page.locator('#comments script').count()).toBe(0);
    const other = await reader();
    await other.page.goto('/papers/1109.2128');
    expect(await other.page.locator('#comments').innerText()).toContain('classic');
    expect(await other.page.locator('form.vote').count()).toBe(0);
    await page.goto('/you');
    await page
      .getByRole('button', { name: /sign out/i })
      .first()
      .click();
    await page.waitForLoadState();
    await page.goto('/you');
    expect(page.url()).toContain('/sign-in');
    expect(complaints.filter((text) => !/40[13]/.test(text))).toEqual([]);
  });

  it('LexRank runs on a pasted text in the reader’s browser and shades its sentences', async () => {
    const { page, complaints } = await reader();
    await page.goto('/methods/lexrank');
    const text = [
      'The lighthouse stood on a rock in the sea.',
      'The rock in the sea was hard to land on.',
      'The keeper of the lighthouse lit the lamp every night.',
      'Ships in the sea saw the lamp of the lighthouse from far away.',
      'A cat slept in the kitchen.',
    ].join(' ');
    await page.locator('run-panel textarea').first().fill(text);
    await page.locator('run-panel input[name=budget]').fill('2');
    const posted: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posted.push(request.url());
    });
    await page.locator('run-panel button[type=submit]').click();
    await page.waitForSelector('run-panel [class*="heat-"]', { timeout: 30_000 });
    const shades = await page
      .locator('run-panel [class*="heat-"]')
      .evaluateAll((all) => all.map((one) => one.className.match(/heat-\d+/)?.[0]));
    expect(new Set(shades).size).toBeGreaterThan(1);
    expect(posted).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('a run on the server is cancelled from its page', async () => {
    const { page } = await reader({ javaScriptEnabled: false });
    await page.goto('/methods/kan-select');
    await page.locator('run-panel button[type=submit]').click();
    await page.waitForURL(/\/runs\//);
    await page.getByRole('button', { name: /cancel/i }).click();
    await page.waitForLoadState();
    for (let tries = 0; tries < 40 && !/cancelled/i.test(await page.locator('main').innerText()); tries++) {
      await page.waitForTimeout(250);
      await page.reload();
    }
    expect(await page.locator('main').innerText()).toMatch(/cancelled/i);
  });

  it('the keyboard alone reads the list, searches and asks for help', async () => {
    const { page } = await reader();
    await page.goto('/');
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest('article')?.querySelector('h2')?.textContent);
    await page.keyboard.press('j');
    const first = await focused();
    await page.keyboard.press('j');
    const second = await focused();
    expect(first).toBeTruthy();
    expect(second).not.toBe(first);
    await page.keyboard.press('k');
    expect(await focused()).toBe(first);
    await page.keyboard.press('?');
    expect(await page.locator('dialog[open]').count()).toBe(1);
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog[open]').count()).toBe(0);
    await page.keyboard.press('/');
    await page.keyboard.type('cache jk');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/search\?q=cache/);
    await page.goto('/');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/papers\//);
  });

  const looked = [
    '/',
    '/trending',
    '/papers/1109.2128',
    '/topics',
    '/search?q=importance',
    '/methods',
    '/methods/lexrank',
    '/claims',
    '/subscribe',
    '/sign-in',
    '/about',
    '/api',
  ];

  it('axe finds nothing to complain of, in light and in dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await reader({ colorScheme, bypassCSP: true });
      for (const path of looked) {
        await page.goto(path);
        await page.addScriptTag({ path: axe });
        const violations = await page.evaluate(async () => {
          const { axe: scan } = globalThis as unknown as {
            axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
          };
          return (await scan.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
        });
        expect({ path, colorScheme, violations }).toEqual({ path, colorScheme, violations: [] });
      }
    }
  });

  it('nothing moves while a page loads, nothing is wider than a phone, and the day’s page is light', async () => {
    const { page, complaints } = await reader({ viewport: { width: 360, height: 740 } });
    for (const path of looked) {
      let bytes = 0;
      const weigh = async (response: { body(): Promise<Buffer> }) => {
        bytes += (await response.body().catch(() => Buffer.alloc(0))).length;
      };
      page.on('response', weigh);
      await page.goto(path, { waitUntil: 'load' });
      await page.waitForTimeout(200);
      page.off('response', weigh);
      const { shift, overflow } = await page.evaluate(() => ({
        shift: performance
          .getEntriesByType('layout-shift')
          .reduce((sum, entry) => sum + (entry as unknown as { value: number }).value, 0),
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      }));
      expect({ path, overflow, shift: shift < 0.05 }).toEqual({ path, overflow: 0, shift: true });
      if (path === '/') expect(bytes).toBeLessThan(60 * 1024);
    }
    expect(complaints).toEqual([]);
  });

  it('a vote of one reader is on the next page of another, from the cache or not', async () => {
    const { page } = await reader();
    await page.goto('/papers/1109.2128');
    const before = await page.locator('article.paper-page, main').first().innerText();
    await refreshSearch(site);
    const { page: voter } = await reader();
    await signIn(voter, 'alan@example.org');
    await voter.goto('/papers/1109.2128');
    await voter.locator('form.vote button').first().click();
    await voter.waitForLoadState();
    await page.goto('/papers/1109.2128');
    expect(await page.locator('article.paper-page, main').first().innerText()).not.toBe(before);
  });
});
