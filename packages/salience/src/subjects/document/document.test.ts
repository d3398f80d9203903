import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError, OutputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import { collect } from './collection.ts';
import { document } from './document.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salience-document-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = new Run();
const one = collect([{ name: 'article.txt', text: 'Lamp one. Lens two. Oil three. Rope four.' }]);
const two = collect([
  { name: 'a', text: 'Lamp one. Lens two.' },
  { name: 'b', text: 'Oil three. Rope four.' },
]);
const sentences: Scores = { unit: 'sentence', values: Float32Array.of(0.25, 1, 0.5, 0.75) };
const terms: Scores = { unit: 'term', values: Float32Array.of(1, 3, 2), labels: ['lamp', 'lens', 'fog signal'] };
const kept = (scores: Scores, budget: string | number) => ({ scores, selection: select(scores, budget) });
const silent = { force: false };

describe('keep', () => {
  it('tells the kept sentences in the order of the document', async () => {
    expect(await document.keep(one, kept(sentences, 2), silent, run)).toEqual({
      title: '2 of 4 sentences of article.txt kept (budget 2)',
      blocks: [
        {
          kind: 'passages',
          passages: [
            { text: 'Lens two.', score: 1 },
            { text: 'Rope four.', score: 0.75 },
          ],
        },
      ],
    });
  });

  it('names the documents where there are several', async () => {
    const { title, blocks } = await document.keep(two, kept(sentences, '50%'), silent, run);
    expect(title).toBe('2 of 4 sentences of 2 documents kept (budget 50%)');
    expect(blocks).toEqual([
      {
        kind: 'passages',
        passages: [
          { text: 'Lens two.', score: 1, source: 'a' },
          { text: 'Rope four.', score: 0.75, source: 'b' },
        ],
      },
    ]);
  });

  it('tells the kept terms from the highest score down', async () => {
    expect(await document.keep(one, kept(terms, 2), silent, run)).toEqual({
      title: '2 of 3 terms of article.txt kept (budget 2)',
      blocks: [
        {
          kind: 'table',
          columns: ['rank', 'term', 'score'],
          rows: [
            [1, 'lens', 3],
            [2, 'fog signal', 2],
          ],
        },
      ],
    });
  });

  it.each([
    ['out.txt', sentences, 'Lamp one.\nLens two.\n\nOil three.\nRope four.\n'],
    ['out', terms, 'lens\nfog signal\nlamp\n'],
    [
      'out.jsonl',
      terms,
      '{"term":"lens","score":3,"index":1}\n{"term":"fog signal","score":2,"index":2}\n{"term":"lamp","score":1,"index":0}\n',
    ],
  ])('writes %s', async (name, scores, content) => {
    const path = join(folder, name);
    const report = await document.keep(two, kept(scores, '100%'), { path, force: false }, run);
    expect(report.blocks.at(-1)).toEqual({ kind: 'text', text: `written to ${path}` });
    expect(await readFile(path, 'utf8')).toBe(content);
    expect(await readdir(folder)).toEqual([name]);
  });

  it('writes JSON with scores, documents and places', async () => {
    const path = join(folder, 'out.json');
    await document.keep(two, kept(sentences, 2), { path, force: false }, run);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([
      { text: 'Lens two.', score: 1, document: 'a', index: 1 },
      { text: 'Rope four.', score: 0.75, document: 'b', index: 3 },
    ]);
  });

  it('keeps nothing under a budget of nothing', async () => {
    const path = join(folder, 'out.json');
    const { title, blocks } = await document.keep(one, kept(sentences, 0), { path, force: false }, run);
    expect(title).toBe('0 of 4 sentences of article.txt kept (budget 0)');
    expect(blocks[0]).toEqual({ kind: 'passages', passages: [] });
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual([]);
  });

  it('refuses to replace a file without force', async () => {
    const path = join(folder, 'out.txt');
    await writeFile(path, 'old');
    await expect(document.keep(one, kept(sentences, 2), { path, force: false }, run)).rejects.toThrow(OutputError);
    expect(await readFile(path, 'utf8')).toBe('old');
    await document.keep(one, kept(sentences, 2), { path, force: true }, run);
    expect(await readFile(path, 'utf8')).toBe('Lens two.\nRope four.\n');
  });

  it('refuses scores of something else', async () => {
    const three = { unit: 'sentence', values: Float32Array.of(1, 2, 3) };
    await expect(document.keep(one, kept(three, 1), silent, run)).rejects.toThrow('3 scores for 4 sentences');
    const weights = { unit: 'weight', values: Float32Array.of(1, 2, 3, 4) };
    await expect(document.keep(one, kept(weights, 1), silent, run)).rejects.toThrow(InputError);
    const bare = { unit: 'term', values: Float32Array.of(1) };
    await expect(document.keep(one, kept(bare, 1), silent, run)).rejects.toThrow('labels');
  });
});

describe('document', () => {
  it('has a sample of some thirty to forty sentences about lighthouses', async () => {
    const { documents, sentences, language } = await document.sample(run);
    expect(language).toBe('en');
    expect(documents.map(({ name }) => name)).toEqual(['lighthouses.txt']);
    expect(sentences.length).toBeGreaterThanOrEqual(25);
    expect(sentences.length).toBeLessThanOrEqual(40);
    for (const { text } of sentences) expect(text).toMatch(/^\p{Lu}.*[.?]$/u);
  });

  it('is English by default and refuses what is no language', () => {
    expect(document.options.parse({})).toEqual({ language: 'en' });
    for (const language of ['de', 'pt-BR', 'zh-Hant', 'la']) {
      expect(document.options.parse({ language })).toEqual({ language });
    }
    for (const language of ['english', 'xx', '', 'e n']) {
      expect(document.options.safeParse({ language }).success).toBe(false);
    }
  });

  it('loads paths with a background joined by commas', async () => {
    for (const name of ['a', 'b', 'c']) await writeFile(join(folder, name), `Text ${name}.`);
    const background = `${join(folder, 'b')},${join(folder, 'c')}`;
    const collection = await document.load([join(folder, 'a')], { language: 'en', background }, run);
    expect(collection.sentences).toHaveLength(1);
    expect(collection.background?.documents).toHaveLength(2);
  });
});
