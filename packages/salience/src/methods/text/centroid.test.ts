import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Run } from '../../core/run.ts';
import { isStream } from '../../core/scores.ts';
import type { Collection } from '../../subjects/document/collection.ts';
import { type IdfTable, sentenceVectors } from '../../subjects/document/sentence-vectors.ts';
import { centroid, centroidOf, centroidScores } from './centroid.ts';

const idf: IdfTable = { values: new Map(Object.entries({ fox: 3, river: 2, the: 0, bread: 5 })) };
const words = (text: string) => text.split(' ');
const sentences = sentenceVectors([words('the fox fox'), words('the river fox'), words('bread')], idf);

describe('centroidOf', () => {
  it('is the mean over the documents of tf · idf', () => {
    expect(sentences.vocabulary).toEqual(['the', 'fox', 'river', 'bread']);
    expect([...centroidOf(sentences, { documents: 2 })]).toEqual([0, 9 / 2, 1, 5 / 2]);
  });

  it('keeps the highest words up to its size, and those above the cut-off', () => {
    expect([...centroidOf(sentences, { documents: 2, size: 2 })]).toEqual([0, 9 / 2, 0, 5 / 2]);
    expect([...centroidOf(sentences, { documents: 2, cutOff: 2.5 })]).toEqual([0, 9 / 2, 0, 0]);
  });
});

describe('centroidScores', () => {
  it('sums the weights of the distinct words', () => {
    const weights = centroidOf(sentences, { documents: 2 });
    expect([...centroidScores(sentences, weights)]).toEqual([4.5, 5.5, 2.5]);
  });
});

describe('the method centroid', () => {
  const collectionOf = (texts: string[]): Collection => {
    const all = texts.map((text, position) => ({ text, document: 0, position }));
    return { language: 'en', documents: [{ name: 'story', sentences: all }], sentences: all };
  };

  it('prefers sentences with the words that recur', async () => {
    const collection = collectionOf([
      'Rain fell.',
      'The fox swam.',
      'A fox ran home.',
      'Another fox slept.',
      'Nobody saw.',
    ]);
    const scores = await centroid.score(collection, parseParams(centroid), new Run());
    if (isStream(scores)) throw new Error('sentence scores are no stream');
    expect(scores.values.indexOf(Math.max(...scores.values))).toBe(2);
    expect(scores.unit).toBe('sentence');
    expect(scores.costs).toEqual({ unit: 'word', values: Uint32Array.of(2, 3, 4, 3, 2) });
  });

  it('refuses an empty collection', async () => {
    await expect(centroid.score(collectionOf([]), parseParams(centroid), new Run())).rejects.toThrow(
      'there is no sentence to score',
    );
  });
});
