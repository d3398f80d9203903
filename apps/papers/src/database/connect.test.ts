import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { latestRevision, touch } from './connect.ts';

describe('the database', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  });
  afterAll(() => site.close());

  it('counts every change, so that caches can tell', async () => {
    const before = await latestRevision(site.database);
    await touch(site.database);
    expect(await latestRevision(site.database)).toBeGreaterThan(before);
  });
});
