/** @file Site: what every part of the application is given: configuration, clock, database, jobs, log. */

import type { Config } from './config.ts';
import type { Database } from './database/connect.ts';
import type { Jobs } from './jobs/jobs.ts';

/** The time; tests hand in their own. Nothing reads the system's clock itself. */
type Clock = () => Date;

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}

export interface Site {
  readonly config: Config & { readonly url: string; readonly secret: string };
  readonly clock: Clock;
  readonly database: Database;
  readonly jobs: Jobs;
  readonly log: Log;
}

/** A day as it is written everywhere: "2025-10-28", in UTC. */
export type Day = string;

/** The day of a moment, in UTC. */
export function dayOf(moment: Date): Day {
  return moment.toISOString().slice(0, 10);
}
