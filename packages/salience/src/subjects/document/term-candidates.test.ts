import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { listOf } from '../../numerics/index-lists.ts';
import type { Collection } from './collection.ts';
import { generalFrequencies } from './general-frequencies.ts';
import { normalTerm, type TermCandidates, termCandidates } from './term-candidates.ts';

function collectionOf(documents: readonly (readonly string[])[], language = 'en', background?: Collection): Collection {
  const built = documents.map((texts, d) => ({
    name: `document ${d}`,
    sentences: texts.map((text, position) => ({ text, document: d, position })),
  }));
  return { language, documents: built, sentences: built.flatMap(({ sentences }) => sentences), background };
}

const termsOf = async (documents: string[][], options = {}) =>
  (await termCandidates(collectionOf(documents), options)).terms;
const place = ({ terms }: TermCandidates, term: string) => {
  const t = terms.indexOf(term);
  expect(t).toBeGreaterThanOrEqual(0);
  return t;
};
const named = (candidates: TermCandidates, lists: 'words' | 'nested', t: number) =>
  Array.from(listOf(candidates[lists], t), (i) => (lists === 'words' ? candidates.vocabulary : candidates.terms)[i]);

describe('termCandidates', () => {
  it('are runs of words between stop words and punctuation, of more than one occurrence', async () => {
    const text = 'The fuzzy controller, the neural network and a fuzzy controller of the network; network controller';
    expect(await termsOf([[text]])).toEqual(['controller', 'fuzzy controller', 'network']);
  });

  it('do not reach over sentences, brackets, dashes or slashes', async () => {
    const twice = (text: string) => [[text], [text]];
    expect(
      await termsOf([
        ['Wind power.', 'Plants grow.'],
        ['Wind power.', 'Plants grow.'],
      ]),
    ).not.toContain('power plant');
    expect(await termsOf(twice('wind (power) plant'))).toEqual(['plant', 'power', 'wind']);
    expect(await termsOf(twice('wind – power/plant'))).toEqual(['plant', 'power', 'wind']);
    expect(await termsOf(twice('wind-power plant'))).toEqual(['wind-power plant']);
  });

  it('of several forms are one term, labelled by the most frequent', async () => {
    const candidates = await termCandidates(
      collectionOf([['Neural networks learn.'], ['The neural network and neural networks of the brain.']]),
    );
    const t = place(candidates, 'neural network');
    expect(candidates.labels[t]).toBe('neural networks');
    expect(candidates.frequency[t]).toBe(3);
    expect(candidates.documentFrequency[t]).toBe(2);
    expect([...listOf(candidates.occurrences, t)]).toEqual([0, 1]);
    expect([
      ...candidates.counts.subarray(candidates.occurrences.offsets[t], candidates.occurrences.offsets[t + 1]),
    ]).toEqual([1, 2]);
    expect(named(candidates, 'words', t)).toEqual(['neural', 'network']);
  });

  it('are without the possessive at their end', async () => {
    expect(await termsOf([["the lens's edge, a lens, Nystrom's method"], ["Nystrom's method"]])).toEqual([
      'lens',
      "nystrom's method",
    ]);
  });

  it('leave out a run that occurs only within one longer term', async () => {
    const candidates = await termCandidates(
      collectionOf([
        ['a basal cell carcinoma, the basal cell carcinoma and a cell; a carcinoma, a squamous carcinoma'],
      ]),
    );
    expect(candidates.terms).toEqual(['basal cell carcinoma', 'carcinoma', 'cell']);
    expect(named(candidates, 'nested', 0)).toEqual(['carcinoma', 'cell']);
    expect([...candidates.frequency]).toEqual([2, 4, 3]);
  });

  it('end in no verb or adjective, but may end in a gerund where they are longer', async () => {
    const text = 'the paper describes; a control system based, proposed; model checking, linear';
    expect(await termsOf([[text], [text]])).toEqual(['control system', 'model checking', 'paper']);
  });

  it('are made of nouns that the list of stop words has, but are no single stop word', async () => {
    const text = 'a system, the expert system, some systems';
    expect(await termsOf([[text], [text]])).toEqual(['expert system']);
  });

  it('start and end with words of two letters or more, and have three letters', async () => {
    const text = '128 k cache, ab, sulphur x, cache 2000';
    expect(await termsOf([[text], [text]])).toEqual(['cache', 'sulphur']);
  });

  it('are as long as asked for at the most, and as frequent at the least', async () => {
    const text = 'one-dimensional heat transfer coefficient';
    expect(await termsOf([[text], [text]], { maxWords: 2 })).toEqual([
      'heat transfer',
      'one-dimensional heat',
      'transfer coefficient',
    ]);
    expect(await termsOf([[text]], { minFrequency: 1 })).toEqual(['one-dimensional heat transfer coefficient']);
    await expect(termsOf([[text]])).rejects.toThrow('occurs 2 times; lower minFrequency');
  });

  it('keep their forms where no dictionary is known', async () => {
    const text = 'die neuronalen Netze, ein neuronales Netz';
    const { terms } = await termCandidates(collectionOf([[text], [text]], 'de'));
    expect(terms).toEqual(['neuronalen netze', 'neuronales netz']);
  });

  it('count what a plain count finds', async () => {
    const words = ['cell', 'wall', 'membrane', 'the', 'protein'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom(...words, ','), { minLength: 1, maxLength: 12 }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (texts) => {
          const documents = texts.map((text) => [text.join(' ')]);
          const candidates = await termCandidates(collectionOf(documents), { minFrequency: 1 }).catch(() => undefined);
          if (!candidates) {
            expect(texts.flat().every((word) => word === 'the' || word === ',')).toBe(true);
            return;
          }
          const phrases = texts.map((text) => ` ${text.join(' ')} `.replace(/ (the|,)(?= )/g, ' |'));
          const occurrences = (term: string, d: number) =>
            Array.from(phrases[d].matchAll(new RegExp(`(?= ${term} )`, 'g'))).length;
          candidates.terms.forEach((term, t) => {
            const perDocument = phrases.map((_, d) => occurrences(term, d));
            expect(candidates.frequency[t]).toBe(perDocument.reduce((a, b) => a + b));
            expect([...listOf(candidates.occurrences, t)]).toEqual(
              perDocument.flatMap((count, d) => (count > 0 ? [d] : [])),
            );
          });
          expect(candidates.terms.toSorted()).toEqual([...candidates.terms]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('come with the words of the text: sentences, phrases and frequencies', async () => {
    const candidates = await termCandidates(collectionOf([['The cells of walls.', 'A cell wall']]), {
      minFrequency: 1,
    });
    const texts = (lists: TermCandidates['sentences']) =>
      Array.from({ length: lists.offsets.length - 1 }, (_, i) =>
        Array.from(listOf(lists, i), (w) => candidates.vocabulary[w]).join(' '),
      );
    expect(texts(candidates.sentences)).toEqual(['the cell of wall', 'a cell wall']);
    expect(texts(candidates.phrases)).toEqual(['cell', 'wall', 'cell wall']);
    expect(candidates.wordFrequency[candidates.vocabulary.indexOf('cell')]).toBe(2);
  });

  it('refuse options out of range, and stop when cancelled', async () => {
    const collection = collectionOf([['cell wall']]);
    await expect(termCandidates(collection, { maxWords: 0 })).rejects.toThrow(ParameterError);
    await expect(termCandidates(collection, { minFrequency: 1.5 })).rejects.toThrow(
      'minFrequency = 1.5 is not 1 or more',
    );
    await expect(termCandidates(collection, {}, new Run({ signal: AbortSignal.abort() }))).rejects.toThrow('cancelled');
  });
});

describe('normalTerm', () => {
  it('is a text as candidates are normalised', async () => {
    expect(await normalTerm(' Neural  Networks ', 'en')).toBe('neural network');
    expect(await normalTerm('Neuronale Netze', 'de')).toBe('neuronale netze');
    expect(await normalTerm('', 'en')).toBe('');
  });
});

describe('generalFrequencies', () => {
  it('are those of film subtitles for English, forms counted with their lemma', async () => {
    const { frequency, total } = await generalFrequencies(collectionOf([]), ['you', 'house', 'backpropagation']);
    expect(total).toBe(49_719_560);
    expect(frequency[0]).toBe(2_134_713);
    expect(frequency[1]).toBeGreaterThan(25_000);
    expect(frequency[2]).toBe(0);
  });

  it('are those of the background where there is one', async () => {
    const background = collectionOf([['Das Haus', 'das Netz']], 'de');
    const given = collectionOf([], 'de', background);
    const { frequency, total } = await generalFrequencies(given, ['das', 'haus', 'baum']);
    expect([...(frequency as Float64Array)]).toEqual([2, 1, 0]);
    expect(total).toBe(4);
  });

  it('ask for a background in a language without, and for words in it', async () => {
    await expect(generalFrequencies(collectionOf([], 'de'), [])).rejects.toThrow('give a background');
    await expect(generalFrequencies(collectionOf([], 'en', collectionOf([])), [])).rejects.toThrow(InputError);
  });
});
