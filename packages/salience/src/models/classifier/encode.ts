/** @file Examples as networks take them: standardised features, or words as numbers, read in chunks of bounded size. */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';

interface Chunk {
  readonly start: number;
  readonly length: number;
}

/** What is read of a dataset. */
export interface ExampleSource {
  readonly name: string;
  readonly examples: number;
  /** Names of the features. */
  readonly features: readonly string[];
  readonly hasText: boolean;
  readonly chunks: readonly Chunk[];
  read(chunk: Chunk): Promise<{
    /** Row-major, shape [length · features]. */
    readonly features: Float32Array;
    readonly texts?: readonly string[];
  }>;
}

/** The class of each example, shape [examples]. */
export interface ExampleLabels {
  readonly classes: readonly string[];
  readonly of: Uint32Array;
}

/** How examples become numbers; learnt from training examples and applied to all. */
export type Encoder =
  | { readonly kind: 'features'; readonly means: Float64Array; readonly deviations: Float64Array }
  | {
      readonly kind: 'text';
      /** Word → its number, from 2; 0 pads and 1 is any other word. */
      readonly numbers: ReadonlyMap<string, number>;
      readonly length: number;
    };

/** Encoded examples with their labels, in chunks. */
export interface EncodedExamples {
  readonly name: string;
  readonly examples: number;
  /** Numbers of one example: features, or words. */
  readonly width: number;
  readonly type: 'float32' | 'int32';
  readonly labels: ExampleLabels;
  readonly chunks: readonly Chunk[];
  /** Numbers of a chunk, row-major, shape [length · width]. */
  inputs(chunk: Chunk): Promise<Float32Array | Int32Array>;
}

/** Words of a text, in lower case: runs of letters, marks and digits; characters of scripts without spaces are words each. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}_]+/gu) ?? [];
}

/** Different words that are counted at a time; the rare ones are forgotten when there are more. */
const mostCounted = 2 ** 20;

/**
 * Learns an encoder in one pass over the chunks: of text (where there is some) the most frequent words, ties in alphabetical order, of
 * features the mean and deviation of each.
 * @param most how many words have a number of their own, and words of an example that are read.
 * @throws InputError if there is neither text nor a feature, or no text has a word, or a feature is no finite number, naming it.
 */
export async function fitEncoder(
  source: ExampleSource,
  most: { readonly vocabulary: number; readonly length: number },
  run: Run,
): Promise<Encoder> {
  return source.hasText ? fitWords(source, most, run) : fitFeatures(source, run);
}

async function fitWords(
  source: ExampleSource,
  most: { readonly vocabulary: number; readonly length: number },
  run: Run,
): Promise<Encoder> {
  const counts = new Map<string, number>();
  let longest = 0;
  for (const chunk of source.chunks) {
    await run.breathe();
    for (const text of (await source.read(chunk)).texts ?? []) {
      const words = wordsOf(text);
      longest = Math.max(longest, words.length);
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    for (let rare = 1; counts.size > mostCounted; rare++) {
      for (const [word, count] of counts) if (count <= rare) counts.delete(word);
    }
  }
  if (longest === 0) throw new InputError(`${source.name}: no text has a word`);
  const kept = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, most.vocabulary);
  return {
    kind: 'text',
    numbers: new Map(kept.map(([word], i) => [word, i + 2])),
    length: Math.min(longest, most.length),
  };
}

async function fitFeatures(source: ExampleSource, run: Run): Promise<Encoder> {
  const d = source.features.length;
  if (d === 0) throw new InputError(`${source.name}: has neither a text nor a feature column to train on`);
  const means = new Float64Array(d);
  const squares = new Float64Array(d);
  let n = 0;
  for (const chunk of source.chunks) {
    await run.breathe();
    const { features } = await source.read(chunk);
    checkFinite(source, chunk, features);
    for (let i = 0; i < chunk.length; i++) {
      n++;
      for (let j = 0; j < d; j++) {
        const apart = features[i * d + j] - means[j];
        means[j] += apart / n;
        squares[j] += apart * (features[i * d + j] - means[j]);
      }
    }
  }
  return { kind: 'features', means, deviations: squares.map((sum) => Math.sqrt(sum / n)) };
}

function checkFinite({ name, features }: ExampleSource, { start }: Chunk, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const d = features.length;
  throw new InputError(
    `${name}: example ${start + Math.floor(at / d)}, column ${features[at % d]} is ${Number.isNaN(values[at]) ? 'missing or no number' : values[at]}; every feature must be a finite number`,
  );
}

/** Encoded examples that are held rather than read and encoded again for every pass, in bytes. */
const mostHeld = 2 ** 28;

/**
 * Examples by an encoder. Up to 256 MiB of them are held once read; larger ones are read again for every pass.
 * @throws InputError if there are no labels, not one an example, or one is no class.
 */
export function encoded(source: ExampleSource, encoder: Encoder, labels: ExampleLabels | undefined): EncodedExamples {
  const { name, examples, chunks } = source;
  if (!labels) throw new InputError(`${name}: has no labels; name the column of the classes with --target`);
  checkLabels(name, examples, labels);
  const width = encoder.kind === 'text' ? encoder.length : encoder.means.length;
  if (encoder.kind === 'features' && source.features.length !== width) {
    throw new InputError(`${name}: has ${source.features.length} features, and the encoder was made of ${width}`);
  }
  const held = new Map<number, Promise<Float32Array | Int32Array>>();
  const holds = 4 * examples * width <= mostHeld;
  const read = async (chunk: Chunk) => {
    const { features, texts } = await source.read(chunk);
    if (encoder.kind === 'text') {
      if (!texts) throw new InputError(`${name}: has no text, and the encoder was made of text`);
      return numbersOf(texts, encoder);
    }
    checkFinite(source, chunk, features);
    return standardised(features, encoder);
  };
  return {
    name,
    examples,
    width,
    type: encoder.kind === 'text' ? 'int32' : 'float32',
    labels,
    chunks,
    inputs(chunk) {
      if (!holds) return read(chunk);
      const made = held.get(chunk.start) ?? read(chunk);
      held.set(chunk.start, made);
      return made;
    },
  };
}

function checkLabels(name: string, examples: number, { of, classes }: ExampleLabels): void {
  if (of.length !== examples) throw new InputError(`${name}: there are ${of.length} labels for ${examples} examples`);
  if (classes.length < 2) {
    throw new InputError(`${name}: the target has one class, ${classes[0]}; a classifier needs two or more`);
  }
  const at = of.findIndex((label) => label >= classes.length);
  if (at >= 0) {
    throw new InputError(`${name}: the label of example ${at} is ${of[at]}, and there are ${classes.length} classes`);
  }
}

function numbersOf(texts: readonly string[], { numbers, length }: Encoder & { kind: 'text' }): Int32Array {
  const made = new Int32Array(texts.length * length);
  texts.forEach((text, i) => {
    wordsOf(text)
      .slice(0, length)
      .forEach((word, t) => {
        made[i * length + t] = numbers.get(word) ?? 1;
      });
  });
  return made;
}

function standardised(features: Float32Array, { means, deviations }: Encoder & { kind: 'features' }): Float32Array {
  const d = means.length;
  return features.map((value, at) => {
    const j = at % d;
    return deviations[j] > 0 ? (value - means[j]) / deviations[j] : 0;
  });
}

/**
 * Some of the examples, in their order, by the chunks of all.
 * @param kept ascending.
 * @throws InputError if nothing is kept.
 */
export function subsetOf(examples: EncodedExamples, kept: Uint32Array): EncodedExamples {
  const { name, labels, width } = examples;
  if (kept.length === 0) throw new InputError(`${name}: no example is kept to train on`);
  const bases = new Map<number, Chunk>();
  const chunks: Chunk[] = [];
  let at = 0;
  for (const base of examples.chunks) {
    const start = at;
    while (at < kept.length && kept[at] < base.start + base.length) at++;
    if (at === start) continue;
    bases.set(start, base);
    chunks.push({ start, length: at - start });
  }
  return {
    ...examples,
    examples: kept.length,
    labels: { classes: labels.classes, of: Uint32Array.from(kept, (i) => labels.of[i]) },
    chunks,
    async inputs({ start, length }) {
      const base = bases.get(start)!;
      const all = await examples.inputs(base);
      const Kind = all.constructor as Float32ArrayConstructor;
      const made = new Kind(length * width);
      for (let i = 0; i < length; i++) {
        const row = kept[start + i] - base.start;
        made.set(all.subarray(row * width, (row + 1) * width) as Float32Array, i * width);
      }
      return made;
    },
  };
}

/** The same examples with nothing in them: all words pad, all features are at their mean. */
export function blank(examples: EncodedExamples): EncodedExamples {
  const Kind = examples.type === 'int32' ? Int32Array : Float32Array;
  return { ...examples, inputs: async ({ length }) => new Kind(length * examples.width) };
}

/**
 * The same examples with other labels, such as noisy ones.
 * @throws InputError unless there is one an example and each is a class.
 */
export function relabelled(examples: EncodedExamples, of: Uint32Array): EncodedExamples {
  const labels = { classes: examples.labels.classes, of };
  checkLabels(examples.name, examples.examples, labels);
  return { ...examples, labels };
}
