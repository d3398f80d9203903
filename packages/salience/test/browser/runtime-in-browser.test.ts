/** @file The built library in a page of headless Chromium, bundled as an application's author would. */

import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, type Rollup } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as here from './page.js';

const executablePath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const present = existsSync(executablePath);
const title = present
  ? 'in a page'
  : `in a page (skipped: no Chromium at ${executablePath}; CHROMIUM_PATH names another)`;

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const silence = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Every file of the page by its path. */
async function bundle(): Promise<Map<string, string | Uint8Array>> {
  const entry = fileURLToPath(new URL('./page.js', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', output: { entryFileNames: 'page.js' } },
    },
  });
  const { output } = built as Rollup.RollupOutput;
  const files = output.map((file) => [`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source] as const);
  return new Map([['/', '<!doctype html><title>salience</title>'], ...files]);
}

const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };

/** Isolated from other origins, so that the page may have threads. */
async function serve(files: ReadonlyMap<string, string | Uint8Array>): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const file = files.get(url);
    response.writeHead(file === undefined ? 404 : 200, {
      'content-type': types[extname(url)] ?? 'text/html',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    response.end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe.skipIf(!present)(title, () => {
  let browser: Browser;
  let server: Server;
  let origin: string;

  beforeAll(async () => {
    server = await serve(await bundle());
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath, args: [...flags, ...silence] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** What a function of page.js gives in a new page, and what the page asked for. */
  async function inPage<Name extends keyof typeof here>(
    name: Name,
    options?: Parameters<(typeof here)[Name]>[0],
  ): Promise<{ result: Awaited<ReturnType<(typeof here)[Name]>>; requests: string[]; page: Page }> {
    const page = await browser.newPage();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(origin);
    const call = `import('/page.js').then((module) => module.${name}(${JSON.stringify(options)}))`;
    return { result: await page.evaluate(call), requests, page };
  }

  it('a selection keeps the best scores', async () => {
    const { result } = await inPage('keptOfThree');
    expect(result).toEqual([1, 2]);
  });

  it('PageRank of a star has its closed form', async () => {
    const { result } = await inPage('ranksOfStar');
    // Centre c and leaves l: c = 0.15/4 + 0.85 · 3 l and c + 3 l = 1.
    const centre = (0.15 / 4 + 0.85) / 1.85;
    [centre, (1 - centre) / 3, (1 - centre) / 3, (1 - centre) / 3].forEach((value, i) => {
      expect(result[i]).toBeCloseTo(value, 9);
    });
  });

  it.each([1, 2])('a compiled gradient step on %i threads gives the numbers that Node.js gives', async (threads) => {
    const { result, requests, page } = await inPage('gradientStep', { threads });
    expect(page.workers().length > 0).toBe(threads > 1);
    const expected = await here.gradientStep();
    expect(result.losses[1]).toBeLessThan(result.losses[0]);
    expect(result.gradient).toHaveLength(6 * 16 + 16 + 16 * 3 + 3);
    const numbers = [...result.losses, ...result.gradient];
    [...expected.losses, ...expected.gradient].forEach((value, i) => {
      expect(Math.abs(numbers[i] - value)).toBeLessThanOrEqual(1e-6);
    });
    for (const url of requests) expect(url.startsWith('blob:') || url.startsWith(origin)).toBe(true);
  });
});
