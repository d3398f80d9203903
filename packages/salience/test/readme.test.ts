import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { catalogue, paperOf } from '../src/catalogue.ts';
import { papers } from '../src/papers.ts';
import { readmeParts } from './readme-parts.js';

const root = (name: string) => fileURLToPath(new URL(`../../../${name}`, import.meta.url));

describe('the catalogue', () => {
  it('holds the 58 systems of the seed page and the feed, each once', () => {
    expect(papers.map(({ number }) => number)).toEqual(Array.from({ length: 59 }, (_, i) => i + 1));
    expect(new Set(papers.map(({ id }) => id)).size).toBe(59);
    expect(papers.filter(({ arxiv }) => arxiv).every(({ arxiv }) => /^\d{4}\.\d{4,5}$/.test(arxiv!))).toBe(true);
  });

  it('lists each method under its own id, its family and its paper', async () => {
    expect(new Set(catalogue.map(({ id }) => id)).size).toBe(catalogue.length);
    for (const { id, family, load, claim } of catalogue) {
      const method = await load();
      expect(method.id).toBe(id);
      const paper = paperOf(id);
      if (paper) {
        expect([id, method.source, method.unit, family]).toEqual([
          id,
          `arXiv:${paper.arxiv}`,
          paper.unit,
          paper.family,
        ]);
        expect((await claim!()).method).toBe(id);
      }
    }
  });
});

describe('README.md', () => {
  it('shows what npm start prints and the catalogue as the code has them (npm run readme writes them anew)', async () => {
    const readme = readFileSync(root('README.md'), 'utf8');
    for (const [name, text] of Object.entries(await readmeParts())) {
      expect(readme).toContain(`<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->`);
    }
  });
});
