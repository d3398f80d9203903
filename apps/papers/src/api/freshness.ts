/** @file ETags of what only changes with the revision: who has the latest is told so, and nothing is read for them. */

import type { MiddlewareHandler } from 'hono';
import { latestRevision } from '../database/connect.ts';
import type { AppEnv } from '../pages/context.ts';
import { dayOf, type Site } from '../site.ts';

/** Changes where the same facts are told in another shape. */
const shape = 1;

/**
 * Answers 304 where the caller has the answer already.
 * @param fades whether the answer also changes by the minute, as rankings by time do.
 */
export function fresh(site: Site, { fades }: { readonly fades: (url: URL) => boolean }): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const now = site.clock();
    const moment = fades(new URL(c.req.url)) ? String(Math.floor(now.getTime() / 60_000)) : dayOf(now);
    const etag = `W/"${shape}.${await latestRevision(site.database)}.${moment}"`;
    const known = c.req.header('if-none-match');
    if (known?.split(',').some((one) => one.trim() === etag)) {
      return c.body(null, 304, { ETag: etag, 'Cache-Control': 'public, max-age=0, must-revalidate' });
    }
    await next();
    if (c.res.status !== 200) return;
    c.header('ETag', etag);
    c.header('Cache-Control', 'public, max-age=0, must-revalidate');
  };
}
