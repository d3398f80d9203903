/** @file The papers for somebody: the formula, and that no theme fills the list. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import * as schema from '../database/schema.ts';
import { authorKey, upsertPapers } from '../papers/records.ts';
import { follow } from './follows.ts';
import { arranged, type Evidence, forYou, relevance } from './for-you.ts';

const none = { topic: 0, author: 0, search: 0, trending: 0 } as const;

/** A hundred papers in ten topics, ten each; the reader follows the first. */
const hundred: Evidence[] = Array.from({ length: 100 }, (_, i) => ({
  ...none,
  id: `p${String(i).padStart(2, '0')}`,
  posted: `2025-11-${String(1 + (i % 28)).padStart(2, '0')}`,
  topics: new Map([[`t${i % 10}`, 1]]),
  topic: i % 10 === 0 ? 1 : 0,
}));

const topicOf = ({ topics }: Evidence) => [...topics.keys()][0];

describe('the formula of “for you”', () => {
  it('is the logistic function of the evidence', () => {
    expect(relevance(none)).toBeCloseTo(1 / (1 + Math.exp(2)), 12);
    expect(relevance({ ...none, trending: 1 })).toBeCloseTo(0.5, 12);
    expect(relevance({ ...none, topic: 1 })).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
    expect(relevance({ topic: 1, author: 1, search: 1, trending: 1 })).toBeCloseTo(1 / (1 + Math.exp(-8.5)), 12);
  });

  it('a reader of one topic of ten gets it often, and at least six topics among twenty papers', () => {
    const many = hundred.flatMap((paper) => [paper, { ...paper, id: `${paper.id}x` }]);
    const list = arranged(many, 20).map(topicOf);
    expect(list[0]).toBe('t0');
    const share = list.filter((topic) => topic === 't0').length / list.length;
    expect(share).toBeGreaterThanOrEqual(0.4);
    expect(share).toBeLessThanOrEqual(0.75);
    expect(new Set(list).size).toBeGreaterThanOrEqual(6);
    // Every ten in a row hold others too.
    for (let i = 0; i + 10 <= 20; i++) expect(new Set(list.slice(i, i + 10)).size).toBeGreaterThanOrEqual(3);
  });

  it('two papers of one kind come by relevance', () => {
    const same = hundred.filter(({ topic }) => topic === 1).map((paper, i) => ({ ...paper, trending: i / 10 }));
    const list = arranged(same, 10).map(({ trending }) => trending);
    expect(list).toEqual([...list].sort((a, b) => b - a));
  });

  it('is the same for the same candidates in any order, and a page is a part of the whole', () => {
    const candidates = fc.array(
      fc.record({
        id: fc.string({ minLength: 1, maxLength: 3 }),
        posted: fc.constantFrom('2025-11-01', '2025-11-02'),
        topics: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.double({ min: 0.4, max: 1, noNaN: true })),
        topic: fc.double({ min: 0, max: 1, noNaN: true }),
        author: fc.constantFrom(0 as const, 1 as const),
        search: fc.double({ min: 0, max: 1, noNaN: true }),
        trending: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(candidates, fc.nat(25), (made, count) => {
        const unique = [
          ...new Map(made.map((one) => [one.id, { ...one, topics: new Map(Object.entries(one.topics)) }])).values(),
        ];
        const all = arranged(unique, unique.length).map(({ id }) => id);
        expect([...all].sort()).toEqual(unique.map(({ id }) => id).sort());
        expect(arranged([...unique].reverse(), unique.length).map(({ id }) => id)).toEqual(all);
        expect(arranged(unique, count).map(({ id }) => id)).toEqual(all.slice(0, count));
      }),
    );
  });
});

function onSite(open: () => Promise<{ site: TestSite; drop?: () => Promise<void> }>) {
  let site: TestSite;
  let drop: (() => Promise<void>) | undefined;
  const ada = { id: 'ada' };
  beforeAll(async () => {
    ({ site, drop } = await open());
    await site.database.db.insert(schema.user).values({ id: 'ada', name: 'Ada', email: 'ada@example.org' });
    await site.database.db
      .insert(schema.topics)
      .values(
        Array.from({ length: 10 }, (_, i) => ({ id: `t${i}`, name: `Topic ${i}`, says: 's', phrases: [`theme${i}`] })),
      );
    await upsertPapers(
      site,
      Array.from({ length: 200 }, (_, i) => ({
        title: `Paper ${i} about theme${i % 10}`,
        abstract:
          i === 77
            ? 'The zebra theorem, theme7 and theme7 again.'
            : `It is about theme${i % 10} throughout, theme${i % 10}.`,
        arxiv: `2511.${String(i).padStart(5, '0')}`,
        authors: [i % 50 === 33 ? 'Grace Hopper' : `Author ${i}`],
        posted: `2025-11-${String(1 + (i % 28)).padStart(2, '0')}`,
      })),
      'test',
    );
  }, 60_000);
  afterAll(async () => {
    await site?.close();
    await drop?.();
  });

  it('without follows it is what is trending, from many topics', async () => {
    const { papers, total } = await forYou(site, ada, { limit: 20, offset: 0 });
    expect(total).toBe(200);
    expect(new Set(papers.flatMap(({ topics }) => topics.map(({ id }) => id))).size).toBe(10);
    expect(papers[0].because).toBe('Trending');
  });

  it('what is followed leads, says so, and leaves room', async () => {
    await follow(site, ada, { kind: 'topic', value: 't3', on: true });
    await follow(site, ada, { kind: 'author', value: authorKey('Grace Hopper'), on: true });
    await follow(site, ada, { kind: 'search', value: 'q=zebra theorem', on: true });
    const { papers } = await forYou(site, ada, { limit: 20, offset: 0 });
    const because = papers.map((paper) => paper.because);
    expect(because[0]).toBe('You follow by Grace Hopper, Topic 3');
    expect(because).toContain('You follow “zebra theorem”');
    expect(because).toContain('You follow Topic 3');
    const topics = new Set(papers.flatMap(({ topics: theirs }) => theirs.map(({ id }) => id)));
    expect(topics.size).toBeGreaterThanOrEqual(6);
    const share = papers.filter(({ topics: theirs }) => theirs.some(({ id }) => id === 't3')).length / papers.length;
    expect(share).toBeGreaterThanOrEqual(0.3);
    expect(share).toBeLessThanOrEqual(0.75);
  });

  it('a second page goes on where the first ends', async () => {
    const ids = async (limit: number, offset: number) =>
      (await forYou(site, ada, { limit, offset })).papers.map(({ id }) => id);
    expect([...(await ids(20, 0)), ...(await ids(20, 20))]).toEqual(await ids(40, 0));
  });
}

describe('“for you” on PGlite', () => {
  onSite(async () => ({ site: await testSite() }));
});

describe.skipIf(!process.env.TEST_DATABASE_URL)(`“for you” on PostgreSQL${whereThereIsPostgres}`, () => {
  onSite(async () => {
    const { url, drop } = await newDatabase();
    return { site: await testSite({ databaseUrl: url }), drop };
  });
});
