/** @file A dataset as batches of instances with a similarity graph over each, made part by part where it does not fit in memory. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { GraphBatch } from '../../models/graph-attention/instance-network.ts';
import {
  bucketBatches,
  distanceGraph,
  dropEdges,
  hashGraph,
  multiLevelGraph,
  multiViewGraph,
  stratifiedBatches,
} from '../../numerics/graph/instance-graphs.ts';
import { gaussianDirections, signCodes } from '../../numerics/hashing/random-projection.ts';
import { float32, int32, Tensor } from '../../runtime/index.ts';
import { checkFeatures, type Dataset, type ExampleChunk, type Labels } from './dataset.ts';
import { labelsOf } from './labelled-features.ts';

/** What one pass over a dataset tells of its columns, each scaled to 0 to 1. */
interface Survey {
  readonly low: Float64Array;
  readonly width: Float64Array;
  /** Mean of the scaled column. */
  readonly centre: Float64Array;
}

async function survey(data: Dataset, run: Run): Promise<Survey> {
  const d = data.features.length;
  if (d === 0)
    throw new InputError(`${data.name}: has no feature column; a graph of instances compares instances by numbers`);
  const low = new Float64Array(d).fill(Infinity);
  const high = new Float64Array(d).fill(-Infinity);
  const sum = new Float64Array(d);
  for (const chunk of data.chunks) {
    const { features } = await data.read(chunk);
    checkFeatures(data, chunk, features);
    for (let i = 0, c = 0; i < features.length; i++, c = c + 1 === d ? 0 : c + 1) {
      low[c] = Math.min(low[c], features[i]);
      high[c] = Math.max(high[c], features[i]);
      sum[c] += features[i];
    }
    run.progress('reading', chunk.start + chunk.length, data.examples);
    await run.breathe();
  }
  const width = high.map((value, c) => value - low[c]);
  const centre = sum.map((value, c) => (width[c] > 0 ? (value / data.examples - low[c]) / width[c] : 0));
  return { low, width, centre };
}

/** Instances of a batch with the graph over them, padded to the same number of nodes in all batches. */
export interface InstanceBatch extends GraphBatch {
  /** The examples, shape [instances]; nodes after them are padding. */
  readonly examples: Uint32Array;
}

/** How instances are joined. */
export interface InstanceGraphOptions {
  readonly graph: 'distance' | 'hash1' | 'hashMulti' | 'hashView';
  readonly batchSize: number;
  /** Distance: the quantile of similarity above which pairs are joined. */
  readonly q: number;
  /** Share of the edges that is dropped. */
  readonly maskRate: number;
  /** Bits of a code of `hash1` and `hashView`. */
  readonly bits: number;
  /** Bits in which candidates of `hash1` may differ. */
  readonly hamming: number;
  /** Bits of the levels of `hashMulti`, ascending. */
  readonly levels: readonly number[];
  /** Codes of `hashView`. */
  readonly views: number;
  /** Similarity that an edge of a hash graph needs; default 0.75, for `hashMulti` 0. */
  readonly threshold?: number;
  /** Neighbours of a node of a hash graph at the most. */
  readonly maxNeighbours: number;
}

/** Consecutive chunks that are read and cut into batches together. */
type Segment = readonly ExampleChunk[];

const lengthOf = (segment: Segment) => segment.reduce((sum, { length }) => sum + length, 0);

/** One segment where its features and graphs fit, else as many as it takes. */
function segmentsOf({ chunks, examples, features }: Dataset, batchSize: number, bytes: number): Segment[] {
  const each = 4 * features.length + batchSize;
  if (each * examples <= bytes) return [chunks];
  const segments: ExampleChunk[][] = [];
  let held = Infinity;
  for (const chunk of chunks) {
    // A quarter: training batches stay beside it.
    if (held + each * chunk.length > bytes / 4) {
      segments.push([]);
      held = 0;
    }
    segments[segments.length - 1].push(chunk);
    held += each * chunk.length;
  }
  return segments;
}

/** The batches of a dataset, segment by segment; the same whenever they are asked for. */
export class GraphBatches {
  readonly segments: readonly Segment[];
  readonly #data: Dataset;
  readonly #labels: Labels;
  readonly #options: InstanceGraphOptions;
  readonly #survey: Survey;
  readonly #run: Run;
  readonly #directions: readonly Float64Array[];
  readonly #nodes: number;

  private constructor(
    data: Dataset,
    labels: Labels,
    options: InstanceGraphOptions,
    columns: Survey,
    bytes: number,
    run: Run,
  ) {
    this.#data = data;
    this.#labels = labels;
    this.#options = options;
    this.#survey = columns;
    this.#run = run;
    this.segments = segmentsOf(data, options.batchSize, bytes);
    this.#nodes = Math.max(
      ...this.segments.map((segment) => {
        const n = lengthOf(segment);
        return Math.ceil(n / Math.max(1, Math.round(n / options.batchSize)));
      }),
    );
    const { graph, bits, levels, views } = options;
    const codes = graph === 'distance' ? 0 : graph === 'hashView' ? views : 1;
    const length = graph === 'hashMulti' ? Math.max(...levels) : bits;
    this.#directions = Array.from({ length: codes }, (_, v) =>
      gaussianDirections(length, data.features.length, run.random(`graph/directions ${v}`)),
    );
  }

  /**
   * Goes over the dataset once to learn the ranges of its columns.
   * @param bytes features and graphs that are held at once.
   * @throws InputError if there is no feature, no label, a class without a member, or a feature that is not finite; ParameterError for
   *   levels that do not ascend.
   */
  static async over(data: Dataset, options: InstanceGraphOptions, bytes: number, run: Run): Promise<GraphBatches> {
    const { levels } = options;
    if (levels.some((k, l) => k <= (levels[l - 1] ?? 0))) {
      throw new ParameterError(`levels ${levels.join(', ')} do not ascend from coarse to fine`);
    }
    return new GraphBatches(data, labelsOf(data), options, await survey(data, run), bytes, run);
  }

  /** Bytes of a batch. */
  get bytes(): number {
    return this.#nodes * (4 * this.#data.features.length + this.#nodes + 8);
  }

  /** Reads a segment and makes its batches. */
  async of(segment: Segment): Promise<InstanceBatch[]> {
    const d = this.#data.features.length;
    const start = segment[0].start;
    const x = new Float32Array(lengthOf(segment) * d);
    for (const chunk of segment) x.set((await this.#data.read(chunk)).features, (chunk.start - start) * d);
    const { low, width, centre } = this.#survey;
    for (let i = 0, c = 0; i < x.length; i++, c = c + 1 === d ? 0 : c + 1) {
      x[i] = width[c] > 0 ? (x[i] - low[c]) / width[c] : 0;
    }
    const { batchSize } = this.#options;
    const random = this.#run.random(`graph/batches ${start}`);
    const codes = this.#directions.map((directions) => signCodes(x, d, directions, centre));
    const labels = this.#labels.of.subarray(start, start + x.length / d);
    const places =
      codes.length === 0
        ? stratifiedBatches(labels, this.#labels.classes.length, batchSize, random)
        : bucketBatches(codes[0], batchSize, random);
    const batches: InstanceBatch[] = [];
    for (const own of places) {
      const rows = new Float32Array(this.#nodes * d);
      own.forEach((i, at) => {
        rows.set(x.subarray(i * d, (i + 1) * d), at * d);
      });
      const graph = this.#graph(
        rows.subarray(0, own.length * d),
        codes.map((of) => Uint32Array.from(own, (i) => of[i])),
      );
      dropEdges(graph, this.#options.maskRate, random);
      batches.push(this.#padded(own, start, rows, graph));
      if (batches.length % 16 === 0) {
        this.#run.progress('graphs', start + batches.length * batchSize, this.#data.examples);
        await this.#run.breathe();
      }
    }
    return batches;
  }

  #graph(rows: Float32Array, codes: readonly Uint32Array[]): Uint8Array {
    const { graph, q, bits, levels, hamming, maxNeighbours } = this.#options;
    const d = this.#data.features.length;
    const threshold = this.#options.threshold ?? (graph === 'hashMulti' ? 0 : 0.75);
    const own = { bits, threshold, maxNeighbours };
    switch (graph) {
      case 'distance':
        return distanceGraph(rows, d, q);
      case 'hash1':
        return hashGraph(codes[0], rows, d, { ...own, most: hamming });
      case 'hashMulti':
        return multiLevelGraph(codes[0], rows, d, { ...own, bits: Math.max(...levels), levels });
      case 'hashView':
        return multiViewGraph(codes, rows, d, own);
    }
  }

  #padded(own: Uint32Array, start: number, rows: Float32Array, graph: Uint8Array): InstanceBatch {
    const [nodes, b] = [this.#nodes, own.length];
    const joined = new Uint8Array(nodes * nodes);
    const labels = new Int32Array(nodes);
    const weights = new Float32Array(nodes).fill(1, 0, b);
    for (let i = 0; i < nodes; i++) {
      if (i < b) joined.set(graph.subarray(i * b, (i + 1) * b), i * nodes);
      else joined[i * nodes + i] = 1;
    }
    own.forEach((i, at) => {
      labels[at] = this.#labels.of[start + i];
    });
    return {
      examples: own.map((i) => start + i),
      x: float32([nodes, this.#data.features.length], rows),
      graph: new Tensor('bool', [nodes, nodes], joined),
      labels: int32([nodes], labels),
      weights: float32([nodes], weights),
    };
  }
}

/** Batches to train on, in memory: all of them, or where they do not fit of each segment the same share, drawn at random. */
export async function trainingBatches(batches: GraphBatches, bytes: number, run: Run): Promise<InstanceBatch[]> {
  const [first, ...others] = batches.segments;
  if (others.length === 0) return batches.of(first);
  const kept: InstanceBatch[] = [];
  let total = 0;
  const each = Math.max(1, Math.floor(bytes / 2 / batches.bytes / batches.segments.length));
  for (const segment of batches.segments) {
    const own = await batches.of(segment);
    total += own.length;
    kept.push(...run.random(`graph/training ${segment[0].start}`).shuffle(own).slice(0, each));
  }
  run.log(`the features do not fit in memory at once: trained on ${kept.length} of ${total} batches, all are scored`);
  return kept;
}

/** The graph without its padding, shape [b · b]. */
export function graphOf({ examples, graph }: InstanceBatch): Uint8Array {
  const [b, nodes] = [examples.length, graph.shape[0]];
  if (b === nodes) return graph.data;
  const own = new Uint8Array(b * b);
  for (let i = 0; i < b; i++) own.set(graph.data.subarray(i * nodes, i * nodes + b), i * b);
  return own;
}
