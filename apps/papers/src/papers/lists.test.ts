import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision } from '../database/connect.ts';
import {
  countView,
  dayList,
  daysAround,
  latestDay,
  mostDiscussed,
  newest,
  papersByIds,
  papersOfAuthor,
  papersOfTopic,
  rangeList,
  trending,
  trendingScore,
} from './lists.ts';
import { type PaperInput, upsertPapers } from './records.ts';
import { allTopics, topicById } from './topics.ts';
import { sumViews } from './views.ts';

const dayBefore = (days: number) => new Date(Date.UTC(2025, 11, 10 - days)).toISOString().slice(0, 10);

/** Numbers that look drawn, the same each time: 0 ≤ x < 1. */
function drawn(): () => number {
  let state = 7;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const random = drawn();
const many: PaperInput[] = Array.from({ length: 600 }, (_, i) => ({
  title: `Paper ${i} on pruning`,
  abstract: 'Words.',
  arxiv: `2501.${String(10_000 + i)}`,
  authors: ['Ada Lovelace', `Author ${i % 7}`],
  posted: dayBefore(Math.floor(random() ** 2 * 400) - 1),
  importedComments: random() < 0.3 ? Math.floor(random() ** 4 * 40) : 0,
  importedVotes: random() < 0.5 ? Math.floor(random() ** 6 * 300) : 0,
}));

for (const kind of ['PGlite', 'PostgreSQL'] as const) {
  const there = kind === 'PGlite' || Boolean(process.env.TEST_DATABASE_URL);
  describe.skipIf(!there)(`lists in ${kind}${kind === 'PGlite' ? '' : whereThereIsPostgres}`, () => {
    let site: TestSite;
    let drop = async () => {};
    beforeAll(async () => {
      const made = kind === 'PostgreSQL' ? await newDatabase() : undefined;
      if (made) drop = made.drop;
      site = await testSite({ databaseUrl: made?.url });
      await upsertPapers(site, many, 'made');
      await site.database.db.execute(
        sql`UPDATE papers SET views = (version * 7919 * length(id) + posted - '2020-01-01') % 90`,
      );
    }, 60_000);
    afterAll(async () => {
      await site.close();
      await drop();
    });

    const age = (posted: string) => Math.max(0, (Date.parse('2025-12-10') - Date.parse(posted)) / 864e5);

    it('rank trending by the documented formula, page by page, though not all papers are scored', async () => {
      const all = (await newest(site, { limit: 1000, offset: 0 })).papers
        .map((paper) => ({ id: paper.id, posted: paper.posted, score: trendingScore(paper, age(paper.posted)) }))
        .sort(
          (a, b) => b.score - a.score || (a.posted < b.posted ? 1 : a.posted > b.posted ? -1 : a.id < b.id ? -1 : 1),
        );
      for (const [limit, offset] of [
        [20, 0],
        [20, 20],
        [50, 300],
        [20, 590],
        [1000, 0],
      ]) {
        const { papers, total } = await trending(site, { limit, offset });
        expect(total).toBe(600);
        const scores = papers.map((paper) => trendingScore(paper, age(paper.posted)));
        all.slice(offset, offset + limit).forEach(({ score }, i) => {
          expect(scores[i]).toBeCloseTo(score, 10);
        });
        expect(papers.map(({ id }) => id).slice(0, 10)).toEqual(
          all.slice(offset, offset + Math.min(10, limit)).map(({ id }) => id),
        );
      }
    });

    it('give pages of the newest, of a span and of the most discussed', async () => {
      const { papers } = await newest(site, { limit: 600, offset: 0 });
      const keys = papers.map(({ posted, comments, id }) => [posted, comments, id] as const);
      expect(keys).toEqual(
        keys.toSorted((a, b) => (a[0] !== b[0] ? (a[0] < b[0] ? 1 : -1) : b[1] - a[1] || (a[2] < b[2] ? -1 : 1))),
      );
      const span = await rangeList(site, { from: dayBefore(30), to: dayBefore(3), limit: 10, offset: 5 });
      const inside = papers.filter(({ posted }) => posted >= dayBefore(30) && posted <= dayBefore(3));
      expect(span.total).toBe(inside.length);
      expect(span.papers).toEqual(inside.slice(5, 15));
      const discussed = (await mostDiscussed(site, { limit: 600, offset: 0 })).papers.map(({ comments }) => comments);
      expect(discussed).toEqual(discussed.toSorted((a, b) => b - a));
    });

    it('show a day with the curators’ picks first, wherever these were posted', async () => {
      const day = dayBefore(2);
      const [first, second] = ['2501.10003', '2501.10001'];
      await site.database.db.execute(sql`INSERT INTO picks (day, place, paper, curator, curator_name, at)
        VALUES (${day}, 1, ${second}, 'c', 'Cora', now()), (${day}, 0, ${first}, 'c', 'Cora', now())`);
      const { papers, total } = await dayList(site, day);
      expect(papers.slice(0, 2).map(({ id, pick }) => [id, pick])).toEqual([
        [first, { place: 0, curatorName: 'Cora' }],
        [second, { place: 1, curatorName: 'Cora' }],
      ]);
      const others = papers.slice(2);
      expect(others.every(({ id, posted }) => posted === day && id !== first && id !== second)).toBe(true);
      const discussion = others.map(({ comments }) => comments);
      expect(discussion).toEqual(discussion.toSorted((a, b) => b - a));
      expect(total).toBe(papers.length);
    });

    it('know the latest day and the days around one', async () => {
      await site.database.db.execute(sql`INSERT INTO picks (day, place, paper, curator, curator_name, at)
        VALUES ('2020-05-05', 0, '2501.10001', 'c', 'Cora', now())`);
      expect(await latestDay(site, '2020-06-01')).toBe('2020-05-05');
      expect(await latestDay(site, '1999-01-01')).toBeUndefined();
      const oldest = (await newest(site, { limit: 1, offset: 599 })).papers[0].posted;
      expect(await daysAround(site, '2020-05-05')).toEqual({ after: oldest });
      expect((await daysAround(site, '2030-01-01')).before).toBe(await latestDay(site, '2029-12-31'));
    });

    it('give the papers of an author and of a topic', async () => {
      expect(await papersOfAuthor(site, 'ada-lovelace', { limit: 3, offset: 0 })).toMatchObject({ total: 600 });
      expect((await papersOfAuthor(site, 'author-3', { limit: 100, offset: 0 })).papers).toHaveLength(86);
      const { papers, total } = await papersOfTopic(site, 'pruning', { limit: 5, offset: 0 });
      expect([papers.length, total]).toEqual([5, 600]);
      expect((await allTopics(site)).find(({ id }) => id === 'pruning')?.papers).toBe(600);
      expect(await topicById(site, 'pruning')).toMatchObject({ name: 'Pruning and sparsity' });
      expect(await topicById(site, 'none')).toBeUndefined();
    });

    it('keep the order of ids and leave out unknown ones', async () => {
      const papers = await papersByIds(site, ['2501.10005', 'none', '2501.10002']);
      expect(papers.map(({ id }) => id)).toEqual(['2501.10005', '2501.10002']);
    });

    it('count a reader once a day and no bots, in numbers that change when they are summed', async () => {
      const id = '2501.10007';
      const views = async () => (await papersByIds(site, [id]))[0].views;
      const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
      const before = await views();
      await sumViews(site);
      const revision = await latestRevision(site.database);
      const read = (address: string, userAgent?: string) => countView(site, id, { address, userAgent });
      await read('192.0.2.1', browser);
      await read('192.0.2.1', browser);
      await read('192.0.2.2', browser);
      await read('192.0.2.3', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)');
      await read('192.0.2.4');
      expect(await latestRevision(site.database)).toBe(revision);
      await sumViews(site);
      expect((await views()) - before).toBe(2);
      expect(await latestRevision(site.database)).toBeGreaterThan(revision);
      await read('192.0.2.1', browser);
      await sumViews(site);
      expect((await views()) - before).toBe(2);
      site.now = new Date('2025-12-11T00:00:00Z');
      await read('192.0.2.1', browser);
      await sumViews(site);
      expect((await views()) - before).toBe(3);
      const kept = await site.database.rows<{ visitor: string }>(sql`SELECT visitor FROM views`);
      expect(kept.every(({ visitor }) => /^[\w-]{22}$/.test(visitor))).toBe(true);
    });
  });
}
