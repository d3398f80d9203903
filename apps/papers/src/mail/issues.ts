/**
 * @file Issues: the list of a day, or of the week that ends with it, frozen and queued for its subscribers at once.
 *
 * The issue of a day goes out at 18:00 UTC of that day, or at the first run after; the weekly one with the day's on Sundays. What
 * was missed by more than a day (two for the week) is not caught up with: nobody reads old news in three mails at once. A list
 * that is empty then is looked at again at every run until the next issue is due, so a late import still goes out.
 */

import { sql } from 'drizzle-orm';
import type { JobDefinition } from '../jobs/jobs.ts';
import { dayList } from '../papers/lists.ts';
import { type Day, dayOf, type Site } from '../site.ts';
import { deliver } from './deliveries.ts';
import { newMessageId } from './mailer.ts';
import { confirmationJob, textArray } from './subscribers.ts';

type Cadence = 'daily' | 'weekly';

/** Hour of the day, in UTC, at which its issue is due. */
const dueHour = 18;

/** Papers that are frozen; each subscriber gets the first ten on the chosen topics. */
const longestList = 500;

/** How long before its days a paper may have been posted that came in late, in days. */
const lateDays = 7;

/** The moment at which the issue of a day is due. */
function dueAt(day: Day): Date {
  return new Date(`${day}T${dueHour}:00:00Z`);
}

/** The day so many days before. */
function before(day: Day, days: number): Day {
  return dayOf(new Date(Date.parse(day) - days * 86_400_000));
}

/** The latest day whose issue is due. */
export function latestDueDay(now: Date): Day {
  const today = dayOf(now);
  return now >= dueAt(today) ? today : before(today, 1);
}

/** One of each list in turn, each once. */
function interleaved(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map((list) => list.length));
  const inTurn = Array.from({ length: longest }, (_, place) => lists.flatMap((list) => list.slice(place, place + 1)));
  return [...new Set(inTurn.flat())];
}

/**
 * The papers of an issue, in order: of each day its list (picks first), for a week the first of each day, latest day first, then
 * the second of each; then what was posted within seven days before but came in too late for the issue before.
 */
async function papersOfIssue(site: Site, cadence: Cadence, day: Day): Promise<string[]> {
  const length = cadence === 'daily' ? 1 : 7;
  const lists: string[][] = [];
  for (let back = 0; back < length; back++) {
    const { papers } = await dayList(site, before(day, back));
    lists.push(papers.filter(({ withdrawn }) => !withdrawn).map(({ id }) => id));
  }
  const start = before(day, length);
  const late = await site.database.rows<{ id: string }>(sql`
    SELECT p.id FROM papers p
    WHERE p.posted BETWEEN ${before(start, lateDays - 1)} AND ${start} AND NOT p.withdrawn
      AND p.first_seen >= ${dueAt(start).toISOString()}::timestamptz
      AND NOT EXISTS (SELECT FROM issues i WHERE i.cadence = ${cadence} AND i.day < ${day}
        AND i.day >= ${before(start, lateDays)} AND p.id = ANY(i.papers))
    ORDER BY p.discussion DESC, p.title, p.id LIMIT ${longestList}::int`);
  return [...new Set([...interleaved(lists), ...late.map(({ id }) => id)])].slice(0, longestList);
}

/**
 * Freezes the issue of a day and queues it for everybody who is active then, in one statement; what is there already stays.
 * @returns whether it was made now: not where it was there, and not where there is nothing to send.
 */
export async function makeIssue(site: Site, cadence: Cadence, day: Day): Promise<boolean> {
  const known = await site.database.rows(sql`SELECT 1 FROM issues WHERE cadence = ${cadence} AND day = ${day}`);
  if (known.length > 0) return false;
  const papers = await papersOfIssue(site, cadence, day);
  if (papers.length === 0) return false;
  const now = site.clock().toISOString();
  // The message id follows from the issue and the subscriber alone.
  const [start, end] = newMessageId(site, cadence, { key: '?', moment: dueAt(day) }).split('?');
  const made = await site.database.rows(sql`
    WITH made AS (
      INSERT INTO issues (cadence, day, papers, made)
      VALUES (${cadence}, ${day}, ${textArray(papers)}, ${now}::timestamptz)
      ON CONFLICT DO NOTHING RETURNING id
    ), queued AS (
      INSERT INTO deliveries (issue, subscriber, state, due, message_id)
      SELECT made.id, s.id, 'queued', ${now}::timestamptz, ${start}::text || s.id || ${end}::text
      FROM made, subscribers s WHERE s.state = 'active' AND s.cadence = ${cadence}
      ON CONFLICT DO NOTHING
    )
    SELECT id FROM made`);
  return made.length > 0;
}

/** Makes the issues that are due: the latest day's, and the week's that ended with the latest Sunday. */
export async function makeDueIssues(site: Site): Promise<void> {
  const day = latestDueDay(site.clock());
  if (await makeIssue(site, 'daily', day)) site.log.info('issue made', { cadence: 'daily', day });
  const sinceSunday = new Date(day).getUTCDay();
  const sunday = before(day, sinceSunday);
  if (sinceSunday < 2 && (await makeIssue(site, 'weekly', sunday))) {
    site.log.info('issue made', { cadence: 'weekly', day: sunday });
  }
}

/** Makes due issues and sends what is queued, every five minutes; sends confirmations as they are asked for. */
export function mailJobs(site: Site): JobDefinition[] {
  return [
    confirmationJob(site),
    {
      name: 'deliver',
      cron: '*/5 * * * *',
      async work(_data, signal) {
        await makeDueIssues(site);
        const counts = await deliver(site, { signal });
        if (Object.values(counts).some(Boolean)) site.log.info('mail delivered', counts);
      },
    },
  ];
}
