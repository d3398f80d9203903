/** @file GBLM-Pruner's claim that gradients make pruning better than Wanda, magnitude and SparseGPT do, on small trained decoders. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClaimPart, claim, type Measurements } from '../../core/claim.ts';
import { type Method, parseParams } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { ScoreSequence } from '../../core/scores.ts';
import { selectSequence } from '../../core/select-sequence.ts';
import { decoder } from '../../models/decoder/decoder.ts';
import { readConfig } from '../../models/decoder/read-config.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import type { DecoderModel } from '../../models/generation/cached-decoder.ts';
import { negativeLogLikelihood, perplexity } from '../../models/generation/perplexity.ts';
import { loadWeights, openPretrained } from '../../models/pretrained/open-pretrained.ts';
import { markovBatch, markovChain } from '../../models/recall-language/tasks.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import { chain as joined } from '../../nn/optimisers/chain.ts';
import { cosine, linearWarmup } from '../../nn/optimisers/schedules.ts';
import { clipByGlobalNorm } from '../../nn/optimisers/sgd.ts';
import { train } from '../../nn/training/train.ts';
import { float32, int32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import { calibrationBlocks } from '../../subjects/language-model/calibration.ts';
import { type LanguageModel, languageModelInMemory } from '../../subjects/language-model/language-model.ts';
import { prunedWeights } from '../../subjects/language-model/prune-layers.ts';
import { gblm } from './gblm.ts';
import { magnitudePruning } from './magnitude.ts';
import { randomWeights } from './random-weights.ts';
import { sparseGpt } from './sparsegpt.ts';
import { wanda } from './wanda.ts';

const vocabulary = 16;
const length = 31;
const steps = 1000;
const batch = 32;
const calibrationTexts = 64;
const testTexts = 512;

/** The two models: a decoder of 4 blocks on the chain, and one of 6 on the chain mixed with copies. */
const models = [
  { name: '4 blocks', layers: 4, copies: 0 },
  { name: '6 blocks', layers: 6, copies: 0.5 },
].map((model) => ({
  ...model,
  config: readConfig(
    {
      model_type: 'llama',
      vocab_size: vocabulary,
      hidden_size: 32,
      intermediate_size: 96,
      num_hidden_layers: model.layers,
      num_attention_heads: 4,
      max_position_embeddings: 32,
      tie_word_embeddings: false,
      bos_token_id: 0,
      eos_token_id: 0,
    },
    'the claim’s config',
  ),
}));

interface Arm {
  readonly method: Method<LanguageModel>;
  readonly params?: Readonly<Record<string, unknown>>;
}

const arm = (method: unknown, params: Record<string, unknown> = {}): Arm => ({
  method: method as Method<LanguageModel>,
  params,
});
const registered = 'GBLM l2 balanced';

/** Arms whose whole curve is measured. */
const onCurves: Readonly<Record<string, Arm>> = {
  random: arm(randomWeights),
  'magnitude per row': arm(magnitudePruning, { compare: 'row' }),
  'magnitude per matrix': arm(magnitudePruning),
  Wanda: arm(wanda),
  SparseGPT: arm(sparseGpt),
  [registered]: arm(gblm, { alphaMode: 'balanced' }),
};
const arms: Readonly<Record<string, Arm>> = {
  ...onCurves,
  'GBLM l2 10': arm(gblm, { alpha: 10 }),
  'GBLM l2 100': arm(gblm),
  'GBLM l1 10': arm(gblm, { norm: 'l1', alpha: 10 }),
  'GBLM l1 100': arm(gblm, { norm: 'l1' }),
  'GBLM l1 balanced': arm(gblm, { norm: 'l1', alphaMode: 'balanced' }),
  'gradient only': arm(gblm, { score: 'gradient' }),
};
const tuned = Object.keys(arms).filter((name) => name.startsWith('GBLM'));

/** Shares kept at which all arms are measured and the rules hold: sparsities .5 and .6. */
const judged = ['50%', '40%'] as const;
/** Shares kept, for the curves; a sparsity of .3 keeps 70%. */
const shares = ['70%', '60%', '50%', '40%', '30%', '2:4'] as const;
/** A budget as a sparsity: what goes, where it is a share. */
const sparsityOf = (budget: string) => (budget.endsWith('%') ? `${100 - Number.parseInt(budget, 10)}%` : budget);

async function prunedBy(
  { method, params }: Arm,
  model: DecoderModel,
  texts: Tensor<'int32'>,
  budget: string,
  run: Run,
) {
  const subject = languageModelInMemory(model, texts);
  const scores = (await method.score(subject, parseParams(method, params), run)) as ScoreSequence;
  return { ...model, weights: await prunedWeights(model.weights, selectSequence(scores, budget)) };
}

/** Mean cross entropy of the tokens after the first, in nats. */
async function lossOn(model: DecoderModel, texts: Tensor<'int32'>): Promise<number> {
  const { data } = await negativeLogLikelihood(model, texts);
  let sum = 0;
  for (const nll of data) sum += nll;
  return sum / data.length;
}

/** A trained model with its calibration and test texts; all three are of streams of their own. */
async function trained({ name, config, copies }: (typeof models)[number], run: Run) {
  const chain = markovChain(run.random(`${name}/chain`), vocabulary);
  const draw = (stream: string, count: number) =>
    markovBatch(run.random(`${name}/${stream}`), chain, count, { length, copies });
  const textsOf = (stream: string, count: number) => int32([count, length], draw(stream, count).tokens);
  const { parameters } = await train({
    name: `training ${name}`,
    parameters: initialWeights(config, run.random(`${name}/weights`)),
    loss: (weights, { tokens, targets }: { tokens: JaxArray; targets: JaxArray }) =>
      crossEntropy(decoder(weights, config, tokens), targets),
    optimiser: joined(clipByGlobalNorm(1), adamw({ decay: 0.01 })),
    schedule: linearWarmup(4e-3, 50, cosine({ rate: 4e-3, steps: steps - 50 })),
    steps,
    batches: (step) => {
      const { tokens, targets } = draw(`training/${step}`, batch);
      return { tokens: int32([batch, length], tokens), targets: int32([batch, length], targets) } as never;
    },
    run,
  });
  return {
    model: { config, weights: parameters },
    calibration: textsOf('calibration', calibrationTexts),
    test: textsOf('test', testTexts),
  };
}

/**
 * The same function with outliers: channel j of each norm times c_j, and the columns that read it divided by c_j; log c_j is
 * normal.
 */
function withOutliers({ config, weights }: DecoderModel, random: Random): DecoderModel {
  const changed = { ...weights };
  const scaled = (name: string, by: (column: number) => number) => {
    const { shape, data } = weights[name];
    const columns = shape[shape.length - 1];
    changed[name] = float32(
      shape,
      data.map((value, i) => value * by(i % columns)),
    );
  };
  for (let n = 0; n < config.layers; n++) {
    const at = `model.layers.${n}.`;
    for (const [norm, readers] of [
      ['input_layernorm', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
      ['post_attention_layernorm', ['mlp.gate_proj', 'mlp.up_proj']],
    ] as const) {
      const factors = Float64Array.from({ length: config.width }, () => Math.exp(random.normal()));
      scaled(`${at}${norm}.weight`, (j) => factors[j]);
      for (const reader of readers) scaled(`${at}${reader}.weight`, (j) => 1 / factors[j]);
    }
  }
  return { config, weights: changed };
}

async function measureTrained(kind: (typeof models)[number], run: Run): Promise<Measurements> {
  const { name } = kind;
  const { model, calibration, test } = await trained(kind, run);
  const dense = await lossOn(model, test);
  const made: Record<string, number> = { [`${name}: dense cross entropy`]: dense };
  const rise = async (one: Arm, budget: string, from = model) =>
    (await lossOn(await prunedBy(one, from, calibration, budget, run), test)) - dense;
  for (const budget of shares) {
    const own = (judged as readonly string[]).includes(budget) ? arms : onCurves;
    for (const [label, one] of Object.entries(own))
      made[`${name} pruned, ${sparsityOf(budget)}: ${label}`] = await rise(one, budget);
    run.log(`${name}: pruned to ${budget}`);
  }
  for (const budget of judged) {
    const p = sparsityOf(budget);
    const at = `${name} pruned, ${p}: `;
    made[`${name}: gain over Wanda at ${p}`] = 1 - made[`${at}${registered}`] / made[`${at}Wanda`];
    made[`${name}: gain of the best alpha at ${p}`] =
      1 - Math.min(...tuned.map((label) => made[at + label])) / made[`${at}Wanda`];
  }
  const outliers = withOutliers(model, run.random(`${name}/outliers`));
  made[`${name}: dense with outliers`] = (await lossOn(outliers, test)) - dense;
  for (const label of ['magnitude per row', 'magnitude per matrix', 'Wanda', 'GBLM l2 100', registered]) {
    made[`${name} with outliers at 50%: ${label}`] = await rise(arms[label], '50%', outliers);
  }
  for (const label of ['Wanda', 'GBLM l2 100']) {
    made[`${name} with outliers: ${label} moved`] = Math.abs(
      made[`${name} with outliers at 50%: ${label}`] - made[`${name} pruned, 50%: ${label}`],
    );
  }
  return made;
}

/** Perplexity against sparsity of a published model, calibrated on one text and read on another. */
async function measurePublished(
  name: string,
  folder: string,
  texts: { calibration: string; test: string },
  run: Run,
): Promise<Measurements> {
  const pretrained = await openPretrained(folder);
  const tokenizer = await pretrained.tokenizer();
  const model: DecoderModel = { config: pretrained.config, weights: await loadWeights(pretrained, run) };
  const window = Math.min(256, model.config.positions);
  const test = await tokenizer.encode(texts.test, run);
  const tokens = await tokenizer.encode(texts.calibration, run);
  const calibration = calibrationBlocks(tokens, {
    samples: 32,
    length: window,
    random: run.random(`${name}/calibration`),
  });
  const read = async (read: DecoderModel) => (await perplexity(read, test, { window })).perplexity;
  const made: Record<string, number> = { [`${name}: dense perplexity`]: await read(model) };
  for (const budget of shares) {
    for (const [label, one] of Object.entries(onCurves)) {
      made[`${name}, ${sparsityOf(budget)}: ${label}`] = await read(
        await prunedBy(one, model, calibration, budget, run),
      );
    }
    run.log(`${name}: pruned to ${budget}`);
  }
  return made;
}

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bard = fileOf('../../../../../../shared/models/bard');
const plays = fileOf('../../../../../../shared/data/text/tiny-shakespeare.txt');
const recall = fileOf('../../../examples/recall');

/** Models that are there are measured with the first seed alone. */
async function measureOthers(run: Run): Promise<Measurements> {
  const made: Record<string, number> = {};
  if (existsSync(bard) && existsSync(plays)) {
    const text = readFileSync(plays, 'utf8');
    const cut = Math.floor(0.95 * text.length);
    Object.assign(
      made,
      await measurePublished('bard', bard, { calibration: text.slice(0, 200_000), test: text.slice(cut) }, run),
    );
  }
  const own = join(recall, 'calibration.txt');
  if (existsSync(join(recall, 'config.json')) && existsSync(own)) {
    const text = readFileSync(own, 'utf8');
    const half = text.indexOf(' ', Math.floor(text.length / 2));
    const texts = { calibration: text.slice(0, half), test: text.slice(half) };
    Object.assign(made, await measurePublished('recall', recall, texts, run));
  }
  return made;
}

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

function partsOf(name: string): ClaimPart[] {
  const short = name.replace(' ', '-');
  return [
    ...judged.flatMap((budget): ClaimPart[] => {
      const p = sparsityOf(budget);
      const at = `${name} pruned, ${p}: `;
      return [
        {
          id: `${short}-wanda-${Number.parseInt(p, 10)}`,
          says: `rise by Wanda over that by GBLM (l2, balanced), ${name}, sparsity ${p}`,
          role: 'headline',
          rule: { of: `${at}Wanda`, over: at + registered, atLeast: 0 },
        },
        {
          id: `${short}-gain-${Number.parseInt(p, 10)}`,
          says: `that difference as a share of Wanda’s rise, ${name}, sparsity ${p}`,
          role: 'headline',
          rule: { of: `${name}: gain over Wanda at ${p}`, atLeast: 0.01 },
        },
      ];
    }),
    ...['magnitude per row', 'magnitude per matrix', 'SparseGPT'].map(
      (label): ClaimPart => ({
        id: `${short}-${label.replaceAll(' ', '-').toLowerCase()}`,
        says: `rise by ${label} over that by GBLM, ${name}, sparsity 50%`,
        role: 'headline',
        rule: { of: `${name} pruned, 50%: ${label}`, over: `${name} pruned, 50%: ${registered}`, atLeast: 0 },
      }),
    ),
    {
      id: `${short}-random`,
      says: `rise by random pruning over that by magnitude per row, ${name}, sparsity 50%: the model has something to lose`,
      role: 'control',
      rule: { of: `${name} pruned, 50%: random`, over: `${name} pruned, 50%: magnitude per row`, atLeast: 0.3 },
    },
    {
      id: `${short}-gradient-only`,
      says: `rise by gradients alone over that by GBLM, ${name}, sparsity 50%: the inputs are needed`,
      role: 'control',
      rule: { of: `${name} pruned, 50%: gradient only`, over: `${name} pruned, 50%: ${registered}`, atLeast: 0 },
    },
    {
      id: `${short}-outliers-magnitude`,
      says: `what outliers that change no output add to the rise by magnitude per row, ${name}: it collapses`,
      role: 'control',
      rule: {
        of: `${name} with outliers at 50%: magnitude per row`,
        over: `${name} pruned, 50%: magnitude per row`,
        atLeast: 0.1,
      },
    },
    ...['Wanda', 'GBLM l2 100'].map(
      (label): ClaimPart => ({
        id: `${short}-outliers-${label.replaceAll(' ', '-').toLowerCase()}`,
        says: `by how much the same outliers move the rise by ${label}, ${name}: not at all but for rounding`,
        role: 'control',
        rule: { of: `${name} with outliers: ${label} moved`, atMost: 0.002 },
      }),
    ),
  ];
}

export default claim({
  method: 'gblm',
  headline: 'Gradients beside the inputs’ norms prune better than Wanda, magnitude and SparseGPT, without training.',
  setting:
    `Decoders of width 32 with SwiGLU, trained ${steps} steps in each seed: 4 blocks on a Markov chain of order 2 (the brief has a ReLU ` +
    `network here), 6 on the chain mixed with copies. ${calibrationTexts} calibration and ${testTexts} test texts of ${length} tokens, none shared with ` +
    'training. The number of an arm is the rise of the test cross entropy over the dense model in nats, at sparsities 30% to 70% and 2:4. The ' +
    'setting judged was fixed beforehand: l2 with the balanced alpha, chosen on the calibration texts alone; gradients read the ' +
    'labels of those texts, which the other arms do not see. The paper’s effect is about 1% of the perplexity: the gain is asked to be 1% of Wanda’s ' +
    'rise with its whole interval, more than its mean alone. With outliers: each norm’s channels times log-normal factors that ' +
    'the columns after it undo. bard and recall: perplexity of published models, first seed.',
  unjudged:
    'an effect as small as the paper’s: in a first run of these 8 seeds the standard error of the gain was 1.5% to 2.7% of Wanda’s rise, so ' +
    'that 1% cannot be seen here and "undecided" is what is to be expected; and perplexities of LLaMA models at their sizes. The published ' +
    'models here are measured with one calibration draw and not judged.',
  seeds,
  parts: models.flatMap(({ name }) => partsOf(name)),
  async measure(run) {
    const made: Record<string, number> = {};
    for (const kind of models) Object.assign(made, await measureTrained(kind, run));
    if (run.seed === seeds[0]) Object.assign(made, await measureOthers(run));
    return made;
  },
});
