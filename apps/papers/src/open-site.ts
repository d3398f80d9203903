/** @file Opening what the application stands on: the data folder, the secret, the database, the jobs. */

import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { connect } from './database/connect.ts';
import { openJobs } from './jobs/jobs.ts';
import type { Log, Site } from './site.ts';

/** A log of one JSON object a line, errors on the error output. */
export function jsonLog(): Log {
  const line = (level: string, message: string, facts?: Record<string, unknown>) =>
    `${JSON.stringify({ at: new Date().toISOString(), level, message, ...facts })}\n`;
  return {
    info: (message, facts) => process.stdout.write(line('info', message, facts)),
    error: (message, facts) => process.stderr.write(line('error', message, facts)),
  };
}

/** The secret of a data folder, made when first asked for; its file is readable by its owner alone. */
async function secretOf(folder: string): Promise<string> {
  const path = join(folder, 'secret');
  const fresh = `${path}.partial-${process.pid}`;
  await writeFile(fresh, randomBytes(32).toString('base64url'), { mode: 0o600 });
  // Whoever links first has made it; everybody reads that one.
  await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(fresh);
  return readFile(path, 'utf8');
}

/**
 * Opens the site that a configuration describes; `close` lets everything go.
 * @throws Error where several instances could share a database but would not share a secret.
 */
export async function openSite(config: Config, log: Log): Promise<Site & { close(): Promise<void> }> {
  if (config.databaseUrl && !config.secret) {
    throw new Error(
      'SALIENCE_SECRET is missing: with DATABASE_URL every instance must sign with the same secret of at least 32 characters',
    );
  }
  // Sessions, addresses and uploads lie there: nobody else on the machine may look in.
  await mkdir(config.data, { recursive: true, mode: 0o700 });
  const secret = config.secret ?? (await secretOf(config.data));
  const database = await connect({ url: config.databaseUrl, folder: config.data });
  // What stays open would keep a process alive that has nothing to do.
  const jobs = await openJobs(database, (error) => log.error('jobs', { error: String(error) })).catch(async (error) => {
    await database.close();
    throw error;
  });
  return {
    config: { ...config, secret, url: config.url ?? `http://localhost:${config.port}` },
    clock: () => new Date(),
    database,
    jobs,
    log,
    async close() {
      await jobs.stop();
      await database.close();
    },
  };
}
