/**
 * @file The queue of runs: rows of a table, taken by any instance, fairly by person. A row that is taken has a lease; an instance that is
 * killed lets it run out, and another takes the run again. The number of attempts fences off whoever lost its lease: only the latest may
 * write a result.
 */

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { runs } from '../database/schema.ts';
import { network } from '../security/address.ts';
import type { Guarded } from '../security/variables.ts';
import type { Site } from '../site.ts';
import type { Progress } from './order.ts';
import type { RunResult } from './result.ts';

export type RunRow = typeof runs.$inferSelect;

export interface NewRun {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly budget: string;
  readonly seed: number;
  /** Absent for the sample. `name` as its owner calls it, with an ending that is taken. */
  readonly file?: { readonly name: string; readonly bytes: Uint8Array };
  /** As `whoRuns` gives it. */
  readonly by: string;
}

/** Runs that a person may have waiting and running at once. */
export const mostAtOnce = 5;

/** The person has as many runs waiting and running as one may have. */
export class TooManyRuns extends Error {
  override name = 'TooManyRuns';
}

/** Who is served fairly: a user by id, anybody else by a hash of the network that cannot be turned back. */
export function whoRuns(
  c: { readonly var: Pick<Guarded['Variables'], 'person' | 'keyOwner' | 'address'> },
  site: Site,
): string {
  const { person, keyOwner, address } = c.var;
  const known = person ?? keyOwner;
  if (known) return known.id;
  return `a:${createHmac('sha256', site.config.secret)
    .update(`runs ${network(address)}`)
    .digest('hex')
    .slice(0, 32)}`;
}

function folderOf(site: Site): string {
  return join(site.config.data, 'runs');
}

/** Where the upload of a run lies until the run is over. */
export function uploadPath(site: Site, id: string): string {
  return join(folderOf(site), `${id}.upload`);
}

/** Tells those who watch in this process of changes; "queued" of new runs, a run's id of its own. */
const watchers = new WeakMap<Site['database'], EventEmitter>();

export function eventsOf(site: Site): EventEmitter {
  const events = watchers.get(site.database) ?? new EventEmitter().setMaxListeners(0);
  watchers.set(site.database, events);
  return events;
}

/**
 * Puts a run into the queue and gives its id, which is its permalink.
 * @throws TooManyRuns where the person has `mostAtOnce` of them already.
 */
export async function queueRun(site: Site, asked: NewRun): Promise<string> {
  const id = randomBytes(16).toString('base64url');
  const { file, by } = asked;
  if (file) {
    const path = uploadPath(site, id);
    await mkdir(folderOf(site), { recursive: true, mode: 0o700 });
    await writeFile(`${path}.partial`, file.bytes, { mode: 0o600, flush: true });
    await rename(`${path}.partial`, path);
  }
  try {
    await site.database.db.transaction(async (tx) => {
      await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtext(${`runs ${by}`}))`);
      const [{ count }] = await site.database.rows<{ count: number }>(
        sql`SELECT count(*)::int AS count FROM runs WHERE by = ${by} AND state IN ('queued', 'running')`,
        tx,
      );
      if (count >= mostAtOnce) {
        throw new TooManyRuns(`${count} of your runs are waiting or running; ${mostAtOnce} at once are allowed`);
      }
      await tx.insert(runs).values({
        id,
        method: asked.method,
        params: { ...asked.params },
        options: { ...asked.options },
        budget: asked.budget,
        seed: asked.seed,
        input: file
          ? {
              kind: 'file',
              name: file.name,
              sha256: createHash('sha256').update(file.bytes).digest('hex'),
              bytes: file.bytes.length,
            }
          : { kind: 'sample' },
        state: 'queued',
        by,
        made: site.clock(),
      });
    });
  } catch (error) {
    await rm(uploadPath(site, id), { force: true });
    throw error;
  }
  eventsOf(site).emit('queued');
  return id;
}

/** A run by its id. */
export async function runOf(site: Site, id: string): Promise<RunRow | undefined> {
  const [row] = await site.database.db.select().from(runs).where(eq(runs.id, id));
  return row;
}

/** How many runs will be taken before this one, if nobody else comes; 0 for the next. */
export async function waitingBefore(site: Site, { made, id }: RunRow): Promise<number> {
  const [{ count }] = await site.database.rows<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM runs WHERE state = 'queued' AND (made, id) < (${at(made)}, ${id})`,
  );
  return count;
}

/** Cancels a run that waits or runs, wherever it does; false where it was over already. */
export async function cancelRun(site: Site, id: string): Promise<boolean> {
  const cancelled = await site.database.db
    .update(runs)
    .set({ state: 'cancelled', finished: site.clock(), heldUntil: null })
    .where(and(eq(runs.id, id), inArray(runs.state, ['queued', 'running'])))
    .returning({ id: runs.id });
  if (cancelled.length === 0) return false;
  await rm(uploadPath(site, id), { force: true });
  eventsOf(site).emit(id);
  return true;
}

/** A moment as SQL of either database takes it. */
function at(moment: Date) {
  return sql`${moment.toISOString()}::timestamptz`;
}

/** Seconds for which a run is held without a sign of life. */
export const leaseSeconds = 30;
/** Times that a run is begun at the most. */
const mostAttempts = 2;

function leaseEnd(site: Site): Date {
  return new Date(site.clock().getTime() + 1000 * leaseSeconds);
}

/**
 * Takes the next run for this instance: of the person who has the fewest running and was served longest ago the oldest; a run whose
 * lease ran out counts as waiting. Nothing where none waits.
 * @param except ids that this instance cannot do.
 */
export async function takeRun(site: Site, except: readonly string[] = []): Promise<RunRow | undefined> {
  const { database } = site;
  const now = at(site.clock());
  await database.db.execute(sql`
    UPDATE runs SET state = 'failed', finished = ${now}, held_until = NULL,
      error = 'the server stopped while it ran, and again when it was tried anew'
    WHERE state = 'running' AND held_until < ${now} AND attempts >= ${mostAttempts}`);
  const barred =
    except.length > 0
      ? sql`AND r.id NOT IN (${sql.join(
          except.map((id) => sql`${id}`),
          sql`, `,
        )})`
      : sql``;
  const [taken] = await database.rows<{ id: string }>(sql`
    WITH next AS (
      SELECT r.id FROM runs r
      WHERE (r.state = 'queued' OR (r.state = 'running' AND r.held_until < ${now})) ${barred}
      ORDER BY
        (SELECT count(*) FROM runs o WHERE o.by = r.by AND o.state = 'running' AND o.held_until >= ${now}),
        (SELECT max(o.started) FROM runs o WHERE o.by = r.by) NULLS FIRST,
        r.made, r.id
      LIMIT 1 FOR UPDATE OF r SKIP LOCKED
    )
    UPDATE runs SET state = 'running', started = ${now}, held_until = ${at(leaseEnd(site))},
      attempts = runs.attempts + 1, progress = NULL
    FROM next WHERE runs.id = next.id RETURNING runs.id`);
  return taken && runOf(site, taken.id);
}

/** The row as long as this attempt is the latest and was not cancelled. */
function mine({ id, attempts }: RunRow) {
  return and(eq(runs.id, id), eq(runs.state, 'running'), eq(runs.attempts, attempts));
}

/** Holds a run for longer and writes its progress; false where it was cancelled or is another's by now. */
export async function holdRun(site: Site, row: RunRow, progress: Progress | undefined): Promise<boolean> {
  const held = await site.database.db
    .update(runs)
    .set({ heldUntil: leaseEnd(site), ...(progress && { progress }) })
    .where(mine(row))
    .returning({ id: runs.id });
  return held.length > 0;
}

/** Writes what came of a run; false where it was cancelled or is another's by now, and nothing was written. */
export async function finishRun(
  site: Site,
  row: RunRow,
  outcome: { readonly result: RunResult } | { readonly error: string },
): Promise<boolean> {
  const over =
    'result' in outcome
      ? { state: 'done' as const, report: outcome.result, error: null }
      : { state: 'failed' as const, error: outcome.error };
  const written = await site.database.db
    .update(runs)
    .set({ ...over, heldUntil: null, finished: site.clock() })
    .where(mine(row))
    .returning({ id: runs.id });
  if (written.length === 0) return false;
  await rm(uploadPath(site, row.id), { force: true });
  eventsOf(site).emit(row.id);
  return true;
}

/** Puts a run back that this instance does not finish, as if it had not been taken. */
export async function giveBack(site: Site, row: RunRow): Promise<void> {
  await site.database.db
    .update(runs)
    .set({ state: 'queued', heldUntil: null, attempts: row.attempts - 1, progress: null })
    .where(mine(row));
}

/** Puts a run back whose process fell, as long as it may be begun again; else it has failed. */
export async function tryAgain(site: Site, row: RunRow, error: string): Promise<void> {
  if (row.attempts >= mostAttempts) {
    await finishRun(site, row, { error });
    return;
  }
  await site.database.db.update(runs).set({ state: 'queued', heldUntil: null, progress: null }).where(mine(row));
  eventsOf(site).emit('queued');
}

/** The upload of a run; nothing where another instance has it. */
export async function uploadOf(site: Site, { id, input }: RunRow): Promise<Uint8Array | undefined> {
  if (input.kind === 'sample') return undefined;
  const bytes = await readFile(uploadPath(site, id)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return bytes && createHash('sha256').update(bytes).digest('hex') === input.sha256 ? bytes : undefined;
}
