/**
 * @file Search over made-up papers: how long the index takes to load, a query alone, and 50 readers at once with a different query
 * each. node bench/search.js [papers] [seconds]; on PGlite in memory, or the empty database that DATABASE_URL names.
 */

import { sql } from 'drizzle-orm';
import { readConfig } from '../dist/config.js';
import { connect } from '../dist/database/connect.js';
import { searchJobs } from '../dist/search/embedding-jobs.js';
import { related, search } from '../dist/search/search.js';
import { openSearch, refreshSearch } from '../dist/search/site-search.js';

const papers = Number(process.argv[2] ?? 10_000);
const seconds = Number(process.argv[3] ?? 10);
const readers = 50;

let state = 1;
const random = () => {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
};
/** Words as frequent as Zipf has them. */
const syllables = 'ba co di fu ga ho ji ka lo mu na po ri sa tu ve wi xo ya ze'.split(' ');
const vocabulary = Array.from({ length: 30_000 }, () =>
  Array.from({ length: 2 + Math.floor(3 * random()) }, () => syllables[Math.floor(20 * random())]).join(''),
);
const word = () => vocabulary[Math.floor(vocabulary.length ** random()) - 1];
const words = (n) => Array.from({ length: n }, word).join(' ');
const sentences = Array.from({ length: 20_000 }, () => `${words(25)}.`);
const abstract = () => Array.from({ length: 8 }, () => sentences[Math.floor(sentences.length * random())]).join(' ');

const database = await connect({ url: process.env.DATABASE_URL });
const sent = [];
const site = {
  config: { ...readConfig({}), url: 'http://bench', secret: 'bench' },
  clock: () => new Date(),
  database,
  jobs: { send: async (name, data) => void sent.push({ name, data }) },
  log: { info() {}, error: console.error },
};
for (let from = 0; from < papers; from += 1000) {
  const rows = Array.from({ length: Math.min(1000, papers - from) }, (_, i) => {
    const id = `bench-${from + i}`;
    return {
      id,
      title: words(10),
      abstract: abstract(),
      day: `20${10 + ((from + i) % 15)}-0${1 + ((from + i) % 9)}-11`,
    };
  });
  await database.rows(sql`
    INSERT INTO papers (id, title, title_key, abstract, author_count, posted, first_seen, updated, source, text_source, text_at)
    SELECT x.id, x.title, x.id, x.abstract, 3, x.day, now(), now(), 'bench', 'bench', x.day
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x(id text, title text, abstract text, day date)`);
}
await database.rows(sql`ANALYZE`);

const stopwatch = async (work) => {
  const start = performance.now();
  const used = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(used);
  return { result, ms: performance.now() - start, cpu: (user + system) / 1000 };
};
const print = (what, { ms, cpu }, n = 1) =>
  console.log(`${what}: ${(ms / n).toFixed(2)} ms, ${(cpu / n).toFixed(2)} ms of CPU`);
const quantile = (values, q) => values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))].toFixed(1);

console.log(`${papers} papers on ${database.kind}`);
print('loading the index', await stopwatch(() => openSearch(site)));
const jobs = searchJobs(site);
print(
  'training and embedding',
  await stopwatch(async () => {
    for (let next = sent.shift(); next; next = sent.shift()) {
      await jobs.find(({ name }) => name === next.name).work(next.data, new AbortController().signal);
    }
    await refreshSearch(site);
  }),
);
console.log(`memory: ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);

const query = () => ({ q: words(2 + Math.floor(3 * random())), limit: 20, offset: 0 });
for (let i = 0; i < 50; i++) await search(site, query());
const alone = await stopwatch(async () => {
  const times = [];
  for (let i = 0; i < 200; i++) times.push((await stopwatch(() => search(site, query()))).ms);
  return times;
});
print('a query alone', alone, 200);
console.log(`  median ${quantile(alone.result, 0.5)} ms, p95 ${quantile(alone.result, 0.95)} ms`);

const times = [];
const end = performance.now() + 1000 * seconds;
const reader = async () => {
  while (performance.now() < end) {
    const start = performance.now();
    await search(site, query());
    times.push(performance.now() - start);
  }
};
const together = await stopwatch(() => Promise.all(Array.from({ length: readers }, reader)));
print(`${readers} readers at once`, together, times.length);
console.log(`  median ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms, ${times.length} queries`);

const near = await stopwatch(async () => {
  for (let i = 0; i < 100; i++) await related(site, `bench-${Math.floor(random() * papers)}`, 6);
});
print('related papers', near, 100);
await database.close();
process.exit(0);
