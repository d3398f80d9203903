/** @file PostgreSQL for the tests: the server that TEST_DATABASE_URL names, or one started from the system's packages. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** Folder of PostgreSQL's server programs; nothing where there are none. */
function serverPrograms(): string | undefined {
  const packages = '/usr/lib/postgresql';
  const folders = existsSync(packages)
    ? readdirSync(packages)
        .sort((a, b) => Number(b) - Number(a))
        .map((version) => join(packages, version, 'bin'))
    : [];
  return [...folders, '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'].find((bin) => existsSync(join(bin, 'initdb')));
}

/** PostgreSQL does not run as root: then it is run as the user its package made. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: number('-u'), gid: number('-g') };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Starts a server of its own on a free port; nothing where the machine has no server programs. */
export async function startPostgres(): Promise<{ url: string; stop(): Promise<void> } | undefined> {
  const bin = serverPrograms();
  if (!bin) return undefined;
  const as = owner();
  const folder = await mkdtemp(join(tmpdir(), 'papers-postgres-'));
  if (as) await chown(folder, as.uid, as.gid);
  await chmod(folder, 0o700);
  const data = join(folder, 'data');
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8'],
    { ...as, cwd: folder, stdio: 'ignore' },
  );
  const port = await freePort();
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'listen_addresses=127.0.0.1'];
  const server = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-p', String(port), '-k', folder, ...settings.flatMap((setting) => ['-c', setting])],
    { ...as, cwd: folder, stdio: 'ignore' },
  );
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      break;
    } catch (error) {
      if (tries > 100 || server.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    url,
    async stop() {
      const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
      server.kill('SIGINT');
      await gone;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new, empty database on the server of TEST_DATABASE_URL; drop it when done. */
export async function newDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const admin = process.env.TEST_DATABASE_URL!;
  const name = `papers_${process.pid}_${Date.now().toString(36)}_${Math.floor(performance.now())}`;
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: admin });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** Added to the title of tests that need PostgreSQL. */
export const whereThereIsPostgres = process.env.TEST_DATABASE_URL
  ? ''
  : ' (skipped: no PostgreSQL server programs here, and TEST_DATABASE_URL names no server)';
