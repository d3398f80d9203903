/** @file The documents of a dataset as vectors, and those in clusters: an embedding of the file, their words, or their features. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type KMeans, kMeansSteps } from '../../numerics/clustering/k-means.ts';
import { hashedNGrams, wordsAndSigns } from '../../numerics/resampling/hashed-n-grams.ts';
import { groupMoments } from '../../numerics/statistics/standardise.ts';
import { allFeatures, type Dataset } from './dataset.ts';

/** Parameters of methods that put documents into clusters. */
export const clusterParams = {
  clusters: z
    .int()
    .min(1)
    .optional()
    .describe('clusters of documents, found by k-means; by default half the root of their number, 1,000 at the most'),
  embedding: z
    .string()
    .optional()
    .describe(
      'column with a list of numbers for each document; by default the words of the texts, or else the features',
    ),
  dimensions: z.int().min(2).default(64).describe('numbers that the words of a text are reduced to'),
};

type ClusterParams = z.infer<z.ZodObject<typeof clusterParams>>;

/**
 * Clusters of a dataset's documents.
 * @throws InputError for fewer documents than clusters, a column without lists of one length, or a dataset with nothing to embed.
 */
export async function documentClusters(
  dataset: Dataset,
  { clusters, embedding, dimensions }: ClusterParams,
  run: Run,
): Promise<KMeans> {
  const { examples, name } = dataset;
  const count = clusters ?? Math.min(1000, Math.max(1, Math.round(Math.sqrt(examples) / 2)));
  if (examples < count)
    throw new InputError(`${name}: ${examples} documents cannot make ${count} clusters; ask for fewer`);
  const { rows, columns } =
    embedding !== undefined
      ? await embeddedBy(dataset, embedding)
      : dataset.hasText
        ? await embeddedWords(dataset, dimensions, run)
        : await standardised(dataset);
  const found = await run.drive(
    'clusters',
    kMeansSteps(rows, columns, { clusters: count, random: run.random('clusters') }),
  );
  if (found.clusters < count) run.log(`${name}: ${found.clusters} of ${count} clusters hold a document`);
  return found;
}

interface Vectors {
  readonly rows: Float32Array;
  readonly columns: number;
}

async function embeddedBy(dataset: Dataset, column: string): Promise<Vectors> {
  let rows = new Float32Array(0);
  let columns = 0;
  for (const chunk of dataset.chunks) {
    const values = (await dataset.read(chunk)).column(column);
    values.forEach((value, i) => {
      const vector = value as ArrayLike<number> | undefined;
      const row = chunk.start + i;
      if (typeof value !== 'object' || typeof vector?.length !== 'number' || vector.length === 0)
        throw new InputError(`${dataset.name}: document ${row} has no list of numbers in column ${column}`);
      if (columns === 0) {
        columns = vector.length;
        rows = new Float32Array(dataset.examples * columns);
      }
      if (vector.length !== columns)
        throw new InputError(
          `${dataset.name}: document ${row} has ${vector.length} numbers in column ${column}, the first has ${columns}`,
        );
      for (let c = 0; c < columns; c++) {
        if (!Number.isFinite(vector[c]))
          throw new InputError(`${dataset.name}: document ${row}, column ${column} has ${vector[c]} at place ${c}`);
        rows[row * columns + c] = vector[c];
      }
    });
  }
  return { rows, columns };
}

/** Features with mean 0 and deviation 1, 0 where they are constant. */
async function standardised(dataset: Dataset): Promise<Vectors> {
  if (dataset.features.length === 0) {
    throw new InputError(
      `${dataset.name}: has neither text nor features; name a column of embeddings with --embedding`,
    );
  }
  const rows = await allFeatures(dataset);
  const columns = dataset.features.length;
  const { means, deviations } = groupMoments(rows, columns, (i) => i % columns);
  for (let i = 0; i < rows.length; i++) {
    const c = i % columns;
    rows[i] = deviations[c] > 0 ? (rows[i] - means[c]) / deviations[c] : 0;
  }
  return { rows, columns };
}

const buckets = 2 ** 16;

/** tf·idf of hashed words, reduced by random signs, of length 1 or 0. */
async function embeddedWords(dataset: Dataset, dimensions: number, run: Run): Promise<Vectors> {
  const holding = new Uint32Array(buckets);
  const each = async (use: (words: Uint32Array, row: number) => void, what: string) => {
    for (const chunk of dataset.chunks) {
      const { texts } = await dataset.read(chunk);
      texts!.forEach((text, i) => {
        use(hashedNGrams(wordsAndSigns(text), { longest: 1, buckets }), chunk.start + i);
      });
      run.progress(what, chunk.start + chunk.length, dataset.examples);
      await run.breathe();
    }
  };
  await each((words) => {
    for (const word of new Set(words)) holding[word]++;
  }, 'counting words');
  const idf = Float64Array.from(holding, (n) => Math.log((dataset.examples + 1) / (n + 1)));
  const random = run.random('word signs');
  const signs = Int8Array.from({ length: buckets * dimensions }, () => (random.integer(2) === 0 ? -1 : 1));
  const rows = new Float32Array(dataset.examples * dimensions);
  await each((words, row) => {
    const vector = rows.subarray(row * dimensions, (row + 1) * dimensions);
    for (const word of words)
      for (let d = 0; d < dimensions; d++) vector[d] += idf[word] * signs[word * dimensions + d];
    let square = 0;
    for (const value of vector) square += value * value;
    if (square > 0) for (let d = 0; d < dimensions; d++) vector[d] /= Math.sqrt(square);
  }, 'embedding');
  return { rows, columns: dimensions };
}
