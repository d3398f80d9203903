/** @file The command line of the feed: serve, ingest, export, import and what an operator needs besides. */

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { eq } from 'drizzle-orm';
import { readConfig } from './config.ts';
import { user } from './database/schema.ts';
import { jsonLog, openSite } from './open-site.ts';
import type { Log, Site } from './site.ts';

/** Messages for people, at a terminal. */
const plainLog: Log = {
  info: (message) => process.stderr.write(`${message}\n`),
  error: (message, facts) => process.stderr.write(`${message}${facts ? ` ${JSON.stringify(facts)}` : ''}\n`),
};

/** Runs something on the site and lets go of it; an interrupt cancels. */
async function onSite(work: (site: Site, signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const site = await openSite(readConfig(), plainLog);
  try {
    await work(site, stop.signal);
  } finally {
    await site.close();
  }
}

/** A line on the error output that replaces itself, where that is a terminal. */
function progressLine<Progress>(says: (progress: Progress) => string): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (!process.stderr.isTTY || now - last < 100) return;
    last = now;
    process.stderr.write(`\r${says(progress)}\u001b[K`);
  };
}

const written = (count: number) => count.toLocaleString('en-US');

const program = new Command('papers')
  .description('The feed: read the day’s papers, search them, subscribe, and run the ones that salience implements')
  .showHelpAfterError();

program
  .command('serve', { isDefault: true })
  .description('migrate, seed an empty database, and serve on PORT (default 3000)')
  .action(async () => {
    const { serve } = await import('./server.ts');
    await serve(readConfig(), jsonLog());
  });

program
  .command('ingest')
  .description(
    'read papers from files (.jsonl, .bib, .ris, .txt of the seed page) or sources (arxiv:cs.LG, daily:https://…, feed:https://…)',
  )
  .argument('<what...>')
  .option('--from <day>', 'of a source: first day')
  .option('--to <day>', 'of a source: last day')
  .option('--page-year <year>', 'of the seed page: its year', '2025')
  .option('--later', 'leave digests, keyphrases and embeddings to the server', false)
  .action(async (what: string[], options: { from?: string; to?: string; pageYear: string; later: boolean }) => {
    const { ingestFile, ingestSource } = await import('./ingest/ingest.ts');
    const { beginWork } = await import('./work-through.ts');
    await onSite(async (site, signal) => {
      const finished = options.later ? undefined : await beginWork(site);
      const show = progressLine(({ read }: { read: number }) => `${written(read)} records read`);
      for (const one of what) {
        const { from, to } = options;
        const result = /^(arxiv|daily|feed):/.test(one)
          ? await ingestSource(site, one, { from, to }, show, signal)
          : await ingestFile(site, one, { pageYear: Number(options.pageYear) }, show, signal);
        const { added, changed, same, refused, problems } = result;
        process.stdout.write(
          `${one}: ${written(added)} added, ${written(changed)} changed, ${written(same)} the same, ${written(refused)} refused\n`,
        );
        for (const { line, problem } of problems) process.stdout.write(`  line ${line}: ${problem}\n`);
      }
      await finished?.(
        progressLine((waiting) => `${written(waiting)} jobs to do`),
        signal,
      );
    });
  });

const tableLine = () =>
  progressLine(({ table, rows }: { table: string; rows: number }) => `${table}: ${written(rows)} rows`);

program
  .command('export')
  .description('write everything the feed keeps to one file')
  .argument('<file>', 'such as feed.jsonl.gz')
  .option('--force', 'replace the file', false)
  .action(async (file: string, { force }: { force: boolean }) => {
    if (!force && existsSync(file)) throw new Error(`${file} exists; --force replaces it`);
    const { exportAll } = await import('./ingest/backup.ts');
    await onSite(async (site) => {
      const { rows } = await exportAll(site, file, tableLine());
      process.stdout.write(`${file}: ${written(rows)} rows\n`);
    });
  });

program
  .command('import')
  .description('read a file of "papers export" into an empty database')
  .argument('<file>')
  .option('--force', 'take away first what is in the database', false)
  .action(async (file: string, { force }: { force: boolean }) => {
    const { importAll } = await import('./ingest/backup.ts');
    await onSite(async (site) => {
      const { rows } = await importAll(site, file, { force }, tableLine());
      process.stdout.write(`${written(rows)} rows read from ${file}\n`);
    });
  });

program
  .command('bounce')
  .description('take note of a delivery failure: an e-mail (RFC 3464) on standard input')
  .action(async () => {
    const { recordBounceMail } = await import('./mail/bounces.ts');
    await onSite(async (site) => {
      process.stdout.write(`${await recordBounceMail(site, process.stdin)}\n`);
    });
  });

program
  .command('role')
  .description('make somebody who has signed in a reader, curator or admin')
  .argument('<email>')
  .argument('<role>', 'reader, curator or admin')
  .action(async (email: string, role: string) => {
    if (role !== 'reader' && role !== 'curator' && role !== 'admin') {
      throw new Error(`role "${role}" is none of reader, curator, admin`);
    }
    await onSite(async ({ database }) => {
      const changed = await database.db
        .update(user)
        .set({ role })
        .where(eq(user.email, email.toLowerCase()))
        .returning({ id: user.id });
      if (changed.length === 0) throw new Error(`nobody has signed in as ${email}`);
      process.stdout.write(`${email} is ${role === 'admin' ? 'an' : 'a'} ${role}\n`);
    });
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
