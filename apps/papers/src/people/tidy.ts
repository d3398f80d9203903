/** @file What has run out goes: sessions, and links that nobody used. */

import { lt } from 'drizzle-orm';
import { session, verification } from '../database/schema.ts';
import type { JobDefinition } from '../jobs/jobs.ts';
import type { Site } from '../site.ts';

/** The job of every night. */
export function peopleJobs(site: Site): JobDefinition[] {
  return [
    {
      name: 'tidy-sessions',
      cron: '20 4 * * *',
      async work() {
        const now = site.clock();
        await site.database.db.delete(session).where(lt(session.expiresAt, now));
        await site.database.db.delete(verification).where(lt(verification.expiresAt, now));
      },
    },
  ];
}
