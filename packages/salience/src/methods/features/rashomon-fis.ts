/**
 * @file Feature interaction scores over a Rashomon set (arXiv:2305.10181): how far the joint permutation effect of two features differs
 * from the sum of their single effects, and how much of that is left among models that are almost as good.
 *
 *   FIS_ij(m) = φ_ij(m) − φ_i(m_i) − φ_j(m_j),   f_m(x) = f(m ∘ x),   R = { f_m : L(y, f_m(X)) ≤ L* + ε },   ε = rate · L*
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import {
  clippedLogLoss,
  errorRate,
  type MeanLoss,
  squaredLoss,
} from '../../numerics/importance/permutation-importance.ts';
import { type Explained, featureShuffles, maskedEffects } from '../../numerics/rashomon/effects.ts';
import {
  type CloudPoint,
  haloOf,
  interactionCloud,
  rangeOf,
  referenceScores,
  searchRashomonSet,
} from '../../numerics/rashomon/interaction-cloud.ts';
import { meanAbsoluteError } from '../../numerics/statistics/classification.ts';
import { blackBoxFor, modelParams } from '../../subjects/table/black-box-of.ts';
import { outcomesOf, rowsToExplain } from '../../subjects/table/explained-rows.ts';
import type { TableScores } from '../../subjects/table/keep-columns.ts';
import { table } from '../../subjects/table/subject.ts';
import { rowsOf, type Table } from '../../subjects/table/table.ts';

const losses: Readonly<Record<string, { readonly loss: MeanLoss; readonly name: string }>> = {
  logLoss: { loss: clippedLogLoss(1e-7), name: 'log loss' },
  zeroOne: { loss: errorRate, name: 'share of wrong answers' },
  squared: { loss: squaredLoss, name: 'squared error' },
  absolute: { loss: meanAbsoluteError, name: 'absolute error' },
};

/** A feature that is shuffled and scaled as one: a column, or a patch of an image. */
interface Feature {
  readonly name: string;
  readonly columns: readonly number[];
  /** Whether scaling it means something: not the codes of categories. */
  readonly scales: boolean;
}

/** Every pair i < j of n features, in order. */
export function pairsOf(n: number): [number, number][] {
  return Array.from({ length: n }, (_, i) => i).flatMap((i) =>
    Array.from({ length: n - i - 1 }, (_, k): [number, number] => [i, i + 1 + k]),
  );
}

/**
 * The patches of an image whose pixels are the columns, row after row: `8x8/2x2` is an image of 8 rows and 8 columns in patches of 2 by 2.
 * @throws ParameterError if the text says something else, or the patches or the columns do not fit the image.
 */
export function patchesOf(text: string, columns: number): { name: string; columns: number[] }[] {
  const [, ...found] = /^(\d+)x(\d+)\/(\d+)x(\d+)$/.exec(text) ?? [];
  const [height, width, down, across] = found.map(Number);
  if (found.length === 0 || down < 1 || across < 1 || height % down !== 0 || width % across !== 0) {
    throw new ParameterError(`patch = ${text}: write the image and its patches as 8x8/2x2; the patches must fill it`);
  }
  if (height * width !== columns) {
    throw new ParameterError(
      `patch = ${text}: an image of ${height * width} pixels, but the table has ${columns} columns`,
    );
  }
  const patches = Array.from({ length: (height / down) * (width / across) }, (_, p) => {
    const row = Math.floor(p / (width / across));
    const column = p % (width / across);
    const own: number[] = [];
    for (let y = 0; y < down; y++) {
      for (let x = 0; x < across; x++) own.push((row * down + y) * width + column * across + x);
    }
    return { name: `patch ${row},${column}`, columns: own };
  });
  return patches;
}

function featuresOf({ columns }: Table, patch: string): Feature[] {
  if (patch !== '') return patchesOf(patch, columns.length).map((own) => ({ ...own, scales: true }));
  return columns.map(({ name, kind, levels }, c) => ({
    name,
    columns: [c],
    scales: kind !== 'categorical' || (levels?.length ?? 0) <= 2,
  }));
}

export const rashomonFis = method({
  id: 'rashomon-fis',
  name: 'Feature interaction scores in a Rashomon set',
  source: 'arXiv:2305.10181',
  summary:
    'Scores pairs of features by how much more, or less, shuffling both costs than shuffling each, and follows the score over almost equally good models.',
  unit: 'feature pair',
  subject: table,
  formula: '|φ_ij − φ_i − φ_j|, φ_I = mean over shuffles of L(y, f(X with the features of I shuffled)) − L(y, f(X))',
  cost: 'pairs · shuffles · rows predictions; a cloud 36 · cloudShuffles · rows',
  params: z.object({
    ...modelParams.shape,
    loss: z
      .enum(['auto', 'logLoss', 'zeroOne', 'squared', 'absolute'])
      .default('auto')
      .describe(
        'auto is the log loss of classes, with probabilities kept 1e-7 from 0 and 1, and the squared error of values',
      ),
    rate: z.number().gt(0).default(0.1).describe('ε as a share of the loss: what counts as almost as good'),
    shuffles: z.int().positive().default(30).describe('shuffles of the reference effects'),
    cloudShuffles: z.int().positive().default(100).describe('shuffles of each masked model, the same for all'),
    clouds: z
      .int()
      .min(0)
      .default(3)
      .describe('pairs that are followed over the Rashomon set, the highest scores first'),
    rings: z.int().min(1).max(5).default(3).describe('rings of the Halo plot, up to ε'),
    rows: z.int().min(2).default(300).describe('rows to test on that are used at the most, drawn by the seed'),
    patch: z
      .string()
      .default('')
      .describe('for pixels: the image and its patches, as 8x8/2x2; a patch is then one feature'),
  }),
  async score(of, params, run): Promise<TableScores> {
    const features = featuresOf(of, params.patch);
    if (features.length < 2) throw new InputError(`${of.name}: ${features.length} feature makes no pair; 2 are needed`);
    const model = await blackBoxFor(of, params, run);
    const { loss, name: lossName } = lossOf(params.loss, model.gives, of.name);
    const indices = rowsToExplain(of, -1, params.rows, run);
    if (indices.length < 2) throw new InputError(`${of.name}: 1 row cannot be shuffled; 2 are needed`);
    const explained: Explained = {
      predict: (rows) => model.predict(rows),
      rows: rowsOf(of, indices),
      columns: of.columns.length,
      targets: outcomesOf(of, indices, model.positive),
      loss,
      features: features.map(({ columns }) => columns),
    };
    const pairs = pairsOf(features.length);
    const { effects, scores } = await allScores(explained, pairs, params.shuffles, run);
    const names = features.map(({ name }) => name);
    const values = Float32Array.from(scores, Math.abs);
    const order = pairs.map((_, s) => s).sort((a, b) => values[b] - values[a] || a - b);
    const quality = Object.entries(model.quality ?? {}).map(([what, value]) => `${what} ${three(value)}`);
    const findings: Block[] = [
      { kind: 'text', text: `${model.name}: ${quality.join(', ') || 'quality not measured'}.` },
      ...effectBlocks(
        names,
        effects,
        order.map((s) => ({ pair: pairs[s], score: scores[s] })),
        lossName,
      ),
      ...(params.patch === '' ? [] : patchHeat(params.patch, effects, lossName)),
    ];
    const followed = order.filter((s) => pairs[s].every((f) => features[f].scales)).slice(0, params.clouds);
    if (followed.length > 0) {
      const chosen = followed.map((s) => ({ pair: pairs[s], label: `${names[pairs[s][0]]} × ${names[pairs[s][1]]}` }));
      findings.push(...(await cloudBlocks(explained, chosen, params, lossName, run)));
    }
    return {
      unit: 'feature pair',
      values,
      labels: pairs.map(([i, j]) => `${names[i]} × ${names[j]}`),
      members: pairs.map(([i, j]) => [...features[i].columns, ...features[j].columns]),
      findings,
    };
  },
});

function lossOf(asked: string, gives: 'probability' | 'value' | 'label', name: string) {
  const auto = gives === 'value' ? 'squared' : gives === 'label' ? 'zeroOne' : 'logLoss';
  const chosen = asked === 'auto' ? auto : asked;
  if (chosen === 'logLoss' && gives !== 'probability') {
    throw new ParameterError(`loss = logLoss takes probabilities, and the model of ${name} gives ${gives}s`);
  }
  if (chosen === 'zeroOne' && gives === 'value') {
    throw new ParameterError(`loss = zeroOne takes classes, and the target of ${name} is a value`);
  }
  return losses[chosen];
}

/** Single effects and scores of all pairs at the reference, some pairs at a time so that a cancel comes through. */
async function allScores(explained: Explained, pairs: readonly [number, number][], count: number, run: Run) {
  const shuffles = featureShuffles(explained, count, run.random('reference shuffles'));
  const ones = explained.features.map(() => 1);
  const effects = new Float64Array(explained.features.length);
  for (const f of effects.keys()) {
    run.progress('features', f, effects.length);
    await run.breathe();
    effects[f] = (await maskedEffects(explained, ones, [[f]], shuffles)).effects[0];
  }
  const scores = new Float64Array(pairs.length);
  const atOnce = 8;
  for (let first = 0; first < pairs.length; first += atOnce) {
    run.progress('pairs', first, pairs.length);
    await run.breathe();
    scores.set(await referenceScores(explained, pairs.slice(first, first + atOnce), shuffles, effects), first);
  }
  return { effects, scores };
}

function three(value: number): number {
  return Number(value.toPrecision(3));
}

function effectBlocks(
  names: readonly string[],
  effects: Float64Array,
  ranked: readonly { pair: readonly [number, number]; score: number }[],
  lossName: string,
): Block[] {
  const unused = names.filter((_, f) => effects[f] === 0);
  return [
    {
      kind: 'table',
      columns: ['pair', 'interaction', 'effect of the first', 'of the second'],
      rows: ranked
        .slice(0, 10)
        .map(({ pair: [i, j], score }) => [
          `${names[i]} × ${names[j]}`,
          three(score),
          three(effects[i]),
          three(effects[j]),
        ]),
    },
    {
      kind: 'text',
      text: `Interactions are rises of the ${lossName}; below 0 shuffling both costs less than each on its own, as where two features act by their product.${unused.length > 0 ? ` Without any effect: ${unused.join(', ')}.` : ''}`,
    },
  ];
}

/** How much each patch of the image matters on its own. */
function patchHeat(patch: string, effects: Float64Array, lossName: string): Block[] {
  const [height, width, down, across] = patch.split(/[x/]/).map(Number);
  const chart = {
    type: 'heat' as const,
    rows: height / down,
    columns: width / across,
    values: [...effects],
    of: `rise of the ${lossName}`,
  };
  return [{ kind: 'chart', title: 'What shuffling a patch costs', chart }];
}

/** The clouds of some pairs: ranges beside the noise of the shuffles, a swarm plot, and the Halo plot of the first. */
async function cloudBlocks(
  explained: Explained,
  chosen: readonly { readonly pair: [number, number]; readonly label: string }[],
  { rate, rings, cloudShuffles }: { rate: number; rings: number; cloudShuffles: number },
  lossName: string,
  run: Run,
): Promise<Block[]> {
  const only = new Set(chosen.flatMap(({ pair }) => pair));
  const search = await searchRashomonSet(explained, rate, { only });
  const shuffles = featureShuffles(explained, cloudShuffles, run.random('cloud shuffles'));
  const clouds: { label: string; reference: number; noise: number; points: CloudPoint[] }[] = [];
  for (const [at, { pair, label }] of chosen.entries()) {
    run.progress('clouds', at, chosen.length);
    await run.breathe();
    const [reference] = await referenceScores(explained, [pair], shuffles);
    const noise = await noiseOf(explained, pair, cloudShuffles, run);
    clouds.push({
      label,
      reference,
      noise,
      points: await interactionCloud(explained, search, pair, shuffles),
    });
  }
  const between = (range: readonly [number, number] | null) =>
    range ? `${three(range[0])} to ${three(range[1])}` : 'none';
  const nullLoss = await constantLoss(explained);
  const reach = search.epsilon / (nullLoss - search.reference);
  const better = [...only].filter((f) => search.found[f].up.factors[0] !== 1 || search.found[f].down.factors[0] !== 1);
  const halos = [];
  for (let ring = 1; ring <= rings; ring++) {
    const own = ring === rings ? search : await searchRashomonSet(explained, (rate * ring) / rings, { only });
    halos.push({ label: `ε = ${three(own.epsilon)}`, ...(await haloOf(explained, own, chosen[0].pair)) });
  }
  return [
    {
      kind: 'table',
      columns: ['pair', 'at the reference', 'noise (s.d.)', 'range in the set', 'range of all 36', 'in the set'],
      rows: clouds.map(({ label, reference, noise, points }) => [
        label,
        three(reference),
        three(noise),
        between(rangeOf(points, true)),
        between(rangeOf(points, false)),
        points.filter(({ inside }) => inside).length,
      ]),
    },
    {
      kind: 'text',
      text: [
        `${lossName} of the reference ${three(search.reference)}, ε ${three(search.epsilon)}`,
        nullLoss <= search.reference
          ? `, though a model that always says the same has ${three(nullLoss)}: the reference is no better, and any interaction may vanish`
          : `, which is ${three(100 * reach)}% of the way to a model that always says the same${reach > 0.5 ? ': so much that any interaction may vanish' : ''}`,
        search.epsilon === 0 ? '. The reference makes no error, so the set is the reference alone' : '',
        better.length > 0
          ? `. The reference is not the best of its scaled copies: ${better.length} of its features could be scaled without loss`
          : '',
        '.',
      ].join(''),
    },
    {
      kind: 'chart',
      title: 'Interaction scores over the Rashomon set, the reference starred',
      chart: {
        type: 'swarm',
        x: 'feature interaction score',
        shade: lossName,
        rows: clouds.map(({ label, reference, points }) => ({
          label,
          star: reference,
          points: points.map(({ score, loss }) => ({ x: score, shade: loss })),
        })),
      },
    },
    {
      kind: 'chart',
      title: `Halo of ${chosen[0].label}`,
      chart: { type: 'halo', radius: `${lossName} above the reference`, rings: halos },
    },
  ];
}

/** How far a pair's reference score moves when the shuffles are drawn anew: its deviation over 8 draws. */
async function noiseOf(explained: Explained, pair: readonly number[], count: number, run: Run): Promise<number> {
  const found: number[] = [];
  for (let draw = 0; draw < 8; draw++) {
    const shuffles = featureShuffles(explained, count, run.random(`noise shuffles ${draw}`));
    found.push((await referenceScores(explained, [pair], shuffles))[0]);
  }
  const mean = found.reduce((sum, x) => sum + x, 0) / found.length;
  return Math.sqrt(found.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (found.length - 1));
}

/** The loss of a model that says the mean of the targets to every row. */
export async function constantLoss({ targets, loss }: Explained): Promise<number> {
  const mean = targets.reduce((sum, y) => sum + y, 0) / targets.length;
  return loss(targets, new Float64Array(targets.length).fill(mean));
}
