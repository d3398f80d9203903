import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { isStream, type Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { normalTerm } from '../../subjects/document/term-candidates.ts';
import { semreRank } from './semre-rank.ts';

const folder = mkdtempSync(join(tmpdir(), 'semre-rank-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function collectionOf(documents: readonly (readonly string[])[], language = 'en'): Collection {
  const built = documents.map((texts, d) => ({
    name: `document ${d}`,
    sentences: texts.map((text, position) => ({ text, document: d, position })),
  }));
  return { language, documents: built, sentences: built.flatMap(({ sentences }) => sentences) };
}

/** The method's scores, and what it logged. */
async function score(
  collection: Collection,
  given: Record<string, unknown> = {},
): Promise<Scores & { labels: readonly string[]; log: string }> {
  const log: string[] = [];
  const run = new Run({ seed: 1, onLog: (message) => log.push(message) });
  const scores = await semreRank.score(collection, parseParams(semreRank, given), run);
  if (isStream(scores) || !scores.labels) throw new Error('term scores come in one piece, with labels');
  return { ...scores, labels: scores.labels, log: log.join('\n') };
}

const texts = [
  ['A neural network learns.', 'The neural network and the fuzzy controller control a robot arm.'],
  ['The fuzzy controller drives the robot arm.', 'A robot arm needs a controller.'],
  ['Neural networks and fuzzy controllers: a comparison of networks for the arm of a robot.'],
];

describe('semreRank', () => {
  it('gives one finite score a term, ordered by base score and then by the alphabet', async () => {
    const collection = collectionOf(texts);
    const { values, labels } = await score(collection, { base: 'c-value' });
    expect(values.every(Number.isFinite)).toBe(true);
    expect(new Set(labels).size).toBe(labels.length);
    const { values: plain, labels: ordered } = await score(collection, { base: 'c-value', relMin: 1 });
    expect(ordered).toEqual(labels);
    expect([...plain].toSorted((a, b) => b - a)).toEqual([...plain]);
    for (let t = 1; t < plain.length; t++) {
      if (plain[t] === plain[t - 1]) expect(ordered[t - 1] < ordered[t]).toBe(true);
    }
  });

  it('is the base score where no two words are related', async () => {
    const { values } = await score(collectionOf(texts), { relMin: 1, dimensions: 2, minLetters: 30 });
    expect(values[0]).toBe(1);
    expect(values.every((value) => value > 0 && value <= 1)).toBe(true);
  });

  it('gives the same scores for the same seed', async () => {
    expect(await score(collectionOf(texts))).toEqual(await score(collectionOf(texts)));
  });

  it('works on one document, on one term, and in another language', async () => {
    expect((await score(collectionOf([texts.flat()]))).values.length).toBeGreaterThan(1);
    expect((await score(collectionOf([['network, network']]))).labels).toEqual(['network']);
    expect((await score(collectionOf([['das Netz, ein Netz']], 'de'))).labels).toEqual(['netz']);
  });

  it('takes seeds from a list or a file, normalised as terms are', async () => {
    const file = join(folder, 'seeds.txt');
    writeFileSync(file, 'Neural Networks\nabsent term\r\n');
    const listed = await score(collectionOf(texts), { seeds: 'Neural Networks,absent term' });
    expect(listed.log).toContain('1 seed terms verified');
    expect((await score(collectionOf(texts), { seeds: `@${file}` })).values).toEqual(listed.values);
    expect((await score(collectionOf(texts))).log).toContain('none of them verified');
    await expect(score(collectionOf(texts), { seeds: '@absent.txt' })).rejects.toThrow('absent.txt cannot be read');
  });

  it('lifts the terms that are related to the seeds', async () => {
    const file = join(folder, 'pairs.txt');
    writeFileSync(file, 'neural 1 0\nnetwork 0.9 0.1\nfuzzy 0 1\ncontroller 0.1 0.9\n');
    const given = { vectors: file, relTop: 1, base: 'c-value' };
    const plain = await score(collectionOf(texts), { ...given, relMin: 1 });
    const gain = ({ values, labels }: typeof plain, label: string) =>
      values[labels.indexOf(label)] / plain.values[plain.labels.indexOf(label)];
    // The words of both terms are joined to each other only. Fuzzy controllers are in three documents, networks in two.
    const unseeded = await score(collectionOf(texts), { ...given, z: 0 });
    expect(gain(unseeded, 'neural network')).toBeCloseTo(1 + 2 / 3, 5);
    expect(gain(unseeded, 'fuzzy controller')).toBeCloseTo(2, 5);
    // With a seed the jumps of those two go to networks alone; the third document has no seed word.
    const seeded = await score(collectionOf(texts), { ...given, seeds: 'neural network' });
    expect(gain(seeded, 'neural network')).toBeCloseTo(2, 5);
    expect(gain(seeded, 'fuzzy controller')).toBeCloseTo(1.5, 5);
  });

  it('takes word vectors from a file, and words it lacks as they are', async () => {
    const file = join(folder, 'vectors.txt');
    writeFileSync(file, 'neural 1 0\nnetwork 0.9 0.1\nfuzzy 0 1\ncontroller 0.1 0.9\n');
    const { values, labels } = await score(collectionOf(texts), { vectors: file, relTop: 1, z: 0, base: 'c-value' });
    const plain = await score(collectionOf(texts), { vectors: file, relMin: 1, z: 0, base: 'c-value' });
    expect(labels).toEqual(plain.labels);
    const gain = (label: string) => values[labels.indexOf(label)] / plain.values[labels.indexOf(label)];
    expect(gain('robot arm')).toBe(1);
    expect(gain('neural network')).toBeGreaterThan(1.5);
    writeFileSync(file, 'neural 0 0\nnetwork 0.9 0.1\n');
    await expect(score(collectionOf(texts), { vectors: file })).rejects.toThrow('the vector of "neural" is zero');
  });

  it('revises every base', async () => {
    for (const name of ['tf-idf', 'c-value', 'rake', 'weirdness', 'basic', 'combo-basic']) {
      const { values } = await score(collectionOf(texts), { base: name, combine: 'add' });
      expect(Math.max(...values)).toBeGreaterThanOrEqual(1);
    }
  });

  it('refuses parameters out of range and a collection without terms', async () => {
    const refused = (given: Record<string, unknown>) =>
      expect(() => parseParams(semreRank, given)).toThrow('semre-rank: parameter');
    refused({ relMin: '1.1' });
    refused({ relTop: '0' });
    refused({ follow: '1' });
    refused({ z: '-1' });
    refused({ base: 'unknown' });
    refused({ combine: 'max' });
    await expect(score(collectionOf([['the of and']]))).rejects.toThrow(InputError);
    // Every term occurs once, and ln 1 = 0.
    await expect(score(collectionOf([['a gene']]), { base: 'basic', minFrequency: 1 })).rejects.toThrow(
      'no base score',
    );
  });

  it('stops when it is cancelled', async () => {
    const run = new Run({ signal: AbortSignal.abort() });
    await expect(semreRank.score(collectionOf(texts), parseParams(semreRank, {}), run)).rejects.toThrow('cancelled');
  });
});

const abstracts = new URL('../../../../../../shared/data/text/inspec.jsonl', import.meta.url);
const present = existsSync(abstracts);

it.skipIf(!present)(
  `on 400 abstracts the 20 best terms are key phrases more often than all terms are${present ? '' : ' (skipped without ../shared)'}`,
  async () => {
    const lines = readFileSync(abstracts, 'utf8').split('\n').slice(0, 400);
    const records = lines.map((line) => JSON.parse(line) as { text: string; keyphrases: string[] });
    const scores = await score(collectionOf(records.map(({ text }) => text.split('. '))), { base: 'basic' });
    const phrases = await Promise.all(records.flatMap(({ keyphrases }) => keyphrases.map((p) => normalTerm(p, 'en'))));
    const gold = new Set(phrases);
    const right = await Promise.all(
      scores.labels.map(async (label) => Number(gold.has(await normalTerm(label, 'en')))),
    );
    const share = (terms: ArrayLike<number>) =>
      Array.from(terms, (t) => right[t]).reduce((a, b) => a + b) / terms.length;
    expect(share(select(scores, 20).kept)).toBeGreaterThan(share(right.map((_, t) => t)));
  },
);
