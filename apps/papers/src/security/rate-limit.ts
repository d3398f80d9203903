/** @file How often a reader may do what costs much or could do harm. */

import { createHash } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Site } from '../site.ts';
import { network } from './address.ts';
import { Refused } from './refused.ts';
import type { Guarded } from './variables.ts';

interface Limit {
  readonly times: number;
  /** Seconds in which. */
  readonly within: number;
  /** How the reader is told what there was too much of. */
  readonly of: string;
  /**
   * Whether all instances count together, in PostgreSQL. What is asked often and only costs time is counted by each alone,
   * since counting would cost as much.
   */
  readonly together: boolean;
}

const limits = {
  'sign-in': { times: 10, within: 900, of: 'requests to sign in', together: true },
  /** By the address that mail goes to, so that nobody's mailbox is filled. */
  'sign-in mail': { times: 5, within: 3600, of: 'sign-in mails to this address', together: true },
  subscribe: { times: 10, within: 3600, of: 'subscriptions', together: true },
  /** By the address, for the same reason. */
  'subscribe mail': { times: 5, within: 3600, of: 'confirmation mails to this address', together: true },
  comment: { times: 10, within: 600, of: 'comments and reports', together: true },
  vote: { times: 120, within: 600, of: 'votes and follows', together: true },
  run: { times: 30, within: 600, of: 'runs', together: true },
  search: { times: 120, within: 60, of: 'searches', together: false },
  api: { times: 240, within: 60, of: 'calls of the API', together: false },
  /** Each asks arXiv or Crossref. */
  submit: { times: 20, within: 3600, of: 'submitted papers', together: true },
} satisfies Record<string, Limit>;

export type LimitName = keyof typeof limits;

const counters = new WeakMap<Site, Map<LimitName, RateLimiterAbstract>>();

function counter(site: Site, name: LimitName): RateLimiterAbstract {
  const known = counters.get(site) ?? new Map<LimitName, RateLimiterAbstract>();
  counters.set(site, known);
  let found = known.get(name);
  if (!found) {
    const { times: points, within: duration, together }: Limit = limits[name];
    const memory = new RateLimiterMemory({ keyPrefix: name, points, duration });
    found =
      together && site.database.kind === 'PostgreSQL'
        ? new RateLimiterPostgres({
            storeClient: {
              query: ({ text, values }: { text: string; values?: unknown[] }) => site.database.execute(text, values),
            },
            storeType: 'client',
            tableName: 'rate_limits',
            tableCreated: true,
            keyPrefix: name,
            points,
            duration,
            // Where the database does not answer, this instance counts by itself.
            insuranceLimiter: memory,
          })
        : memory;
    known.set(name, found);
  }
  return found;
}

const written = (seconds: number) => (seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`);

/** What is left of a limit. */
interface Left {
  readonly remaining: number;
  /** Seconds until it is whole again. */
  readonly seconds: number;
}

/**
 * Counts one more, and gives what is left.
 * @param who a person's id, a network, or whatever else is counted by itself; kept as a hash only.
 * @throws Refused with 429 and Retry-After where it is one too many.
 */
export async function count(site: Site, name: LimitName, who: string): Promise<Left> {
  const key = createHash('sha256').update(`${site.config.secret} ${who}`).digest('base64url').slice(0, 24);
  try {
    const { remainingPoints, msBeforeNext } = await counter(site, name).consume(key);
    return { remaining: remainingPoints, seconds: Math.ceil(msBeforeNext / 1000) };
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    const { times, within, of } = limits[name];
    throw new Refused(
      `Too many ${of}: at most ${times} in ${written(within)}. Try again in ${written(seconds)}.`,
      429,
      { 'retry-after': String(seconds) },
    );
  }
}

/**
 * Limits a route by the person, the API key's owner, or the network that asks, and tells in the RateLimit headers what is left;
 * stands after those are known.
 */
export function limited(site: Site, name: LimitName): MiddlewareHandler<Guarded> {
  const { times, within } = limits[name];
  return async (c, next) => {
    const who = c.get('person')?.id ?? c.get('keyOwner')?.id ?? network(c.get('address'));
    const { remaining, seconds } = await count(site, name, who);
    await next();
    // Not by `c.header`, which would make another response of this one.
    c.res.headers.set('RateLimit', `"${name}";r=${remaining};t=${seconds}`);
    c.res.headers.set('RateLimit-Policy', `"fixed window";"${name}";q=${times};w=${within}`);
  };
}
