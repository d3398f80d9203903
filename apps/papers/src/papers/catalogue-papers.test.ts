import { catalogue, papers } from 'salience';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision } from '../database/connect.ts';
import { seedCatalogue } from './catalogue-papers.ts';
import { dayList, newest, paperById } from './lists.ts';
import { upsertPapers } from './records.ts';

describe('the catalogue in the database', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
    await seedCatalogue(site);
  }, 60_000);
  afterAll(() => site.close());

  it('has 59 papers, in our own words', async () => {
    const { papers: all, total } = await newest(site, { limit: 100, offset: 0 });
    expect(total).toBe(59);
    expect(all.every((paper) => paper.abstractKind === 'summary')).toBe(true);
    expect(all.reduce((sum, paper) => sum + paper.authorCount, 0)).toBe(328 + 1);
  });

  it('lists the implemented ones today, in the order of the catalogue', async () => {
    const { papers: listed } = await dayList(site, '2025-12-10');
    const picked = listed.filter((paper) => paper.pick);
    const known = new Set(papers.map((paper) => paper.id));
    expect(picked.map((paper) => paper.system)).toEqual(
      catalogue.map((entry) => entry.id).filter((id) => known.has(id)),
    );
    expect(picked.every((paper) => paper.implemented && paper.pick?.curatorName === 'salience')).toBe(true);
  });

  it('stays as it is when it is seeded again, on another day too', async () => {
    const before = await latestRevision(site.database);
    site.now = new Date('2025-12-11T12:00:00Z');
    await seedCatalogue(site);
    expect(await latestRevision(site.database)).toBe(before);
    expect((await dayList(site, '2025-12-11')).total).toBe(0);
  });

  it('gives way to the authors’ abstract, and keeps what it knows of the code', async () => {
    await upsertPapers(
      site,
      [
        {
          title: 'Layer-wise Importance Matters: Less Memory for Better Performance in Parameter-efficient Fine-tuning',
          abstract: 'The authors’ words, with https://github.com/Kaiseem/IST.',
          arxiv: '2410.11772v3',
          authors: ['Kai Yao'],
          posted: '2024-10-15',
        },
      ],
      'arxiv',
    );
    const paper = await paperById(site, '2410.11772');
    expect(paper).toMatchObject({ abstractKind: 'abstract', textSource: 'arxiv', source: 'catalogue', authorCount: 7 });
    expect(paper).toMatchObject({
      system: 'ist',
      codeUrl: 'https://github.com/antgroup/importance-aware-sparse-tuning-IST-paper',
    });
    await seedCatalogue(site);
    expect((await paperById(site, '2410.11772'))?.abstractKind).toBe('abstract');
  });
});
