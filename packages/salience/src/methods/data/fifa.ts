/**
 * @file FiFA (arXiv:2410.10166, reconstruction in part): the preference pairs to align a model with are those that a reward model tells
 * apart clearly, whose prompts are well written, and whose prompts are rare.
 *
 *   max over |S| = K of Σ_{i in S} m_i + α Σ_{i in S} q_i + γ H(S),   split up as   f_i = m_i + α q_i + γ log(ρ_k(i) + ε)
 *
 * From the abstract: the three parts and their sum. From memory or ours: that the margin is signed, z-scores with α = γ = 1, and k = 5.
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Block } from '../../core/report.ts';
import type { Run } from '../../core/run.ts';
import { httpBlackBox } from '../../models/black-box/http.ts';
import { type PreferenceVectors, rewardMargins } from '../../models/reward/reward-model.ts';
import { logNeighbourDistancesSteps } from '../../numerics/diversity/neighbour-entropy.ts';
import { hashedNGrams, wordsAndSigns } from '../../numerics/resampling/hashed-n-grams.ts';
import { standardise } from '../../numerics/statistics/class-standardise.ts';
import type { Dataset } from '../../subjects/dataset/dataset.ts';
import { preferences } from '../../subjects/preferences/subject.ts';

/** The three parts of a pair's score, shape [pairs] each; quality and rarity may be absent. */
export interface PairParts {
  readonly margin: ArrayLike<number>;
  readonly quality?: ArrayLike<number>;
  /** log ρ_k of the pair's prompt. */
  readonly rarity?: ArrayLike<number>;
}

export interface PairWeights {
  readonly margin: number;
  /** α. */
  readonly quality: number;
  /** γ. */
  readonly diversity: number;
  /** z-scores (mean 0, population deviation 1; 0 for a constant) before the sum, or the numbers as they are. */
  readonly scale: 'z-score' | 'raw';
  /** Whether a pair that the reward model would label the other way counts by the size of its margin. */
  readonly marginMode: 'signed' | 'abs';
}

/** Deviations up to this are rounding: the part is a constant and counts 0. */
const leastDeviation = 1e-12;

/**
 * f_i = m_i + α q_i + γ log(ρ_k(i) + ε), each part scaled as asked; shape [pairs].
 * @throws InputError if a part is not finite, naming the pair, or lengths differ.
 */
export function pairScores({ margin, quality, rarity }: PairParts, weights: PairWeights): Float64Array {
  const scale =
    weights.scale === 'raw'
      ? (values: ArrayLike<number>) => Float64Array.from(values)
      : (values: ArrayLike<number>) => standardise(values, leastDeviation);
  const signed = weights.marginMode === 'abs' ? Array.from(margin, Math.abs) : margin;
  const parts: [what: string, values: ArrayLike<number> | undefined, weight: number][] = [
    ['margin', signed, weights.margin],
    ['quality', quality, weights.quality],
    ['log distance', rarity, weights.diversity],
  ];
  const out = new Float64Array(margin.length);
  for (const [what, values, weight] of parts) {
    if (!values || weight === 0) continue;
    if (values.length !== out.length) throw new InputError(`${values.length} ${what}s for ${out.length} pairs`);
    const bad = Array.from(values).findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new InputError(`the ${what} of pair ${bad} is ${values[bad]}; it must be finite`);
    const scaled = scale(values);
    for (let i = 0; i < out.length; i++) out[i] += weight * scaled[i];
  }
  return out;
}

/** Scores with at most `most` pairs of a prompt in their places: its further pairs rank below all others, in their order. */
export function cappedPerPrompt(scores: Float64Array, promptOf: ArrayLike<number>, most: number): Float64Array {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b);
  const seen = new Map<number, number>();
  const below = scores.reduce((span, s) => Math.max(span, Math.abs(s)), 0) * 2 + 1;
  const out = scores.slice();
  for (const i of order) {
    const before = seen.get(promptOf[i]) ?? 0;
    seen.set(promptOf[i], before + 1);
    if (before >= most) out[i] -= below;
  }
  return out;
}

const params = z.object({
  marginWeight: z.number().min(0).default(1).describe('weight of the reward margin'),
  alpha: z.number().min(0).default(1).describe('α, weight of the quality of the prompt'),
  gamma: z.number().min(0).default(1).describe('γ, weight of the rarity of the prompt'),
  marginMode: z
    .enum(['signed', 'abs'])
    .default('signed')
    .describe('abs: a pair whose label the reward model contradicts counts like one it agrees with'),
  scale: z.enum(['z-score', 'raw']).default('z-score').describe('how the three parts are made comparable'),
  neighbours: z.int().min(1).default(5).describe('k: rarity is the distance to the k-th nearest other prompt'),
  chosenReward: z.string().default('chosen_reward').describe('column with the reward of the preferred answer'),
  rejectedReward: z.string().default('rejected_reward').describe('column with the reward of the other answer'),
  quality: z.string().default('quality').describe('column with the quality of the prompt, 0 to 10'),
  judge: z
    .string()
    .optional()
    .describe(
      'address of a judge that gives the quality of prompts: POST {"rows": [{"prompt": …}]} → {"predictions": […]}',
    ),
  missingQuality: z.enum(['refuse', 'median']).default('refuse').describe('what to do where a prompt has no quality'),
  embedding: z.string().default('embedding').describe('column with the embedding of the prompt, a list of numbers'),
  perPrompt: z.int().min(1).optional().describe('pairs of one prompt at the most; further ones rank last'),
  proxySteps: z
    .int()
    .min(1)
    .default(1200)
    .describe('steps of the reward model that is trained where there are no rewards'),
});

type Params = z.infer<typeof params>;

export const fifa = method({
  id: 'fifa',
  name: 'FiFA',
  source: 'arXiv:2410.10166',
  summary: 'Keeps the preference pairs with a clear margin, a well-written prompt and a rare one.',
  unit: 'preference pair',
  subject: preferences,
  formula: 'z(r(c, winner) − r(c, loser)) + α z(quality of c) + γ z(log distance from c to its k-th nearest prompt)',
  cost: 'one reward model on all pairs where there are no rewards; nearest neighbours of the prompts',
  params,
  async score(data, options, run) {
    const read = await readPairs(data, options, run);
    const margin = read.rewards ?? (await rewardMargins(read.vectors, { steps: options.proxySteps }, run));
    const remarks = [
      `Margins: ${read.rewards ? `columns ${options.chosenReward} and ${options.rejectedReward}` : 'a reward model trained here on all pairs, on the words of prompts and answers'}.`,
      ...read.remarks,
    ];
    const quality = options.alpha > 0 ? await qualityOf(data, read, options, run, remarks) : undefined;
    const rarity = options.gamma > 0 ? await rarityOf(data, read, options, run, remarks) : undefined;
    const parts = { margin, quality, rarity };
    const weights = { ...options, margin: options.marginWeight, quality: options.alpha, diversity: options.gamma };
    const scores = pairScores(parts, weights);
    const { perPrompt } = options;
    const values = perPrompt === undefined ? scores : cappedPerPrompt(scores, read.promptOf, perPrompt);
    return {
      unit: 'preference pair',
      values: Float32Array.from(values),
      labels: Array.from(read.promptOf, (p) => read.prompts[p]),
      findings: findingsOf(read, parts, values, remarks),
    };
  },
});

interface ReadPairs {
  /** Different prompts, in the order they come. */
  readonly prompts: readonly string[];
  /** The prompt of each pair, shape [pairs]. */
  readonly promptOf: Uint32Array;
  /** Margins by the columns of rewards, where the file has them. */
  readonly rewards?: Float64Array;
  /** Quality of each prompt, NaN where there is none; absent without the column. */
  readonly quality?: Float64Array;
  /** The embedding of each prompt by the column; absent without it, or where rarity does not count. */
  readonly embeddings?: readonly Float64Array[];
  readonly vectors: PreferenceVectors;
  readonly remarks: readonly string[];
}

/** Buckets that the words of a text are hashed to. */
const buckets = 512;

/** @throws InputError for a dataset without pairs, and cells that are no numbers where numbers are asked for, naming the pair. */
async function readPairs(data: Dataset, options: Params, run: Run): Promise<ReadPairs> {
  const { name, examples, names } = data;
  if (!data.hasPairs) throw new InputError(`${name}: has no preference pairs; it needs a prompt and two answers a row`);
  const has = (column: string) => names.includes(column);
  const rewarded = has(options.chosenReward) && has(options.rejectedReward);
  const rated = has(options.quality);
  const embedded = options.gamma > 0 && has(options.embedding);
  const ids = new Map<string, number>();
  const prompts: string[] = [];
  const promptOf = new Uint32Array(examples);
  const rewards = new Float64Array(rewarded ? examples : 0);
  const quality: number[] = [];
  const embeddings: Float64Array[] = [];
  const differing = new Set<number>();
  for (const chunk of data.chunks) {
    run.progress('pairs', chunk.start, examples);
    await run.breathe();
    const part = await data.read(chunk);
    const cells = (column: string, wanted: boolean) => (wanted ? part.column(column) : []);
    const chosen = cells(options.chosenReward, rewarded);
    const rejected = cells(options.rejectedReward, rewarded);
    const ratings = cells(options.quality, rated);
    const lists = cells(options.embedding, embedded);
    part.pairs!.forEach(({ prompt }, i) => {
      const pair = chunk.start + i;
      let id = ids.get(prompt);
      if (id === undefined) {
        id = prompts.length;
        ids.set(prompt, id);
        prompts.push(prompt);
        if (rated) quality.push(Number.NaN);
        if (embedded) embeddings.push(vectorIn(lists[i], name, pair, embeddings[0]));
      }
      promptOf[pair] = id;
      if (rated) {
        const given = qualityIn(ratings[i], name, pair, options.quality);
        if (Number.isNaN(quality[id])) quality[id] = given;
        else if (given !== quality[id] && !Number.isNaN(given)) differing.add(id);
      }
      if (rewarded) {
        rewards[pair] =
          numberIn(chosen[i], name, pair, options.chosenReward) -
          numberIn(rejected[i], name, pair, options.rejectedReward);
      }
    });
  }
  return {
    prompts,
    promptOf,
    ...(rewarded && { rewards }),
    ...(rated && { quality: Float64Array.from(quality) }),
    ...(embedded && { embeddings }),
    vectors: wordVectors(data, run),
    remarks:
      differing.size > 0
        ? [`Quality: ${differing.size} prompts have more than one; the first counts for all pairs of a prompt.`]
        : [],
  };
}

/** Words of prompts and answers, hashed; read when they are asked for, so that large files need little memory. */
function wordVectors(data: Dataset, run: Run): PreferenceVectors {
  return {
    pairs: data.examples,
    width: 2 * buckets,
    async read(wanted) {
      const words = new Map<number, readonly Uint16Array[]>();
      let at = 0;
      for (const chunk of data.chunks) {
        const end = chunk.start + chunk.length;
        if (at >= wanted.length || wanted[at] >= end) continue;
        const pairs = (await data.read(chunk)).pairs!;
        for (; at < wanted.length && wanted[at] < end; at++) {
          const { prompt, chosen, rejected } = pairs[wanted[at] - chunk.start];
          words.set(wanted[at], [prompt, chosen, rejected].map(hashed));
        }
        await run.breathe();
      }
      return (indices) => {
        const winners = new Float32Array(indices.length * 2 * buckets);
        const losers = new Float32Array(indices.length * 2 * buckets);
        for (let r = 0; r < indices.length; r++) {
          const [prompt, chosen, rejected] = words.get(indices[r])!;
          const place = r * 2 * buckets;
          for (const [into, answer] of [
            [winners, chosen],
            [losers, rejected],
          ] as const) {
            addWords(into, place, prompt);
            addWords(into, place + buckets, answer);
          }
        }
        return { winners, losers };
      };
    },
  };
}

function hashed(text: string): Uint16Array {
  return Uint16Array.from(hashedNGrams(wordsAndSigns(text), { longest: 2, buckets }));
}

/** Adds a text's counts, scaled to length 1, from a place on. */
function addWords(into: Float32Array, at: number, words: Uint16Array): void {
  for (const bucket of words) into[at + bucket] += 1;
  let square = 0;
  for (let b = at; b < at + buckets; b++) square += into[b] ** 2;
  if (square > 0) for (let b = at; b < at + buckets; b++) into[b] /= Math.sqrt(square);
}

/** Bytes that the vectors of all prompts may take. */
const mostBytes = 2 ** 31;

/** One vector a prompt, row-major: the column's embeddings, or else the words of the prompts. */
function embeddingOf(
  { name }: Dataset,
  { prompts, embeddings }: ReadPairs,
): { readonly rows: Float32Array | Float64Array; readonly columns: number } {
  const columns = embeddings ? embeddings[0].length : buckets;
  const bytes = (embeddings ? 8 : 4) * prompts.length * columns;
  if (bytes > mostBytes) {
    throw new InputError(
      `${name}: ${prompts.length.toLocaleString('en-US')} different prompts as vectors of ${columns} need ${bytes.toLocaleString('en-US')} bytes at once, more than ${mostBytes.toLocaleString('en-US')}; --gamma 0 leaves rarity out`,
    );
  }
  const rows = embeddings ? new Float64Array(prompts.length * columns) : new Float32Array(prompts.length * columns);
  if (embeddings) for (const [p, vector] of embeddings.entries()) rows.set(vector, p * columns);
  else for (const [p, prompt] of prompts.entries()) addWords(rows as Float32Array, p * columns, hashed(prompt));
  return { rows, columns };
}

function numberIn(value: unknown, file: string, pair: number, column: string): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) {
    throw new InputError(
      `${file}: pair ${pair} has ${JSON.stringify(value) ?? 'nothing'} in column ${column}, where a number is needed`,
    );
  }
  return number;
}

function qualityIn(value: unknown, file: string, pair: number, column: string): number {
  if (value === null || value === undefined || value === '') return Number.NaN;
  return inQualityRange(numberIn(value, file, pair, column), `${file}: pair ${pair}, column ${column}`);
}

function inQualityRange(quality: number, where: string): number {
  if (!(quality >= 0 && quality <= 10)) throw new InputError(`${where}: a quality of ${quality} is outside 0 to 10`);
  return quality;
}

function vectorIn(value: unknown, file: string, pair: number, first: Float64Array | undefined): Float64Array {
  const list = typeof value === 'string' ? listOf(value) : value;
  if (!(Array.isArray(list) || ArrayBuffer.isView(list)) || (list as ArrayLike<number>).length === 0) {
    throw new InputError(`${file}: pair ${pair} has no list of numbers as its embedding`);
  }
  const vector = Float64Array.from(list as ArrayLike<number>, Number);
  if (!vector.every(Number.isFinite)) throw new InputError(`${file}: pair ${pair} has an embedding that is not finite`);
  if (first && vector.length !== first.length) {
    throw new InputError(
      `${file}: pair ${pair} has an embedding of ${vector.length} numbers, the first has ${first.length}`,
    );
  }
  return vector;
}

/** A list of numbers written in a cell of a CSV file: "[0.1, 2]". */
function listOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The quality of each pair's prompt, from the file or from a judge that is asked once a prompt; undefined where there is neither. */
async function qualityOf(
  { name }: Dataset,
  { prompts, promptOf, quality }: ReadPairs,
  { judge, missingQuality, quality: column }: Params,
  run: Run,
  remarks: string[],
): Promise<Float64Array | undefined> {
  let own = quality;
  if (judge !== undefined) {
    const box = httpBlackBox(judge, {
      columns: [{ name: 'prompt', levels: prompts }],
      gives: 'value',
      signal: run.signal,
    });
    own = await box.predict(Float64Array.from(prompts, (_, p) => p));
    own.forEach((q, p) => {
      inQualityRange(q, `${judge}, prompt ${p}`);
    });
    remarks.push(`Quality: ${judge} was asked about ${prompts.length} prompts.`);
  }
  if (!own) {
    const remark = `there is no column ${column} and no judge, so that quality does not count`;
    run.log(`${name}: ${remark}`);
    remarks.push(`Quality: ${remark}.`);
    return undefined;
  }
  const missing = own.reduce((count, q) => count + Number(Number.isNaN(q)), 0);
  if (missing > 0) {
    if (missingQuality === 'refuse') {
      const p = own.findIndex(Number.isNaN);
      throw new InputError(
        `${name}: ${missing} of ${prompts.length} prompts have no ${column}, the first ${JSON.stringify(prompts[p].slice(0, 60))}; --missing-quality median fills them`,
      );
    }
    const known = own.filter((q) => !Number.isNaN(q)).sort();
    if (known.length === 0) throw new InputError(`${name}: no prompt has a ${column}`);
    const median = (known[(known.length - 1) >> 1] + known[known.length >> 1]) / 2;
    own = own.map((q) => (Number.isNaN(q) ? median : q));
    remarks.push(`Quality: the median, ${median}, stands for ${missing} prompts without one.`);
  }
  const all = own;
  return Float64Array.from(promptOf, (p) => all[p]);
}

/** log ρ_k of each pair's prompt among the different prompts; undefined, with a remark, where all prompts are one. */
async function rarityOf(
  data: Dataset,
  read: ReadPairs,
  { neighbours, embedding }: Params,
  run: Run,
  remarks: string[],
): Promise<Float64Array | undefined> {
  const { prompts, promptOf, embeddings } = read;
  if (prompts.length === 1) {
    const remark = 'all prompts are the same, so that diversity does not count';
    run.log(`${data.name}: ${remark}`);
    remarks.push(`Diversity: ${remark}.`);
    return undefined;
  }
  if (neighbours >= prompts.length) {
    throw new ParameterError(
      `neighbours = ${neighbours}: of ${prompts.length} different prompts it is ${prompts.length - 1} at the most`,
    );
  }
  const { rows, columns } = embeddingOf(data, read);
  const logs = await run.drive('distances of prompts', logNeighbourDistancesSteps(rows, columns, neighbours));
  const of = embeddings ? embedding : 'the words of the prompts';
  remarks.push(`Diversity: distances of ${of}, among ${prompts.length} different prompts.`);
  return Float64Array.from(promptOf, (p) => logs[p]);
}

function findingsOf(
  { prompts, promptOf }: ReadPairs,
  parts: PairParts,
  values: Float64Array,
  remarks: readonly string[],
): Block[] {
  const against = Array.from(parts.margin).filter((m) => m < 0).length;
  const order = Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
  const shown = (part: ArrayLike<number> | undefined, i: number) => (part ? Number(part[i].toPrecision(4)) : '');
  return [
    { kind: 'text', text: remarks.join(' ') },
    {
      kind: 'text',
      text: `The reward contradicts the label of ${against} of ${values.length} pairs. Kept are pairs, not proof: with few and clear pairs a policy may run away from its reference; watch it, and hold β up.`,
    },
    {
      kind: 'table',
      columns: ['pair', 'prompt', 'score', 'margin', 'quality', 'log distance'],
      rows: order
        .slice(0, 10)
        .map((i) => [
          String(i),
          prompts[promptOf[i]].slice(0, 60),
          Number(values[i].toPrecision(4)),
          shown(parts.margin, i),
          shown(parts.quality, i),
          shown(parts.rarity, i),
        ]),
    },
  ];
}
