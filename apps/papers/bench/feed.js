/** @file The feed with 100,000 papers, on PostgreSQL and on PGlite: ingest, pages and search under 50 readers at once. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { madePapers, madeQueries } from './made-papers.js';

const count = Number(process.env.FEED_PAPERS ?? 100_000);
const connections = 50;
const program = fileURLToPath(new URL('../bin/papers.js', import.meta.url));
const load = fileURLToPath(new URL('./load.js', import.meta.url));
const hello = fileURLToPath(new URL('./hello.js', import.meta.url));

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server and waits until `path` answers 200; gives how to end it. */
async function started(args, env, origin, path) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.resume();
  const start = performance.now();
  for (;;) {
    const answer = await fetch(`${origin}${path}`).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    ready: (performance.now() - start) / 1000,
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function loaded(spec) {
  const file = join(tmpdir(), `papers-load-${process.pid}.json`);
  writeFileSync(file, JSON.stringify({ connections, ...spec }));
  const { status, stdout, stderr } = spawnSync(process.execPath, [load, file], { maxBuffer: 2 ** 26 });
  rmSync(file);
  if (status !== 0) throw new Error(`load: ${stderr}`);
  return JSON.parse(String(stdout));
}

async function writePapers(path) {
  const out = createWriteStream(path);
  for (const paper of madePapers(count)) if (!out.write(`${JSON.stringify(paper)}\n`)) await once(out, 'drain');
  out.end();
  await once(out, 'finish');
}

/** Fractions from 0 to 1 that fill it evenly, in an order that looks drawn. */
const fraction = (i) => (i * 0.6180339887498949) % 1;
const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
const seconds = (value) => (value < 1 ? `${Math.round(1000 * value)} ms` : `${value.toFixed(1)} s`);

export async function bench() {
  const folder = await mkdtemp(join(tmpdir(), 'papers-bench-'));
  const file = join(folder, 'made.jsonl');
  await writePapers(file);
  // What the tests start PostgreSQL with, since it is the same server; the sources need a bundler's eye to be read.
  const { runnerImport } = await import('vite');
  const { module } = await runnerImport(fileURLToPath(new URL('../test/postgres.ts', import.meta.url)));
  const postgres = await module.startPostgres();
  const rows = [];
  try {
    const papers = [...madePapers(2000)].map(({ arxiv }) => `/papers/${arxiv}`);
    const searches = [...madeQueries(40_000)].map((q) => `/search?q=${encodeURIComponent(q)}`);
    for (const [name, url] of [
      ['PostgreSQL', postgres?.url],
      ['PGlite', undefined],
    ]) {
      if (name === 'PostgreSQL' && !url) continue;
      const port = await freePort();
      const origin = `http://127.0.0.1:${port}`;
      const env = {
        PORT: String(port),
        SALIENCE_DATA: join(folder, name),
        SALIENCE_SECRET: 'a secret of the bench, thirty-two characters long',
        SALIENCE_PROXIES: '1',
        DATABASE_URL: url ?? '',
      };
      const start = performance.now();
      const ingest = spawnSync(process.execPath, [program, 'ingest', file], {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (ingest.status !== 0) throw new Error(`ingest on ${name} ended with ${ingest.status}`);
      const took = (performance.now() - start) / 1000;
      rows.push({
        case: `${name}: ingest of ${count.toLocaleString('en-US')} records with digests, keyphrases and embeddings`,
        ours: seconds(took),
        peer: '',
        ratio: `${Math.round(count / took)} a second`,
        target: 'under 300 s',
        met: took < 300,
      });
      const server = await started([program, 'serve'], env, origin, '/readyz');
      try {
        rows.push({
          case: `${name}: from the start to ready`,
          ours: seconds(server.ready),
          peer: '',
          ratio: '',
          target: '',
          met: null,
        });
        const day = await fetch(`${origin}/`);
        const weight = (await day.text()).length;
        rows.push({
          case: `${name}: the day page, HTML before packing`,
          ours: `${(weight / 1024).toFixed(1)} KB`,
          peer: '',
          ratio: '',
          target: 'under 60 KB',
          met: weight < 60 * 1024,
        });
        const helloPort = await freePort();
        const bare = await started([hello], { PORT: String(helloPort) }, `http://127.0.0.1:${helloPort}`, '/');
        loaded({ origin, paths: ['/'], seconds: 3 });
        // In turns, three times each; the middle one counts.
        const turns = [];
        for (let turn = 0; turn < 3; turn++) {
          turns.push({
            ours: loaded({ origin, paths: ['/'], seconds: 6 }),
            bare: loaded({ origin: `http://127.0.0.1:${helloPort}`, paths: ['/'], seconds: 6 }),
          });
        }
        await bare.stop();
        const middle = (of) => turns.map(of).sort((a, b) => a - b)[1];
        const [rate, bareRate, p95] = [
          middle((t) => t.ours.perSecond),
          middle((t) => t.bare.perSecond),
          middle((t) => t.ours.p95),
        ];
        rows.push(
          {
            case: `${name}: day page, p95 at ${connections} readers at once`,
            ours: ms(p95),
            peer: '',
            ratio: '',
            target: 'under 30 ms',
            met: p95 < 30,
          },
          {
            case: `${name}: day page, requests a second, against a bare Hono that says hello`,
            ours: Math.round(rate).toLocaleString('en-US'),
            peer: Math.round(bareRate).toLocaleString('en-US'),
            ratio: `${(bareRate / rate).toFixed(2)}× fewer`,
            target: 'at most 3×',
            met: bareRate / rate <= 3,
          },
        );
        const paper = loaded({ origin, paths: papers, seconds: 15 });
        rows.push({
          case: `${name}: pages of 2,000 papers, p95 at ${connections} readers (${Math.round(paper.perSecond)} a second, ${paper.failed} failed)`,
          ours: ms(paper.p95),
          peer: `median ${ms(paper.p50)}`,
          ratio: '',
          target: 'under 30 ms',
          met: paper.p95 < 30 && paper.failed === 0,
        });
        const search = loaded({ origin, paths: searches, seconds: 20 });
        rows.push({
          case: `${name}: search, every query another, p95 at ${connections} readers (${Math.round(search.perSecond)} a second, ${search.failed} failed)`,
          ours: ms(search.p95),
          peer: `median ${ms(search.p50)}`,
          ratio: '',
          target: 'under 80 ms',
          met: search.p95 < 80 && search.failed === 0,
        });
        // The first of 2,000 queries is asked for 2,000 times as often as the last.
        const asked = Array.from({ length: 200_000 }, (_, i) => searches[30_000 + Math.floor(2000 ** fraction(i)) - 1]);
        const again = loaded({ origin, paths: asked, seconds: 15 });
        rows.push({
          case: `${name}: search, 2,000 queries as often as Zipf has it, p95 at ${connections} readers (${Math.round(again.perSecond)} a second, ${again.failed} failed)`,
          ours: ms(again.p95),
          peer: `median ${ms(again.p50)}`,
          ratio: '',
          target: 'under 80 ms',
          met: again.p95 < 80 && again.failed === 0,
        });
        const few = loaded({ origin, paths: searches.slice(20_000), seconds: 10, connections: 5 });
        rows.push({
          case: `${name}: search, p95 at 5 readers`,
          ours: ms(few.p95),
          peer: `median ${ms(few.p50)}`,
          ratio: '',
          target: '',
          met: null,
        });
      } finally {
        await server.stop();
      }
    }
  } finally {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return {
    title: `The feed with ${count.toLocaleString('en-US')} papers`,
    notes: [
      'Made-up papers with the word frequencies of prose (bench/made-papers.js). Readers are connections that ask again as soon as they are answered, with no pause to read, each request from another address; they, the server and PostgreSQL share the cores. Queries are two to five words, one in ten with a typing error, none asked twice but where it says so.',
    ],
    rows,
  };
}
