/** @file What becomes of old results. */

import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { runs } from '../database/schema.ts';
import { tidyRuns } from './tidy.ts';

let site: TestSite;
beforeAll(async () => {
  site = await testSite();
});
afterAll(() => site.close());

const ids = async () => (await site.database.db.select({ id: runs.id }).from(runs)).map(({ id }) => id).sort();

it('results without an owner go after 30 days, or where they take too much room, the oldest first; others stay', async () => {
  const row = (id: string, by: string, days: number, state: 'done' | 'running' = 'done') => ({
    id,
    method: 'lexrank',
    params: {},
    options: {},
    input: { kind: 'sample' as const },
    state,
    by,
    report: { text: Array.from({ length: 4000 }, (_, i) => (i * 7919) % 10_007) },
    made: new Date(site.now.getTime() - days * 864e5),
    finished: state === 'done' ? new Date(site.now.getTime() - days * 864e5) : null,
  });
  await site.database.db
    .insert(runs)
    .values([
      row('old', 'a:1', 31),
      row('owned', 'ada', 400),
      row('busy', 'a:1', 31, 'running'),
      row('fresh', 'a:1', 1),
      row('less-fresh', 'a:2', 2),
    ]);
  await tidyRuns(site);
  expect(await ids()).toEqual(['busy', 'fresh', 'less-fresh', 'owned']);
  const [{ bytes }] = (
    await site.database.execute("SELECT pg_column_size(report)::int AS bytes FROM runs WHERE id = 'fresh'")
  ).rows as { bytes: number }[];
  await tidyRuns(site, 1.5 * bytes);
  expect(await ids()).toEqual(['busy', 'fresh', 'owned']);
});
