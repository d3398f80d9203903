/** @file Subscribers: who asked for mail, confirmed it (double opt-in), changed it, ended it. */

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { JobDefinition } from '../jobs/jobs.ts';
import { count } from '../security/rate-limit.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import { MailError, newMessageId, sendMail } from './mailer.ts';
import { messageOfConfirmation } from './messages.tsx';

export interface Subscription {
  readonly cadence: 'daily' | 'weekly';
  /** Topic ids; all topics where empty. */
  readonly topics: readonly string[];
}

/** How long a confirmation link is good, in milliseconds: 48 hours. */
const confirmationLife = 48 * 3_600_000;

const form = z.object({
  email: z.string().trim().max(254).pipe(z.email()),
  cadence: z.enum(['daily', 'weekly']),
  topics: z
    .array(
      z
        .string()
        .max(100)
        .regex(/^[^\0]*$/),
    )
    .max(200),
});

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** 128 bits that only this site can make of these words. */
function signed(site: Site, ...words: string[]): string {
  return createHmac('sha256', site.config.secret)
    .update(JSON.stringify(words))
    .digest()
    .subarray(0, 16)
    .toString('base64url');
}

interface ConfirmationData {
  readonly address: string;
  /** Random, 128 bits: the link's token is made of it with the secret, so the queue holds no token. */
  readonly nonce: string;
  readonly messageId: string;
}

/** The token of a confirmation link. */
function confirmationToken(site: Site, { address, nonce }: Pick<ConfirmationData, 'address' | 'nonce'>): string {
  return signed(site, 'confirm', address, nonce);
}

/**
 * Takes a request to subscribe or to change a subscription; nothing changes until the link in the mail is followed. The same
 * happens, and the same is answered, for known and unknown addresses. Of several links for an address the latest is good.
 * @throws Refused where the address is malformed, a topic is unknown, or the address was sent too much already.
 */
export async function requestSubscription(site: Site, asked: Subscription & { readonly email: string }): Promise<void> {
  const parsed = form.safeParse(asked);
  if (!parsed.success) {
    const field = parsed.error.issues[0].path[0];
    if (field === 'email') throw new Refused('This is not an e-mail address; it should look like reader@example.org.');
    throw new Refused(field === 'cadence' ? 'Choose daily or weekly.' : 'These are not topics of this site.');
  }
  const { email, cadence } = parsed.data;
  const topics = [...new Set(parsed.data.topics)].sort();
  const known = await topicNames(site, topics);
  const unknown = topics.find((topic) => !known.has(topic));
  if (unknown !== undefined) throw new Refused(`There is no topic "${unknown}" here.`);
  const address = email.toLowerCase();
  await count(site, 'subscribe mail', address);
  const nonce = randomBytes(16).toString('base64url');
  const now = site.clock();
  const until = new Date(now.getTime() + confirmationLife);
  await site.database.rows(sql`
    INSERT INTO subscribers (email, address, state, cadence, topics, confirm_hash, confirm_until, wanted, made)
    VALUES (${email}, ${address}, 'pending', ${cadence}, ${textArray(topics)},
      ${hashOf(confirmationToken(site, { address, nonce }))}, ${until.toISOString()}::timestamptz,
      ${JSON.stringify({ cadence, topics })}::jsonb, ${now.toISOString()}::timestamptz)
    ON CONFLICT (address) DO UPDATE SET
      wanted = excluded.wanted, confirm_hash = excluded.confirm_hash, confirm_until = excluded.confirm_until`);
  const data: ConfirmationData = { address, nonce, messageId: newMessageId(site, 'confirm') };
  await site.jobs.send('mail-confirmation', data);
}

/** An array of text, in SQL that both databases take. */
export function textArray(values: readonly string[]): SQL {
  return sql`ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(values)}::jsonb))`;
}

/** The names of those of these topics that there are, by id. */
async function topicNames(site: Site, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await site.database.rows<{ id: string; name: string }>(
    sql`SELECT id, name FROM topics WHERE id = ANY(${textArray(ids)})`,
  );
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** Sends confirmation mails. Repeated after a crash it sends the same link with the same message id. */
export function confirmationJob(site: Site): JobDefinition {
  return {
    name: 'mail-confirmation',
    async work(given) {
      const data = given as ConfirmationData;
      const token = confirmationToken(site, data);
      const subscription = await awaited(site, token);
      if (!subscription) return; // confirmed, withdrawn or out of date by now
      const { email, wanted } = subscription;
      const topics = [...(await topicNames(site, wanted.topics)).values()];
      try {
        const link = `${site.config.url}/subscribe/confirm/${token}`;
        const mail = messageOfConfirmation({ to: email, link, cadence: wanted.cadence, topics });
        await sendMail(site, { ...mail, messageId: data.messageId });
      } catch (error) {
        if (!(error instanceof MailError) || error.failure === 'temporary' || error.failure === 'unreachable')
          throw error;
        if (error.failure === 'bounce') await recordBounce(site, data.address, 'hard');
        site.log.error('confirmation not sent', { failure: error.failure, error: error.message });
      }
    },
  };
}

/** What waits for its confirmation. */
export interface Awaited {
  readonly email: string;
  readonly wanted: Subscription;
}

/** What the link with this token would confirm; nothing where it was used, is too old or never was. */
export async function awaited(site: Site, token: string): Promise<Awaited | undefined> {
  const [row] = await site.database.rows<Awaited>(sql`
    SELECT email, wanted FROM subscribers
    WHERE confirm_hash = ${hashOf(token)} AND confirm_until > ${site.clock().toISOString()}::timestamptz`);
  return row;
}

/** Confirms, once: the subscription is active as it was asked for. Nothing where the token is not (or no longer) good. */
export async function confirmSubscription(site: Site, token: string): Promise<Awaited | undefined> {
  const now = site.clock().toISOString();
  const [row] = await site.database.rows<Awaited>(sql`
    WITH found AS (
      SELECT id, email, wanted FROM subscribers
      WHERE confirm_hash = ${hashOf(token)} AND confirm_until > ${now}::timestamptz FOR UPDATE
    )
    UPDATE subscribers s SET state = 'active', cadence = found.wanted->>'cadence',
      topics = ARRAY(SELECT jsonb_array_elements_text(found.wanted->'topics')),
      wanted = NULL, confirm_hash = NULL, confirm_until = NULL, bounces = 0, confirmed = ${now}::timestamptz
    FROM found WHERE s.id = found.id RETURNING found.email, found.wanted`);
  return row;
}

/** Where a subscriber ends the subscription; the link has no expiry. */
export function unsubscribeLink(site: Site, subscriber: string): string {
  return `${site.config.url}/unsubscribe/${subscriber}/${signed(site, 'unsubscribe', subscriber)}`;
}

/** Whether this is the token of this subscriber's link. */
export function unsubscribeTokenFits(site: Site, subscriber: string, token: string): boolean {
  const right = Buffer.from(signed(site, 'unsubscribe', subscriber));
  const given = Buffer.from(token);
  return right.length === given.length && timingSafeEqual(right, given);
}

/** Ends a subscription, and what waits for confirmation with it; false where the token is another's. */
export async function unsubscribe(site: Site, subscriber: string, token: string): Promise<boolean> {
  if (!unsubscribeTokenFits(site, subscriber, token)) return false;
  await site.database.rows(sql`
    UPDATE subscribers SET state = CASE WHEN state = 'bounced' THEN state ELSE 'inactive' END,
      wanted = NULL, confirm_hash = NULL, confirm_until = NULL
    WHERE id = ${subscriber}::uuid`);
  return true;
}

/** Soft bounces after which an address gets no more mail. */
const softBounces = 3;

/**
 * Takes note that mail to an address came back: after one hard or three soft bounces it gets no more, until it is confirmed anew.
 * @returns the state it is in now; nothing where no subscriber has the address.
 */
export async function recordBounce(
  site: Site,
  address: string,
  kind: 'hard' | 'soft',
): Promise<'pending' | 'active' | 'inactive' | 'bounced' | undefined> {
  const [row] = await site.database.rows<{ state: 'pending' | 'active' | 'inactive' | 'bounced' }>(sql`
    UPDATE subscribers SET bounces = bounces + 1,
      state = CASE WHEN state <> 'inactive' AND (${kind === 'hard'} OR bounces + 1 >= ${softBounces}::int)
        THEN 'bounced' ELSE state END
    WHERE address = ${address.trim().toLowerCase()} RETURNING state`);
  return row?.state;
}

/** Subscribers by state. */
export async function subscriberCounts(site: Site): Promise<{ state: string; cadence: string; count: number }[]> {
  return site.database.rows(
    sql`SELECT state, cadence, count(*)::int AS count FROM subscribers GROUP BY 1, 2 ORDER BY 1, 2`,
  );
}
