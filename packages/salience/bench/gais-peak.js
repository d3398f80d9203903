/** @file GAIS on made-up clusters: rows, then parameters as JSON; prints the time and the peak memory of this process. */

import { parseParams, Random, Run } from '../dist/core/index.js';
import { gais } from '../dist/methods/data/gais.js';
import { datasetInMemory } from '../dist/subjects/dataset/dataset.js';

const rows = Number(process.argv[2]);
const columns = 50;
const classes = 5;
const random = new Random(1);
const centres = Float64Array.from({ length: classes * columns }, () => random.normal());
const of = Uint32Array.from({ length: rows }, () => random.integer(classes));
const values = new Float32Array(rows * columns);
for (let i = 0; i < rows; i++) {
  for (let c = 0; c < columns; c++) values[i * columns + c] = centres[of[i] * columns + c] + 2 * random.normal();
}
const data = datasetInMemory({
  features: Array.from({ length: columns }, (_, c) => `x${c}`),
  values,
  labels: { classes: Array.from({ length: classes }, (_, c) => `class ${c}`), of },
});
const params = parseParams(gais, JSON.parse(process.argv[3] ?? '{}'));
const start = performance.now();
const scores = await gais.score(data, params, new Run());
const seconds = (performance.now() - start) / 1000;
const { rows: facts } = scores.findings[0];
console.log(
  JSON.stringify({ seconds, bytes: process.resourceUsage().maxRSS * 1024, facts: Object.fromEntries(facts) }),
);
