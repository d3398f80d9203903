/** @file Datasets: training examples that are read in chunks, so that they may be larger than memory. */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';

/** A run of consecutive examples. */
export interface ExampleChunk {
  readonly start: number;
  readonly length: number;
}

/** The examples of one chunk. */
export interface Examples extends ExampleChunk {
  /** Numbers of the feature columns, row-major, shape [length · features]; empty where there are none. */
  readonly features: Float32Array;
  /** The text of each example, shape [length], where there is a text column. */
  readonly texts?: readonly string[];
  /** The prompt, the preferred and the other answer of each, where the dataset holds preference pairs. */
  readonly pairs?: readonly PreferencePair[];
  /** The raw values of any column of the file, shape [length]; lists of numbers in JSONL and Parquet are arrays. */
  column(name: string): readonly unknown[];
}

export interface PreferencePair {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

export interface Labels {
  readonly classes: readonly string[];
  /** Class of each example, shape [examples]. */
  readonly of: Uint32Array;
}

export interface Dataset {
  /** How reports call it: the file's name. */
  readonly name: string;
  readonly examples: number;
  /** Names of the features. Numbers are taken as they are, categories as one column of 0 and 1 for each level. */
  readonly features: readonly string[];
  readonly hasText: boolean;
  readonly hasPairs: boolean;
  /** All columns of the file. */
  readonly names: readonly string[];
  /** Classes, where a target is named: for all examples, they fit in memory. */
  readonly labels?: Labels;
  readonly chunks: readonly ExampleChunk[];
  /** Reads one chunk. */
  read(chunk: ExampleChunk): Promise<Examples>;
  readonly remarks: readonly string[];
  readonly source?: DatasetSource;
  /**
   * Reads another file as this one was: the same columns, numbered and coded alike; a category that this dataset has not is of no level.
   * Absent for a dataset made in memory.
   */
  open?(path: string, run: Run): Promise<Dataset>;
}

export interface DatasetSource {
  readonly path: string;
  readonly format: 'csv' | 'jsonl' | 'parquet';
  /** The separator of a CSV file. */
  readonly separator?: string;
  /** Whether the first record of a CSV file names its columns. */
  readonly header?: boolean;
  /** Bytes of the file. */
  readonly size: number;
  /** When the file was last changed, in milliseconds. */
  readonly changed: number;
}

/** Features that a method that needs all of them at once may take, in bytes. */
const mostBytes = 2 ** 31;

/**
 * All features at once, row-major, shape [examples · features].
 * @throws InputError if there are none, or they need more than 2^31 bytes, or one is no finite number, naming its row and column.
 */
export async function allFeatures(dataset: Dataset): Promise<Float32Array> {
  const { features, examples, name, chunks } = dataset;
  const d = features.length;
  if (d === 0) throw new InputError(`${name}: has no feature column; this method compares examples by numbers`);
  if (4 * examples * d > mostBytes) {
    throw new InputError(
      `${name}: ${examples.toLocaleString('en-US')} examples of ${d} features need ${(4 * examples * d).toLocaleString('en-US')} bytes at once, more than ${mostBytes.toLocaleString('en-US')}; this method needs all of them`,
    );
  }
  const all = new Float32Array(examples * d);
  for (const chunk of chunks) {
    const { features: part } = await dataset.read(chunk);
    checkFeatures(dataset, chunk, part);
    all.set(part, chunk.start * d);
  }
  return all;
}

/** @throws InputError naming the row and the column of a feature that is no finite number. */
export function checkFeatures({ features, name }: Dataset, { start }: ExampleChunk, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const row = start + Math.floor(at / features.length);
  throw new InputError(
    `${name}: example ${row}, column ${features[at % features.length]} is ${Number.isNaN(values[at]) ? 'missing or no number' : `${values[at]}, or too large for a float32`}; every feature must be a finite number`,
  );
}

/**
 * A dataset from arrays in memory, in one chunk or in several.
 * @throws InputError if there is no example, or lengths differ.
 */
export function datasetInMemory({
  features = [],
  values = new Float32Array(0),
  texts,
  pairs,
  columns = {},
  labels,
  name = 'dataset',
  chunkLength = Number.POSITIVE_INFINITY,
}: {
  /** Names of the features. */
  readonly features?: readonly string[];
  /** Row-major, shape [examples · features]. */
  readonly values?: Float32Array;
  readonly texts?: readonly string[];
  readonly pairs?: readonly PreferencePair[];
  /** Further columns, each of shape [examples]. */
  readonly columns?: Readonly<Record<string, readonly unknown[]>>;
  readonly labels?: Labels;
  readonly name?: string;
  readonly chunkLength?: number;
}): Dataset {
  const d = features.length;
  const examples = d > 0 ? values.length / d : (texts?.length ?? pairs?.length ?? 0);
  if (examples === 0) throw new InputError(`${name}: a dataset needs an example`);
  if (values.length !== examples * d) {
    throw new InputError(`${name}: ${values.length} numbers are not ${examples} examples of ${d} features`);
  }
  const lengths = { labels: labels?.of.length, texts: texts?.length, pairs: pairs?.length };
  for (const [what, length] of Object.entries(lengths)) {
    if (length !== undefined && length !== examples) {
      throw new InputError(`${name}: there are ${length} ${what} for ${examples} examples`);
    }
  }
  const chunks: ExampleChunk[] = [];
  for (let start = 0; start < examples; start += chunkLength) {
    chunks.push({ start, length: Math.min(chunkLength, examples - start) });
  }
  return {
    name,
    examples,
    features,
    hasText: texts !== undefined,
    hasPairs: pairs !== undefined,
    names: Object.keys(columns),
    labels,
    chunks,
    remarks: [],
    async read({ start, length }) {
      const end = start + length;
      return {
        start,
        length,
        features: values.subarray(start * d, end * d),
        texts: texts?.slice(start, end),
        pairs: pairs?.slice(start, end),
        column(column) {
          const all = columns[column];
          if (!all)
            throw new InputError(
              `${name}: has no column ${column}; it has ${Object.keys(columns).join(', ') || 'none'}`,
            );
          return all.slice(start, end);
        },
      };
    },
  };
}
