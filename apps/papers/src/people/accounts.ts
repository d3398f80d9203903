/** @file Somebody's account: their name, their sessions, what is known of them, and its end. */

import { and, asc, desc, eq, gt, isNull, sql } from 'drizzle-orm';
import {
  account,
  comments,
  follows,
  papers,
  picks,
  runs,
  session,
  subscribers,
  user,
  votes,
} from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import { keysOf } from './api-keys.ts';
import type { Member } from './member.ts';

/**
 * Gives somebody another name, which their new comments carry.
 * @throws Refused where it is not of 1 to 60 characters.
 */
export async function rename(site: Site, person: Pick<Member, 'id'>, name: string): Promise<void> {
  const called = name
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (called.length < 1 || called.length > 60) throw new Refused('A name has 1 to 60 characters.');
  await site.database.db.update(user).set({ name: called, updatedAt: site.clock() }).where(eq(user.id, person.id));
}

export interface OpenSession {
  readonly id: string;
  readonly since: Date;
  /** As the browser calls itself. */
  readonly browser: string | null;
}

/** Where somebody is signed in, the latest first. */
export async function sessionsOf(site: Site, person: Pick<Member, 'id'>): Promise<OpenSession[]> {
  return site.database.db
    .select({ id: session.id, since: session.createdAt, browser: session.userAgent })
    .from(session)
    .where(and(eq(session.userId, person.id), gt(session.expiresAt, site.clock())))
    .orderBy(desc(session.createdAt), session.id);
}

/** Ends one of somebody's sessions. */
export async function endSession(site: Site, person: Pick<Member, 'id'>, id: string): Promise<void> {
  await site.database.db.delete(session).where(and(eq(session.id, id), eq(session.userId, person.id)));
}

/** Everything that is kept of somebody, for them to take along. */
export async function exportAccount(site: Site, person: Member): Promise<Record<string, unknown>> {
  const { db } = site.database;
  const mine = { id: person.id };
  return {
    name: person.name,
    email: person.email,
    role: person.role,
    follows: await db
      .select({ kind: follows.kind, value: follows.value, at: follows.at })
      .from(follows)
      .where(eq(follows.person, mine.id))
      .orderBy(asc(follows.at)),
    votes: await db
      .select({ paper: votes.paper, at: votes.at })
      .from(votes)
      .where(eq(votes.person, mine.id))
      .orderBy(asc(votes.at)),
    comments: await db
      .select({ id: comments.id, paper: comments.paper, parent: comments.parent, body: comments.body, at: comments.at })
      .from(comments)
      .where(and(eq(comments.person, mine.id), isNull(comments.deleted)))
      .orderBy(asc(comments.at)),
    sessions: await sessionsOf(site, mine),
    keys: await keysOf(site, mine),
    subscription:
      (
        await db
          .select({ cadence: subscribers.cadence, topics: subscribers.topics, state: subscribers.state })
          .from(subscribers)
          .where(eq(subscribers.address, person.email.toLowerCase()))
      )[0] ?? null,
  };
}

/**
 * Ends an account: comments become tombstones, votes are taken back, sessions, keys, follows and the subscription of the
 * address are gone. All of it or nothing.
 */
export async function deleteAccount(site: Site, person: Pick<Member, 'id' | 'email'>): Promise<void> {
  const revision = sql`nextval('revision')`;
  await site.database.db.transaction(async (tx) => {
    const written = tx
      .select({ paper: comments.paper, count: sql<number>`count(*)::int`.as('count') })
      .from(comments)
      .where(and(eq(comments.person, person.id), isNull(comments.deleted)))
      .groupBy(comments.paper)
      .as('written');
    await tx
      .update(papers)
      .set({ localComments: sql`greatest(${papers.localComments} - ${written.count}, 0)`, revision })
      .from(written)
      .where(eq(papers.id, written.paper));
    await tx
      .update(comments)
      .set({ deleted: site.clock(), body: '' })
      .where(and(eq(comments.person, person.id), isNull(comments.deleted)));
    await tx.update(comments).set({ name: '' }).where(eq(comments.person, person.id));
    await tx
      .update(papers)
      .set({ localVotes: sql`greatest(${papers.localVotes} - 1, 0)`, revision })
      .from(votes)
      .where(and(eq(votes.paper, papers.id), eq(votes.person, person.id)));
    await tx.update(papers).set({ submittedBy: null }).where(eq(papers.submittedBy, person.id));
    await tx.update(picks).set({ curator: '', curatorName: 'a former curator' }).where(eq(picks.curator, person.id));
    await tx.update(runs).set({ by: '' }).where(eq(runs.by, person.id));
    await tx.delete(subscribers).where(eq(subscribers.address, person.email.toLowerCase()));
    await tx.delete(account).where(eq(account.userId, person.id));
    await tx.delete(user).where(eq(user.id, person.id));
    await tx.execute(sql`SELECT nextval('revision')`);
  });
}
