/** @file Batches of encoded examples: shuffled ones to train on, ordered ones to score. */

import type { Random } from '../../core/random.ts';
import { float32, int32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import type { EncodedExamples } from './encode.ts';

/** Examples side by side. Rows beyond the last example are blank, with weight 0. */
export interface ExampleBatch<Leaf = JaxArray> {
  /** Shape [batch, width]. */
  readonly inputs: Leaf;
  /** int32, shape [batch]. */
  readonly labels: Leaf;
  /** 1 for an example, shape [batch]. */
  readonly weights: Leaf;
}

/** A batch of consecutive examples. */
export interface OrderedBatch extends ExampleBatch<Tensor> {
  readonly start: number;
  readonly length: number;
}

/** A batch that is being filled. */
class Filling {
  readonly inputs: Float32Array | Int32Array;
  readonly labels: Int32Array;
  length = 0;
  readonly #of: EncodedExamples;

  constructor(of: EncodedExamples, size: number) {
    this.#of = of;
    this.inputs = new (of.type === 'int32' ? Int32Array : Float32Array)(size * of.width);
    this.labels = new Int32Array(size);
  }

  get full(): boolean {
    return this.length === this.labels.length;
  }

  add(row: Float32Array | Int32Array, label: number): void {
    this.inputs.set(row as Float32Array, this.length * this.#of.width);
    this.labels[this.length++] = label;
  }

  batch(): ExampleBatch<Tensor> {
    const shape = [this.labels.length, this.#of.width];
    return {
      inputs: this.inputs instanceof Int32Array ? int32(shape, this.inputs) : float32(shape, this.inputs),
      labels: int32([this.labels.length], this.labels),
      weights: float32(
        [this.labels.length],
        Float32Array.from(this.labels, (_, i) => Number(i < this.length)),
      ),
    };
  }
}

/** Batches of one epoch: chunks in random order, the examples of each in random order, all batches but the last full. */
async function* epoch(examples: EncodedExamples, size: number, random: Random): AsyncGenerator<ExampleBatch<Tensor>> {
  const { width, labels, chunks } = examples;
  let filling = new Filling(examples, size);
  for (const c of random.permutation(chunks.length)) {
    const chunk = chunks[c];
    const inputs = await examples.inputs(chunk);
    for (const i of random.permutation(chunk.length)) {
      filling.add(inputs.subarray(i * width, (i + 1) * width), labels.of[chunk.start + i]);
      if (!filling.full) continue;
      yield filling.batch();
      filling = new Filling(examples, size);
    }
  }
  if (filling.length > 0) yield filling.batch();
}

/** Batches by the step that they are for; one chunk and one batch are in memory. */
export function shuffledBatches(
  examples: EncodedExamples,
  size: number,
  random: Random,
): { readonly perEpoch: number; at(step: number): Promise<ExampleBatch<Tensor>> } {
  const perEpoch = Math.ceil(examples.examples / size);
  let running: AsyncGenerator<ExampleBatch<Tensor>> | undefined;
  let next = -1;
  return {
    perEpoch,
    async at(step) {
      if (step % perEpoch === 0 || step !== next || !running) {
        const begun = Math.floor(step / perEpoch);
        running = epoch(examples, size, random.stream(`epoch ${begun}`));
        for (let skipped = begun * perEpoch; skipped < step; skipped++) await running.next();
      }
      next = step + 1;
      return (await running.next()).value;
    },
  };
}

/** All examples in their order, chunk by chunk, in batches of one size. */
export async function* orderedBatches(examples: EncodedExamples, size: number): AsyncGenerator<OrderedBatch> {
  const { width, labels } = examples;
  const rows = Math.min(size, Math.max(...examples.chunks.map(({ length }) => length)));
  for (const chunk of examples.chunks) {
    const inputs = await examples.inputs(chunk);
    for (let from = 0; from < chunk.length; from += rows) {
      const filling = new Filling(examples, rows);
      const to = Math.min(chunk.length, from + rows);
      for (let i = from; i < to; i++) {
        filling.add(inputs.subarray(i * width, (i + 1) * width), labels.of[chunk.start + i]);
      }
      yield { start: chunk.start + from, length: to - from, ...filling.batch() };
    }
  }
}
