/** @file The preferences subject: prompts with a preferred and another answer. Keeping keeps pairs. */

import { z } from 'zod';
import type { SubjectKind } from '../../core/subject.ts';
import type { Dataset } from '../dataset/dataset.ts';
import { keepExamples } from '../dataset/keep-examples.ts';
import { readDataset } from '../dataset/read-dataset.ts';
import { openOne, readingOptions } from '../table/table-options.ts';
import { preferencePairs } from './preference-pairs.ts';

const options = z.object({
  prompt: z.string().default('prompt').describe('column of the prompts'),
  chosen: z.string().default('chosen').describe('column of the preferred answers'),
  rejected: z.string().default('rejected').describe('column of the other answers'),
  features: z.string().optional().describe('columns of features, joined by commas, lists of numbers too; none'),
  ...readingOptions,
});

/** Preference pairs: texts, or lists of chat messages. */
export const preferences: SubjectKind<Dataset, typeof options> = {
  kind: 'preferences',
  accepts: 'a JSONL, CSV or Parquet file with a prompt, a chosen and a rejected answer in each row',
  options,
  needsOutput: true,

  async load(paths, { header, separator, features, prompt, chosen, rejected, ...reading }, run) {
    const file = await openOne('preference file', paths, { header, separator }, run);
    const names = features?.split(',').map((name) => name.trim()) ?? [];
    const read = await readDataset(file, { ...reading, features: names, pair: { prompt, chosen, rejected } }, run);
    for (const remark of read.remarks) run.log(`${read.name}: ${remark}`);
    return read;
  },

  async sample(run) {
    return preferencePairs(200, run.random('preferences'));
  },

  keep: keepExamples,
};
