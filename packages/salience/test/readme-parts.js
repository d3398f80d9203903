/** @file The parts of README.md that are made from the code: what npm start prints, and the catalogue. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogueTable } from '../dist/catalogue-table.js';
import { readLedger } from '../dist/ledger.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Each part by the name of its marker. */
export async function readmeParts() {
  const printed = execFileSync(process.execPath, ['packages/salience/examples/main-job.js'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = printed
    .trimEnd()
    .replaceAll(/\S*salience-\w+\//g, '/tmp/')
    .split('\n');
  return {
    run: lines.map((line) => `    ${line}`.trimEnd()).join('\n'),
    digits: `\`\`\`js\n${readFileSync(`${root}packages/salience/examples/train-digits.js`, 'utf8').split('\n').slice(3).join('\n').trimEnd()}\n\`\`\``,
    catalogue: await catalogueTable(await readLedger(`${root}claims.json`)),
  };
}
