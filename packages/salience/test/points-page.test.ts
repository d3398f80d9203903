import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { layerPoints, modelPoints } from '../src/models/decoder/points.ts';
import { pointsPageParts } from './points-page.js';

const page = fileURLToPath(new URL('../../../docs/observable-points.md', import.meta.url));

it('docs/observable-points.md has every point, the example as it is and what it prints (npm run readme writes them anew)', () => {
  const text = readFileSync(page, 'utf8');
  for (const { name, what } of layerPoints) {
    expect(text).toContain(`| \`layers.N.${name}\` |`);
    expect(text).toContain(what);
  }
  for (const { name } of modelPoints) expect(text).toContain(`| \`${name}\` |`);
  for (const [name, part] of Object.entries(pointsPageParts())) {
    expect(text).toContain(`<!-- ${name} -->\n\n${part}\n\n<!-- /${name} -->`);
  }
});
