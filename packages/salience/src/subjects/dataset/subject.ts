/** @file The dataset subject: training examples with features or texts, and classes. Keeping keeps examples. */

import { z } from 'zod';
import type { SubjectKind } from '../../core/subject.ts';
import { openOne, readingOptions } from '../table/table-options.ts';
import type { Dataset } from './dataset.ts';
import { digitImages } from './digit-images.ts';
import { keepExamples } from './keep-examples.ts';
import { readDataset } from './read-dataset.ts';

const options = z.object({
  target: z.string().optional().describe('column of the classes'),
  text: z.string().optional().describe('column of the texts; where there is one called text, that'),
  features: z
    .string()
    .optional()
    .describe('columns of the features, joined by commas, lists of numbers too; all columns of numbers or categories'),
  ...readingOptions,
});

/** Training examples, read in chunks. */
export const dataset: SubjectKind<Dataset, typeof options> = {
  kind: 'dataset',
  accepts: 'a JSONL, CSV or Parquet file with an example a row',
  options,
  needsOutput: true,

  async load(paths, { header, separator, features, ...reading }, run) {
    const file = await openOne('dataset', paths, { header, separator }, run);
    const names = features?.split(',').map((name) => name.trim());
    const read = await readDataset(file, { ...reading, features: names }, run);
    for (const remark of read.remarks) run.log(`${read.name}: ${remark}`);
    return read;
  },

  async sample(run) {
    return digitImages(300, run.random('digits'));
  },

  keep: keepExamples,
};
