/** @file npm run bench [name…]: runs benches and writes BENCHMARKS.md from the newest result of each. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const names = [
  'startup',
  'lexrank',
  'global-mp',
  'runtime',
  'eviction',
  'decoder',
  'wanda-large',
  'responsiveness',
  'tree-shapley',
  'vog',
  'gais',
  'table-stream',
  'feed',
];
/** Benches that are beside what they measure. */
const elsewhere = { feed: '../../../apps/papers/bench/feed.js' };
const here = fileURLToPath(new URL('.', import.meta.url));
const results = join(here, 'results');
const asked = process.argv.slice(2);
for (const name of asked)
  if (!names.includes(name)) throw new Error(`there is no bench ${name}; there are ${names.join(', ')}`);

mkdirSync(results, { recursive: true });
for (const name of asked.length > 0 ? asked : names) {
  process.stderr.write(`${name} …\n`);
  const { bench } = await import(elsewhere[name] ?? `./${name}.js`);
  const machine = `${availableParallelism()} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.versions.node}`;
  const result = { ...(await bench()), date: new Date().toISOString().slice(0, 10), machine };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(result, null, 1)}\n`);
}

const sections = names.flatMap((name) => {
  let result;
  try {
    result = JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8'));
  } catch {
    return [];
  }
  return [
    `## ${result.title}`,
    '',
    ...result.notes.map((note) => `${note}\n`),
    `${result.date}, ${result.machine}`,
    '',
    '| case | ours | peer | ratio | target | met |',
    '| --- | --- | --- | --- | --- | --- |',
    ...result.rows.map(
      (r) =>
        `| ${r.case} | ${r.ours} | ${r.peer} | ${r.ratio} | ${r.target} | ${r.met === null ? '' : r.met ? 'yes' : '**no**'} |`,
    ),
    '',
  ];
});
const text = [
  '# Benchmarks',
  '',
  'Written by `npm run bench`. Both sides of a row ran in the same process of measuring, in turns; times are medians of whole runs on a',
  'shared, noisy machine, so the ratios are what counts.',
  '',
  ...sections,
].join('\n');
writeFileSync(fileURLToPath(new URL('../../../BENCHMARKS.md', import.meta.url)), text);
process.stdout.write(text);
