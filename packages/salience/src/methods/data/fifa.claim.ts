/** @file What arXiv:2410.10166 claims of preference pairs chosen by margin, quality and rarity, in a world whose true reward is known. */

import { type ClaimPart, claim, type Measurements } from '../../core/claim.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import { rewardMargins } from '../../models/reward/reward-model.ts';
import { adam } from '../../nn/optimisers/adam.ts';
import { constant } from '../../nn/optimisers/schedules.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import { initialPerceptron, perceptron } from '../../nn/perceptron.ts';
import { dpoLosses } from '../../nn/preference-losses.ts';
import { train } from '../../nn/training/train.ts';
import {
  greedyDiverse,
  logDistancesInside,
  logNeighbourDistances,
} from '../../numerics/diversity/neighbour-entropy.ts';
import { groupMoments } from '../../numerics/statistics/standardise.ts';
import { float32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import { type PairParts, type PairWeights, pairScores } from './fifa.ts';

const promptWidth = 6;
const answerWidth = 4;
const deviation = 0.7;
const pairs = 5000;
const keep = 300;
const looks = [15, 30, 60, 120, 200];

/** Where prompts come from, what answers are best, and which prompts are bad. */
interface World {
  readonly centres: readonly Float64Array[];
  readonly weights: readonly number[];
  /** The best answer to a prompt. */
  best(prompt: ArrayLike<number>): Float64Array;
}

/** g(c) = W₂ tanh(W₁ c), scaled so that the reference policy's mean is about 0.8 below the best reward. */
function worldOf(random: Random): World {
  const hidden = 16;
  const first = Float64Array.from(
    { length: hidden * promptWidth },
    () => (1.2 * random.normal()) / Math.sqrt(promptWidth),
  );
  const second = Float64Array.from({ length: answerWidth * hidden }, () => (0.9 * random.normal()) / Math.sqrt(hidden));
  const rest = 0.2 / 17;
  return {
    centres: Array.from({ length: 20 }, () => Float64Array.from({ length: promptWidth }, () => random.normal())),
    weights: [0.4, 0.25, 0.15, ...new Array<number>(17).fill(rest)],
    best(prompt) {
      const out = new Float64Array(answerWidth);
      for (let h = 0; h < hidden; h++) {
        let sum = 0;
        for (let c = 0; c < promptWidth; c++) sum += first[h * promptWidth + c] * prompt[c];
        const active = Math.tanh(sum);
        for (let o = 0; o < answerWidth; o++) out[o] += second[o * hidden + h] * active;
      }
      return out;
    },
  };
}

function reward({ best }: World, prompt: ArrayLike<number>, answer: ArrayLike<number>): number {
  const g = best(prompt);
  let sum = 0;
  for (let o = 0; o < answerWidth; o++) sum += (answer[o] - g[o]) ** 2;
  return -sum;
}

function promptOf({ centres }: World, cluster: number, random: Random): Float64Array {
  return centres[cluster].map((x) => x + 0.35 * random.normal());
}

function draw(weights: readonly number[], random: Random): number {
  let left = random.uniform();
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

/** Preference pairs with vectors for prompts and answers, and the quality a judge gives. */
interface Preferences {
  readonly prompts: Float32Array;
  readonly winners: Float32Array;
  readonly losers: Float32Array;
  readonly quality: Float64Array;
}

/**
 * Pairs of answers by the reference policy, labelled by Bradley–Terry at temperature 1.5 with one label in ten flipped; the annotators of bad
 * prompts prefer the opposite.
 */
function preferencesOf(world: World, bad: number, random: Random): Preferences {
  const prompts = new Float32Array(pairs * promptWidth);
  const winners = new Float32Array(pairs * answerWidth);
  const losers = new Float32Array(pairs * answerWidth);
  const quality = new Float64Array(pairs);
  for (let i = 0; i < pairs; i++) {
    const prompt = promptOf(world, draw(world.weights, random), random);
    const middle = world.best(prompt).map((x) => 0.3 * x);
    const answers = [0, 1].map(() => middle.map((x) => x + deviation * random.normal()));
    const isBad = random.uniform() < bad;
    const gap = (reward(world, prompt, answers[0]) - reward(world, prompt, answers[1])) / 1.5;
    const first = random.uniform() < 1 / (1 + Math.exp(isBad ? gap : -gap));
    const label = random.uniform() < 0.1 ? !first : first;
    prompts.set(prompt, i * promptWidth);
    winners.set(answers[label ? 0 : 1], i * answerWidth);
    losers.set(answers[label ? 1 : 0], i * answerWidth);
    quality[i] = Math.min(10, Math.max(0, (isBad ? 2 : 8) + random.normal()));
  }
  return { prompts, winners, losers, quality };
}

interface Policy {
  /** Means of the answers to prompts [n · 6], shape [n · 4]. */
  means(parameters: ParameterTensors, prompts: Float32Array): Float64Array;
}

/** The mean of the policy by plain loops: what is measured does not go through the program that is trained. */
const policy: Policy = {
  means(parameters, prompts) {
    const [w1, b1, w2, b2] = ['1.weight', '1.bias', '2.weight', '2.bias'].map((name) => parameters[name].data);
    const n = prompts.length / promptWidth;
    const hidden = b1.length;
    const out = new Float64Array(n * answerWidth);
    for (let i = 0; i < n; i++) {
      for (let o = 0; o < answerWidth; o++) out[i * answerWidth + o] = b2[o];
      for (let h = 0; h < hidden; h++) {
        let sum = b1[h];
        for (let c = 0; c < promptWidth; c++) sum += w1[h * promptWidth + c] * prompts[i * promptWidth + c];
        if (sum > 0) for (let o = 0; o < answerWidth; o++) out[i * answerWidth + o] += w2[o * hidden + h] * sum;
      }
    }
    return out;
  },
};

/** A perceptron of 48 units fitted to 0.3 g(c) on the pool's prompts. */
async function referencePolicy(world: World, { prompts }: Preferences, run: Run): Promise<ParameterTensors> {
  const targets = new Float32Array(pairs * answerWidth);
  for (let i = 0; i < pairs; i++) {
    targets.set(
      world.best(prompts.subarray(i * promptWidth, (i + 1) * promptWidth)).map((x) => 0.3 * x),
      i * answerWidth,
    );
  }
  const random = run.random('reference batches');
  const { parameters } = await train<{ x: JaxArray; y: JaxArray }>({
    name: 'reference policy',
    run,
    steps: 800,
    parameters: initialPerceptron([promptWidth, 48, answerWidth], run.random('reference weights')),
    loss: (p: Parameters, { x, y }: { x: JaxArray; y: JaxArray }) => {
      const wrong = perceptron(p, x, 2).sub(y);
      return wrong.mul(wrong).mean();
    },
    optimiser: adam(),
    schedule: constant(3e-3),
    batches: (step) => {
      const rows = drawn(random.stream(`${step}`), 256, pairs);
      return { x: taken(prompts, promptWidth, rows), y: taken(targets, answerWidth, rows) };
    },
  });
  return parameters;
}

function drawn(random: Random, count: number, below: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => random.integer(below));
}

function taken(values: Float32Array, width: number, rows: Uint32Array): Tensor<'float32'> {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    out.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return float32([rows.length, width], out);
}

interface Batch<Leaf> {
  readonly prompts: Leaf;
  readonly winners: Leaf;
  readonly losers: Leaf;
  /** Means of the reference policy. */
  readonly means: Leaf;
}

interface Tuning {
  readonly beta: number;
  readonly rate: number;
  readonly steps: number;
}

/**
 * DPO on the mean of a Gaussian policy, the same number of steps for every arm.
 * @returns the parameters after each number of steps that is looked at.
 */
async function aligned(
  data: Preferences,
  indices: Uint32Array,
  reference: ParameterTensors,
  { beta, rate, steps }: Tuning,
  run: Run,
): Promise<Map<number, ParameterTensors>> {
  const referenceMeans = Float32Array.from(policy.means(reference, data.prompts));
  const seen = new Map<number, ParameterTensors>([[0, reference]]);
  const random = run.random('DPO batches');
  const density = (answers: JaxArray, means: JaxArray) => {
    const off = answers.sub(means);
    return off
      .mul(off)
      .sum(-1)
      .mul(-1 / (2 * deviation ** 2));
  };
  const at = new Set(looks);
  await train<Batch<JaxArray>>({
    name: 'DPO',
    run,
    steps,
    parameters: reference,
    loss: (p: Parameters, { prompts, winners, losers, means }: Batch<JaxArray>) => {
      const now = perceptron(p, prompts, 2);
      const both = (at: JaxArray) => ({ preferred: density(winners, at), other: density(losers, at) });
      return dpoLosses(both(now), both(means), beta).mean();
    },
    optimiser: adam(),
    schedule: constant(rate),
    batches: (step) => {
      const rows = drawn(random.stream(`${step}`), 64, indices.length).map((i) => indices[i]);
      return {
        prompts: taken(data.prompts, promptWidth, rows),
        winners: taken(data.winners, answerWidth, rows),
        losers: taken(data.losers, answerWidth, rows),
        means: taken(referenceMeans, answerWidth, rows),
      };
    },
    evaluate: {
      every: 5,
      measure: async (parameters, step) => {
        if (at.has(step) || step === steps) seen.set(step, copied(parameters));
        return {};
      },
    },
  });
  return seen;
}

/** The tensors as they are now: training goes on in the same memory. */
function copied(parameters: ParameterTensors): ParameterTensors {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [name, float32(shape, data.slice())]),
  );
}

/** Mean true reward of the mean answers to test prompts. */
function trueReward(world: World, prompts: Float32Array, means: Float64Array): number {
  const n = prompts.length / promptWidth;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += reward(
      world,
      prompts.subarray(i * promptWidth, (i + 1) * promptWidth),
      means.subarray(i * answerWidth, (i + 1) * answerWidth),
    );
  }
  return sum / n;
}

/**
 * How often a sample of one policy has a higher true reward than a sample of another, equal ones by half: with the same noise for both
 * samples of a prompt, and with noise of their own, beside which any change of the means is small.
 */
function winRates(
  world: World,
  prompts: Float32Array,
  one: Float64Array,
  other: Float64Array,
  random: Random,
): { readonly paired: number; readonly independent: number } {
  const n = prompts.length / promptWidth;
  const found = { paired: 0, independent: 0 };
  for (let i = 0; i < n; i++) {
    const prompt = prompts.subarray(i * promptWidth, (i + 1) * promptWidth);
    const noise = () => Float64Array.from({ length: answerWidth }, () => deviation * random.normal());
    const rewardOf = (means: Float64Array, by: Float64Array) =>
      reward(
        world,
        prompt,
        by.map((x, o) => means[i * answerWidth + o] + x),
      );
    const [first, second] = [noise(), noise()];
    const ahead = rewardOf(one, first);
    found.paired += (Math.sign(ahead - rewardOf(other, first)) + 1) / 2;
    found.independent += (Math.sign(ahead - rewardOf(other, second)) + 1) / 2;
  }
  return { paired: found.paired / n, independent: found.independent / n };
}

function best(scores: ArrayLike<number>, count = keep): Uint32Array {
  const order = Array.from(scores, (_, i) => i).sort((a, b) => scores[b] - scores[a] || a - b);
  return Uint32Array.from(order.slice(0, count)).sort();
}

const few = 200;
const fewKept = 20;

/**
 * What scores pair by pair lose against a greedy choice with distances inside the set, in the set's own objective
 * Σ z(m) + z(q) + log ρ_k / deviation of log ρ_k: 20 of 200 pairs, random ones for comparison.
 */
function smallSet(
  name: string,
  data: Preferences,
  { margin, quality }: { readonly margin: ArrayLike<number>; readonly quality: ArrayLike<number> },
  random: Random,
): Record<string, number> {
  const chosen = random.permutation(pairs).slice(0, few);
  const prompts = new Float64Array(few * promptWidth);
  chosen.forEach((pair, i) => {
    prompts.set(data.prompts.subarray(pair * promptWidth, (pair + 1) * promptWidth), i * promptWidth);
  });
  const of = (values: ArrayLike<number>) => Float64Array.from(chosen, (pair) => values[pair]);
  const k = 5;
  const rarity = logNeighbourDistances(prompts, promptWidth, k);
  const weights: PairWeights = { margin: 1, quality: 1, diversity: 1, scale: 'z-score', marginMode: 'signed' };
  const parts = { margin: of(margin), quality: of(quality) };
  const values = pairScores(parts, weights);
  const { deviations } = groupMoments(rarity, 1, () => 0);
  const weight = 1 / deviations[0];
  const objective = (set: ArrayLike<number>) => {
    const all = Array.from(set);
    return (
      (all.reduce((sum, i) => sum + values[i], 0) + weight * logDistancesInside(all, prompts, promptWidth, k)) / fewKept
    );
  };
  const split = best(pairScores({ ...parts, rarity }, weights), fewKept);
  const greedy = greedyDiverse(values, prompts, promptWidth, { k, count: fewKept, weight });
  const chance = Array.from({ length: 20 }, () => objective(random.permutation(few).slice(0, fewKept)));
  return {
    [`${name}, small set, objective a pair: pair by pair`]: objective(split),
    [`${name}, small set, objective a pair: greedy`]: objective(greedy),
    [`${name}, small set, objective a pair: random`]: chance.reduce((sum, x) => sum + x, 0) / chance.length,
    [`${name}, small set: pairs in common`]: [...split].filter((i) => greedy.includes(i)).length / fewKept,
  };
}

type Arm = readonly [name: string, indices: Uint32Array];

/** The sets of 300 pairs, and all pairs. */
function armsOf(parts: Required<PairParts>, random: Random): Arm[] {
  const base = { margin: 1, quality: 1, diversity: 1, scale: 'z-score', marginMode: 'signed' } as const;
  const chosen = (weights: Partial<PairWeights>) => best(pairScores(parts, { ...base, ...weights }));
  return [
    ['full', Uint32Array.from({ length: pairs }, (_, i) => i)],
    ['random', random.permutation(pairs).slice(0, keep).sort()],
    ['diversity only', chosen({ margin: 0, quality: 0 })],
    ['quality only', chosen({ margin: 0, diversity: 0 })],
    ['|margin| only', chosen({ quality: 0, diversity: 0, marginMode: 'abs' })],
    ['margin only', chosen({ quality: 0, diversity: 0 })],
    ['FiFA', chosen({})],
    ['FiFA, |margin|', chosen({ marginMode: 'abs' })],
    ['FiFA without diversity', chosen({ diversity: 0 })],
    ['lowest margin', best(Array.from(parts.margin, (m) => -m))],
  ];
}

async function setting(
  name: string,
  {
    bad,
    testClusters,
    tunings,
  }: {
    bad: number;
    testClusters: readonly number[];
    tunings: readonly (Tuning & { suffix: string; arms?: readonly string[] })[];
  },
  run: Run,
): Promise<Measurements> {
  const world = worldOf(run.random(`${name}: world`));
  const data = preferencesOf(world, bad, run.random(`${name}: pairs`));
  const testRandom = run.random(`${name}: test`);
  const tests = 2000;
  const prompts = new Float32Array(tests * promptWidth);
  for (let i = 0; i < tests; i++)
    prompts.set(promptOf(world, testRandom.choice(testClusters), testRandom), i * promptWidth);
  const margin = await rewardMargins(
    {
      pairs,
      width: promptWidth + answerWidth,
      read: async () => (indices) => ({
        winners: joined(data, data.winners, indices),
        losers: joined(data, data.losers, indices),
      }),
    },
    {},
    run,
  );
  const rarity = logNeighbourDistances(data.prompts, promptWidth, 5);
  const arms = armsOf({ margin, quality: data.quality, rarity }, run.random(`${name}: random arm`));
  const reference = await referencePolicy(world, data, run);
  const found: Record<string, number> = {
    ...smallSet(name, data, { margin, quality: data.quality }, run.random(`${name}: small set`)),
    [`${name}: reference policy, true reward`]: trueReward(world, prompts, policy.means(reference, prompts)),
  };
  for (const tuning of tunings) {
    const of = `${name}${tuning.suffix}`;
    const all = new Map<number, Float64Array>();
    for (const [arm, indices] of arms) {
      if (tuning.arms && !tuning.arms.includes(arm)) continue;
      await run.breathe();
      for (const [step, parameters] of await aligned(data, indices, reference, tuning, run)) {
        if (step === 0) continue;
        const means = policy.means(parameters, prompts);
        if (arm === 'full') all.set(step, means);
        found[`${of}, step ${step}: ${arm}`] = trueReward(world, prompts, means);
        if (step === 30 || step === tuning.steps) {
          const { paired, independent } = winRates(
            world,
            prompts,
            means,
            all.get(step)!,
            run.random(`${of} wins ${arm}`),
          );
          found[`${of}, step ${step}, wins over full: ${arm}`] = paired;
          found[`${of}, step ${step}, wins over full, noise of their own: ${arm}`] = independent;
        }
      }
    }
  }
  return found;
}

function joined({ prompts }: Preferences, answers: Float32Array, indices: ArrayLike<number>): Float32Array {
  const width = promptWidth + answerWidth;
  const out = new Float32Array(indices.length * width);
  for (let r = 0; r < indices.length; r++) {
    const i = indices[r];
    out.set(prompts.subarray(i * promptWidth, (i + 1) * promptWidth), r * width);
    out.set(answers.subarray(i * answerWidth, (i + 1) * answerWidth), r * width + promptWidth);
  }
  return out;
}

const uniform = Array.from({ length: 20 }, (_, i) => i);
const held = { beta: 4, rate: 5e-4, steps: 200, suffix: '' };

async function measure(run: Run): Promise<Measurements> {
  const arms = ['full', 'random', 'margin only', 'FiFA'];
  const long = { rate: 1e-3, steps: 400, arms };
  return {
    ...(await setting(
      'usual',
      {
        bad: 0.15,
        testClusters: uniform,
        tunings: [held, ...[4, 1, 0.5].map((beta) => ({ ...long, beta, suffix: ` β ${beta}` }))],
      },
      run,
    )),
    ...(await setting(
      'bad and rare',
      {
        bad: 0.4,
        testClusters: uniform.slice(3),
        tunings: [{ ...held, arms: [...arms, 'quality only', 'diversity only', 'FiFA without diversity'] }],
      },
      run,
    )),
  };
}

/** One arm's true reward is above another's after 30 steps. */
function above(id: string, says: string, of: string, over: string, role: ClaimPart['role'] = 'headline'): ClaimPart {
  return { id, says, role, rule: { of: `usual, step 30: ${of}`, over: `usual, step 30: ${over}`, atLeast: 0 } };
}

export default claim({
  method: 'fifa',
  headline:
    'A small share of the preference pairs, chosen by margin, quality and rarity, aligns a model better and sooner than all of them.',
  setting:
    'Reconstruction in part. Prompts in 6 dimensions from 20 clusters of unequal weight, answers in 4, true reward −|x − g(c)|²; 5,000 pairs from a Gaussian policy, Bradley–Terry labels with one in ten flipped and 15% of the prompts judged the wrong way round; 300 pairs (6%) are kept. DPO on the mean, β = 4, the same number of steps for every arm (and a sweep with β = 4, 1 and 0.5 at twice the rate to 400 steps); measured by the true reward of 2,000 prompts drawn evenly from all clusters, wins with the same noise for both samples of a prompt. The rewards that choose come from a perceptron trained on all pairs, never from the true reward.',
  unjudged:
    'That people prefer the images 17% more often, and that it takes 1% of the GPU hours: no diffusion model and no people here. Less than 0.5% of the pairs are kept there, 6% here.',
  seeds: [21, 22, 23, 24, 25, 26, 27, 28],
  parts: [
    {
      id: 'wins-over-full',
      says: 'After 30 steps samples of FiFA’s policy win against those of all data, made of the same noise, in 58% of the cases or more.',
      role: 'headline',
      rule: { of: 'usual, step 30, wins over full: FiFA', atLeast: 0.58 },
      reported: {
        figure: 'preferred 17% more',
        setting: 'by people, images of diffusion models, less than 0.5% of the pairs kept',
        source: 'abstract',
      },
    },
    above(
      'above-random',
      'FiFA’s policy has a higher true reward than that of as many random pairs.',
      'FiFA',
      'random',
    ),
    above('above-full', 'FiFA’s policy has a higher true reward than that of all pairs.', 'FiFA', 'full'),
    above('parts-add', 'Quality and rarity add to the margin: FiFA is above the margin alone.', 'FiFA', 'margin only'),
    above('signed', 'The margin with its sign is above its size.', 'margin only', '|margin| only'),
    above('size-above-full', 'The size of the margin alone is above all pairs.', '|margin| only', 'full'),
    {
      id: 'parts-add-where-they-could',
      says: 'With 40% bad prompts and test prompts of rare clusters only, FiFA is above the margin alone.',
      role: 'headline',
      rule: { of: 'bad and rare, step 30: FiFA', over: 'bad and rare, step 30: margin only', atLeast: 0 },
    },
    above(
      'lowest-below-random',
      'The lowest margins are worse than random pairs.',
      'random',
      'lowest margin',
      'control',
    ),
    above('full-above-random', 'All pairs are above as many random ones.', 'full', 'random', 'control'),
    {
      id: 'something-to-learn',
      says: 'All pairs raise the true reward above that of the reference policy.',
      role: 'control',
      rule: { of: 'usual, step 200: full', over: 'usual: reference policy, true reward', atLeast: 0.01 },
    },
    {
      id: 'without-a-hold',
      says: 'With β = 0.5, a higher rate and 400 steps, FiFA’s policy is still above that of all pairs.',
      role: 'refutation',
      rule: { of: 'usual β 0.5, step 400: FiFA', over: 'usual β 0.5, step 400: full', atLeast: 0 },
    },
  ],
  measure,
});
