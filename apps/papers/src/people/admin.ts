/** @file What administrators see and do: jobs, ingests, mail, abuse, people. */

import { and, asc, desc, eq, ilike, isNull, or, sql } from 'drizzle-orm';
import { abuse, comments, ingests, papers, session, user } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import { deleteComment } from './comments.ts';
import type { Member, Role } from './member.ts';

export interface Overview {
  readonly jobs: Awaited<ReturnType<Site['jobs']['counts']>>;
  /** The latest twenty. */
  readonly ingests: readonly (typeof ingests.$inferSelect)[];
  /** Numbers by state. */
  readonly deliveries: readonly { state: string; count: number }[];
  readonly subscribers: readonly { state: string; count: number }[];
  /** The latest mails that did not go out, or may not have. */
  readonly troubles: readonly { email: string; state: string; attempts: number; error: string | null; day: string }[];
  readonly reports: readonly Report[];
}

/** A reader's report of a comment that nobody has seen to. */
interface Report {
  readonly id: string;
  readonly comment: string;
  readonly paper: string;
  readonly title: string;
  readonly author: string | null;
  readonly name: string;
  readonly body: string;
  readonly reason: string;
  readonly by: string | null;
  readonly at: Date;
}

/** All that the administrators' page shows, people apart. */
export async function overview(site: Site): Promise<Overview> {
  const { db, rows } = site.database;
  const reporter = sql<string | null>`(SELECT u.name FROM "user" u WHERE u.id = ${abuse.person})`;
  return {
    jobs: await site.jobs.counts(),
    ingests: await db.select().from(ingests).orderBy(desc(ingests.started), ingests.id).limit(20),
    deliveries: await rows(sql`SELECT state, count(*)::int AS count FROM deliveries GROUP BY state ORDER BY state`),
    subscribers: await rows(sql`SELECT state, count(*)::int AS count FROM subscribers GROUP BY state ORDER BY state`),
    troubles: await rows(sql`
      SELECT s.email, d.state, d.attempts, d.error, i.day::text AS day
      FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN issues i ON i.id = d.issue
      WHERE d.state IN ('failed', 'uncertain') ORDER BY d.due DESC, s.email LIMIT 50`),
    reports: await db
      .select({
        id: abuse.id,
        comment: abuse.comment,
        paper: comments.paper,
        title: papers.title,
        author: comments.person,
        name: comments.name,
        body: comments.body,
        reason: abuse.reason,
        by: reporter,
        at: abuse.at,
      })
      .from(abuse)
      .innerJoin(comments, eq(comments.id, abuse.comment))
      .innerJoin(papers, eq(papers.id, comments.paper))
      .where(isNull(abuse.resolved))
      .orderBy(asc(abuse.at), abuse.id)
      .limit(100),
  };
}

/** People whose name or address has these letters, the newest first, at most fifty. */
export async function people(site: Site, letters = ''): Promise<(Member & { banned: boolean; since: Date })[]> {
  const like = `%${letters.replace(/[\\%_]/g, '\\$&')}%`;
  return site.database.db
    .select({
      id: user.id,
      name: user.name,
      email: user.email,
      role: user.role,
      banned: user.banned,
      since: user.createdAt,
    })
    .from(user)
    .where(letters ? or(ilike(user.name, like), ilike(user.email, like)) : undefined)
    .orderBy(desc(user.createdAt), user.id)
    .limit(50);
}

function notOneself(admin: Member, id: string): void {
  if (admin.role !== 'admin') throw new Refused('Only administrators may do this.', 403);
  if (admin.id === id) throw new Refused('Another administrator has to do this to you.', 409);
}

/**
 * Bans somebody, whose sessions end at once, or lets them in again.
 * @throws Refused where it is oneself, or nobody.
 */
export async function ban(site: Site, admin: Member, id: string, banned: boolean): Promise<void> {
  notOneself(admin, id);
  await site.database.db.transaction(async (tx) => {
    const changed = await tx
      .update(user)
      .set({ banned, updatedAt: site.clock() })
      .where(eq(user.id, id))
      .returning({ id: user.id });
    if (changed.length === 0) throw new Refused('There is no such person.', 404);
    if (banned) await tx.delete(session).where(eq(session.userId, id));
  });
}

/**
 * Gives somebody a role.
 * @throws Refused where it is oneself, or nobody.
 */
export async function changeRole(site: Site, admin: Member, id: string, role: Role): Promise<void> {
  notOneself(admin, id);
  const changed = await site.database.db
    .update(user)
    .set({ role, updatedAt: site.clock() })
    .where(eq(user.id, id))
    .returning({ id: user.id });
  if (changed.length === 0) throw new Refused('There is no such person.', 404);
}

/** Puts a report away; with `hide` its comment becomes a tombstone, and all reports of it are put away. */
export async function resolveReport(site: Site, admin: Member, id: string, hide: boolean): Promise<void> {
  if (admin.role !== 'admin') throw new Refused('Only administrators may do this.', 403);
  const { db } = site.database;
  const [report] = /^[0-9a-f-]{36}$/i.test(id) ? await db.select().from(abuse).where(eq(abuse.id, id)) : [];
  if (!report) throw new Refused('There is no such report.', 404);
  if (hide) await deleteComment(site, admin, report.comment);
  await db
    .update(abuse)
    .set({ resolved: site.clock() })
    .where(and(hide ? eq(abuse.comment, report.comment) : eq(abuse.id, id), isNull(abuse.resolved)));
}

/** Reads an ingest's source again, from where it stopped. */
export async function retryIngest(site: Site, admin: Member, id: string): Promise<void> {
  if (admin.role !== 'admin') throw new Refused('Only administrators may do this.', 403);
  const [found] = /^[0-9a-f-]{36}$/i.test(id)
    ? await site.database.db.select({ source: ingests.source }).from(ingests).where(eq(ingests.id, id))
    : [];
  if (!found) throw new Refused('There is no such ingest.', 404);
  await site.jobs.send('ingest', { source: found.source }, { key: found.source });
}
