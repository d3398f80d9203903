import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision } from '../database/connect.ts';
import { seedCatalogue } from '../papers/catalogue-papers.ts';
import { newest } from '../papers/lists.ts';
import { ingestFile } from './ingest.ts';

const page = fileURLToPath(new URL('../../../../../shared/seeds/daily-papers-importance-scores.txt', import.meta.url));
const there = existsSync(page);

describe.skipIf(!there)(
  `importing the seed page${there ? '' : ' (skipped: ../shared/seeds is not beside the repository)'}`,
  () => {
    let site: TestSite;
    beforeAll(async () => {
      site = await testSite();
      await seedCatalogue(site);
    }, 60_000);
    afterAll(() => site.close());

    it('gives the catalogue’s papers their abstracts and comments, and adds none', async () => {
      expect(await ingestFile(site, page)).toMatchObject({ added: 0, changed: 58, same: 0, refused: 0 });
      const { papers, total } = await newest(site, { limit: 100, offset: 0 });
      expect(total).toBe(59);
      expect(papers.filter((paper) => paper.abstractKind === 'abstract')).toHaveLength(58);
      expect(papers.reduce((sum, paper) => sum + paper.comments, 0)).toBe(21);
      expect(papers.filter((paper) => paper.arxiv)).toHaveLength(58);
    });

    it('changes nothing the second time', async () => {
      const before = await latestRevision(site.database);
      expect(await ingestFile(site, page)).toMatchObject({ added: 0, changed: 0, same: 58, refused: 0 });
      expect(await latestRevision(site.database)).toBe(before);
    });
  },
);
