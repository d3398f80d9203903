/** @file Views: readers of a paper, counted once a day each, without anybody being kept. */

import { createHmac } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { type Database, touch } from '../database/connect.ts';
import type { JobDefinition } from '../jobs/jobs.ts';
import { dayOf, type Site } from '../site.ts';

/** What programs that are no readers call themselves; nothing at all is one too. */
const bots =
  /(?<!cu)bot\b|bot[/_-]|crawl|spider|slurp|fetch|scrap|preview|monitor|uptime|headless|lighthouse|curl|wget|python|java\/|go-http|node|axios|okhttp|libwww|httpie|http-client|ruby|perl|php|feed|rss|archiver|facebookexternalhit|embedly|pingdom|gptbot|claude|ccbot/i;

/** Whether a user agent is a program rather than a reader's browser. */
function isBot(userAgent: string | undefined): boolean {
  return !userAgent || userAgent.length < 20 || bots.test(userAgent);
}

interface Seen {
  readonly paper: string;
  readonly day: string;
  readonly visitor: string;
}

const waiting = new WeakMap<Database, Seen[]>();
const mostWaiting = 500;
const longestWait = 5_000;

/**
 * Counts a reader of a paper, once a day. The reader is kept as an HMAC of the day and the address, which nobody can turn
 * back without the secret. Views gather in memory for up to 5 s, and the numbers that readers see change when the job
 * "count-views" sums them up.
 */
export async function countView(
  site: Site,
  paper: string,
  { address, userAgent }: { address: string; userAgent: string | undefined },
): Promise<void> {
  if (isBot(userAgent)) return;
  const day = dayOf(site.clock());
  const visitor = createHmac('sha256', site.config.secret)
    .update(`view ${day} ${address}`)
    .digest('base64url')
    .slice(0, 22);
  let seen = waiting.get(site.database);
  if (!seen) {
    seen = [];
    waiting.set(site.database, seen);
  }
  seen.push({ paper, day, visitor });
  if (seen.length >= mostWaiting) await flushViews(site);
  else if (seen.length === 1) {
    const late = () =>
      flushViews(site).catch((error) => site.log.error('views are lost', { reason: (error as Error).message }));
    setTimeout(late, longestWait).unref();
  }
}

/** Writes the views that gathered in memory; a server that stops calls it last. */
export async function flushViews(site: Site): Promise<void> {
  const seen = waiting.get(site.database);
  waiting.delete(site.database);
  if (!seen || seen.length === 0) return;
  await site.database.db.execute(sql`
    INSERT INTO views (paper, day, visitor)
    SELECT r.paper, r.day, r.visitor FROM jsonb_to_recordset(${JSON.stringify(seen)}::jsonb) AS r(paper text, day date, visitor text)
    WHERE EXISTS (SELECT FROM papers WHERE papers.id = r.paper) ON CONFLICT DO NOTHING`);
}

/** Adds new views to the papers' numbers; those of past days are then forgotten. */
export async function sumViews(site: Site): Promise<void> {
  await flushViews(site);
  await site.database.db.transaction(async (tx) => {
    const changed = await site.database.rows(
      sql`
      WITH fresh AS (UPDATE views SET counted = true WHERE NOT counted RETURNING paper),
        sums AS (SELECT paper, count(*)::int AS readers FROM fresh GROUP BY paper)
      UPDATE papers SET views = views + readers FROM sums WHERE papers.id = sums.paper RETURNING papers.id`,
      tx,
    );
    await tx.execute(sql`DELETE FROM views WHERE counted AND day < ${dayOf(site.clock())}::date - 1`);
    if (changed.length > 0) await touch(site.database, tx);
  });
}

/** The job that sums views up every five minutes. */
export function viewJobs(site: Site): JobDefinition[] {
  return [{ name: 'count-views', cron: '*/5 * * * *', work: () => sumViews(site) }];
}
