/** @file The server: the application behind node:http, with its cache, its jobs and a quiet end. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { application } from './app.ts';
import type { Config } from './config.ts';
import { latestRevision } from './database/connect.ts';
import { digestJobs } from './digest/digest-jobs.ts';
import { ingestJobs } from './ingest/ingest.ts';
import { mailJobs } from './mail/issues.ts';
import { type Metrics, measure } from './metrics.ts';
import { openSite } from './open-site.ts';
import { PageCache } from './pages/page-cache.ts';
import { seedCatalogue } from './papers/catalogue-papers.ts';
import { countView, flushViews, viewJobs } from './papers/views.ts';
import { peopleJobs } from './people/tidy.ts';
import { type Runner, startRuns } from './runs/runner.ts';
import { runJobs } from './runs/tidy.ts';
import { searchJobs } from './search/embedding-jobs.ts';
import { closeSearch, openSearch, readAhead } from './search/site-search.ts';
import { clientAddress } from './security/address.ts';
import type { Log, Site } from './site.ts';

export interface Server {
  readonly url: string;
  readonly port: number;
  /** Lets requests, jobs and runs that are under way end, within ten seconds, and lets everything go. */
  close(): Promise<void>;
}

/** Counts the readers of a paper's page that came from the cache. */
function viewOf(site: Site, request: IncomingMessage, path: string): void {
  const paper = /^\/papers\/([^/]+)$/.exec(path)?.[1];
  if (paper === undefined || request.method !== 'GET') return;
  const forwarded = request.headers['x-forwarded-for'];
  const address = clientAddress(
    request.socket.remoteAddress ?? '',
    Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
    site.config.proxies,
  );
  countView(site, decodeURIComponent(paper), { address, userAgent: request.headers['user-agent'] }).catch((error) =>
    site.log.error('a view was not counted', { error: String(error) }),
  );
}

/** What answers the requests of a site: the cache where it can, else the application. */
export function listener(site: Site): {
  listen: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  metrics: Metrics;
} {
  let cache: PageCache | undefined;
  const metrics = measure(site, () => cache);
  const app = application(site, metrics);
  const direct = getRequestListener(app.fetch);
  cache = new PageCache({
    latestRevision: () => latestRevision(site.database),
    fetch: async (request) => {
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) {
        if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
      }
      const url = new URL(request.url ?? '/', site.config.url);
      return app.fetch(new Request(url, { headers }), { incoming: request });
    },
    onHit: (request, path) => viewOf(site, request, path),
  });
  const shared = cache;
  return {
    metrics,
    async listen(request, response) {
      const start = performance.now();
      let by: 'cache' | 'made' | 'app' = 'app';
      response.once('close', () =>
        metrics.answered({
          method: request.method ?? '',
          status: response.statusCode,
          seconds: (performance.now() - start) / 1000,
          by,
        }),
      );
      try {
        const how = await shared.answer(request, response);
        if (how === 'hit') by = 'cache';
        else if (how === 'made') by = 'made';
        else {
          await direct(request, response);
          if (request.method !== 'GET' && request.method !== 'HEAD') shared.changed();
        }
      } catch (error) {
        metrics.failed('server');
        site.log.error('a request failed', { url: request.url, error: String(error) });
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
        response.end('something broke\n');
      }
    },
  };
}

/** Opens the site, seeds it where it is empty, and serves it; ends on SIGINT and SIGTERM. */
export async function serve(config: Config, log: Log): Promise<Server> {
  const site = await openSite(config, log);
  await seedCatalogue(site).catch(async (error) => {
    await site.close();
    throw error;
  });
  const { listen } = listener(site);
  const server = createServer((request, response) => void listen(request, response));
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  server.keepAliveTimeout = 65_000;
  let port = config.port;
  let runner: Runner | undefined;
  let closing: Promise<void> | undefined;
  const stop = new AbortController();
  let reading: Promise<void> | undefined;
  const close = () => {
    closing ??= (async () => {
      stop.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 5_000).unref();
      await Promise.all([closed, runner?.stop(), reading]);
      await flushViews(site).catch((error) => log.error('views were not counted', { error: String(error) }));
      await closeSearch(site);
      await site.close();
    })();
    return closing;
  };
  // Tried until it is loaded: without it the server would never be ready.
  const loadIndex = async () => {
    while (closing === undefined) {
      try {
        return await openSearch(site);
      } catch (error) {
        log.error('the search index was not loaded', { error: String(error) });
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      }
    }
  };
  const searching = loadIndex();
  // From here on, since the rest of the start takes as long as the index is large.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info('ending', { signal });
      close().then(
        () => process.exit(0),
        (error) => {
          log.error('the end was not clean', { error: String(error) });
          process.exit(1);
        },
      );
    });
  }
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(config.port, config.host, resolve);
    });
    port = (server.address() as AddressInfo).port;
    runner = startRuns(site);
    await site.jobs.start([
      ...viewJobs(site),
      ...digestJobs(site),
      ...searchJobs(site),
      ...ingestJobs(site),
      ...mailJobs(site),
      ...peopleJobs(site),
      ...runJobs(site),
    ]);
    await searching;
  } catch (error) {
    // What breaks while all is being closed breaks because of that.
    const meant = closing !== undefined;
    await close();
    if (!meant) throw error;
  }
  if (closing === undefined) {
    log.info('ready', { url: site.config.url, port, database: site.database.kind, data: config.data });
    reading = readAhead(site, stop.signal).catch((error) =>
      log.error('what searches need was not read ahead', { error: String(error) }),
    );
  }
  return { url: site.config.url, port, close };
}
