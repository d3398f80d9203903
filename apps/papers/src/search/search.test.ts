/** @file Search over a small collection: words, phrases, beginnings, wrong letters, filters, and following the database. */

import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { type PaperInput, upsertPapers } from '../papers/records.ts';
import { search } from './search.ts';

const paper = (title: string, abstract: string, more: Partial<PaperInput> = {}): PaperInput => ({
  title,
  abstract,
  posted: '2025-03-01',
  authorCount: 2,
  ...more,
});

const papers: PaperInput[] = [
  paper(
    'Pruning transformers by importance',
    'We prune heads of a transformer. The importance score of a head decides.',
    {
      implemented: true,
      posted: '2025-04-01',
    },
  ),
  paper('Attention sinks', 'Streaming language models keep the first tokens. Code: https://github.com/a/b', {
    authorCount: 5,
  }),
  paper('Feature selection in tables', 'Important features score high. Scores of importance are compared.'),
  paper('Cooking rice', 'Rice, water, a pot. Let it stand.', { posted: '2024-01-01' }),
];

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
  await upsertPapers(site, papers, 'test');
}, 120_000);
afterAll(() => site?.close());

const page = { limit: 20, offset: 0 };
const find = async (q: string, more: object = {}) => {
  const found = await search(site, { q, ...page, ...more });
  return { ...found, titles: found.papers.map(({ title }) => title) };
};

describe('a search', () => {
  it('finds every form of a word', async () => {
    const { titles, total } = await find('scoring');
    expect(titles.toSorted()).toEqual(['Feature selection in tables', 'Pruning transformers by importance']);
    expect(total).toBe(2);
  });

  it('without words gives the newest', async () => {
    const { titles, total } = await find(' ');
    expect(titles[0]).toBe('Pruning transformers by importance');
    expect(titles.at(-1)).toBe('Cooking rice');
    expect(total).toBe(4);
  });

  it('for a phrase gives only papers that hold it as it is written', async () => {
    expect((await find('"importance score"')).titles).toEqual(['Pruning transformers by importance']);
    expect((await find('"scores of importance"')).titles).toEqual(['Feature selection in tables']);
    expect((await find('"importance scores"')).titles).toEqual([]);
    expect((await find('"tables important"')).titles).toEqual([]);
    expect((await find('rice "importance score"')).titles).toEqual(['Pruning transformers by importance']);
  });

  it('takes the last word for the beginning of one', async () => {
    expect((await find('stream')).titles).toEqual(['Attention sinks']);
    expect((await find('transf')).titles).toEqual(['Pruning transformers by importance']);
    expect((await find('importanc')).total).toBe(2);
  });

  it('corrects a word that is in no paper to a close one, and says so', async () => {
    const { titles, corrected } = await find('atention sinsk');
    expect(titles).toEqual(['Attention sinks']);
    expect(corrected).toBe('attention sinks');
    expect((await find('attention')).corrected).toBeUndefined();
  });

  it('of unknown words, of punctuation and of words that are everywhere finds nothing, and says why', async () => {
    expect(await find('xylophone zzzzzz')).toMatchObject({
      papers: [],
      total: 0,
      message: expect.stringContaining('xylophone'),
    });
    expect(await find('?! … "')).toMatchObject({ total: 0, message: 'There is no word in this query.' });
    expect(await find('of the')).toMatchObject({ total: 0, message: expect.stringContaining('almost every paper') });
    expect(await find('"of the"')).toMatchObject({ total: 0, message: expect.stringContaining('almost every paper') });
    expect(await find("' OR 1=1; -- \\ \u0000 & | ! :* <->")).toMatchObject({ papers: [] });
  });

  it('filters by day, authors, code, implementation and topic', async () => {
    expect((await find('', { from: '2025-03-02' })).titles).toEqual(['Pruning transformers by importance']);
    expect((await find('', { to: '2024-12-31' })).titles).toEqual(['Cooking rice']);
    expect((await find('', { minAuthors: 3 })).titles).toEqual(['Attention sinks']);
    expect((await find('', { hasCode: true })).titles).toEqual(['Attention sinks']);
    expect((await find('importance', { implemented: true })).titles).toEqual(['Pruning transformers by importance']);
    const [{ topic, n }] = await site.database.rows<{ topic: string; n: number }>(
      sql`SELECT topic, count(*)::int AS n FROM paper_topics GROUP BY topic ORDER BY n DESC LIMIT 1`,
    );
    expect((await find('', { topic })).total).toBe(n);
    expect((await find('', { topic: 'no-such-topic' })).total).toBe(0);
  });

  it('marks the words that were asked for, without markup', async () => {
    const {
      papers: [first],
    } = await find('heads');
    expect(first.snippet.filter(({ hit }) => hit).map(({ text }) => text)).toEqual(['heads', 'head']);
    expect(first.snippet.map(({ text }) => text).join('')).toBe(first.abstract);
  });

  it('gives pages that join without a gap', async () => {
    const whole = (await find('importance score rice tokens')).titles;
    const parts = [];
    for (let offset = 0; offset < whole.length; offset++)
      parts.push(...(await find('importance score rice tokens', { limit: 1, offset })).titles);
    expect(parts).toEqual(whole);
  });

  it('sees what was added, changed and removed since', async () => {
    await upsertPapers(site, [paper('Zebra stripes', 'On stripes.')], 'test');
    expect((await find('zebra')).titles).toEqual(['Zebra stripes']);
    const id = (await find('zebra')).papers[0].id;
    await site.database.rows(
      sql`UPDATE papers SET abstract = 'On giraffes.', revision = nextval('revision') WHERE id = ${id}`,
    );
    expect((await find('giraffes')).titles).toEqual(['Zebra stripes']);
    expect((await find('stripes')).total).toBe(1);
    await site.database.rows(sql`DELETE FROM papers WHERE id = ${id}`);
    await site.database.rows(sql`SELECT nextval('revision')`);
    expect((await find('zebra')).total).toBe(0);
  });
});
