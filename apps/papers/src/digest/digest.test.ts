/** @file Digests of texts, and the job that writes them. */

import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { upsertPapers } from '../papers/records.ts';
import { digestOf, keyphrasesOf } from './digest.ts';
import { digestJobs } from './digest-jobs.ts';

const abstract =
  'Cache eviction keeps the memory of a language model small. The key-value cache of a language model grows with its prompt. ' +
  'It rained in the afternoon. We evict entries of the key-value cache whose attention is low. ' +
  'Evicting entries of the key-value cache keeps the quality of the language model.';

describe('a digest', () => {
  it('is three sentences of the text in its order, of which one is the most central', async () => {
    const digest = await digestOf(abstract);
    expect(digest).toHaveLength(3);
    const places = digest.map(({ text }) => abstract.indexOf(text));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(Math.max(...digest.map(({ score }) => score))).toBe(1);
  });

  it('of a short text is the text', async () => {
    expect(await digestOf('Only this.')).toEqual([{ text: 'Only this.', score: 1 }]);
    expect((await digestOf('One. Two words. Three words more.')).map(({ text }) => text)).toHaveLength(3);
    expect(await digestOf(' ')).toEqual([]);
    expect(await digestOf('…')).toEqual([]);
  });
});

describe('keyphrases', () => {
  it('are terms of the paper itself, none within another', async () => {
    const texts = [
      { title: 'Evicting the key-value cache', abstract },
      {
        title: 'Rain forecasts',
        abstract: 'Rain forecasts are made from radar images. Rain forecasts from radar images improve.',
      },
      { title: '', abstract: '' },
    ];
    const [cache, rain, empty] = await keyphrasesOf(texts);
    expect(cache[0].score).toBe(1);
    expect(cache.map(({ phrase }) => phrase)).toContain('key-value cache');
    expect(rain.map(({ phrase }) => phrase)).toEqual(expect.arrayContaining(['rain forecasts', 'radar images']));
    expect(empty).toEqual([]);
    for (const { phrase } of cache) expect(abstract.toLowerCase()).toContain(phrase);
  });

  it('of texts in which nothing occurs twice are none', async () => {
    expect(await keyphrasesOf([{ title: 'Alone', abstract: 'Nothing here.' }])).toEqual([[]]);
    expect(await keyphrasesOf([])).toEqual([]);
  });
});

describe('the job', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  }, 120_000);
  afterAll(() => site?.close());
  const stored = () =>
    site.database.rows<{ digest: { text: string }[] | null; hash: string | null; revision: string | number }>(
      sql`SELECT digest, digested_hash AS hash, revision FROM papers ORDER BY id`,
    );

  it('digests what was sent, once for each text', async () => {
    const paper = { title: 'Eviction', abstract, posted: '2025-01-01', authorCount: 1 };
    await upsertPapers(site, [paper, { ...paper, title: 'Summary', abstract: 'One sentence.' }], 'test');
    const ids = (await site.database.rows<{ id: string }>(sql`SELECT id FROM papers ORDER BY id`)).map(({ id }) => id);
    await site.drain(digestJobs(site));
    const first = await stored();
    expect(first.map(({ digest }) => digest?.length).toSorted()).toEqual([1, 3]);

    await site.jobs.send('digest', { ids });
    await site.drain(digestJobs(site));
    expect(await stored()).toEqual(first);

    await site.database.rows(sql`UPDATE papers SET abstract = 'Another text.' WHERE id = ${ids[0]}`);
    await site.jobs.send('digest', { ids });
    await site.drain(digestJobs(site));
    const second = await stored();
    expect(second[0].digest?.map(({ text }) => text)).toEqual(['Another text.']);
    expect(Number(second[0].revision)).toBeGreaterThan(Number(first[0].revision));
    expect(second[1]).toEqual(first[1]);
  });

  it('minds no paper that is gone', async () => {
    await site.jobs.send('digest', { ids: ['no-such-paper'] });
    await site.drain(digestJobs(site));
  });
});
