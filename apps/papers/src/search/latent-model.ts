/** @file The built-in embedder's model: the words it knows, their weights and directions, as bytes of the database. */

import { Random, task } from 'salience/core';
import { type LatentSemantics, latentSemantics, placeText } from 'salience/numerics';

export interface LatentModel {
  readonly semantics: LatentSemantics;
  /** The number of each lexeme. */
  readonly numbers: ReadonlyMap<string, number>;
  /** How many papers it was trained on, and how many there were. */
  readonly trainedOn: number;
  readonly collection: number;
}

/** The texts to train on, as numbers, so that they can travel to another thread. */
export interface LatentTraining {
  readonly offsets: Uint32Array;
  readonly indices: Uint32Array;
  readonly terms: number;
  readonly width: number;
}

/** What a training gives: idf [terms], projection [terms, width]. */
export interface LatentTrained {
  readonly idf: Float32Array;
  readonly projection: Float32Array;
  readonly width: number;
}

/**
 * Trains on numbered texts; always the same from the same.
 * @worker
 */
export async function trainLatent({ offsets, indices, terms, width }: LatentTraining): Promise<LatentTrained> {
  const {
    idf,
    projection,
    width: rank,
  } = await latentSemantics({ offsets, indices }, terms, width, new Random(0, 'latent-semantics'));
  return { idf, projection, width: rank };
}

/** `trainLatent` as another thread finds it. */
export const latentTraining = task(import.meta.url, trainLatent);

/** The vector of a text from its lexemes. */
export function placeLexemes({ semantics, numbers }: LatentModel, lexemes: readonly string[]): Float32Array {
  const known: number[] = [];
  for (const lexeme of lexemes) {
    const number = numbers.get(lexeme);
    if (number !== undefined) known.push(number);
  }
  return placeText(semantics, known);
}

/** A model as bytes: the length of a JSON head, the head, idf and projection in float32, little endian. */
export function packLatent(
  words: readonly string[],
  { idf, projection, width }: LatentTrained,
  counts: { readonly collection: number; readonly trainedOn: number },
): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ ...counts, width, words }));
  const bytes = new Uint8Array(4 + head.length + 4 * (idf.length + projection.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = 4 + head.length;
  for (const values of [idf, projection]) {
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}

/** How many papers there were when a model was trained, from its first 64 bytes. */
export function collectionOf(bytes: Uint8Array): number {
  return Number(/"collection":(\d+)/.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? 0);
}

/** @throws Error if the bytes are not those of a model. */
export function unpackLatent(bytes: Uint8Array): LatentModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const { width, words, trainedOn, collection } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(4, 4 + length)),
  ) as { width: number; words: string[]; trainedOn: number; collection: number };
  const start = 4 + length;
  if (bytes.length !== start + 4 * words.length * (1 + width)) {
    throw new Error(`the trained embedder has ${bytes.length} bytes, not those of ${words.length} words`);
  }
  const floats = (from: number, count: number) =>
    Float32Array.from({ length: count }, (_, i) => view.getFloat32(from + 4 * i, true));
  return {
    semantics: {
      width,
      idf: floats(start, words.length),
      projection: floats(start + 4 * words.length, words.length * width),
    },
    numbers: new Map(words.map((word, number) => [word, number])),
    trainedOn,
    collection,
  };
}
