/** @file Quad's claims: a bandit over clusters chooses better and cheaper than influence alone, and attention layers belong to influence. */

import { type ClaimPart, claim, type Measurements } from '../../core/claim.ts';
import { parseParams } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { decoder } from '../../models/decoder/decoder.ts';
import { readConfig } from '../../models/decoder/read-config.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import { negativeLogLikelihood } from '../../models/generation/perplexity.ts';
import { type DecoderLayers, decoderGradients } from '../../models/influence/decoder-gradients.ts';
import { influenceOf } from '../../models/influence/influence-direction.ts';
import {
  type LabelledFeatures,
  randomReluFeatures,
  softmaxGradients,
  softmaxLoss,
  trainSoftmax,
} from '../../models/influence/softmax-regression.ts';
import { type MarkovChain, markovBatch, markovChain } from '../../models/recall-language/tasks.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import { cosine, linearWarmup } from '../../nn/optimisers/schedules.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { train } from '../../nn/training/train.ts';
import { spearman } from '../../numerics/statistics/rank-correlation.ts';
import { float32, int32, type JaxArray } from '../../runtime/index.ts';
import { datasetInMemory } from '../../subjects/dataset/dataset.ts';
import { dsir } from './dsir.ts';
import { clusterMeans } from './influence.ts';
import { playClusters } from './quad.ts';

// The world: 12 useful clusters with rules of their own, 8 that lie on top of useful ones with labels by chance, 20 of no use.
const clusters = 40;
const each = 300;
const width = 24;
const classes = 4;
const useful = 12;
const harmful = 8;
const noises = [0.05, 0.15, 0.3];
const budget = 1200;
const steps = 300;
const alphas = [0, 0.003, 0.01, 0.03, 0.1];
const interior = [0.003, 0.01, 0.03];

interface Row {
  readonly x: Float64Array;
  readonly label: number;
  readonly cluster: number;
}

function makeWorld(random: Random) {
  const centres = Array.from({ length: clusters }, () =>
    Float64Array.from({ length: width }, () => 1.2 * random.normal()),
  );
  for (let h = 0; h < harmful; h++) centres[useful + h] = centres[h];
  const rules = Array.from({ length: useful }, () =>
    Float64Array.from({ length: classes * width }, () => random.normal()),
  );
  const draw = (cluster: number, noise: number): Row => {
    const x = centres[cluster].map((value) => value + 0.7 * random.normal());
    const rule = rules[cluster];
    if (!rule || random.uniform() < noise) return { x, label: random.integer(classes), cluster };
    const values = Array.from({ length: classes }, (_, c) =>
      x.reduce((sum, value, i) => sum + rule[c * width + i] * value, 0),
    );
    return { x, label: values.indexOf(Math.max(...values)), cluster };
  };
  const clean = (count: number) => Array.from({ length: useful * count }, (_, i) => draw(i % useful, 0));
  return {
    pool: Array.from({ length: clusters * each }, (_, i) => draw(i % clusters, noises[(i % clusters) % 3])),
    reference: clean(20),
    validation: clean(20),
    test: clean(200),
  };
}

/** e to the entropy of a choice's clusters. */
function effectiveClusters(chosen: readonly Row[]): number {
  const counts = new Float64Array(clusters);
  for (const { cluster } of chosen) counts[cluster]++;
  let entropy = 0;
  for (const count of counts) if (count > 0) entropy -= (count / chosen.length) * Math.log(count / chosen.length);
  return Math.exp(entropy);
}

async function measureWorld(run: Run): Promise<Measurements> {
  const random = run.random('world');
  const { pool, reference, validation, test } = makeWorld(random);
  const of = pool.map(({ cluster }) => cluster);
  const proxyRows = Array.from(random.permutation(pool.length).subarray(0, 400), (i) => pool[i]);
  const map = randomReluFeatures(
    proxyRows.flatMap(({ x }) => Array.from(x)),
    { inputs: width, outputs: 160, random: run.random('features') },
  );
  const featuresOf = (rows: readonly Row[]): LabelledFeatures[] =>
    rows.map(({ x, label }) => ({ x: map.apply(x), label }));
  const all = featuresOf(pool);
  const [proxy, target, held, asked] = [proxyRows, reference, validation, test].map(featuresOf);
  const weights = trainSoftmax(proxy, { classes, steps: 150 });
  const model = softmaxGradients(weights, map.outputs);
  const corrected = await influenceOf(model, proxy, target);
  const plain = await influenceOf(model, proxy, target, { curvature: 'none' });
  const scores = await corrected.score(all);

  const made: Record<string, number> = {};
  /** Trains on a choice and tests it; the validation loss is returned. */
  const tested = (arm: string, chosen: readonly number[]): number => {
    const rows = chosen.map((i) => pool[i]);
    const trained = trainSoftmax(
      chosen.map((i) => all[i]),
      { classes, steps },
    );
    const { loss, accuracy } = softmaxLoss(trained, asked);
    made[`test loss: ${arm}`] = loss;
    made[`accuracy: ${arm}`] = accuracy;
    made[`share of useful documents: ${arm}`] = rows.filter(({ cluster }) => cluster < useful).length / rows.length;
    made[`effective clusters: ${arm}`] = effectiveClusters(rows);
    return softmaxLoss(trained, held).loss;
  };
  const best = (values: ArrayLike<number>, tie: ArrayLike<number> = values) =>
    Array.from(random.permutation(pool.length))
      .sort((i, j) => values[j] - values[i] || tie[j] - tie[i])
      .slice(0, budget);

  tested('random', Array.from(random.permutation(pool.length).subarray(0, budget)));
  tested(
    'oracle',
    Array.from(random.permutation(pool.length))
      .filter((i) => of[i] < useful)
      .slice(0, budget),
  );
  tested('top documents', best(scores));
  const means = clusterMeans(scores, of, clusters);
  const byCluster = of.map((cluster) => means[cluster]);
  tested('top clusters', best(byCluster));
  tested('lowest proxy loss', best(all.map((one) => -softmaxLoss(weights, [one]).loss)));
  tested('DSIR', best(await dsirScores(pool, reference, run)));

  const playing = async (name: string, score: typeof corrected.score, grid: readonly number[]) => {
    const losses = new Map<number, number>();
    let evaluations = 0;
    for (const exploration of grid) {
      const played = await playClusters(
        {
          of,
          clusters,
          exploration,
          threshold: 0,
          probe: 8,
          arms: 1,
          block: 60,
          budget,
          rounds: 2000,
          score: (indices) => score(indices.map((i) => all[i])),
          random: run.random(`play ${exploration}`),
        },
        run,
      );
      const chosen = played.taken.flat().slice(0, budget);
      const arm = `${name}, exploration ${exploration}`;
      made[`documents taken: ${arm}`] = chosen.length;
      made[`influence evaluations: ${arm}`] = played.evaluations;
      evaluations += played.evaluations;
      losses.set(exploration, chosen.length > 0 ? tested(arm, chosen) : Math.log(classes));
    }
    const chosenOf = (from: readonly number[]) =>
      from.reduce((least, alpha) => (losses.get(alpha)! < losses.get(least)! ? alpha : least));
    return { chosenOf, evaluations };
  };
  const copied = (from: string, to: string) => {
    for (const what of ['test loss', 'accuracy', 'share of useful documents', 'effective clusters'])
      made[`${what}: ${to}`] = made[`${what}: ${from}`];
  };
  const quads = await playing('Quad', corrected.score, alphas);
  const chosen = quads.chosenOf(alphas);
  made['exploration chosen: Quad'] = chosen;
  copied(`Quad, exploration ${chosen}`, 'Quad');
  copied(`Quad, exploration ${quads.chosenOf(interior)}`, 'Quad, interior exploration');
  made['influence evaluations: Quad'] = made[`influence evaluations: Quad, exploration ${chosen}`];
  made['influence evaluations: Quad with its sweep'] = quads.evaluations;
  made['influence evaluations: top documents'] = pool.length;
  made['share of the pool evaluated: Quad'] = made['influence evaluations: Quad'] / pool.length;
  const gradients = await playing('Quad by gradients', plain.score, alphas);
  copied(`Quad by gradients, exploration ${gradients.chosenOf(alphas)}`, 'Quad by gradients');
  return made;
}

async function dsirScores(pool: readonly Row[], reference: readonly Row[], run: Run): Promise<Float32Array> {
  const features = Array.from({ length: width }, (_, i) => `x${i}`);
  const datasetOf = (rows: readonly Row[]) =>
    datasetInMemory({ features, values: Float32Array.from(rows.flatMap(({ x }) => Array.from(x))) });
  const opening = Object.assign(datasetOf(pool), { open: async () => datasetOf(reference) });
  const params = parseParams(dsir, { reference: 'reference', referenceSize: reference.length });
  return (await dsir.score(opening, params, run)).values;
}

// The language: blocks of texts of four chains of order 2; the reference is of two of them.
const vocabulary = 16;
const length = 24;
const topics = 4;
const blocks = 36;
const texts = 32;
const batch = 64;
const trainingSteps = 200;
const config = readConfig(
  {
    model_type: 'llama',
    vocab_size: vocabulary,
    hidden_size: 32,
    intermediate_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    max_position_embeddings: 32,
    tie_word_embeddings: false,
  },
  'the claim’s config',
);

/** Texts of a chain, each token replaced by any with a chance; shape [count][length]. */
function textsOf(random: Random, chain: MarkovChain, count: number, noise = 0): Int32Array[] {
  const { tokens } = markovBatch(random, chain, count, { length });
  for (let t = 0; t < tokens.length; t++) if (random.uniform() < noise) tokens[t] = random.integer(vocabulary);
  return Array.from({ length: count }, (_, row) => tokens.slice(row * length, (row + 1) * length));
}

const flat = (rows: readonly Int32Array[]) => {
  const data = new Int32Array(rows.length * length);
  rows.forEach((row, r) => {
    data.set(row, r * length);
  });
  return int32([rows.length, length], data);
};

/** Trains from the same beginning in the same order; texts of the block left out count 0. */
async function trainedWithout(
  pool: readonly Int32Array[],
  out: number | undefined,
  run: Run,
): Promise<ParameterTensors> {
  const order = run.random('language/order');
  const rows = Array.from({ length: Math.ceil((trainingSteps * batch) / pool.length) }, () =>
    Array.from(order.permutation(pool.length)),
  ).flat();
  const { parameters } = await train({
    parameters: initialWeights(config, run.random('language/weights')),
    loss: (weights, { tokens, counts }: { tokens: JaxArray; counts: JaxArray }) =>
      crossEntropy(decoder(weights, config, tokens).slice([], [0, -1]), tokens.slice([], [1]), {
        weights: counts,
        reduction: 'sum',
      }).mul(1 / (batch * (length - 1))),
    optimiser: adamw({ decay: 0.01 }),
    schedule: linearWarmup(1e-2, 20, cosine({ rate: 1e-2, steps: trainingSteps - 20 })),
    steps: trainingSteps,
    batches: (step) => {
      const own = rows.slice(step * batch, (step + 1) * batch);
      const counts = new Float32Array(batch * (length - 1));
      own.forEach((row, b) => {
        if (Math.floor(row / texts) !== out) counts.fill(1, b * (length - 1), (b + 1) * (length - 1));
      });
      return { tokens: flat(own.map((row) => pool[row])), counts: float32([batch, length - 1], counts) } as never;
    },
    run: new Run({ seed: run.seed, signal: run.signal }),
  });
  return parameters;
}

async function lossOn(weights: ParameterTensors, rows: readonly Int32Array[]): Promise<number> {
  const { data } = await negativeLogLikelihood({ config, weights }, flat(rows));
  return data.reduce((sum, value) => sum + value, 0) / data.length;
}

async function measureLanguage(run: Run): Promise<Measurements> {
  const chains = Array.from({ length: topics }, (_, t) => markovChain(run.random(`language/chain ${t}`), vocabulary));
  const random = run.random('language/texts');
  // A third of the blocks is of the reference's chains, a third of the others, a third of the reference's with every other token any.
  const pool = Array.from({ length: blocks }, (_, b) => {
    const kind = b % 3;
    const chain = chains[(Math.floor(b / 3) % 2) + (kind === 1 ? 2 : 0)];
    return textsOf(random, chain, texts, kind === 2 ? 0.5 : 0);
  }).flat();
  const reference = [chains[0], chains[1]].flatMap((chain) => textsOf(random, chain, 64));
  const whole = await trainedWithout(pool, undefined, run);
  const before = await lossOn(whole, reference);
  const made: Record<string, number> = { 'language, reference loss': before };
  const changes = new Float64Array(blocks);
  for (let b = 0; b < blocks; b++) {
    changes[b] = (await lossOn(await trainedWithout(pool, b, run), reference)) - before;
    run.progress('leaving blocks out', b + 1, blocks);
    await run.breathe();
  }
  made['language, standard deviation of the changes'] = Math.sqrt(
    changes.reduce((sum, change) => sum + change ** 2 / blocks, 0) -
      (changes.reduce((sum, change) => sum + change, 0) / blocks) ** 2,
  );
  const sample = pool.filter((_, i) => i % 4 === 0);
  for (const [name, layers] of [
    ['MLP only', 'mlp'],
    ['attention only', 'attention'],
    ['attention and MLP', 'both'],
  ] as const satisfies readonly (readonly [string, DecoderLayers])[]) {
    const model = decoderGradients(config, whole, layers, new Run({ signal: run.signal }));
    for (const [how, options] of [
      ['', { cosine: false }],
      [', cosine', {}],
      [', plain gradients', { cosine: false, curvature: 'none' }],
    ] as const) {
      const scores = await (await influenceOf(model, sample, reference, options)).score(pool);
      const sums = clusterMeans(
        scores,
        pool.map((_, i) => Math.floor(i / texts)),
        blocks,
      );
      made[`rank correlation with the true change: ${name}${how}`] = spearman(sums, changes);
    }
    await model.dispose();
  }
  return made;
}

const loss = (of: string, over: string, atLeast: number) => ({
  of: `test loss: ${of}`,
  over: `test loss: ${over}`,
  atLeast,
});
const correlation = 'rank correlation with the true change';

const parts: ClaimPart[] = [
  {
    id: 'random',
    says: 'test loss of a random choice over that of Quad’s',
    role: 'headline',
    rule: loss('random', 'Quad', 0.05),
  },
  {
    id: 'top-documents',
    says: 'test loss of the documents of greatest influence over that of Quad’s choice',
    role: 'headline',
    rule: loss('top documents', 'Quad', 0),
  },
  {
    id: 'top-clusters',
    says: 'test loss of the clusters of greatest mean influence over that of Quad’s choice',
    role: 'headline',
    rule: loss('top clusters', 'Quad', 0),
  },
  {
    id: 'dsir',
    says: 'test loss of importance resampling over that of Quad’s choice',
    role: 'headline',
    rule: loss('DSIR', 'Quad', 0),
  },
  {
    id: 'no-exploration',
    says: 'test loss without exploration over that with an interior amount, chosen on validation: diversity is needed',
    role: 'headline',
    rule: loss('Quad, exploration 0', 'Quad, interior exploration', 0),
  },
  {
    id: 'much-exploration',
    says: 'test loss with exploration 0.1 over that with an interior amount: so is influence',
    role: 'headline',
    rule: loss('Quad, exploration 0.1', 'Quad, interior exploration', 0),
  },
  {
    id: 'curvature',
    says: 'test loss of Quad by plain gradients over that with the inverse curvature',
    role: 'headline',
    rule: loss('Quad by gradients', 'Quad', 0),
  },
  {
    id: 'evaluations',
    says: 'influence evaluations of the play chosen, as a share of the pool',
    role: 'headline',
    rule: { of: 'share of the pool evaluated: Quad', atMost: 0.25 },
  },
  {
    id: 'attention',
    says: 'rank correlation of influence with the true change of the reference loss when a block is left out: attention and MLP over MLP only',
    role: 'headline',
    rule: { of: `${correlation}: attention and MLP`, over: `${correlation}: MLP only`, atLeast: 0 },
  },
  {
    id: 'predicts',
    says: 'that rank correlation itself: influence predicts what leaving out does',
    role: 'control',
    rule: { of: `${correlation}: attention and MLP`, atLeast: 0.3 },
  },
  {
    id: 'something-to-choose',
    says: 'test loss of a random choice over that of useful documents alone',
    role: 'control',
    rule: loss('random', 'oracle', 0.05),
  },
  {
    id: 'diversity-matters',
    says: 'test loss of the documents of greatest influence over that of a random choice: influence alone overdoes it',
    role: 'control',
    rule: loss('top documents', 'random', 0),
  },
  {
    id: 'accuracy',
    says: 'accuracy of Quad over that of the documents of greatest influence, which may be right more often and worse calibrated',
    role: 'refutation',
    rule: { of: 'accuracy: Quad', over: 'accuracy: top documents', atLeast: 0 },
  },
];

export default claim({
  method: 'quad',
  headline:
    'A bandit over clusters that pays influence with attention layers chooses better training data than random, resampling or influence alone, at less cost.',
  setting:
    'World: 40 clusters of 300 documents in 24 dimensions with 4 classes; 12 useful with rules of their own and label noise .05, .15, .30, 8 on top of useful ' +
    'ones with labels by chance, 20 elsewhere with labels by chance. The clusters are those of the world. Reference (and as many to choose exploration ' +
    'on): 20 clean documents of each useful cluster; test: 200 of each; none shared. Softmax regression on 160 random features: proxy 150 steps ' +
    `on 400 random documents, then each arm ${steps} steps on 1,200 documents. Quad: block 60, probe 8, threshold 0, one arm a round, no neighbours, EK-FAC, damping ` +
    '1e-3. Language: 36 blocks of 32 texts of second-order Markov chains (a third of the reference’s chains, a third of others, a third half noise), a ' +
    `one-layer decoder of width 32 trained ${trainingSteps} steps; each block is left out in turn, all else equal, and the change of the loss on 128 reference texts ` +
    'is compared with influence of mean losses, EK-FAC, damping 1e-3.',
  unjudged:
    'the paper’s accuracy of a 1.3 B model after 30 B tokens over nine tasks; QuRating and MATES, which need a judge or a trained influence model; and clusters found by k-means, of ' +
    'which those that lie on top of each other would be one.',
  seeds: [1, 2, 3, 4, 5],
  parts,
  async measure(run) {
    return { ...(await measureWorld(run)), ...(await measureLanguage(run)) };
  },
});
