/**
 * @file Deliveries: one row for each subscriber of an issue, by which it is sent exactly once.
 *
 * A row goes queued → sending → sent. Who takes it has it alone for 15 minutes. Where an instance dies while sending, the row is
 * found in `sending` after that time, and nobody knows whether the mail left:
 * - with the outbox it is sent again, since the same message id is the same file;
 * - with SMTP it is not, since a server takes the same Message-ID twice and most mailboxes show both. It becomes `uncertain`, and
 *   an administrator who has looked into the mail server's log may send it again. The Message-ID stays the same then, so that a
 *   mailbox which knows it drops the second.
 * So no mail is sent twice without somebody's word, and none is lost unseen.
 */

import { sql } from 'drizzle-orm';
import { type PaperSummary, papersByIds } from '../papers/lists.ts';
import type { Day, Site } from '../site.ts';
import { type Mail, MailError, sendMail, tidyOutbox } from './mailer.ts';
import { messageOfIssue } from './messages.tsx';
import { recordBounce, unsubscribeLink } from './subscribers.ts';

/** Milliseconds for which a row belongs to who took it; longer than the SMTP dialogue can last. */
export const lease = 15 * 60_000;

/** Times that a mail is given to a server which answers "not now", and milliseconds between them. */
const pauses = [5 * 60_000, 30 * 60_000];
const mostAttempts = pauses.length + 1;

/** Milliseconds between tries where the server cannot be reached, which are not counted, and after which they end. */
const unreachablePause = 5 * 60_000;
const unreachableFor = 3 * 24 * 3_600_000;

/** Milliseconds after which one run of `deliver` leaves the rest to the next. */
const longestRun = 4 * 60_000;

/** Papers in a mail. */
const issueSize = 10;

/** Sends a mail as `sendMail` does. */
type Send = (site: Site, mail: Mail) => Promise<void>;

interface Taken {
  readonly issue: string;
  readonly subscriber: string;
  readonly attempts: number;
  readonly messageId: string;
}

/**
 * Those whose instance died while sending: again, after all others, where that is the same file, else for the administrator; so
 * also a mail at which three instances died.
 */
async function recover(site: Site): Promise<void> {
  const now = site.clock().toISOString();
  const again = sql`${site.config.smtpUrl === undefined} AND attempts < ${mostAttempts}::int`;
  const lost = await site.database.rows<{ state: string }>(sql`
    UPDATE deliveries SET state = CASE WHEN ${again} THEN 'queued' ELSE 'uncertain' END, held_until = NULL,
      due = ${now}::timestamptz, error = 'the instance that sent it was lost before it knew the outcome'
    WHERE state = 'sending' AND held_until <= ${now}::timestamptz RETURNING state`);
  const uncertain = lost.filter(({ state }) => state === 'uncertain').length;
  if (uncertain > 0) site.log.error('deliveries are uncertain', { count: uncertain });
  if (site.config.smtpUrl === undefined) await tidyOutbox(site);
}

async function take(site: Site): Promise<Taken | undefined> {
  const now = site.clock();
  const [taken] = await site.database.rows<Taken>(sql`
    WITH next AS MATERIALIZED (
      SELECT issue, subscriber FROM deliveries
      WHERE state = 'queued' AND due <= ${now.toISOString()}::timestamptz
      ORDER BY due, issue, subscriber LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries d SET state = 'sending', attempts = d.attempts + 1,
      held_until = ${new Date(now.getTime() + lease).toISOString()}::timestamptz
    FROM next WHERE d.issue = next.issue AND d.subscriber = next.subscriber
    RETURNING d.issue, d.subscriber, d.attempts, d.message_id AS "messageId"`);
  return taken;
}

interface Issue {
  readonly cadence: 'daily' | 'weekly';
  readonly day: Day;
  readonly made: Date;
  /** In the order in which the issue was frozen, without those withdrawn since. */
  readonly papers: readonly PaperSummary[];
}

async function issueById(site: Site, id: string): Promise<Issue> {
  const [{ cadence, day, made, ids }] = await site.database.rows<
    Pick<Issue, 'cadence' | 'day'> & { made: number | string; ids: string[] }
  >(sql`
    SELECT cadence, day::text AS day, extract(epoch FROM made) AS made, papers AS ids FROM issues WHERE id = ${id}::uuid`);
  const papers = (await papersByIds(site, ids)).filter(({ withdrawn }) => !withdrawn);
  return { cadence, day, made: new Date(Number(made) * 1e3), papers };
}

/** The mail of a delivery; nothing where the subscriber has left or no paper is on the chosen topics. */
async function mailOf(site: Site, issue: Issue, { subscriber, messageId }: Taken): Promise<Mail | undefined> {
  const [to] = await site.database.rows<{ email: string; topics: string[] }>(
    sql`SELECT email, topics FROM subscribers WHERE id = ${subscriber}::uuid AND state = 'active'`,
  );
  if (!to) return undefined;
  const papers = issue.papers
    .filter(({ topics }) => to.topics.length === 0 || topics.some(({ id }) => to.topics.includes(id)))
    .slice(0, issueSize);
  if (papers.length === 0) return undefined;
  const { cadence, day } = issue;
  const unsubscribe = unsubscribeLink(site, subscriber);
  return { ...messageOfIssue(site, { to: to.email, unsubscribe, cadence, day, papers }), messageId };
}

/** A delivery's states at rest. */
type Outcome = 'sent' | 'nothing' | 'queued' | 'failed' | 'uncertain';

/** Writes down what became of a delivery; what is known of it by now (that it was sent) stands above what was feared. */
async function conclude(
  site: Site,
  { issue, subscriber }: Taken,
  state: Outcome,
  { error, due, counted = true }: { error?: string; due?: Date; counted?: boolean } = {},
): Promise<void> {
  const sent = state === 'sent' ? site.clock().toISOString() : null;
  await site.database.rows(sql`
    UPDATE deliveries SET state = ${state}, held_until = NULL, error = ${error ?? null},
      attempts = attempts - ${counted ? 0 : 1}::int, sent = COALESCE(${sent}::timestamptz, sent),
      due = COALESCE(${due?.toISOString() ?? null}::timestamptz, due)
    WHERE issue = ${issue}::uuid AND subscriber = ${subscriber}::uuid AND state IN ('sending', 'uncertain')`);
}

/** Puts a delivery back without counting the attempt, unless its issue is three days old. */
async function postpone(site: Site, taken: Taken, made: Date, error: string): Promise<Outcome> {
  const now = site.clock().getTime();
  const outcome = now - made.getTime() > unreachableFor ? 'failed' : 'queued';
  await conclude(site, taken, outcome, { error, due: new Date(now + unreachablePause), counted: false });
  return outcome;
}

/** Sends one; says what became of it, and whether the server is there for others. */
async function attempt(
  site: Site,
  issue: Issue,
  taken: Taken,
  send: Send,
): Promise<{ outcome: Outcome; reachable: boolean }> {
  let mail: Mail | undefined;
  try {
    mail = await mailOf(site, issue, taken);
    if (mail) await send(site, mail);
  } catch (error) {
    const failure = error instanceof MailError ? error.failure : 'temporary';
    const message = (error as Error).message.slice(0, 500);
    site.log.error('mail not sent', { messageId: taken.messageId, failure, error: message });
    if (failure === 'unreachable') {
      return { outcome: await postpone(site, taken, issue.made, message), reachable: false };
    }
    const again = failure === 'temporary' && taken.attempts < mostAttempts;
    const outcome = again ? 'queued' : failure === 'uncertain' ? 'uncertain' : 'failed';
    const due = again ? new Date(site.clock().getTime() + pauses[taken.attempts - 1]) : undefined;
    await conclude(site, taken, outcome, { error: message, due });
    if (failure === 'bounce' && mail) await recordBounce(site, mail.to, 'hard');
    return { outcome, reachable: true };
  }
  // From here on the mail has left: what goes wrong now must not look like a failure to send.
  const outcome = mail ? 'sent' : 'nothing';
  await conclude(site, taken, outcome);
  return { outcome, reachable: true };
}

/**
 * Sends what is due, as long as the server is there, for at most four minutes. Any number of instances may do so at once.
 * @returns how many came to each outcome.
 */
export async function deliver(
  site: Site,
  { signal, send = sendMail }: { readonly signal?: AbortSignal; readonly send?: Send } = {},
): Promise<Record<Outcome, number>> {
  const counts = { sent: 0, nothing: 0, queued: 0, failed: 0, uncertain: 0 };
  const end = site.clock().getTime() + longestRun;
  await recover(site);
  const issues = new Map<string, Promise<Issue>>();
  const issueOf = (id: string) => {
    const known = issues.get(id) ?? issueById(site, id);
    issues.set(id, known);
    return known;
  };
  let reachable = true;
  const work = async () => {
    while (reachable && !signal?.aborted && site.clock().getTime() < end) {
      const taken = await take(site);
      if (!taken) return;
      const done = await attempt(site, await issueOf(taken.issue), taken, send);
      counts[done.outcome]++;
      reachable &&= done.reachable;
    }
  };
  // A server answers slowly and can take some at once; a folder does not.
  await Promise.all(Array.from({ length: site.config.smtpUrl ? 4 : 1 }, work));
  return counts;
}

/** Deliveries by state. */
export async function deliveryCounts(site: Site): Promise<{ state: string; count: number }[]> {
  return site.database.rows(sql`SELECT state, count(*)::int AS count FROM deliveries GROUP BY state ORDER BY state`);
}

export interface TroubledDelivery {
  readonly issue: string;
  readonly subscriber: string;
  readonly address: string;
  readonly cadence: 'daily' | 'weekly';
  readonly day: Day;
  readonly state: 'failed' | 'uncertain';
  readonly attempts: number;
  /** To be looked for in the mail server's log. */
  readonly messageId: string;
  readonly error: string | null;
}

/** What an administrator should look at: uncertain and failed deliveries of the latest issues, at most 200. */
export async function troubledDeliveries(site: Site): Promise<TroubledDelivery[]> {
  return site.database.rows(sql`
    SELECT d.issue, d.subscriber, s.address, i.cadence, i.day::text AS day, d.state, d.attempts,
      d.message_id AS "messageId", d.error
    FROM deliveries d JOIN subscribers s ON s.id = d.subscriber JOIN issues i ON i.id = d.issue
    WHERE d.state IN ('uncertain', 'failed') ORDER BY d.state DESC, i.day DESC, s.address LIMIT 200`);
}

/** Queues an uncertain or failed delivery once more, under the same Message-ID; false where it is neither. */
export async function sendAgain(site: Site, issue: string, subscriber: string): Promise<boolean> {
  const rows = await site.database.rows(sql`
    UPDATE deliveries SET state = 'queued', attempts = 0, error = NULL, due = ${site.clock().toISOString()}::timestamptz
    WHERE issue::text = ${issue} AND subscriber::text = ${subscriber} AND state IN ('uncertain', 'failed')
    RETURNING message_id`);
  return rows.length > 0;
}
