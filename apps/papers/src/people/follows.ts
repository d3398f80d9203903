/** @file What somebody follows: topics, authors, saved searches. */

import { and, asc, eq, sql } from 'drizzle-orm';
import { authors, follows, topics } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import type { Member } from './member.ts';

export type FollowKind = 'topic' | 'author' | 'search';

export interface Follow {
  readonly kind: FollowKind;
  /** Topic id, author key, or the query string of a search. */
  readonly value: string;
  /** The topic's or author's name, or the words that are searched. */
  readonly name: string;
  /** Where it has its page. */
  readonly href: string;
}

/** What somebody may follow at once. */
const most = 200;

/**
 * The query string of a search in one writing: sorted, without empty fields and pages.
 * @throws Refused where nothing is searched or it is longer than 400 characters.
 */
function searchValue(value: string): string {
  const given = new URLSearchParams(value.replace(/^.*\?/, ''));
  for (const [name, field] of [...given])
    if (field.trim() === '' || /^(page|offset|limit|csrf)$/.test(name)) given.delete(name);
  given.sort();
  const written = given.toString();
  if (!given.get('q')) throw new Refused('A search to follow needs words.');
  if (written.length > 400) throw new Refused('This search is too long to follow: 400 characters at most.');
  return written;
}

/**
 * Follows, or no longer; saying so twice changes nothing.
 * @throws Refused where there is no such topic or author, the search is empty, or 200 things are followed.
 */
export async function follow(
  site: Site,
  person: Pick<Member, 'id'>,
  { kind, value, on }: { kind: FollowKind; value: string; on: boolean },
): Promise<void> {
  const { db } = site.database;
  const asked = kind === 'search' ? searchValue(value) : value;
  if (!on) {
    await db
      .delete(follows)
      .where(and(eq(follows.person, person.id), eq(follows.kind, kind), eq(follows.value, asked)));
    return;
  }
  if (kind === 'topic') {
    const [topic] = await db.select({ id: topics.id }).from(topics).where(eq(topics.id, asked));
    if (!topic) throw new Refused('There is no such topic.', 404);
  }
  if (kind === 'author') {
    const [author] = await db.select({ key: authors.key }).from(authors).where(eq(authors.key, asked)).limit(1);
    if (!author) throw new Refused('There is no such author.', 404);
  }
  const [{ count }] = await site.database.rows<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM follows WHERE person = ${person.id}`,
  );
  if (count >= most) throw new Refused(`You follow ${most} things; let go of one first.`, 409);
  await db.insert(follows).values({ person: person.id, kind, value: asked, at: site.clock() }).onConflictDoNothing();
}

/** What somebody follows, in the order in which they came to. */
export async function followsOf(site: Site, person: Pick<Member, 'id'>): Promise<Follow[]> {
  const rows = await site.database.db
    .select({
      kind: follows.kind,
      value: follows.value,
      topic: topics.name,
      author: sql<
        string | null
      >`(SELECT min(a.name) FROM authors a WHERE ${follows.kind} = 'author' AND a.key = ${follows.value})`,
    })
    .from(follows)
    .leftJoin(topics, and(eq(follows.kind, 'topic'), eq(topics.id, follows.value)))
    .where(eq(follows.person, person.id))
    .orderBy(asc(follows.at), asc(follows.kind), asc(follows.value));
  return rows.map(({ kind, value, topic, author }) => {
    if (kind === 'search') {
      return { kind, value, name: new URLSearchParams(value).get('q') ?? value, href: `/search?${value}` };
    }
    const place = kind === 'topic' ? 'topics' : 'authors';
    return { kind, value, name: topic ?? author ?? value, href: `/${place}/${encodeURIComponent(value)}` };
  });
}

/** Whether somebody follows this; nobody follows nothing. */
export async function isFollowing(
  site: Site,
  person: Pick<Member, 'id'> | undefined,
  kind: FollowKind,
  value: string,
): Promise<boolean> {
  if (!person || (kind === 'search' && !new URLSearchParams(value).get('q'))) return false;
  const asked = kind === 'search' ? searchValue(value) : value;
  const found = await site.database.db
    .select({ kind: follows.kind })
    .from(follows)
    .where(and(eq(follows.person, person.id), eq(follows.kind, kind), eq(follows.value, asked)));
  return found.length > 0;
}
