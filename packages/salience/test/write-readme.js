/** @file npm run readme: writes into README.md and docs/ the parts that are made from the code. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pointsPageParts } from './points-page.js';
import { readmeParts } from './readme-parts.js';

/** Writes each part between its markers. */
function write(name, parts) {
  const path = fileURLToPath(new URL(`../../../${name}`, import.meta.url));
  let text = readFileSync(path, 'utf8');
  for (const [part, made] of Object.entries(parts)) {
    const marked = new RegExp(`(<!-- ${part} -->\n\n)[\\s\\S]*(\n<!-- /${part} -->)`);
    if (!marked.test(text)) throw new Error(`${name} has no markers for ${part}`);
    text = text.replace(marked, (_, before, after) => `${before}${made}\n${after}`);
  }
  writeFileSync(path, text);
}

write('docs/observable-points.md', pointsPageParts());
write('README.md', await readmeParts());
