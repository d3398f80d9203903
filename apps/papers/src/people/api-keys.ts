/** @file Keys of the API: shown once, stored as a hash. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { and, desc, eq, isNull, lt, or } from 'drizzle-orm';
import { apiKeys, user } from '../database/schema.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import type { Member } from './member.ts';

/** Keys that somebody may have at once. */
const most = 20;

/** How every key begins. */
export const keyPrefix = 'papers_';

const form = /^papers_[A-Za-z0-9_-]{43}$/;

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Makes a key of 256 random bits, "papers_…"; it cannot be shown again.
 * @throws Refused where the name is not of 1 to 60 characters, or there are 20 keys.
 */
export async function makeKey(site: Site, person: Member, name: string): Promise<string> {
  const called = name.replace(/\p{Cc}/gu, '').trim();
  if (called.length < 1 || called.length > 60) throw new Refused('Give the key a name of 1 to 60 characters.');
  const key = `papers_${randomBytes(32).toString('base64url')}`;
  const held = await keysOf(site, person);
  if (held.length >= most) throw new Refused(`You have ${most} keys; revoke one first.`, 409);
  await site.database.db
    .insert(apiKeys)
    .values({ person: person.id, name: called, hash: hashOf(key), made: site.clock() });
  return key;
}

/** Somebody's keys that open something, newest first. */
export async function keysOf(
  site: Site,
  person: Pick<Member, 'id'>,
): Promise<{ id: string; name: string; made: Date; used: Date | null }[]> {
  return site.database.db
    .select({ id: apiKeys.id, name: apiKeys.name, made: apiKeys.made, used: apiKeys.used })
    .from(apiKeys)
    .where(and(eq(apiKeys.person, person.id), isNull(apiKeys.revoked)))
    .orderBy(desc(apiKeys.made), apiKeys.id);
}

/**
 * Revokes a key at once.
 * @throws Refused where the person has no such key.
 */
export async function revokeKey(site: Site, person: Member, id: string): Promise<void> {
  if (!/^[0-9a-f-]{36}$/i.test(id)) throw new Refused('There is no such key.', 404);
  const revoked = await site.database.db
    .update(apiKeys)
    .set({ revoked: site.clock() })
    .where(and(eq(apiKeys.id, id), eq(apiKeys.person, person.id), isNull(apiKeys.revoked)))
    .returning({ id: apiKeys.id });
  if (revoked.length === 0) throw new Refused('There is no such key.', 404);
}

/** Whose key this is; undefined where it is nobody's, was revoked, or its owner was banned. Notes the use, once an hour. */
export async function ownerOf(site: Site, key: string): Promise<Member | undefined> {
  if (!form.test(key)) return undefined;
  const { db } = site.database;
  const hash = hashOf(key);
  const [found] = await db
    .select({ key: apiKeys, id: user.id, name: user.name, email: user.email, role: user.role })
    .from(apiKeys)
    .innerJoin(user, eq(user.id, apiKeys.person))
    .where(and(eq(apiKeys.hash, hash), isNull(apiKeys.revoked), eq(user.banned, false)));
  // The hash was looked up by an index; what is compared here takes the same time whatever it finds.
  if (!found || !timingSafeEqual(Buffer.from(found.key.hash), Buffer.from(hash))) return undefined;
  const now = site.clock();
  const hourAgo = new Date(now.getTime() - 3_600_000);
  if (!found.key.used || found.key.used < hourAgo) {
    await db
      .update(apiKeys)
      .set({ used: now })
      .where(and(eq(apiKeys.id, found.key.id), or(isNull(apiKeys.used), lt(apiKeys.used, hourAgo))));
  }
  const { id, name, email, role } = found;
  return { id, name, email, role };
}
