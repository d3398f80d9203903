/** @file What arXiv:2305.10181 claims of feature interaction scores, on generated data, and on COMPAS and German credit where present. */

import { type ClaimPart, claim, type Measurements } from '../../core/claim.ts';
import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Fitted } from '../../models/tabular/estimator.ts';
import { fitPerceptron } from '../../models/tabular/perceptron.ts';
import { fitRidge } from '../../models/tabular/ridge.ts';
import {
  binaryLogLoss,
  type MeanLoss,
  type Shuffle,
  squaredLoss,
} from '../../numerics/importance/permutation-importance.ts';
import { type Explained, featureShuffles, maskedEffects, maskedLoss } from '../../numerics/rashomon/effects.ts';
import {
  type CloudPoint,
  interactionCloud,
  rangeOf,
  referenceScores,
  searchRashomonSet,
} from '../../numerics/rashomon/interaction-cloud.ts';
import { auroc } from '../../numerics/statistics/classification.ts';
import { pearson } from '../../numerics/statistics/correlation.ts';
import { blackBoxFor } from '../../subjects/table/black-box-of.ts';
import { outcomesOf } from '../../subjects/table/explained-rows.ts';
import { type RealTable, realTable, realTablesPresent } from '../../subjects/table/real-tables.ts';
import { rowsOf } from '../../subjects/table/table.ts';
import { constantLoss, pairsOf } from './rashomon-fis.ts';

/** Rows and what is right for them. */
interface Sample {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

function sample(
  n: number,
  columns: number,
  random: Random,
  draw: (row: Float64Array) => number,
  entry: () => number,
): Sample {
  const x = Float64Array.from({ length: n * columns }, entry);
  const y = Float64Array.from({ length: n }, (_, i) => draw(x.subarray(i * columns, (i + 1) * columns)));
  random.uniform();
  return { x, y };
}

function explainedBy(fitted: Fitted, { x, y }: Sample, loss: MeanLoss): Explained {
  const { columns, outputs } = fitted;
  return {
    predict: async (rows) => {
      const found = await fitted.predict(rows);
      return outputs === 1
        ? found
        : Float64Array.from({ length: rows.length / columns }, (_, i) => found[outputs * i + outputs - 1]);
    },
    rows: x,
    columns,
    targets: y,
    loss,
    features: Array.from({ length: columns }, (_, c) => [c]),
  };
}

/** Part A: eight features, three true interactions, a regression. */
async function regression(run: Run): Promise<Measurements> {
  const random = run.random('part A');
  const p = 8;
  const outcome = (row: Float64Array) => {
    const [a, b, c, d, e, f] = row;
    return a + b + c + d + 0.5 * e + 0.5 * f + a * b + 0.7 * c * d + 0.5 * a * e + 0.3 * random.normal();
  };
  const train = sample(1500, p, random, outcome, () => random.normal());
  const test = sample(600, p, random, outcome, () => random.normal());
  const fitted = await fitPerceptron({ columns: p, ...train }, { hidden: [64, 32] }, run);
  const explained = explainedBy(fitted, test, squaredLoss);
  const pairs = pairsOf(p);
  const isTrue = pairs.map(([i, j]) => Number((i === 0 && j === 1) || (i === 2 && j === 3) || (i === 0 && j === 4)));
  const shuffles = featureShuffles(explained, 30, run.random('shuffles'));
  const ones = explained.features.map(() => 1);
  const { effects } = await maskedEffects(explained, ones, explained.features, shuffles);
  const scores = await referenceScores(explained, pairs, shuffles, effects);
  const residual = await linearResidual(train, test, run);
  const column = (c: number) => Float64Array.from({ length: 600 }, (_, i) => test.x[i * p + c]);
  const products = pairs.map(([i, j]) => column(i).map((v, row) => v * test.x[row * p + j]));
  const broken = await brokenScores(explained, pairs, shuffles, effects);
  const search = await searchRashomonSet(explained, 0.1, { only: new Set([0, 1]) });
  const ranks = run.random('random ranks');
  const common = featureShuffles(explained, 30, run.random('cloud'));
  const cloud = await interactionCloud(explained, search, [0, 1], common);
  const reference = (await referenceScores(explained, [[0, 1]], common))[0];
  const width = widthOf(cloud);
  return {
    'finds interactions: |FIS|': auroc(isTrue, scores.map(Math.abs)),
    'finds interactions: product of single effects': auroc(
      isTrue,
      pairs.map(([i, j]) => effects[i] * effects[j]),
    ),
    'finds interactions: joint effect of the last column alone': auroc(isTrue, broken.map(Math.abs)),
    'finds interactions: residual of a linear fit with the product': auroc(
      isTrue,
      products.map((product) => Math.abs(pearson(product, residual))),
    ),
    'finds interactions: random': auroc(
      isTrue,
      pairs.map(() => ranks.uniform()),
    ),
    'regression, ε 10%: width in the set / |reference|': width / Math.abs(reference),
    'regression, ε 10%: width in the set': width,
    'regression: spread of the reference under fresh shuffles': await freshRange(explained, [0, 1], 30, run),
    'regression: R²': 1 - search.reference / (await constantLoss(explained)),
  };
}

async function linearResidual(train: Sample, test: Sample, run: Run): Promise<Float64Array> {
  const fitted = await fitRidge({ columns: test.x.length / test.y.length, ...train }, { strength: 1e-6 }, run);
  const predicted = await fitted.predict(test.x);
  return test.y.map((y, i) => y - predicted[i]);
}

/** The negative control: a joint effect in which only the last column of the pair is shuffled. */
async function brokenScores(
  explained: Explained,
  pairs: readonly [number, number][],
  shuffles: readonly Shuffle[],
  effects: Float64Array,
): Promise<Float64Array> {
  const ones = explained.features.map(() => 1);
  const { effects: last } = await maskedEffects(
    explained,
    ones,
    pairs.map(([, j]) => [j]),
    shuffles,
  );
  return last.map((joint, s) => joint - effects[pairs[s][0]] - effects[pairs[s][1]]);
}

function widthOf(cloud: readonly CloudPoint[]): number {
  const range = rangeOf(cloud, true);
  return range ? range[1] - range[0] : 0;
}

/** Reference scores of a pair under 8 fresh draws of the shuffles. */
async function freshScores(explained: Explained, pair: readonly number[], count: number, run: Run): Promise<number[]> {
  const found: number[] = [];
  for (let draw = 0; draw < 8; draw++) {
    const shuffles = featureShuffles(explained, count, run.random(`fresh ${draw}`));
    found.push((await referenceScores(explained, [pair], shuffles))[0]);
  }
  return found;
}

async function freshRange(explained: Explained, pair: readonly number[], count: number, run: Run): Promise<number> {
  const found = await freshScores(explained, pair, count, run);
  return Math.max(...found) - Math.min(...found);
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
}

/** How wide a pair's scores lie in the set at several rates. */
async function widths(
  name: string,
  explained: Explained,
  pair: [number, number],
  run: Run,
  { shuffles: count = 20, rates = [0.01, 0.05, 0.1] } = {},
): Promise<Record<string, number>> {
  const shuffles = featureShuffles(explained, count, run.random('common'));
  const reference = (await referenceScores(explained, [pair], shuffles))[0];
  const noise = deviation(await freshScores(explained, pair, count, run));
  const nullLoss = await constantLoss(explained);
  const found: Record<string, number> = { [`${name}: reference score`]: reference, [`${name}: noise s.d.`]: noise };
  for (const rate of rates) {
    await run.breathe();
    const search = await searchRashomonSet(explained, rate, { only: new Set(pair) });
    const cloud = await interactionCloud(explained, search, pair, shuffles);
    const width = widthOf(cloud);
    const at = `${name}, ${100 * rate}%`;
    found[`${at}: width in the set / |reference|`] = width / Math.abs(reference);
    found[`${at}: width in the set / noise`] = width / noise;
    found[`${at}: models in the set of 36`] = cloud.filter(({ inside }) => inside).length;
    // 1 also where the constant is as good as the reference: it is in the set then.
    const reach = nullLoss > search.reference ? search.epsilon / (nullLoss - search.reference) : 1;
    found[`${at}: ε / (loss of a constant − L*), at most 1`] = Math.min(1, reach);
    if (rate === 0.05)
      found[`${at}: width of random masks in the same box`] = await randomWidth(
        explained,
        search,
        pair,
        cloud.filter(({ inside }) => inside).length,
        shuffles,
        run,
      );
    if (rate === 0.05) found[`${at}: width in the set`] = width;
  }
  return found;
}

/** Random masks of the pair in the box the search reached, `count` of them in the set. */
async function randomWidth(
  explained: Explained,
  { found, parts, reference, epsilon }: Awaited<ReturnType<typeof searchRashomonSet>>,
  pair: readonly [number, number],
  count: number,
  shuffles: readonly Shuffle[],
  run: Run,
): Promise<number> {
  const random = run.random('random masks');
  const scores: number[] = [];
  for (let tries = 0; scores.length < count && tries < 400; tries++) {
    const mask = explained.features.map(() => 1);
    for (const f of pair) {
      const low = found[f].down.factors[parts];
      mask[f] = low + (found[f].up.factors[parts] - low) * random.uniform();
    }
    if ((await maskedLoss(explained, mask)) > reference + epsilon) continue;
    const { effects } = await maskedEffects(explained, mask, [pair], shuffles);
    let score = effects[0];
    for (const f of pair) {
      const alone = explained.features.map((_, g) => (g === f ? mask[f] : 1));
      score -= (await maskedEffects(explained, alone, [[f]], shuffles)).effects[0];
    }
    scores.push(score);
  }
  return scores.length === 0 ? 0 : Math.max(...scores) - Math.min(...scores);
}

/** Part B: six features of −1 and 1, one interaction, a weak and a strong signal. */
async function classification(run: Run): Promise<Measurements> {
  const found: Record<string, number> = {};
  for (const [name, strength] of [
    ['weak signal', 1],
    ['strong signal', 4],
  ] as const) {
    const random = run.random(name);
    const outcome = ([a, b, c]: Float64Array) => {
      const z = strength * (0.4 * a + 0.4 * b + 0.3 * c + 0.4 * a * b);
      return Number(random.uniform() < 1 / (1 + Math.exp(-z)));
    };
    const sign = () => (random.uniform() < 0.5 ? -1 : 1);
    const train = sample(1500, 6, random, outcome, sign);
    const test = sample(500, 6, random, outcome, sign);
    const fitted = await fitPerceptron({ columns: 6, ...train, classes: 2 }, { hidden: [16] }, run);
    Object.assign(found, await widths(name, explainedBy(fitted, test, binaryLogLoss), [0, 1], run));
  }
  return found;
}

/** The pair of highest score of a perceptron on a real table, among features that are no categories of several levels. */
async function real(name: RealTable, run: Run): Promise<Measurements> {
  const table = await realTable(name, run);
  const params = { model: 'perceptron', positive: undefined, modelSeed: undefined };
  const model = await blackBoxFor(table, params, run);
  const rows = table.test.slice(0, 300);
  const explained: Explained = {
    predict: (batch) => model.predict(batch),
    rows: rowsOf(table, rows),
    columns: table.columns.length,
    targets: outcomesOf(table, rows, model.positive),
    loss: binaryLogLoss,
    features: table.columns.map((_, c) => [c]),
  };
  // The eight features of greatest single effect; all pairs of 61 would take minutes.
  const shuffles = featureShuffles(explained, 20, run.random('common'));
  const scalable = table.columns.flatMap(({ kind, levels }, c) =>
    kind === 'categorical' && levels!.length > 2 ? [] : [c],
  );
  const ones = explained.features.map(() => 1);
  const { effects } = await maskedEffects(
    explained,
    ones,
    scalable.map((c) => [c]),
    shuffles,
  );
  const best = scalable
    .map((c, at) => ({ c, effect: effects[at] }))
    .sort((a, b) => b.effect - a.effect || a.c - b.c)
    .slice(0, 8);
  const pairs = pairsOf(best.length).map(([i, j]): [number, number] => [best[i].c, best[j].c]);
  const scores = await referenceScores(explained, pairs, shuffles);
  const top = scores.reduce((at, score, s) => (Math.abs(score) > Math.abs(scores[at]) ? s : at), 0);
  return widths(name, explained, pairs[top], run, { rates: [0.05] });
}

async function measure(run: Run): Promise<Measurements> {
  const found = { ...(await regression(run)), ...(await classification(run)) };
  if (!realTablesPresent()) return found;
  return { ...found, ...(await real('compas', run)), ...(await real('german-credit', run)) };
}

/** The brief's verdict rule: at a rate of 5% the range in the set is 5 deviations of the noise, and half of the reference score. */
function varies(name: string, says: string, role: ClaimPart['role'] = 'headline'): ClaimPart[] {
  const id = name.replace(/ .*/, '');
  return [
    {
      id: `${id}-beyond-noise`,
      says: `${says}: among models within 5% of the loss the score varies by 5 deviations of the noise or more.`,
      role,
      rule: { of: `${name}, 5%: width in the set / noise`, atLeast: 5 },
    },
    {
      id: `${id}-varies`,
      says: `${says}: among models within 5% of the loss the score varies by half of itself or more.`,
      role,
      rule: { of: `${name}, 5%: width in the set / |reference|`, atLeast: 0.5 },
    },
    {
      id: `${id}-not-constant`,
      says: `${says}: 5% of the loss is less than half of the way to a model that always says the same, in which every interaction is gone.`,
      role: 'control',
      rule: { of: `${name}, 5%: ε / (loss of a constant − L*), at most 1`, atMost: 0.5 },
    },
  ];
}

const realParts: ClaimPart[] = [
  ...varies('compas', 'COMPAS, the pair of highest score of a perceptron'),
  ...varies('german-credit', 'German credit, the pair of highest score of a perceptron'),
];

export default claim({
  method: 'rashomon-fis',
  headline:
    'Models of nearly the same accuracy can differ strongly in how their features interact; the score shows both.',
  setting:
    'Part A: 8 Gaussian features, 3 true interactions, regression by a perceptron; 28 pairs ranked. Part B: 6 features of −1 and 1 with one interaction, log loss, a perceptron of 16 units, masked copies by greedy search at ε of 1%, 5% and 10% of the loss; the same 20 shuffles for all models; only masked models inside the set count. Where present COMPAS and German credit: the pair of highest score among the 8 features of greatest effect, 300 test rows.',
  seeds: [11, 12, 13, 14, 15],
  parts: [
    {
      id: 'finds-interactions',
      says: 'The score ranks true interactions first: area under the curve of 0.9 or more.',
      role: 'headline',
      rule: { of: 'finds interactions: |FIS|', atLeast: 0.9 },
    },
    {
      id: 'above-main-effects',
      says: 'It does so better than the product of the single effects.',
      role: 'headline',
      rule: { of: 'finds interactions: |FIS|', over: 'finds interactions: product of single effects', atLeast: 0 },
    },
    ...varies('weak signal', 'Weak signal'),
    ...varies('strong signal', 'Strong signal'),
    {
      id: 'weak-grows',
      says: 'Weak signal: the range grows with ε.',
      role: 'headline',
      rule: {
        of: 'weak signal, 10%: width in the set / |reference|',
        over: 'weak signal, 1%: width in the set / |reference|',
        atLeast: 0,
      },
    },
    {
      id: 'strong-grows',
      says: 'Strong signal: the range grows with ε.',
      role: 'headline',
      rule: {
        of: 'strong signal, 10%: width in the set / |reference|',
        over: 'strong signal, 1%: width in the set / |reference|',
        atLeast: 0,
      },
    },
    ...(realTablesPresent() ? realParts : []),
    {
      id: 'broken-joint-effect',
      says: 'A joint effect that shuffles the last column alone finds interactions clearly worse.',
      role: 'control',
      rule: {
        of: 'finds interactions: |FIS|',
        over: 'finds interactions: joint effect of the last column alone',
        atLeast: 0.05,
      },
    },
    {
      id: 'regression',
      says: 'In the regression of part A, within 10% of the loss, the score varies by half of itself.',
      role: 'refutation',
      rule: { of: 'regression, ε 10%: width in the set / |reference|', atLeast: 0.5 },
    },
    {
      id: 'shuffles-of-their-own',
      says: 'In that regression, fresh shuffles alone move the reference score by more than the whole range in the set: without common shuffles noise would be read as variety.',
      role: 'refutation',
      rule: {
        of: 'regression: spread of the reference under fresh shuffles',
        over: 'regression, ε 10%: width in the set',
        atLeast: 0,
      },
    },
    {
      id: 'greedy-search-wins',
      says: 'The greedy search finds a wider range than as many random masks of the set in the same box (strong signal, ε 5%).',
      role: 'refutation',
      rule: {
        of: 'strong signal, 5%: width in the set',
        over: 'strong signal, 5%: width of random masks in the same box',
        atLeast: 0,
      },
    },
    {
      id: 'linear-residual-wins',
      says: 'The score finds interactions better than correlating the residual of a linear fit with products does.',
      role: 'refutation',
      rule: {
        of: 'finds interactions: |FIS|',
        over: 'finds interactions: residual of a linear fit with the product',
        atLeast: 0,
      },
    },
  ],
  measure,
});
