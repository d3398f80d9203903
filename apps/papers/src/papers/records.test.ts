import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newDatabase, whereThereIsPostgres } from '../../test/postgres.ts';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision } from '../database/connect.ts';
import { newest, paperById } from './lists.ts';
import { type PaperInput, upsertPapers } from './records.ts';
import { topicsOf } from './topics.ts';

const ist: PaperInput = {
  title: 'Layer-wise Importance Matters',
  abstract: 'We prune large language models by structured sparsity. Code: https://github.com/Kaiseem/IST.',
  arxiv: '2410.11772v2',
  authors: ['Kai Yao', 'Penglei Gao'],
  posted: '2024-10-15',
  versionDate: '2024-11-08',
  categories: ['cs.LG'],
};

/** One paper as five sources know it, and others that are not it. */
const said: [string, PaperInput][] = [
  [
    'page',
    { title: 'An Old Title', abstract: 'As first posted.', authorCount: 3, posted: '2024-10-15', importedComments: 2 },
  ],
  ['arxiv', { ...ist, title: 'An Old Title', abstract: 'As first posted, in full.', version: 1, arxiv: '2410.11772' }],
  ['arxiv', ist],
  ['crossref', { ...ist, arxiv: undefined, version: 1, doi: '10.1000/ist', abstract: '', posted: '2025-01-02' }],
  ['catalogue', { ...ist, arxiv: '2410.11772', abstract: 'Ours.', abstractKind: 'summary', version: 1, system: 'ist' }],
  ['arxiv', { ...ist, arxiv: '2499.00001', title: 'An Old Tile', abstract: 'Of others.', authors: ['Else One'] }],
  ['page', { ...ist, arxiv: undefined, title: 'Not It', authors: ['Else Two'] }],
];

for (const kind of ['PGlite', 'PostgreSQL'] as const) {
  const there = kind === 'PGlite' || Boolean(process.env.TEST_DATABASE_URL);
  describe.skipIf(!there)(`records in ${kind}${kind === 'PGlite' ? '' : whereThereIsPostgres}`, () => {
    let site: TestSite;
    let drop = async () => {};
    beforeAll(async () => {
      const made = kind === 'PostgreSQL' ? await newDatabase() : undefined;
      if (made) drop = made.drop;
      site = await testSite({ databaseUrl: made?.url });
    }, 60_000);
    beforeEach(async () => {
      await site.database.db.execute(sql`DELETE FROM issues`);
      await site.database.db.execute(sql`DELETE FROM papers`);
      site.sent.length = 0;
    });
    afterAll(async () => {
      await site.close();
      await drop();
    });

    const everything = async () => {
      const rows = await site.database.rows<Record<string, unknown>>(
        sql`SELECT to_jsonb(p) - '{first_seen,updated,source,revision}'::text[] AS paper,
          (SELECT jsonb_agg(to_jsonb(v) ORDER BY version) FROM versions v WHERE v.paper = p.id) AS versions,
          (SELECT jsonb_agg(to_jsonb(a) ORDER BY place) FROM authors a WHERE a.paper = p.id) AS authors,
          (SELECT jsonb_agg(to_jsonb(t) ORDER BY topic) FROM paper_topics t WHERE t.paper = p.id) AS topics
        FROM papers p ORDER BY id`,
      );
      return rows;
    };

    it('are added once, and nothing changes when they come again', async () => {
      expect(await upsertPapers(site, [ist], 'arxiv')).toEqual({ added: 1, changed: 0, same: 0, refused: [] });
      expect(site.sent).toEqual([{ name: 'digest', data: { ids: ['2410.11772'] } }]);
      const revision = await latestRevision(site.database);
      expect(await upsertPapers(site, [ist, ist], 'arxiv')).toEqual({ added: 0, changed: 0, same: 2, refused: [] });
      expect(await latestRevision(site.database)).toBe(revision);
      expect(site.sent).toHaveLength(1);
    });

    it('of several sources become one, whatever their order', async () => {
      const orders = [
        [0, 1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1, 0],
        [2, 0, 5, 3, 1, 6, 4],
        [3, 0, 4, 6, 2, 1, 5],
        [0, 3, 2, 6, 5, 4, 1],
      ];
      const results = [];
      for (const order of orders) {
        await site.database.db.execute(sql`DELETE FROM papers`);
        for (const i of order) await upsertPapers(site, [said[i][1]], said[i][0]);
        results.push(await everything());
      }
      await site.database.db.execute(sql`DELETE FROM papers`);
      for (const source of ['catalogue', 'crossref', 'arxiv', 'page'])
        await upsertPapers(
          site,
          said.flatMap(([from, input]) => (from === source ? [input] : [])),
          source,
        );
      results.push(await everything());
      expect(results[0]).toHaveLength(3);
      for (const result of results.slice(1)) expect(result).toEqual(results[0]);
      expect(await paperById(site, '2410.11772v1')).toMatchObject({
        id: '2410.11772',
        doi: '10.1000/ist',
        version: 2,
        comments: 2,
        system: 'ist',
        authorCount: 3,
        posted: '2024-10-15',
        title: ist.title,
        abstractKind: 'abstract',
        versions: [
          { version: 1, at: '2024-11-08', title: 'An Old Title' },
          { version: 2, at: '2024-11-08', title: ist.title },
        ],
      });
    });

    it('that turn out to be one bring along what hangs on them, and the old addresses still lead there', async () => {
      await upsertPapers(site, [{ ...ist, arxiv: undefined, doi: '10.1000/ist', title: 'In print' }], 'crossref');
      await upsertPapers(site, [{ ...ist, arxiv: undefined }], 'page');
      const slug = (await newest(site, { limit: 9, offset: 0 })).papers.find(({ doi }) => doi === null)!.id;
      const comment = (paper: string) =>
        sql`INSERT INTO comments (paper, name, body, at) VALUES (${paper}, 'A', 'b', now())`;
      await site.database.db.execute(comment('doi-10.1000~ist'));
      await site.database.db.execute(comment(slug));
      await site.database.db.execute(sql`INSERT INTO picks VALUES ('2025-12-10', 0, ${slug}, 'c', 'C', now())`);
      await site.database.db.execute(sql`INSERT INTO issues (cadence, day, papers, made)
        VALUES ('daily', '2025-12-10', ARRAY[${slug}::text, 'doi-10.1000~ist', 'other'], now())`);
      const { changed } = await upsertPapers(site, [{ ...ist, doi: '10.1000/IST' }], 'arxiv');
      expect(changed).toBe(1);
      for (const id of ['2410.11772', slug, 'doi-10.1000~ist'])
        expect(await paperById(site, id)).toMatchObject({ id: '2410.11772', comments: 2 });
      expect((await newest(site, { limit: 9, offset: 0 })).total).toBe(1);
      const [{ papers }] = await site.database.rows<{ papers: string[] }>(sql`SELECT papers FROM issues`);
      expect(papers).toEqual(['2410.11772', '2410.11772', 'other']);
      const [{ paper }] = await site.database.rows<{ paper: string }>(sql`SELECT paper FROM picks`);
      expect(paper).toBe('2410.11772');
    });

    it('with different arXiv ids stay apart under one title, and a DOI stays with the first', async () => {
      await upsertPapers(
        site,
        [
          { ...ist, doi: '10.1000/ist' },
          { ...ist, arxiv: '2411.00001', doi: '10.1000/ist' },
        ],
        'arxiv',
      );
      expect(await paperById(site, '2411.00001')).toMatchObject({ doi: null });
      expect(await paperById(site, '2410.11772')).toMatchObject({ doi: '10.1000/ist' });
    });

    it('that are refused are named, and the others are taken', async () => {
      const { added, refused } = await upsertPapers(site, [{ ...ist, posted: '2024-02-30' }, ist], 'arxiv');
      expect(added).toBe(1);
      expect(refused).toEqual([{ index: 0, reason: 'posted "2024-02-30" is not a day such as 2024-02-29' }]);
    });

    it('come from two importers at once without being added twice', async () => {
      const many = Array.from({ length: 50 }, (_, i) => ({ ...ist, arxiv: `2410.${20000 + i}`, title: `Paper ${i}` }));
      const [a, b] = await Promise.all([
        upsertPapers(site, many, 'arxiv'),
        upsertPapers(site, many.toReversed(), 'arxiv'),
      ]);
      expect([a.added + b.added, a.same + b.same]).toEqual([50, 50]);
    });

    it('get their topics, and lose them when the text changes', async () => {
      await upsertPapers(site, [ist], 'arxiv');
      expect((await topicsOf(site, '2410.11772')).map(({ id }) => id)).toContain('pruning');
      await upsertPapers(
        site,
        [{ ...ist, arxiv: '2410.11772v3', abstract: 'Radiance fields and gaussian splatting.' }],
        'arxiv',
      );
      expect((await topicsOf(site, '2410.11772')).map(({ id }) => id)).toEqual(['scenes']);
    });

    it('are sent to be digested when the text is new, not when a number is', async () => {
      await upsertPapers(site, [ist], 'arxiv');
      await upsertPapers(site, [{ ...ist, importedVotes: 9 }], 'daily');
      expect(site.sent).toHaveLength(1);
      expect(await paperById(site, '2410.11772')).toMatchObject({ votes: 9 });
    });
  });
}
