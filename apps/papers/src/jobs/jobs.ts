/** @file Jobs: work that is done later, once, by whichever instance comes first (pg-boss, on PGlite as on PostgreSQL). */

import PgBoss from 'pg-boss';
import type { Database } from '../database/connect.ts';

export interface JobDefinition<Data extends object = object> {
  readonly name: string;
  /** Runs again after a failure, at most three times, waiting longer each time; so it must not mind being repeated. */
  readonly work: (data: Data, signal: AbortSignal) => Promise<void>;
  /** A cron line, in UTC, where it also runs by itself (with the data {}). */
  readonly cron?: string;
  /** Seconds after which it counts as lost and is given to another instance; default 900. */
  readonly expireInSeconds?: number;
}

export interface Jobs {
  /** Puts a job in its queue; of those with the same key only one waits. */
  send<Data extends object>(name: string, data: Data, options?: { key?: string }): Promise<void>;
  /** Jobs waiting, at work and failed, by name. */
  counts(): Promise<{ name: string; waiting: number; active: number; failed: number }[]>;
  /** Begins to work through these. */
  start(definitions: readonly JobDefinition[]): Promise<void>;
  /** Lets those at work finish, within ten seconds. */
  stop(): Promise<void>;
}

/** PostgreSQL's code where two wait for each other: one of them was undone as a whole, and may try again. */
const deadlock = '40P01';

/** Does something again where it was undone by a deadlock: making a queue locks tables that other instances are using. */
async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code !== deadlock || tries === 8) throw error;
      await new Promise((resolve) => setTimeout(resolve, tries * (20 + 80 * Math.random())));
    }
  }
}

/** The queue in this database. Nothing is worked on before `start`. */
export async function openJobs(database: Database, onError: (error: Error) => void): Promise<Jobs> {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => again(() => database.execute(text, values as unknown[])) },
    supervise: true,
    schedule: true,
  });
  boss.on('error', onError);
  await database.exclusively('jobs', () => boss.start());
  const stopping = new AbortController();
  const known = new Set<string>();
  const queue = async (name: string, expireInSeconds = 900) => {
    if (known.has(name)) return;
    const options = {
      name,
      policy: 'standard',
      retryLimit: 3,
      retryBackoff: true,
      retryDelay: 2,
      expireInSeconds,
    } as const;
    const found = await boss.getQueue(name);
    if (!found) await database.exclusively('jobs', () => boss.createQueue(name, options));
    else if (found.expireInSeconds !== expireInSeconds) await boss.updateQueue(name, options);
    known.add(name);
  };
  return {
    async send(name, data, { key } = {}) {
      await queue(name);
      await boss.send(name, data, {
        ...(key && { singletonKey: key, singletonSeconds: 1, singletonNextSlot: true }),
      });
    },
    async counts() {
      const { rows } = await database.execute(
        `SELECT name, count(*) FILTER (WHERE state IN ('created', 'retry'))::int AS waiting,
           count(*) FILTER (WHERE state = 'active')::int AS active, count(*) FILTER (WHERE state = 'failed')::int AS failed
         FROM pgboss.job GROUP BY name ORDER BY name`,
      );
      return rows as { name: string; waiting: number; active: number; failed: number }[];
    },
    async start(definitions) {
      for (const { name, work, cron, expireInSeconds } of definitions) {
        known.delete(name); // it may have been made by a sender, who does not know how long it may take
        await queue(name, expireInSeconds);
        await boss.work(name, { pollingIntervalSeconds: 0.5 }, async ([job]) => {
          await work((job.data ?? {}) as object, stopping.signal);
        });
        if (cron) await boss.schedule(name, cron);
      }
    },
    async stop() {
      stopping.abort();
      await boss.stop({ graceful: true, wait: true, timeout: 10_000 });
    },
  };
}
