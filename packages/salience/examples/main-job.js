/** @file The main job on the bundled article and the bundled checkpoint: what `npm start` shows. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from '../dist/cli/main.js';

const bundled = (name) => relative(process.cwd(), fileURLToPath(new URL(name, import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'salience-'));
const jobs = [
  ['keep', bundled('lighthouses.txt'), '--by', 'lexrank', '--budget', '5'],
  ['keep', bundled('digits-mlp'), '--by', 'global-mp', '--budget', '50%', '--out', join(folder, 'half')],
];
for (const job of jobs) {
  process.stdout.write(`$ npx salience ${job.join(' ')}\n\n`);
  process.exitCode ||= await main(job);
  process.stdout.write('\n');
}
rmSync(folder, { recursive: true });
