/** @file DSIR (arXiv:2302.03169): documents drawn by how much likelier the reference made their words, or their numbers, than the pool. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import { hashedNGrams, wordsAndSigns } from '../../numerics/resampling/hashed-n-grams.ts';
import {
  BucketCounts,
  binOf,
  logImportance,
  logRatios,
  quantileEdges,
} from '../../numerics/resampling/importance-weights.ts';
import { gumbelKeys } from '../../numerics/sampling/without-replacement.ts';
import { checkFeatures, type Dataset, type Examples } from '../../subjects/dataset/dataset.ts';
import { readExamples } from '../../subjects/dataset/example-reader.ts';
import { referenceOf, referenceParams } from '../../subjects/dataset/reference.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** From examples to the buckets of each. */
interface Bucketing {
  readonly buckets: number;
  of(text: string | undefined, features: Float32Array): Uint32Array;
}

const mostSampled = 20_000;

/** Hashed n-grams of texts, or for numbers a bin of each column, which makes the weight a ratio of naive Bayes models. */
async function bucketingOf(
  pool: Dataset,
  { ngrams, buckets, bins }: { readonly ngrams: number; readonly buckets: number; readonly bins: number },
  run: Run,
): Promise<Bucketing> {
  if (pool.hasText) {
    return { buckets, of: (text = '') => hashedNGrams(wordsAndSigns(text), { longest: ngrams, buckets }) };
  }
  const d = pool.features.length;
  if (d === 0) throw new InputError(`${pool.name}: has neither text nor features to be compared by`);
  const drawn = run.random('bins').permutation(pool.examples).subarray(0, mostSampled);
  const rows = await readExamples(pool, drawn);
  const edges = pool.features.map((_, c) =>
    quantileEdges(
      Float64Array.from(rows, ({ features }) => features[c]),
      bins,
    ),
  );
  return {
    buckets: d * bins,
    of: (_, features) => Uint32Array.from(features, (value, c) => c * bins + binOf(value, edges[c])),
  };
}

export const dsir = method({
  id: 'dsir',
  name: 'DSIR',
  source: 'arXiv:2302.03169',
  summary: 'Draws documents by importance weights, so that the choice looks like the reference.',
  unit: 'document',
  subject: dataset,
  formula: 's = Σ over the n-grams of log p_reference − log p_pool, plus Gumbel noise',
  cost: 'O(words), two passes',
  params: z.object({
    ...referenceParams,
    ngrams: z.int().min(1).default(2).describe('words of the longest n-grams'),
    buckets: z.int().min(2).default(10_000).describe('buckets that n-grams are hashed to'),
    bins: z.int().min(2).default(10).describe('bins of each column, of datasets without text'),
    noise: z
      .boolean()
      .default(true)
      .describe('draw by the weights, as the paper does; without noise the documents of the highest weights are kept'),
  }),
  async score(pool, params, run) {
    const bucketing = await bucketingOf(pool, params, run);
    const reference = await referenceOf(pool, params, run);
    const each = async (what: string, use: (buckets: Uint32Array, example: number) => void) => {
      for (const chunk of pool.chunks) {
        const examples: Examples = await pool.read(chunk);
        if (!pool.hasText) checkFeatures(pool, chunk, examples.features);
        const d = pool.features.length;
        for (let i = 0; i < chunk.length; i++) {
          const features = examples.features.subarray(i * d, (i + 1) * d);
          use(bucketing.of(examples.texts?.[i], features), chunk.start + i);
        }
        run.progress(what, chunk.start + chunk.length, pool.examples);
        await run.breathe();
      }
    };
    const target = new BucketCounts(bucketing.buckets);
    for (const { text, features } of reference.examples) target.add(bucketing.of(text, features));
    const raw = new BucketCounts(bucketing.buckets);
    await each('counting', (buckets) => raw.add(buckets));
    const ratios = logRatios(target, raw);
    const weights = new Float64Array(pool.examples);
    await each('weighing', (buckets, example) => {
      weights[example] = logImportance(buckets, ratios);
    });
    const values = params.noise ? gumbelKeys(weights, run.random('gumbel')) : weights;
    return {
      unit: 'document',
      values: Float32Array.from(values),
      findings: reference.remarks.map((text) => ({ kind: 'text' as const, text })),
    };
  },
});
