/** @file What the methods that score terms share: their parameters, their candidates and the form of their scores. */

import { z } from 'zod';
import type { Run } from '../../core/run.ts';
import type { Scores } from '../../core/scores.ts';
import { basic } from '../../numerics/terms/basic.ts';
import { cValue } from '../../numerics/terms/c-value.ts';
import { comboBasic } from '../../numerics/terms/combo-basic.ts';
import { rake } from '../../numerics/terms/rake.ts';
import { tfIdf } from '../../numerics/terms/tf-idf.ts';
import { weirdness } from '../../numerics/terms/weirdness.ts';
import type { Collection } from './collection.ts';
import { generalFrequencies } from './general-frequencies.ts';
import { type TermCandidates, termCandidates } from './term-candidates.ts';

export const termParams = {
  maxWords: z.int().positive().default(5).describe('the longest term, in words'),
  minFrequency: z.int().positive().default(2).describe('terms that occur more rarely in the collection are left out'),
};

/**
 * Scores of the candidate terms of a collection, in alphabetical order of the terms, labelled by their usual written form.
 * @param score gives the score of each candidate, shape [n].
 */
export async function termScores(
  collection: Collection,
  params: { readonly maxWords: number; readonly minFrequency: number },
  run: Run,
  score: (candidates: TermCandidates) => Float64Array | Promise<Float64Array>,
): Promise<Scores> {
  const candidates = await termCandidates(collection, params, run);
  return { unit: 'term', values: Float32Array.from(await score(candidates)), labels: candidates.labels };
}

/** The term scores that other methods build on, by the id of the method. */
export const bases = ['tf-idf', 'c-value', 'rake', 'weirdness', 'basic', 'combo-basic'] as const;

/** One of these scores with the parameters of its source, shape [n]. */
export async function baseScores(
  base: (typeof bases)[number],
  candidates: TermCandidates,
  collection: Collection,
): Promise<Float64Array> {
  switch (base) {
    case 'tf-idf':
      return tfIdf(candidates);
    case 'c-value':
      return cValue(candidates);
    case 'rake':
      return rake(candidates, candidates.phrases);
    case 'weirdness': {
      const here = { frequency: candidates.wordFrequency, total: candidates.sentences.indices.length };
      return weirdness(candidates, here, await generalFrequencies(collection, candidates.vocabulary));
    }
    case 'basic':
      return basic(candidates);
    case 'combo-basic':
      return comboBasic(candidates);
  }
}
