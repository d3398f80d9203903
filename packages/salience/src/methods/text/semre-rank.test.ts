import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { pageRank } from '../../numerics/graph/page-rank.ts';
import { indexLists, listOf } from '../../numerics/index-lists.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { termCandidates } from '../../subjects/document/term-candidates.ts';
import {
  candidateImportance,
  documentImportance,
  graphWords,
  relatednessGraph,
  revise,
  seedTerms,
  seedWords,
  wordImportance,
  wordNeighbours,
} from './semre-rank.ts';

const expectClose = (actual: ArrayLike<number>, expected: readonly number[], digits = 6) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, digits);
  });
};

function collectionOf(documents: readonly (readonly string[])[], language = 'en'): Collection {
  const built = documents.map((texts, d) => ({
    name: `document ${d}`,
    sentences: texts.map((text, position) => ({ text, document: d, position })),
  }));
  return { language, documents: built, sentences: built.flatMap(({ sentences }) => sentences) };
}

// gene, protein, cell, result, method, table, novel, foo
const [gene, protein, cell, result, method, table, novel, foo] = [0, 1, 2, 3, 4, 5, 6, 7];
const neighbours = indexLists([[protein], [], [gene, protein, result], [method, table], [], [], [], []]);
const documents = indexLists([
  [gene, cell],
  [gene, result],
]);
const ofTerms = indexLists([[gene, protein], [cell], [result, table], [novel, method], [foo]]);
const lengths = [2, 1, 2, 2, 1];
const base = [8, 5, 10, 4, 2];
const geneSeeds = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const exact = { tolerance: 1e-13 };
const byWord = ({ nodes }: { nodes: Uint32Array }, values: Float64Array, words: number[]) =>
  words.map((word) => values[nodes.indexOf(word)]);

describe('the worked example of genes, proteins and cells', () => {
  const first = relatednessGraph(listOf(documents, 0), neighbours);
  const second = relatednessGraph(listOf(documents, 1), neighbours);
  const four = [gene, protein, cell, result];

  it('in document 1 gives the walk from the seed, and its share of the highest', () => {
    const teleport = first.nodes.map((word) => geneSeeds[word]);
    const { scores } = pageRank(first.graph, { teleport, tolerance: 1e-13 });
    expectClose(byWord(first, scores, four), [0.343593, 0.23833, 0.325775, 0.092303]);
    const { values } = documentImportance(first, geneSeeds, exact);
    expectClose(byWord(first, values, four), [1, 0.69364, 0.948141, 0.26864]);
  });

  it('in document 1 without a seed gives plain PageRank', () => {
    const plain = [0.245928, 0.245928, 0.366736, 0.141408];
    expectClose(byWord(first, pageRank(first.graph).scores, four), plain);
    const { values } = documentImportance(first, new Uint8Array(8), exact);
    expectClose(
      byWord(first, values, four),
      plain.map((score) => score / plain[2]),
      5,
    );
  });

  it('in document 2 leaves 0 to the words that no jump reaches', () => {
    expect(second.nodes.length).toBe(5);
    const { values } = documentImportance(second, geneSeeds, exact);
    expectClose(byWord(second, values, [gene, protein]), [1, 0.85]);
    expect(byWord(second, values, [result, method, table])).toEqual([0, 0, 0]);
    const teleport = second.nodes.map((word) => geneSeeds[word]);
    const { scores } = pageRank(second.graph, { teleport, tolerance: 1e-13 });
    expectClose(byWord(second, scores, [gene, protein]), [1 / 1.85, 0.85 / 1.85], 9);
  });

  it('adds the documents up, and revises the base scores so that "gene protein" comes first', async () => {
    const smi = await wordImportance(documents, neighbours, geneSeeds, exact);
    expectClose(smi, [1, 0.77182, 0.47407, 0.13432, 0, 0, 0, 0]);
    const importance = candidateImportance(ofTerms, lengths, smi);
    expectClose(importance, [0.88591, 0.47407, 0.06716, 0, 0]);
    expectClose(revise(base, importance), [1.508728, 0.737035, 1.06716, 0.4, 0.2]);
    expectClose(revise(base, importance, 'add'), [1.68591, 0.97407, 1.06716, 0.4, 0.2]);
  });
});

describe('wordImportance', () => {
  it('of a document twice is as of the document once', async () => {
    const once = await wordImportance(indexLists([[gene, cell]]), neighbours, geneSeeds);
    expect(
      await wordImportance(
        indexLists([
          [gene, cell],
          [gene, cell],
        ]),
        neighbours,
        geneSeeds,
      ),
    ).toEqual(once);
  });

  it('is 0 where no word has a neighbour, and for a document without words', async () => {
    const none = indexLists([[], [], []]);
    expect([...(await wordImportance(indexLists([[0, 1], []]), none, Uint8Array.of(1, 0, 0)))]).toEqual([0, 0, 0]);
  });

  it('jumps anywhere in a document that has no seed word', async () => {
    const noSeed = await wordImportance(documents, neighbours, new Uint8Array(8));
    const strangeSeed = await wordImportance(documents, neighbours, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1));
    expect(strangeSeed).toEqual(noSeed);
  });

  it('has 1 for the highest and nothing below 0, and does not depend on the order of the documents', async () => {
    const lists = fc.array(fc.uniqueArray(fc.nat(6), { maxLength: 6 }), { minLength: 7, maxLength: 7 });
    await fc.assert(
      fc.asyncProperty(
        lists,
        fc.array(fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 5 }),
        fc.uniqueArray(fc.nat(6), { maxLength: 3 }),
        async (near, texts, seeded) => {
          const graph = indexLists(near.map((list, i) => list.filter((j) => j !== i)));
          const seeds = new Uint8Array(7);
          for (const word of seeded) seeds[word] = 1;
          const smi = await wordImportance(indexLists(texts), graph, seeds);
          expect(Math.min(...smi)).toBeGreaterThanOrEqual(0);
          expect([0, 1]).toContain(Math.max(...smi));
          expectClose(await wordImportance(indexLists(texts.toReversed()), graph, seeds), [...smi], 12);
          const reached = new Set(texts.flat().flatMap((word) => [...listOf(graph, word)].flatMap((w) => [w, word])));
          for (let word = 0; word < 7; word++) if (!reached.has(word)) expect(smi[word]).toBe(0);
        },
      ),
    );
  });

  it('logs documents whose walk did not settle', async () => {
    const log: string[] = [];
    const run = new Run({ onLog: (message) => log.push(message) });
    await wordImportance(documents, neighbours, geneSeeds, { maxIterations: 1 }, run);
    expect(log.join()).toContain('in 2 of 2 documents');
  });

  it('refuses a probability of following that is not between 0 and 1', async () => {
    for (const follow of [0, 1, Number.NaN]) {
      await expect(wordImportance(documents, neighbours, geneSeeds, { follow })).rejects.toThrow(`follow = ${follow}`);
    }
  });
});

describe('relatednessGraph', () => {
  it('joins two words once, whoever is whose neighbour', () => {
    const { nodes, graph } = relatednessGraph([0, 1], indexLists([[1], [0], []]));
    expect([...nodes]).toEqual([0, 1]);
    expect([...graph.outWeight]).toEqual([1, 1]);
  });

  it('has words of other documents as nodes, and none without neighbours', () => {
    expect([...relatednessGraph([0, 2], indexLists([[1], [0], []])).nodes]).toEqual([0, 1]);
  });
});

describe('wordNeighbours', () => {
  const vectors = {
    words: ['a1', 'b2', 'c3', 'd4'],
    dimensions: 2,
    values: Float32Array.of(1, 0, 1, 0.2, 1, 0.1, 0, 1),
  };
  const lists = async (...given: Parameters<typeof wordNeighbours>) => {
    const near = await wordNeighbours(...given);
    return Array.from({ length: near.offsets.length - 1 }, (_, i) => [...listOf(near, i)]);
  };

  it('are among the nearest of all words, then of U', async () => {
    // U has 2 words and relTop 0.5, so one rank: the nearest to a1 and to b2 is c3, which is not in U.
    expect(await lists(vectors, ['a1', 'b2'], { relTop: 0.5 })).toEqual([[], []]);
    expect(await lists(vectors, ['b2', 'a1'], { relTop: 1 })).toEqual([[1], [0]]);
    expect(await lists(vectors, ['a1', 'c3', 'd4'], { relTop: 0.4 })).toEqual([[1], [], []]);
  });

  it('are none for a word without a vector, and never a word of a single letter or digit', async () => {
    expect(await lists(vectors, ['unknown', 'a1', 'c3'], { relTop: 1 })).toEqual([[], [2], [1]]);
    const short = { ...vectors, words: ['a', 'b2', 'c3', 'd4'] };
    expect(await lists(short, ['a', 'b2'], { relTop: 1 })).toEqual([[1], []]);
    expect(await lists(vectors, [], {})).toEqual([]);
  });

  it('refuse parameters out of range and vectors of used words that are zero or not finite', async () => {
    await expect(lists(vectors, ['a1'], { relMin: -0.1 })).rejects.toThrow('relMin = -0.1');
    await expect(lists(vectors, ['a1'], { relMin: 1.5 })).rejects.toThrow('relMin = 1.5');
    await expect(lists(vectors, ['a1'], { relTop: 0 })).rejects.toThrow('relTop = 0');
    const zero = { ...vectors, values: Float32Array.of(1, 0, 0, 0, 1, 0.1, 0, Number.NaN) };
    await expect(lists(zero, ['b2'])).rejects.toThrow('the vector of "b2" is zero');
    await expect(lists(zero, ['d4'])).rejects.toThrow('the vector of "d4" is not finite');
    await expect(lists(zero, ['a1', 'c3'], { relTop: 1 })).rejects.toThrow(InputError);
    const unused = { ...vectors, values: Float32Array.of(1, 0, 0, 0, 1, 0.1, 0, 1) };
    expect(await lists(unused, ['a1', 'c3'], { relTop: 1 })).toEqual([[1], [0]]);
  });
});

describe('seedTerms', () => {
  it('are the verified among the z most frequent, the lower index first among equals', () => {
    expect([...seedTerms([1, 5, 3, 3, 3], 3)]).toEqual([1, 2, 3]);
    expect([...seedTerms([1, 5, 3, 3, 3], 3, (t) => t !== 2)]).toEqual([1, 3]);
    expect([...seedTerms([1, 5], 10)]).toEqual([1, 0]);
    expect([...seedTerms([1, 5], 0)]).toEqual([]);
    expect(() => seedTerms([1], -1)).toThrow('z = -1');
  });

  it('mark their words', () => {
    expect([...seedWords(Uint32Array.of(0, 3), { names: new Array(8).fill(''), ofTerms })]).toEqual([
      1, 1, 0, 0, 1, 0, 1, 0,
    ]);
  });
});

describe('revise', () => {
  const scored = fc.array(
    // Zero, or far from the subnormal numbers, where 2 (s / max) and (2 s) / max round apart.
    fc.tuple(
      fc.double({ min: 0, max: 1e6, noNaN: true }).map((s) => (s < 1e-6 ? 0 : s)),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ),
    {
      minLength: 1,
      maxLength: 20,
    },
  );

  it('lies between the base score and twice it, and is the base score where nothing has importance', () => {
    fc.assert(
      fc.property(scored, (pairs) => {
        const s = pairs.map(([value]) => value);
        const most = Math.max(...s);
        fc.pre(most > 0);
        const srk = revise(
          s,
          pairs.map(([, a]) => a),
        );
        s.forEach((value, t) => {
          expect(srk[t]).toBeGreaterThanOrEqual(value / most);
          expect(srk[t]).toBeLessThanOrEqual((2 * value) / most);
        });
        expect([...revise(s, new Float64Array(s.length))]).toEqual(s.map((value) => value / most));
      }),
    );
  });

  it('does not change when all base scores are scaled', () => {
    fc.assert(
      fc.property(scored, fc.double({ min: 0.01, max: 100, noNaN: true }), (pairs, c) => {
        const s = pairs.map(([value]) => value);
        fc.pre(Math.max(...s) > 1e-6);
        const a = pairs.map(([, importance]) => importance);
        const scaled = s.map((value) => value * c);
        expectClose(revise(scaled, a), [...revise(s, a)], 12);
      }),
    );
  });

  it('refuses no scores, scores that are all 0, and scores that are negative or not finite', () => {
    expect(() => revise([], [])).toThrow('no candidate terms');
    expect(() => revise([0, 0], [1, 1])).toThrow('no base score is above 0');
    expect(() => revise([1, -1], [0, 0])).toThrow('term 1 is -1');
    expect(() => revise([Number.NaN], [0])).toThrow('term 0 is NaN');
    expect(() => revise([Infinity], [0])).toThrow('term 0 is Infinity');
  });
});

describe('candidateImportance', () => {
  it('is diluted by words without importance, and 0 for a term without words', () => {
    expectClose(candidateImportance(indexLists([[0], [0, 0], []]), [2, 2, 1], [0.5]), [0.25, 0.5, 0]);
  });
});

describe('graphWords', () => {
  it('are the lemmas of the words of terms, without stop words and short ones', async () => {
    const text = 'The expert systems of 2 ab-cd gene networks in an xy protein';
    const candidates = await termCandidates(collectionOf([[text], [text]]));
    expect(candidates.terms).toEqual(['ab-cd gene network', 'expert system', 'xy protein']);
    const { names, ofTerms, ofDocuments } = graphWords(candidates, 'en');
    const words = ['ab-cd', 'gene', 'network', 'expert', 'system', 'protein'];
    expect(names).toEqual(words);
    expect([0, 1, 2].map((t) => Array.from(listOf(ofTerms, t), (w) => words[w]).join(' '))).toEqual([
      'ab-cd gene network',
      'expert system',
      'protein',
    ]);
    expect([0, 1].map((d) => [...listOf(ofDocuments, d)].sort())).toEqual([
      [0, 1, 2, 3, 4, 5],
      [0, 1, 2, 3, 4, 5],
    ]);
    expect(graphWords(candidates, 'en', 5).names).toEqual(['network', 'expert', 'system', 'protein']);
  });
});
