/** @file A site for tests: PGlite in memory, a clock that tests set, jobs that run when they are told to. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from '../src/config.ts';
import { connect } from '../src/database/connect.ts';
import type { JobDefinition, Jobs } from '../src/jobs/jobs.ts';
import type { Site } from '../src/site.ts';

export interface TestSite extends Site {
  /** The moment the clock gives; 2025-12-10 12:00 UTC at first. */
  now: Date;
  /** Runs what was sent, and what that sends, until nothing is left. */
  drain(definitions: readonly JobDefinition[]): Promise<void>;
  /** What was sent and not yet run. */
  readonly sent: { name: string; data: object }[];
  readonly logged: { level: 'info' | 'error'; message: string; facts?: Record<string, unknown> }[];
  close(): Promise<void>;
}

/** Opens one; `databaseUrl` makes it PostgreSQL. Close it after the tests. */
export async function testSite(over: Partial<Config> = {}): Promise<TestSite> {
  const data = await mkdtemp(join(tmpdir(), 'papers-test-'));
  const database = await connect({ url: over.databaseUrl });
  const sent: TestSite['sent'] = [];
  const keys = new Set<string>();
  const jobs: Jobs = {
    async send(name, sentData, { key } = {}) {
      if (key && keys.has(`${name} ${key}`)) return;
      if (key) keys.add(`${name} ${key}`);
      sent.push({ name, data: sentData });
    },
    async counts() {
      return [];
    },
    async start() {},
    async stop() {},
  };
  const logged: TestSite['logged'] = [];
  const site: TestSite = {
    config: {
      ...readConfig({}),
      data,
      url: 'http://papers.test',
      secret: 'test-secret-test-secret-test-secret',
      ...over,
    },
    now: new Date('2025-12-10T12:00:00Z'),
    clock: () => site.now,
    database,
    jobs,
    sent,
    logged,
    log: {
      info: (message, facts) => logged.push({ level: 'info', message, facts }),
      error: (message, facts) => logged.push({ level: 'error', message, facts }),
    },
    async drain(definitions) {
      for (let next = sent.shift(); next; next = sent.shift()) {
        const { name, data: given } = next;
        keys.clear();
        const definition = definitions.find((one) => one.name === name);
        if (definition) await definition.work(given, new AbortController().signal);
      }
    },
    async close() {
      await database.close();
      await rm(data, { recursive: true, force: true });
    },
  };
  return site;
}
