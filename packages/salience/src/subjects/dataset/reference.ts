/** @file The reference: the examples that what is chosen from a dataset is to be good for. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { checkFeatures, type Dataset } from './dataset.ts';
import { type ReadExample, readExamples } from './example-reader.ts';

/** Parameters of methods that choose by a reference. */
export const referenceParams = {
  reference: z
    .string()
    .optional()
    .describe(
      'file of the same form with examples that the choice is to be good for; by default a sample of the dataset itself',
    ),
  referenceSize: z.int().min(1).default(64).describe('examples of the reference that are used, drawn by the seed'),
};

/** The examples of a reference. */
export interface Reference {
  readonly examples: readonly ReadExample[];
  /** Classes as the dataset numbers them, where both have labels. */
  readonly labels?: readonly number[];
  readonly remarks: readonly string[];
}

/**
 * The reference named, or a sample of the dataset itself, which is logged.
 * @throws InputError for a reference with other features, without the dataset's text or labels, or with a class it has not.
 */
export async function referenceOf(
  dataset: Dataset,
  { reference, referenceSize }: z.infer<z.ZodObject<typeof referenceParams>>,
  run: Run,
): Promise<Reference> {
  if (reference === undefined) {
    const remark = `no reference is named: ${Math.min(referenceSize, dataset.examples)} random examples of ${dataset.name} stand for what the choice is to be good for`;
    run.log(remark);
    return drawnFrom(dataset, dataset, referenceSize, [remark], run);
  }
  if (!dataset.open)
    throw new InputError(`${dataset.name}: a dataset in memory opens no file; give its reference in memory`);
  return drawnFrom(await dataset.open(reference, run), dataset, referenceSize, [], run);
}

/** Examples of one dataset, of the form of another. */
async function drawnFrom(
  from: Dataset,
  like: Dataset,
  size: number,
  remarks: readonly string[],
  run: Run,
): Promise<Reference> {
  if (like.hasText && !from.hasText) throw new InputError(`${from.name}: has no text, and ${like.name} has`);
  const chosen = run.random('reference').permutation(from.examples).subarray(0, size).sort();
  const examples = await readExamples(from, chosen);
  // Of texts nothing else is looked at.
  if (!like.hasText) {
    checkSameFeatures(from, like);
    examples.forEach(({ features }, i) => {
      checkFeatures(from, { start: chosen[i], length: 1 }, features);
    });
  }
  if (!like.labels) return { examples, remarks };
  if (!from.labels) throw new InputError(`${from.name}: has no labels, and ${like.name} has`);
  const { classes, of } = from.labels;
  const number = classes.map((name) => like.labels!.classes.indexOf(name));
  const labels = Array.from(chosen, (i) => {
    if (number[of[i]] < 0) throw new InputError(`${from.name}: class ${classes[of[i]]} is none of ${like.name}`);
    return number[of[i]];
  });
  return { examples, labels, remarks };
}

function checkSameFeatures(from: Dataset, like: Dataset): void {
  const missing = like.features.find((feature, f) => from.features[f] !== feature);
  if (missing !== undefined)
    throw new InputError(`${from.name}: has no feature ${missing}, and ${like.name} has; a reference has the same`);
  if (from.features.length > like.features.length) {
    throw new InputError(
      `${from.name}: has a feature ${from.features[like.features.length]}, and ${like.name} has not`,
    );
  }
}
