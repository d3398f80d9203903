/** @file The application: every route behind the same guards. */

import { createHash, timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { apiBodies, apiFailure, apiRoutes } from './api/api-routes.ts';
import { feedRoutes } from './feeds/feed-routes.ts';
import type { Metrics } from './metrics.ts';
import { assetRoutes } from './pages/assets.ts';
import type { AppEnv, Asked } from './pages/context.ts';
import { longerBodies, runRoutes } from './pages/methods/routes.ts';
import { refusalPage } from './pages/people/refusal.tsx';
import { peopleRoutes } from './pages/people/routes.ts';
import { readingRoutes } from './pages/reading/reading-routes.ts';
import { brokenPage, notFoundPage } from './pages/reading/refusals.tsx';
import { subscribeRoutes } from './pages/subscribe/subscribe-routes.tsx';
import { session } from './people/session.ts';
import { indexReady } from './search/site-search.ts';
import { address } from './security/address.ts';
import { limitBodies } from './security/body-limit.ts';
import { csrf } from './security/csrf.ts';
import { securityHeaders } from './security/headers.ts';
import { refuseNul } from './security/nul.ts';
import type { Site } from './site.ts';

const programs = /^\/(api|mcp)(\/|$)/;

/** Of answers that are true at their moment alone. */
const now = { 'cache-control': 'no-store' };

/** Whether a request comes from this machine itself, through no proxy. */
function fromHere(c: Asked): boolean {
  return c.req.header('x-forwarded-for') === undefined && /^(127\.|::1$)/.test(c.get('address'));
}

/** Whether a request bears this token. */
function opens(c: Asked, token: string | undefined): boolean {
  if (token === undefined) return false;
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(c.req.header('authorization') ?? ''), hash(`Bearer ${token}`));
}

/**
 * The whole application. What stands first sees the request first: headers, the address, sizes, who asks, the token of forms.
 */
export function application(site: Site, metrics: Metrics): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(securityHeaders(site), refuseNul);
  app.route('/', assetRoutes());
  app.get('/healthz', (c) => c.text('ok\n', 200, now));
  app.get('/readyz', async (c) => {
    await site.database.execute('SELECT 1');
    return indexReady(site) ? c.text('ok\n', 200, now) : c.text('the search index is being loaded\n', 503, now);
  });
  app.use(address(site));
  app.get('/metrics', async (c) => {
    if (!fromHere(c) && !opens(c, site.config.metricsToken)) return c.text('not from here\n', 403, now);
    return c.text(await metrics.text(), 200, { ...now, 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
  });
  app.use(limitBodies([...longerBodies, ...apiBodies]), session(site), csrf(site));
  for (const routes of [apiRoutes, feedRoutes, readingRoutes, peopleRoutes, runRoutes, subscribeRoutes]) {
    app.route('/', routes(site));
  }
  app.notFound((c) => notFoundPage(c));
  app.onError(async (error, c) => {
    if (programs.test(c.req.path)) return apiFailure(site, c, error);
    if (error instanceof HTTPException) {
      return refusalPage(c, error).catch(() => error.getResponse());
    }
    metrics.failed('page');
    site.log.error('a page broke', { method: c.req.method, path: c.req.path, error: error.stack ?? String(error) });
    return brokenPage(c);
  });
  return app;
}
