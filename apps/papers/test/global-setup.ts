/** @file Starts PostgreSQL once for all tests, where the machine has it and TEST_DATABASE_URL names none. */

import { startPostgres } from './postgres.ts';

export default async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.TEST_DATABASE_URL) return undefined;
  const started = await startPostgres();
  if (!started) return undefined;
  process.env.TEST_DATABASE_URL = started.url;
  return started.stop;
}
