import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision } from '../database/connect.ts';
import { dayList, paperById, trending } from './lists.ts';
import { type PaperInput, upsertPapers } from './records.ts';

const ist: PaperInput = {
  title: 'Layer-wise Importance Matters',
  abstract: 'We prune large language models. Code: https://github.com/Kaiseem/IST.',
  arxiv: '2410.11772v2',
  authors: ['Kai Yao', 'Penglei Gao'],
  posted: '2024-10-15',
  versionDate: '2024-11-08',
  categories: ['cs.LG'],
};

describe('records', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  });
  afterAll(() => site.close());

  it('are added once, and nothing changes when they come again', async () => {
    expect(await upsertPapers(site, [ist], 'test')).toEqual({ added: 1, changed: 0, same: 0, refused: [] });
    expect(site.sent).toEqual([{ name: 'digest', data: { ids: ['2410.11772'] } }]);
    const revision = await latestRevision(site.database);
    expect(await upsertPapers(site, [ist], 'test')).toEqual({ added: 0, changed: 0, same: 1, refused: [] });
    expect(await latestRevision(site.database)).toBe(revision);
    expect(await paperById(site, '2410.11772v2')).toMatchObject({
      version: 2,
      codeUrl: 'https://github.com/Kaiseem/IST',
    });
    expect((await dayList(site, '2024-10-15')).total).toBe(1);
    expect((await trending(site, { limit: 10, offset: 0 })).papers).toHaveLength(1);
  });
});
