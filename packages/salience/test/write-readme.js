/** @file npm run readme: writes into README.md the parts that are made from the code. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readmeParts } from './readme-parts.js';

const path = fileURLToPath(new URL('../../../README.md', import.meta.url));
let readme = readFileSync(path, 'utf8');
for (const [name, text] of Object.entries(await readmeParts())) {
  const marked = new RegExp(`(<!-- ${name} -->\n\n)[\\s\\S]*(\n<!-- /${name} -->)`);
  if (!marked.test(readme)) throw new Error(`README.md has no markers for ${name}`);
  readme = readme.replace(marked, (_, before, after) => `${before}${text}\n${after}`);
}
writeFileSync(path, readme);
