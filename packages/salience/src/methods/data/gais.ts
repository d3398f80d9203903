/**
 * @file GAIS (arXiv:2502.20293, predecessor arXiv:2412.19201): joins instances that are alike, trains a small graph attention network on
 * the labels, and keeps of each class the instances that the others attend to. The published repository holds no code and the formulas
 * are ours from the abstracts: a reconstruction.
 */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import {
  initialInstanceNetwork,
  instanceProgram,
  trainInstanceNetwork,
} from '../../models/graph-attention/instance-network.ts';
import { classCounts } from '../../numerics/allocation/class-counts.ts';
import type { Dataset } from '../../subjects/dataset/dataset.ts';
import { GraphBatches, graphOf, type InstanceBatch, trainingBatches } from '../../subjects/dataset/graph-batches.ts';
import { labelsOf } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

const whole = (least: number, byDefault: number) => z.number().int().min(least).default(byDefault);
const share = (byDefault: number) => z.number().min(0).lt(1).default(byDefault);

const params = z.object({
  graph: z
    .enum(['distance', 'hash1', 'hashMulti', 'hashView'])
    .default('distance')
    .describe(
      'which instances are joined: near ones, or those whose random-projection codes agree on one, several levels, several views',
    ),
  score: z
    .enum(['attention', 'confidence', 'degree'])
    .default('attention')
    .describe(
      'attention received, the predecessor’s highest class probability, or attention shared evenly without a network (a null)',
    ),
  order: z.enum(['high', 'low']).default('high').describe('whether instances of high or of low score are kept'),
  aggregate: z.enum(['mean', 'sum']).default('mean').describe('attention received per edge, or in all'),
  heads: whole(1, 4).describe('attention heads of both layers'),
  overHeads: z.enum(['mean', 'max']).default('mean').describe('how the heads’ attention becomes one number'),
  layers: z.enum(['first', 'both']).default('first').describe('whose attention counts'),
  batchSize: whole(2, 200).describe('instances of a batch; edges are within batches'),
  q: share(0.95).describe('distance: pairs whose similarity is above this quantile of their batch are joined'),
  maskRate: share(0).describe('share of the edges that is dropped at random'),
  bits: z.number().int().min(1).max(32).default(8).describe('hash1, hashView: bits of a code'),
  hamming: whole(0, 0).describe('hash1: bits in which candidates may differ'),
  levels: z
    .array(z.coerce.number().int().min(1).max(32))
    .min(1)
    .default([4, 8, 12])
    .describe('hashMulti: bits of each level, from coarse to fine'),
  views: whole(1, 4).describe('hashView: independent codes'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('hashing: similarity that an edge needs; by default 0.75, for hashMulti 0 (any level)'),
  maxNeighbours: whole(1, 10).describe('hashing: neighbours that an instance listens to at the most, the nearest'),
  hidden: whole(1, 8).describe('features of a head in the first layer'),
  rate: z.number().positive().default(0.01).describe('learning rate of Adam'),
  epochs: whole(1, 60).describe('epochs at the most; a batch is a step'),
  patience: whole(0, 15).describe('epochs without a lower training loss after which training ends (0: never)'),
  dropout: share(0).describe('share of the layers’ inputs that is dropped in training'),
  weightDecay: z.number().min(0).default(0).describe('decay of the weights, apart from the gradient'),
  perClass: z
    .boolean()
    .default(true)
    .describe('each class keeps its share of the budget and at least 1 instance; false: the budget as it stands'),
  allowSingleClass: z
    .boolean()
    .default(false)
    .describe('go on where all instances are of one class, though there is then nothing for the network to learn'),
});

type GaisParams = z.infer<typeof params>;

/** Features that are held at once, in bytes: a larger dataset is gone through in parts. */
const mostBytes = 2 ** 29;

/** How the heads and the edges of an instance become its score. */
export interface ScoreOptions {
  readonly aggregate: 'mean' | 'sum';
  readonly overHeads: 'mean' | 'max';
}

/**
 * s_j = (1 / max(1, outdegree_j)) Σ_{i ≠ j} α_ij of each head, and the mean or the greatest of the heads; with `sum` not divided by the
 * out-degree. An instance that nobody else listens to has 0.
 * @param received Σ_{i ≠ j} α_ij, shape [heads · b].
 * @param graph 1 at [i · b + j] where i listens to j, shape [b · b].
 * @returns shape [b].
 */
export function attentionScores(
  received: ArrayLike<number>,
  graph: Uint8Array,
  { aggregate, overHeads }: ScoreOptions,
): Float64Array {
  const b = Math.sqrt(graph.length);
  const heads = received.length / b;
  return Float64Array.from({ length: b }, (_, j) => {
    let outDegree = 0;
    for (let i = 0; i < b; i++) if (i !== j) outDegree += graph[i * b + j];
    let score = 0;
    for (let h = 0; h < heads; h++) {
      const own = received[h * b + j];
      score = overHeads === 'max' ? Math.max(score, own) : score + own / heads;
    }
    return aggregate === 'mean' ? score / Math.max(1, outDegree) : score;
  });
}

/** What instances receive where each attends to its neighbours and itself alike, α_ij = 1 / |N(i)|; shape [b]. */
export function evenAttention(graph: Uint8Array): Float64Array {
  const b = Math.sqrt(graph.length);
  const received = new Float64Array(b);
  for (let i = 0; i < b; i++) {
    let degree = 0;
    for (let j = 0; j < b; j++) degree += graph[i * b + j];
    for (let j = 0; j < b; j++) if (j !== i && graph[i * b + j] === 1) received[j] += 1 / degree;
  }
  return received;
}

/** What the network says of every example, and what was found on the way. */
export interface Attended {
  /** Attention received, shape [examples]. */
  readonly attention: Float32Array;
  /** The highest class probability, shape [examples]; 0 without a network. */
  readonly confidence: Float32Array;
  readonly findings: readonly Block[];
}

/**
 * Trains the network on a dataset and asks it about every example.
 * @param bytes features and graphs that are held at once.
 * @throws InputError for missing labels, a class without a member, one class only (unless allowed), or a feature that is not finite;
 *   SalienceError if the training loss is not finite.
 */
export async function attend(data: Dataset, params: GaisParams, run: Run, bytes = mostBytes): Promise<Attended> {
  const labels = labelsOf(data);
  const classes = labels.classes.length;
  if (classes === 1) {
    const only = `${data.name}: all ${data.examples} instances are of class ${labels.classes[0]}, the network has nothing to learn`;
    if (!params.allowSingleClass && params.score !== 'degree')
      throw new InputError(`${only}; set allowSingleClass to go on all the same`);
    run.log(only);
  }
  const batches = await GraphBatches.over(data, params, bytes, run);
  const trainedOn = params.score === 'degree' ? [] : await trainingBatches(batches, bytes, run);
  const initial = initialInstanceNetwork(params, data.features.length, classes, run.random('graph attention/initial'));
  const { parameters, losses } =
    trainedOn.length > 0
      ? await trainInstanceNetwork(trainedOn, initial, params, run)
      : { parameters: initial, losses: [] };

  const forward = instanceProgram();
  const attention = new Float32Array(data.examples);
  const confidence = new Float32Array(data.examples);
  let [edges, alone, done, count] = [0, 0, 0, 0];
  try {
    for (const segment of batches.segments) {
      const own = batches.segments.length === 1 && trainedOn.length > 0 ? trainedOn : await batches.of(segment);
      for (const batch of own) {
        const graph = graphOf(batch);
        const said = await ask(batch, graph);
        batch.examples.forEach((i, at) => {
          attention[i] = said.attention[at];
          confidence[i] = said.confidence[at];
        });
        const b = batch.examples.length;
        for (let i = 0; i < b; i++) {
          let degree = -1;
          for (let j = 0; j < b; j++) degree += graph[i * b + j];
          edges += degree;
          alone += Number(degree === 0);
        }
        done += b;
        run.progress('scoring', done, data.examples);
        if (++count % 16 === 0) await run.breathe();
      }
    }
  } finally {
    await forward.dispose();
  }
  if (edges === 0)
    run.log('no two instances are joined: all scores of attention are 0, and the budget keeps the first of each class');
  const facts: [string, string | number][] = [
    ['batches', count],
    ['neighbours of an instance in the mean', Number((edges / data.examples).toPrecision(3))],
    ['instances without a neighbour', alone],
    ...(losses.length > 0
      ? ([
          ['epochs of training', losses.length],
          ['training loss of the last', Number(losses[losses.length - 1].toPrecision(3))],
        ] as [string, number][])
      : []),
  ];
  return { attention, confidence, findings: [{ kind: 'table', columns: ['graph', ''], rows: facts }] };

  async function ask(batch: InstanceBatch, graph: Uint8Array) {
    const b = batch.examples.length;
    if (params.score === 'degree') {
      return { attention: attentionScores(evenAttention(graph), graph, params), confidence: new Float32Array(b) };
    }
    const { probability, first, last } = await forward(parameters as never, batch.x as never, batch.graph as never);
    const nodes = batch.x.shape[0];
    // Without the padding, the heads of one layer or of both.
    const received = (params.layers === 'both' ? [first, last] : [first]).flatMap(({ data: all }) =>
      Array.from({ length: params.heads }, (_, h) => Array.from(all.subarray(h * nodes, h * nodes + b))).flat(),
    );
    return { attention: attentionScores(received, graph, params), confidence: probability.data };
  }
}

/** The scores that the parameters ask for, higher to be kept; shape [examples]. */
export function instanceScores(
  { attention, confidence }: Pick<Attended, 'attention' | 'confidence'>,
  { score, order }: Pick<GaisParams, 'score' | 'order'>,
): Float32Array {
  const values = score === 'confidence' ? confidence : attention;
  return order === 'high' ? values : values.map((s) => -s || 0);
}

export const gais = method({
  id: 'gais',
  name: 'GAIS',
  source: 'arXiv:2502.20293',
  summary: 'Keeps the instances that the others attend to in a small graph attention network (a reconstruction).',
  unit: 'instance',
  subject: dataset,
  formula: 's_j = mean over heads of Σ_{i≠j} α_ij / outdegree_j, α the attention of j’s neighbours i within a batch',
  cost: 'O(n b d) for the graphs, O(epochs · n b) for the network, b the batch size',
  params,
  allocation({ perClass }) {
    if (!perClass) return undefined;
    return (sizes, counts) =>
      classCounts(
        sizes,
        counts.reduce((sum, count) => sum + count, 0),
      );
  },
  async score(data, given, run) {
    const attended = await attend(data, given, run);
    const { classes, of } = labelsOf(data);
    const { findings } = attended;
    return { unit: 'instance', values: instanceScores(attended, given), groups: { names: classes, of }, findings };
  },
});
