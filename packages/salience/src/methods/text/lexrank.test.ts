import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { isStream, type Scores } from '../../core/scores.ts';
import { select } from '../../core/select.ts';
import { csrGraph } from '../../numerics/graph/csr.ts';
import { matrixGraph } from '../../numerics/graph/similarity-matrix.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { type IdfTable, sentenceVectors } from '../../subjects/document/sentence-vectors.ts';
import { degreeCentrality, lexRank, lexrank, relevance, sentenceGraph, subsumption } from './lexrank.ts';

const expectClose = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits: number) => {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(actual[i]).toBeCloseTo(expected[i], digits);
};
const ofMax = (p: Float64Array) => p.map((score) => score / Math.max(...p));
const words = (text: string) => text.split(' ').filter(Boolean);
const everyIdf = (unseen: number): IdfTable => ({ values: new Map(), unseen });

function collectionOf(documents: readonly (readonly string[])[], background?: Collection): Collection {
  const built = documents.map((texts, d) => ({
    name: `document ${d}`,
    sentences: texts.map((text, position) => ({ text, document: d, position })),
  }));
  return { language: 'en', documents: built, sentences: built.flatMap(({ sentences }) => sentences), background };
}

/** The method's scores, and what it logged. */
async function score(collection: Collection, given: Record<string, unknown> = {}): Promise<Scores & { log: string }> {
  const log: string[] = [];
  const run = new Run({ onLog: (message) => log.push(message) });
  const scores = await lexrank.score(collection, parseParams(lexrank, given), run);
  if (isStream(scores)) throw new Error('sentence scores are no stream');
  return { ...scores, log: log.join('\n') };
}

describe('the cluster of 11 sentences in the paper', () => {
  const pairs =
    '1-2 .45, 1-4 .17, 1-6 .22, 1-8 .28, 2-3 .16, 2-4 .27, 2-6 .19, 2-8 .21, 2-10 .15, 4-6 .16, 4-7 .28, 4-8 .17, ' +
    '5-6 .29, 5-8 .15, 5-9 .20, 5-11 .18, 6-8 .29, 6-10 .20, 8-9 .25, 8-10 .20, 8-11 .17, 9-10 .26, 9-11 .38, 10-11 .12';
  const similarity = Array.from({ length: 11 }, (_, i) =>
    Array.from({ length: 11 }, (_, j): number => (i === j ? 1 : 0.05)),
  );
  for (const [, i, j, c] of pairs.matchAll(/(\d+)-(\d+) (\.\d+)/g)) {
    similarity[Number(i) - 1][Number(j) - 1] = similarity[Number(j) - 1][Number(i) - 1] = Number(c);
  }
  const graph = matrixGraph(similarity, 0.1);

  it('has the degrees of the paper, self-loops counted', () => {
    expect([...degreeCentrality(graph)]).toEqual([5, 7, 2, 6, 5, 7, 2, 9, 5, 6, 5]);
  });

  it('has the LexRank of the exact solution, and of the paper within its rounding', () => {
    const p = ofMax(lexRank(graph).scores);
    expectClose(p, [0.6005, 0.8466, 0.3487, 0.7514, 0.5908, 0.7988, 0.3551, 1, 0.5917, 0.691, 0.5917], 4);
    const printed = [0.6007, 0.8466, 0.3491, 0.752, 0.5907, 0.7993, 0.3548, 1, 0.5921, 0.691, 0.5921];
    for (const [i, value] of printed.entries()) expect(Math.abs(p[i] - value)).toBeLessThanOrEqual(0.0006);
  });

  it('would be told apart from a graph without self-loops', () => {
    const joined = similarity.flatMap((row, i) => row.flatMap((c, j) => (j > i && c > 0.1 ? [[i, j]] : [])));
    const bare = csrGraph(similarity.length, { from: joined.map(([i]) => i), to: joined.map(([, j]) => j) });
    expect(ofMax(lexRank(bare).scores)[0]).toBeCloseTo(0.543, 4);
  });

  it('would be told apart from a teleport of 0.85', () => {
    expect(ofMax(lexRank(graph, { teleport: 0.85 }).scores)[0]).toBeCloseTo(0.8953, 4);
  });
});

describe('lexRank', () => {
  const path = matrixGraph(
    [
      [1, 0.5, 0],
      [0.5, 1, 0.5],
      [0, 0.5, 1],
    ],
    0.1,
  );

  it('on a path of 3 gives the closed form, and degree over sum of degrees as teleport vanishes', () => {
    expectClose(lexRank(path).scores, [0.291971, 0.416058, 0.291971], 6);
    expectClose(lexRank(path, { teleport: 0 }).scores, [2 / 7, 3 / 7, 2 / 7], 9);
  });

  it('over weights gives the closed form, and row sum over total as teleport vanishes', () => {
    const graph = matrixGraph([
      [1, 0.4, 0.1],
      [0.4, 1, 0.2],
      [0.1, 0.2, 1],
    ]);
    // p₂ = 0.3552965…: the sixth digit is a matter of rounding.
    expectClose(lexRank(graph).scores, [0.33617, 0.355297, 0.308533], 6);
    expectClose(lexRank(graph, { teleport: 0 }).scores, [0.340909, 0.363636, 0.295455], 6);
  });

  it('joins only what is strictly above the threshold', () => {
    const similarity = [
      [1, 0.1],
      [0.1, 1],
    ];
    expect([...degreeCentrality(matrixGraph(similarity, 0.1))]).toEqual([1, 1]);
    expect([...degreeCentrality(matrixGraph(similarity, 0.0999))]).toEqual([2, 2]);
  });

  it('without teleport is refused where the graph falls into parts, for it is not unique there', () => {
    const parts = matrixGraph(
      [
        [1, 0],
        [0, 1],
      ],
      0.1,
    );
    expect(() => lexRank(parts, { teleport: 0 })).toThrow('teleport = 0 needs a connected graph');
    expect(() => lexRank(path, { teleport: 1.5 })).toThrow('teleport = 1.5 is outside 0 to 1');
    expect(() => lexRank(path, { teleport: Number.NaN })).toThrow('outside 0 to 1');
  });

  it('lands jumps where the bias says', () => {
    const { scores } = lexRank(path, { bias: [0, 0, 1] });
    expect(scores[2]).toBeGreaterThan(scores[0]);
    expectClose(lexRank(path, { bias: [1, 0, 1], teleport: 1 }).scores, [0.5, 0, 0.5], 12);
  });

  const sentences = fc.array(fc.array(fc.constantFrom(...'abcdefghij'), { maxLength: 6 }), {
    minLength: 1,
    maxLength: 25,
  });
  const variants = fc.constantFrom(undefined, 0, 0.1, 0.5);

  it('sums to 1, moves with the sentences, and gives equal sentences equal scores', () => {
    fc.assert(
      fc.property(sentences, variants, fc.nat(), (list, t, salt) => {
        const p = lexRank(sentenceGraph(sentenceVectors(list, everyIdf(1)), t)).scores;
        expect(p.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
        const order = list.map((_, i) => i).sort((i, j) => ((i * salt) % 7) - ((j * salt) % 7));
        const moved = lexRank(
          sentenceGraph(
            sentenceVectors(
              order.map((i) => list[i]),
              everyIdf(1),
            ),
            t,
          ),
        ).scores;
        for (const [at, i] of order.entries()) expect(moved[at]).toBeCloseTo(p[i], 8);
        list.forEach((sentence, i) => {
          const twin = list.findIndex((other) => other.length > 0 && other.join() === sentence.join());
          if (twin >= 0) expect(p[i]).toBeCloseTo(p[twin], 8);
        });
      }),
    );
  });

  it('gives exactly 1 / n to a sentence that is similar to none', () => {
    const list = ['a b', 'b c', 'c a', 'z', ''].map(words);
    const p = lexRank(sentenceGraph(sentenceVectors(list, everyIdf(1)), 0.1)).scores;
    expect(p[3]).toBeCloseTo(1 / 5, 15);
    expect(p[4]).toBeCloseTo(1 / 5, 15);
  });
});

describe('relevance', () => {
  it('is Σ log(tf in sentence + 1) log(tf in query + 1) idf', () => {
    const vectors = sentenceVectors(['cat cat dog', 'dog', 'bird'].map(words), everyIdf(2));
    const expected = [Math.log(3) * Math.log(2) * 2 + Math.log(2) * Math.log(3) * 2, Math.log(2) * Math.log(3) * 2, 0];
    expectClose(relevance(vectors, words('cat dog dog fish')), expected, 12);
  });
});

describe('subsumption', () => {
  it('is twice the shared words over all words, repeats counted', () => {
    const vectors = sentenceVectors(['a a b c', 'a a a d', 'e', '', ''].map(words), everyIdf(1));
    expect(subsumption(vectors, 0, 1)).toBe((2 * 2) / 8);
    expect(subsumption(vectors, 1, 0)).toBe((2 * 2) / 8);
    expect(subsumption(vectors, 0, 0)).toBe(1);
    expect(subsumption(vectors, 0, 2)).toBe(0);
    expect(subsumption(vectors, 3, 3)).toBe(1);
    expect(subsumption(vectors, 3, 4)).toBe(0);
  });
});

describe('the method lexrank', () => {
  const story = collectionOf([
    ['The fox crossed the river.', 'A fox was seen at the river bank.', 'Nobody spoke of bread.'],
    ['Hunters saw the fox near the river.', 'The mayor praised the bridge.'],
  ]);

  it('gives the most central sentence 1, and names documents, texts and words', async () => {
    const { values, unit, groups, labels, costs } = await score(story);
    expect(unit).toBe('sentence');
    expect(Math.max(...values)).toBe(1);
    expect([0, 1, 3]).toContain(values.indexOf(1));
    expect([...groups!.of]).toEqual([0, 0, 0, 1, 1]);
    expect(groups!.names).toEqual(['document 0', 'document 1']);
    expect(labels![2]).toBe('Nobody spoke of bread.');
    expect(costs).toEqual({ unit: 'word', values: Uint32Array.of(5, 8, 4, 7, 5) });
  });

  it('logs which texts idf counts', async () => {
    expect((await score(story)).log).toContain('idf = log((N + 1) / (n + 1)) over the 5 sentences');
    expect((await score(story, { idf: 'documents' })).log).toContain('over the 2 documents');
    const many = collectionOf(Array.from({ length: 20 }, (_, d) => [`fox ${d}`, 'river']));
    expect((await score(many)).log).toContain('over the 20 documents');
    expect((await score({ ...story, background: many })).log).toContain(
      "idf = log(N / n) over the background's 20 documents",
    );
    await expect(score({ ...story, background: collectionOf([]) })).rejects.toThrow('the background holds no sentence');
  });

  it('keeps a budget of words without redundancy', async () => {
    const scores = await score(story);
    const { kept } = select(scores, 'cost<=12, redundancy<=0.3, by score');
    const cost = [...kept].reduce((sum, i) => sum + scores.costs!.values[i], 0);
    expect(cost).toBeLessThanOrEqual(12);
    for (const i of kept) for (const j of kept) if (i !== j) expect(scores.similarity!(i, j)).toBeLessThanOrEqual(0.3);
    const { similarity } = await score(story, { similarity: 'subsumption' });
    expect(similarity!(0, 3)).toBeCloseTo((2 * 4) / 12, 14); // the fox, the river
  });

  it('scores one sentence 1, and sentences without words as similar to none', async () => {
    expect([...(await score(collectionOf([['A fox.']]))).values]).toEqual([1]);
    const { values, costs } = await score(collectionOf([['...', '!', 'A fox.']]));
    expect([...values]).toEqual([1, 1, 1]);
    expect([...(costs!.values as Uint32Array)]).toEqual([0, 0, 2]);
  });

  it('scores equal sentences alike, and a redundancy leaves one of them', async () => {
    const same = await score(collectionOf([new Array(6).fill('The fox crossed the river.')]));
    expect([...same.values]).toEqual(new Array(6).fill(1));
    expect([...select(same, { count: 6, redundancy: 0.7 }).kept]).toEqual([0]);
  });

  it('with t = 0 joins all sentences that share a telling word', async () => {
    const { values } = await score(story, { threshold: 0, variant: 'degree' });
    expect(values[2]).toBeCloseTo(1 / 4, 6); // joined to itself alone; "the" joins the other four
  });

  it('leaves out stop words if asked', async () => {
    const { values } = await score(story, { threshold: 0, variant: 'degree', stopWords: true });
    expect(values[4]).toBeCloseTo(1 / 3, 6); // "the" no longer joins it to the fox
  });

  it('asked about bread, ranks what speaks of bread higher', async () => {
    const plain = await score(story);
    const asked = await score(story, { query: 'bread', teleport: 0.9 });
    expect(plain.values[2]).toBeLessThan(1);
    expect(asked.values[2]).toBe(1);
    expect((await score(story, { query: 'xylophone' })).log).toContain('no sentence shares a telling word');
    await expect(score(story, { query: 'bread', variant: 'degree' })).rejects.toThrow(
      'the degree variant has no jumps',
    );
  });

  it('adds the place in the document with its weight, and scores what is too short 0', async () => {
    const plain = await score(story);
    const placed = await score(story, { position: 0.5 });
    expectClose(
      placed.values.map((value, s) => value - plain.values[s]),
      [0.5, 1 / 3, 1 / 6, 0.5, 0.25],
      6,
    );
    expect((await score(story, { minWords: 5, position: 1 })).values[2]).toBe(0);
  });

  it('warns when the iteration cap is hit', async () => {
    expect((await score(story, { maxIterations: 1 })).log).toMatch(
      /not converged: step 1 still moved the scores by \d/,
    );
    expect((await score(story)).log).not.toContain('not converged');
  });

  it('refuses an empty collection and parameters out of range', async () => {
    await expect(score(collectionOf([]))).rejects.toThrow('there is no sentence to score');
    for (const given of [
      { threshold: 1 },
      { threshold: -0.1 },
      { teleport: 2 },
      { tolerance: 0 },
      { variant: 'pagerank' },
    ]) {
      expect(() => parseParams(lexrank, given)).toThrow(`parameter ${Object.keys(given)[0]} = `);
    }
  });
});

const path = new URL('../../../../../../shared/data/text/tiny-shakespeare.txt', import.meta.url);
const present = existsSync(path);

describe('on the first 400 lines of Shakespeare', () => {
  it.skipIf(!present)('equals a dense computation of the paper (skipped without ../shared)', async () => {
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean).slice(0, 400);
    const collection = collectionOf([lines]);
    for (const variant of ['threshold', 'continuous'] as const) {
      const { values, similarity } = await score(collection, { variant });
      const c = lines.map((_, i) => lines.map((_, j) => (i === j ? 1 : similarity!(i, j))));
      const a = c.map((row) => row.map((value) => (variant === 'continuous' ? value : Number(value > 0.1))));
      const sums = a.map((row) => row.reduce((x, y) => x + y));
      let p = lines.map(() => 1 / 400);
      for (let step = 0; step < 200; step++) {
        p = a.map((row) => 0.15 / 400 + 0.85 * row.reduce((sum, value, j) => sum + (value / sums[j]) * p[j], 0));
      }
      expectClose(values, ofMax(Float64Array.from(p)), 6);
    }
  });
});
