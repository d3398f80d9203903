/** @file Measurements of the server, for Prometheus. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PageCache } from './pages/page-cache.ts';
import type { Site } from './site.ts';

export interface Metrics {
  /** Counts an answered request; `by` is where the answer came from. */
  answered(facts: { method: string; status: number; seconds: number; by: 'cache' | 'made' | 'app' }): void;
  /** Counts an error that nobody caught. */
  failed(where: string): void;
  /** All of them in Prometheus's text format. */
  text(): Promise<string>;
}

/** Measurements in a registry of their own. */
export function measure(site: Site, cache: () => PageCache | undefined): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'papers_request_seconds',
    help: 'Seconds from a request to the end of its answer',
    labelNames: ['method', 'status', 'by'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.08, 0.2, 0.5, 1, 3, 10],
    registers,
  });
  const errors = new Counter({
    name: 'papers_errors_total',
    help: 'Errors nobody caught',
    labelNames: ['where'],
    registers,
  });
  new Gauge({
    name: 'papers_cached_pages',
    help: 'Pages in the cache',
    registers,
    collect() {
      this.set(cache()?.size.pages ?? 0);
    },
  });
  new Gauge({
    name: 'papers_jobs',
    help: 'Jobs by name and state',
    labelNames: ['name', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const { name, waiting, active, failed } of await site.jobs.counts()) {
        this.set({ name, state: 'waiting' }, waiting);
        this.set({ name, state: 'active' }, active);
        this.set({ name, state: 'failed' }, failed);
      }
    },
  });
  return {
    answered: ({ method, status, seconds, by }) => requests.observe({ method, status: String(status), by }, seconds),
    failed: (where) => errors.inc({ where }),
    text: () => registry.metrics(),
  };
}
