/** @file Votes: one each. */

import { and, eq, inArray, sql } from 'drizzle-orm';
import { papers, votes } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import type { Member } from './member.ts';

/**
 * Gives somebody's vote to a paper, or takes it back; saying so twice changes nothing.
 * @throws Refused where there is no such paper.
 */
export async function vote(site: Site, person: Pick<Member, 'id'>, paper: string, on: boolean): Promise<void> {
  await site.database.db.transaction(async (tx) => {
    const [found] = await tx.select({ id: papers.id }).from(papers).where(eq(papers.id, paper));
    if (!found) throw new Refused('There is no such paper.', 404);
    const changed = on
      ? await tx
          .insert(votes)
          .values({ paper, person: person.id, at: site.clock() })
          .onConflictDoNothing()
          .returning({ paper: votes.paper })
      : await tx
          .delete(votes)
          .where(and(eq(votes.paper, paper), eq(votes.person, person.id)))
          .returning({ paper: votes.paper });
    if (changed.length === 0) return;
    await tx
      .update(papers)
      .set({
        localVotes: on ? sql`${papers.localVotes} + 1` : sql`greatest(${papers.localVotes} - 1, 0)`,
        revision: sql`nextval('revision')`,
      })
      .where(eq(papers.id, paper));
  });
}

/** Which of these papers somebody voted for. */
export async function votedBy(
  site: Site,
  person: Pick<Member, 'id'> | undefined,
  ids: readonly string[],
): Promise<Set<string>> {
  if (!person || ids.length === 0) return new Set();
  const found = await site.database.db
    .select({ paper: votes.paper })
    .from(votes)
    .where(and(eq(votes.person, person.id), inArray(votes.paper, [...ids])));
  return new Set(found.map(({ paper }) => paper));
}
