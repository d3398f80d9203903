/** @file The day's list as curators pick and order it. */

import { asc, eq, inArray } from 'drizzle-orm';
import { touch } from '../database/connect.ts';
import { papers, picks } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Day, Site } from '../site.ts';
import type { Member } from './member.ts';
import { hasRole } from './roles.ts';

interface Pick {
  readonly paper: string;
  /** From 0. */
  readonly place: number;
  readonly curatorName: string;
}

/** Papers that a day's list may have picked. */
const most = 100;

/** The picks of a day, in their order. */
export async function picksOf(site: Site, day: Day): Promise<Pick[]> {
  return site.database.db
    .select({ paper: picks.paper, place: picks.place, curatorName: picks.curatorName })
    .from(picks)
    .where(eq(picks.day, day))
    .orderBy(asc(picks.place), asc(picks.paper));
}

/**
 * Makes these papers, in this order, the picks of a day. Each keeps the name of the curator who picked it first.
 * @throws Refused where somebody is no curator, the day is none, a paper is not there or comes twice, or they are over 100.
 */
export async function setPicks(site: Site, curator: Member, day: Day, ids: readonly string[]): Promise<void> {
  if (!hasRole(curator, 'curator')) throw new Refused('Only curators pick the papers of a day.', 403);
  if (!/^\d{4}-\d\d-\d\d$/.test(day) || new Date(`${day}T00:00Z`).toJSON()?.slice(0, 10) !== day) {
    throw new Refused(`${day} is no day; one looks like 2025-10-28.`, 404);
  }
  if (ids.length > most) throw new Refused(`A day has at most ${most} picks; these are ${ids.length}.`);
  if (new Set(ids).size < ids.length) throw new Refused('A paper can be picked once a day.');
  await site.database.db.transaction(async (tx) => {
    if (ids.length > 0) {
      const there = await tx
        .select({ id: papers.id })
        .from(papers)
        .where(inArray(papers.id, [...ids]));
      const known = new Set(there.map(({ id }) => id));
      const missing = ids.find((id) => !known.has(id));
      if (missing !== undefined) throw new Refused(`There is no paper ${missing}.`, 404);
    }
    const before = await tx.delete(picks).where(eq(picks.day, day)).returning();
    const first = new Map(before.map((pick) => [pick.paper, pick]));
    if (ids.length > 0) {
      const now = { curator: curator.id, curatorName: curator.name, at: site.clock() };
      await tx.insert(picks).values(ids.map((paper, place) => ({ ...now, ...first.get(paper), day, paper, place })));
    }
    await touch(site.database, tx);
  });
}
