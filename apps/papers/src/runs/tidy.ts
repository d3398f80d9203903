/** @file Results that nobody signed in for go after a month, and earlier where they would fill the disk. */

import { sql } from 'drizzle-orm';
import type { JobDefinition } from '../jobs/jobs.ts';
import type { Site } from '../site.ts';

/** Days that the result of a reader who was not signed in is kept. */
const keptFor = 30;

/** Bytes of such results together, of which the newest stay. */
const mostBytes = 2 ** 30;

/** The job of every hour. */
export function runJobs(site: Site): JobDefinition[] {
  return [{ name: 'tidy-runs', cron: '40 * * * *', work: () => tidyRuns(site) }];
}

/** Takes away results without an owner that are over 30 days old, or older than the newest gigabyte of them. */
export async function tidyRuns(site: Site, most = mostBytes): Promise<void> {
  const end = new Date(site.clock().getTime() - keptFor * 864e5).toISOString();
  await site.database.rows(sql`
    DELETE FROM runs WHERE id IN (
      SELECT id FROM (
        SELECT id, finished, sum(coalesce(pg_column_size(report), 0)) OVER (ORDER BY finished DESC, id) AS bytes
        FROM runs WHERE by LIKE 'a:%' AND state IN ('done', 'failed', 'cancelled')
      ) AS anonymous
      WHERE finished < ${end}::timestamptz OR bytes > ${most}::bigint)`);
}
