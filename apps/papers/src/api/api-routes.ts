/** @file The API: its routes, who may call them and how often, its document and its page; and the MCP endpoint. */

import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import { cors } from 'hono/cors';
import { type Fetch, safeFetch } from '../ingest/safe-fetch.ts';
import type { AppEnv } from '../pages/context.ts';
import { limited } from '../security/rate-limit.ts';
import type { Site } from '../site.ts';
import { tags } from './api.ts';
import { ApiError, answerThrown, errorAnswer, refusal } from './api-error.ts';
import { type ApiDocument, documentationPage } from './documentation.tsx';
import { fresh } from './freshness.ts';
import { mcpRoutes } from './mcp.ts';
import { methodRoutes } from './method-routes.ts';
import { paperRoutes } from './paper-routes.ts';
import { paperTextRoute } from './paper-text.ts';
import { readingRoutes } from './reading-routes.ts';
import { runRoutes } from './run-routes.ts';
import { submitRoutes } from './submit-routes.ts';

/** What the document says of itself; the version is that of the API. */
function about(site: Site) {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Daily Papers',
      version: '1.0.0',
      description:
        'Papers day by day, searched by meaning and by words; methods that run, and claims that were checked. ' +
        'Clients of the original service work here with another base URL; what is ours stands in the field ' +
        '“salience” or has a route of its own.',
    },
    servers: [{ url: site.config.url }],
    tags: [
      {
        name: tags.original,
        description: 'The same paths, parameters and fields. Errors are {"error": "…"}, as those clients read them.',
      },
      { name: tags.reading },
      { name: tags.methods },
      { name: tags.runs, description: 'What computes needs a key.' },
    ],
  };
}

/** Paths that take more than a form does, and how much, in bytes; for the guard that stands before all routes. */
export const apiBodies: readonly (readonly [path: RegExp, bytes: number])[] = [
  [/^\/api\/runs$/, 8 * 1024 ** 2],
  [/^\/mcp$/, 4 * 1024 ** 2],
];

const exposed = ['ETag', 'Link', 'X-Total-Count', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Error-Message'];

/** Rankings fade. */
const fading = (url: URL) => url.pathname === '/api/trending' || url.searchParams.get('sort') === 'trending';

/** Answers for what was thrown under /api or /mcp, also by what stands before these routes. */
export function apiFailure(site: Site, c: Context<AppEnv>, error: unknown): Response {
  return answerThrown(c, error, (message) => site.log.error('api', { path: c.req.path, error: message }));
}

/**
 * Routes of /api, /api/openapi.json, /papers/….md and /mcp. They stand after `address`, `session` and `csrf`, and before the
 * pages of papers.
 * @param fetch asks arXiv and Crossref about submitted papers.
 */
export function apiRoutes(site: Site, { fetch = safeFetch }: { readonly fetch?: Fetch } = {}): Hono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook(result, c) {
      if (result.success) return undefined;
      const { message, field } = refusal(result.target === 'json' ? 'body' : result.target, result.error);
      return errorAnswer(c, 400, message, field);
    },
  });
  app.onError((error, c) => apiFailure(site, c, error));

  app.use(
    '/api/*',
    cors({
      origin: '*',
      allowMethods: ['GET', 'HEAD'],
      allowHeaders: ['Authorization', 'X-API-Key', 'Content-Type', 'If-None-Match'],
      exposeHeaders: exposed,
      maxAge: 86_400,
    }),
    limited(site, 'api'),
  );
  app.post('/api/*', (c, next) => {
    if (!/^application\/json\b/i.test(c.req.header('content-type') ?? '')) {
      throw new ApiError(415, 'Send JSON, with the header Content-Type: application/json.');
    }
    return next();
  });
  const kept = fresh(site, { fades: fading });
  for (const path of ['daily_papers', 'papers', 'topics', 'authors', 'trending', 'methods', 'claims']) {
    app.on('GET', [`/api/${path}`, `/api/${path}/*`], kept);
  }

  paperRoutes(app, site);
  readingRoutes(app, site);
  submitRoutes(app, site, fetch);
  methodRoutes(app, site);
  runRoutes(app, site);
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A key that you make on your page',
  });

  let document: ApiDocument | undefined;
  const described = () => {
    document ??= app.getOpenAPI31Document(about(site));
    return document;
  };
  app.get('/api/openapi.json', (c) => c.json(described()));
  app.get('/api', (c) => documentationPage(c, described(), site.config.url));
  app.all('/api/*', (c) => errorAnswer(c, 404, `There is no ${c.req.method} ${c.req.path}; /api lists what there is.`));
  paperTextRoute(app, site);
  mcpRoutes(app, site);
  return app;
}
