/** @file Vectors: trained, written, followed, switched; memory and database give the same papers. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { type PaperInput, upsertPapers } from '../papers/records.ts';
import { nearestPapers } from './database-search.ts';
import { searchJobs } from './embedding-jobs.ts';
import { endpointEmbedder } from './embeddings-endpoint.ts';
import { related, search } from './search.ts';
import { openSearch, refreshSearch, searchOf } from './site-search.ts';
import { makeVectorTable } from './vector-table.ts';

// Two fields of two kinds of papers: "kiln" and "pottery" never meet, but keep the same company.
const fields = [
  ['pottery', 'clay', 'wheel', 'firing', 'bowl'],
  ['kiln', 'clay', 'wheel', 'firing', 'bowl'],
  ['sailing', 'mast', 'rope', 'harbour', 'wind'],
  ['regatta', 'mast', 'rope', 'harbour', 'wind'],
];
const made: PaperInput[] = Array.from({ length: 60 }, (_, i) => {
  const words = fields[i % 4];
  const some = Array.from({ length: 12 }, (_, j) => words[1 + ((i * 7 + j * j + j) % (words.length - 1))]);
  return {
    title: `Report ${i} on ${words[0]}`,
    abstract: `${some.join(' ')}.`,
    posted: '2025-01-01',
    authorCount: 1 + (i % 3),
  };
});

function bothHold(open: () => Promise<{ databaseUrl?: string; drop?: () => Promise<void> }>) {
  let site: TestSite;
  let drop: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    const opened = await open();
    drop = opened.drop;
    site = await testSite(opened.databaseUrl ? { databaseUrl: opened.databaseUrl } : {});
    await upsertPapers(site, made, 'test');
    await openSearch(site);
    await site.drain(searchJobs(site));
    await refreshSearch(site);
  }, 240_000);
  afterAll(async () => {
    await site?.close();
    await drop?.();
  });
  const page = { limit: 60, offset: 0 };

  it('asks for a first model by itself, and has a vector of every paper then', async () => {
    const models = await site.database.rows(sql`SELECT kind, state FROM embedding_models`);
    expect(models).toEqual([{ kind: 'built-in', state: 'live' }]);
    const [{ count }] = await site.database.rows<{ count: number }>(sql`SELECT count(*)::int AS count FROM embeddings`);
    expect(count).toBe(60);
  });

  it('finds papers that hold no word of the query but its company, after those that hold one', async () => {
    const { papers, total } = await search(site, { q: 'kiln', ...page });
    const titles = papers.map(({ title }) => title.split(' on ')[1]);
    expect(titles.slice(0, 10).every((title) => title === 'kiln')).toBe(true);
    expect(titles).toContain('pottery');
    expect(titles).not.toContain('sailing');
    expect(total).toBe(papers.length);
  });

  it('filters before it ranks', async () => {
    const { papers } = await search(site, { q: 'kiln', ...page, minAuthors: 3 });
    expect(papers.length).toBeGreaterThan(0);
    expect(papers.every(({ authorCount }) => authorCount === 3)).toBe(true);
  });

  it('knows which papers are related', async () => {
    const {
      papers: [first],
    } = await search(site, { q: 'regatta', ...page });
    const near = await related(site, first.id, 10);
    expect(near).toHaveLength(10);
    expect(near.map(({ id }) => id)).not.toContain(first.id);
    expect(near.every(({ title }) => /regatta|sailing/.test(title))).toBe(true);
    expect(await related(site, 'no-such-paper', 10)).toEqual([]);
  });

  it('gives the same papers from memory, from batches of the database and from pgvector where it is', async () => {
    const { following, meaning } = searchOf(site);
    const query = (await meaning.place('', ['kiln', 'wind', 'clay']))!;
    const memory = (await meaning.vectors!.nearest(query, following.index.alive, 25)).map(({ slot, cosine }) => ({
      id: following.index.idAt(slot),
      cosine,
    }));
    const flat = (found: Awaited<ReturnType<typeof nearestPapers>>) =>
      found.map(({ slot, cosine }) => ({ id: slot.id, cosine }));
    expect(memory).toHaveLength(25);
    const without = { ...site, database: { ...site.database, pgvector: false } };
    expect(flat(await nearestPapers(without, query, 25, {}))).toEqual(memory);
    await makeVectorTable(site.database);
    expect(flat(await nearestPapers(site, query, 25, {}))).toEqual(memory);
    const filtered = await nearestPapers(site, query, 25, { minAuthors: 3 });
    expect(flat(await nearestPapers(without, query, 25, { minAuthors: 3 }))).toEqual(flat(filtered));
  });

  it('answers from the database alone where the collection is too large', async () => {
    const large = { ...site, database: { ...site.database } };
    await openSearch(large, { memoryLimit: 10 });
    const ids = async (of: typeof site, q: string, more = {}) =>
      (await search(of, { q, ...page, ...more })).papers.map(({ id }) => id).toSorted();
    for (const q of ['kiln', '"report 5 on kiln"', 'kiln mast', ''])
      expect(await ids(large, q)).toEqual(await ids(site, q));
    expect(await ids(large, 'clay', { minAuthors: 2 })).toEqual(await ids(site, 'clay', { minAuthors: 2 }));
    expect(await ids(large, 'zzzz')).toEqual([]);
    expect((await search(large, { q: 'regat', ...page })).papers[0].title).toContain('regatta');
    const {
      papers: [first],
    } = await search(large, { q: 'regatta', ...page });
    expect((await related(large, first.id, 5)).map(({ id }) => id)).toEqual(
      (await related(site, first.id, 5)).map(({ id }) => id),
    );
  });

  it('embeds what is new, and keeps the old model until the new one is done', async () => {
    await upsertPapers(
      site,
      [{ title: 'A new regatta', abstract: 'mast rope wind', posted: '2025-02-01', authorCount: 1 }],
      'test',
    );
    await refreshSearch(site);
    expect(site.sent.some(({ name }) => name === 'embed')).toBe(true);
    await site.drain(searchJobs(site));
    await refreshSearch(site);
    const { following, meaning } = searchOf(site);
    const {
      papers: [first],
    } = await search(site, { q: '"new regatta"', ...page });
    expect(meaning.vectors!.hashAt(following.index.slotOf(first.id)!)).toBe(
      following.index.factsOf(first.id)!.textHash,
    );

    const before = await meaning.liveModel();
    const stopping = new AbortController();
    stopping.abort();
    const [, train] = searchJobs(site);
    await expect(train.work({ force: true }, stopping.signal)).rejects.toThrow();
    expect(await meaning.liveModel()).toEqual(before);
    await train.work({ force: true }, new AbortController().signal);
    const after = await meaning.liveModel();
    expect(after!.id).not.toBe(before!.id);
    await refreshSearch(site);
    const { index } = following;
    expect([...index.ids()].every((id) => meaning.vectors!.hashAt(index.slotOf(id)!) !== undefined)).toBe(true);
    expect(await site.database.rows(sql`SELECT state FROM embedding_models ORDER BY made`)).toHaveLength(2);
  });
}

describe('on PGlite', () => bothHold(async () => ({})));
describe.skipIf(!process.env.TEST_DATABASE_URL)(`on PostgreSQL${whereThereIsPostgres}`, () =>
  bothHold(async () => {
    const { url, drop } = await newDatabase();
    return { databaseUrl: url, drop };
  }),
);

describe('an endpoint', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
  });
  const serve = async (answer: (body: { model: string; input: string[] }, tries: number) => [number, unknown]) => {
    let tries = 0;
    server = createServer(async (request, response) => {
      let text = '';
      for await (const part of request) text += part;
      const [status, json] = answer(JSON.parse(text), ++tries);
      response.writeHead(status, { 'content-type': 'application/json', 'x-key': request.headers.authorization ?? '' });
      response.end(JSON.stringify(json));
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#small`;
  };
  const vectors = (input: string[]) => ({
    data: input.map((text, index) => ({ index, embedding: [3 * text.length, 4 * text.length] })).reverse(),
  });

  it('gives vectors of length 1 in the order of the texts, after a failure too', async () => {
    const kind = await serve(({ model, input }, tries) =>
      tries === 2 ? [503, {}] : [200, model === 'small' ? vectors(input) : {}],
    );
    const embedder = await endpointEmbedder(kind, 'key');
    expect(embedder.width).toBe(2);
    const texts = Array.from({ length: 70 }, (_, i) => 'x'.repeat(i + 1));
    const made = await embedder.embed(texts);
    expect(made).toHaveLength(70);
    expect([...made[69]]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
  });

  it('is refused with its answer where that will not change', async () => {
    await expect(endpointEmbedder(await serve(() => [401, { error: 'no key' }]), undefined)).rejects.toThrow(
      'answered 401',
    );
    server?.close();
    await expect(endpointEmbedder(await serve(() => [200, { data: [] }]), undefined)).rejects.toThrow(
      '0 embeddings for 1',
    );
    await expect(endpointEmbedder('https://host/v1', undefined)).rejects.toThrow('#model');
  });
});
