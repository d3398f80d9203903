/** @file Single examples of a dataset, by their numbers. */

import type { Dataset, ExampleChunk } from './dataset.ts';

/** One example. */
export interface ReadExample {
  /** Shape [features]. */
  readonly features: Float32Array;
  readonly text?: string;
}

/** Examples in the order they are asked for; each chunk that holds some is read once. */
export async function readExamples(dataset: Dataset, indices: ArrayLike<number>): Promise<ReadExample[]> {
  const { chunks, features } = dataset;
  const wanted = new Map<number, number[]>();
  for (let i = 0; i < indices.length; i++) {
    const chunk = chunkOf(chunks, indices[i]);
    const places = wanted.get(chunk) ?? [];
    places.push(i);
    wanted.set(chunk, places);
  }
  const d = features.length;
  const made = new Array<ReadExample>(indices.length);
  for (const [chunk, places] of [...wanted].sort(([a], [b]) => a - b)) {
    const { start, features: values, texts } = await dataset.read(chunks[chunk]);
    for (const place of places) {
      const row = indices[place] - start;
      made[place] = { features: values.slice(row * d, (row + 1) * d), ...(texts && { text: texts[row] }) };
    }
  }
  return made;
}

/** The chunk that holds an example. */
function chunkOf(chunks: readonly ExampleChunk[], index: number): number {
  let low = 0;
  let high = chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (chunks[middle].start <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}
