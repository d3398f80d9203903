/** @file verify: runs claims, prints their evidence, and writes the ledger; or restates the words of claims that were run. */

import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogue, find } from '../catalogue.ts';
import { reportOf, verify } from '../core/claim.ts';
import { OutputError, ParameterError } from '../core/errors.ts';
import { readLedger, restateLedger, writeLedger } from '../ledger.ts';
import { threadsOf, wholeNumber } from './choosing.ts';
import { startRun } from './progress.ts';
import { print } from './render.ts';
import { version } from './version.ts';

interface Verifying {
  out: string;
  json?: true;
  quiet?: true;
  restate?: true;
  seed: string;
  threads?: string;
}

export async function verifyCommand(ids: string[], options: Verifying): Promise<void> {
  const entries = ids.length > 0 ? ids.map(find) : catalogue.filter(({ claim }) => claim);
  for (const { id, claim } of entries) if (!claim) throw new ParameterError(`${id} is a baseline and claims nothing`);
  const seed = wholeNumber('seed', options.seed, 0);
  // A ledger that cannot be written is told before the work, not after.
  await readLedger(join(options.out, 'claims.json'));
  await access(options.out, constants.W_OK).catch(() => {
    throw new OutputError(`${options.out} is no folder that can be written to`);
  });
  const order = catalogue.map(({ id }) => id);
  if (options.restate) {
    const claims = await Promise.all(entries.map(({ claim }) => claim!()));
    for (const [id, words] of await restateLedger(options.out, claims, order)) {
      if (!options.quiet) process.stdout.write(`${id}: ${words.length > 0 ? words.join(', ') : 'as it was'}\n`);
    }
    return;
  }
  const { run, finish } = startRun({ seed, threads: threadsOf(options.threads), quiet: options.quiet === true });
  try {
    for (const { claim } of entries) {
      const evidence = await verify(await claim!(), run);
      const versions = { salience: version(), node: process.versions.node };
      const dated = { ...evidence, date: new Date().toISOString().slice(0, 10), versions };
      // After each claim, so that a cancelled run keeps what it has.
      await writeLedger(options.out, [dated], order);
      if (options.json) process.stdout.write(`${JSON.stringify(dated, null, 1)}\n`);
      else print(reportOf(evidence));
    }
  } finally {
    await finish();
  }
}
