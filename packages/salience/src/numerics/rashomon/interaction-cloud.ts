/**
 * @file Feature interaction scores over a Rashomon set of masked models (arXiv:2305.10181):
 *   FIS_I(m) = φ_I(m) − Σ_{i in I} φ_i(m_i),   R = { f_m : L(y, f_m(X)) ≤ L* + ε }.
 */

import { ParameterError } from '../../core/errors.ts';
import type { Shuffle } from '../importance/permutation-importance.ts';
import { type Explained, maskedEffects, maskedLoss } from './effects.ts';
import { type FoundMasks, type MaskSearch, searchFactors } from './greedy-search.ts';

/** What is the same for all sets of features: the reference model, and each feature's way along the boundary. */
export interface RashomonSearch {
  /** L*. */
  readonly reference: number;
  /** ε = rate · L*. */
  readonly epsilon: number;
  /** Parts that ε is cut into. */
  readonly parts: number;
  /** Of each feature: its factors upwards and downwards. */
  readonly found: readonly { readonly up: FoundMasks; readonly down: FoundMasks }[];
}

/** One masked model. */
export interface CloudPoint {
  /** The parts of ε each feature took, in the order of the set; their sum is `parts`. */
  readonly split: readonly number[];
  /** +1 or −1 for each feature. */
  readonly directions: readonly (1 | -1)[];
  readonly score: number;
  readonly loss: number;
  /** Whether loss ≤ L* + ε. */
  readonly inside: boolean;
}

function ones(features: number): number[] {
  return new Array<number>(features).fill(1);
}

/**
 * Follows the boundary for each feature in both directions.
 * @param rate ε / L*, above 0.
 * @param only features to follow; the others stay at 1.
 * @throws ParameterError for a rate that is not above 0.
 */
export async function searchRashomonSet(
  explained: Explained,
  rate: number,
  { parts = 10, only, ...search }: MaskSearch & { readonly parts?: number; readonly only?: ReadonlySet<number> } = {},
): Promise<RashomonSearch> {
  if (!(rate > 0)) throw new ParameterError(`rate = ${rate}: ε is a share of the reference loss above 0`);
  const p = explained.features.length;
  const reference = await maskedLoss(explained, ones(p));
  const epsilon = rate * reference;
  const found = [];
  for (let f = 0; f < p; f++) {
    const excess = async (factor: number) => (await maskedLoss(explained, ones(p).with(f, factor))) - reference;
    const still = { factors: new Array<number>(parts + 1).fill(1), unmoved: true };
    const follow = (direction: 1 | -1) => searchFactors(excess, epsilon, parts, direction, search);
    found.push(only && !only.has(f) ? { up: still, down: still } : { up: await follow(1), down: await follow(-1) });
  }
  return { reference, epsilon, parts, found };
}

/**
 * FIS of sets of features at the unmasked model, shape [sets].
 * @param singles φ_i under the same shuffles, shape [features], where they are known.
 */
export async function referenceScores(
  explained: Explained,
  sets: readonly (readonly number[])[],
  shuffles: readonly Shuffle[],
  singles?: Float64Array,
): Promise<Float64Array> {
  const p = explained.features.length;
  const own = singles ? [] : [...new Set(sets.flat())];
  const { effects } = await maskedEffects(explained, ones(p), [...own.map((f) => [f]), ...sets], shuffles);
  const single = singles ?? new Float64Array(p);
  own.forEach((f, at) => {
    single[f] = effects[at];
  });
  return Float64Array.from(sets, (set, s) => effects[own.length + s] - set.reduce((sum, f) => sum + single[f], 0));
}

/** All ways to write `total` as a sum of `parts` whole numbers of 1 or more, in order. */
export function compositions(total: number, parts: number): number[][] {
  if (parts === 1) return total >= 1 ? [[total]] : [];
  return Array.from({ length: Math.max(0, total - parts + 1) }, (_, i) => i + 1).flatMap((first) =>
    compositions(total - first, parts - 1).map((rest) => [first, ...rest]),
  );
}

/** All 2^r choices of directions; the first is all upwards. */
export function directionChoices(features: number): (1 | -1)[][] {
  return Array.from({ length: 2 ** features }, (_, code) =>
    Array.from({ length: features }, (_, f) => (((code >> f) & 1) === 0 ? 1 : -1)),
  );
}

/** A way to share ε out over the features of a set, and the factors it takes them to. */
interface MaskedModel {
  readonly split: readonly number[];
  readonly directions: readonly (1 | -1)[];
  /** Shape [features]. */
  readonly mask: readonly number[];
}

/** Each split of ε over the features of a set in each choice of directions: 36 models for a pair and ten parts. */
function maskedModels({ parts, found }: RashomonSearch, set: readonly number[]): MaskedModel[] {
  return directionChoices(set.length).flatMap((directions) =>
    compositions(parts, set.length).map((split) => {
      const mask = ones(found.length);
      set.forEach((f, at) => {
        mask[f] = (directions[at] === 1 ? found[f].up : found[f].down).factors[split[at]];
      });
      return { split, directions, mask };
    }),
  );
}

/**
 * The cloud of a set: for each split of ε over its features and each choice of directions one masked model, with its loss and score.
 * Single effects are taken with that feature alone scaled. If the features did not interact in the loss, each model would be at L* + ε.
 * @param shuffles the same for all models, or the spread of the cloud is that of the shuffles.
 */
export async function interactionCloud(
  explained: Explained,
  search: RashomonSearch,
  set: readonly number[],
  shuffles: readonly Shuffle[],
): Promise<CloudPoint[]> {
  const { reference, epsilon } = search;
  const singles = new Map<string, number>();
  const single = async (f: number, factor: number) => {
    const key = `${f} ${factor}`;
    const known = singles.get(key);
    if (known !== undefined) return known;
    const { effects } = await maskedEffects(explained, ones(search.found.length).with(f, factor), [[f]], shuffles);
    singles.set(key, effects[0]);
    return effects[0];
  };
  const points: CloudPoint[] = [];
  for (const { split, directions, mask } of maskedModels(search, set)) {
    let alone = 0;
    for (const f of set) alone += await single(f, mask[f]);
    const { loss, effects } = await maskedEffects(explained, mask, [set], shuffles);
    points.push({ split, directions, score: effects[0] - alone, loss, inside: loss <= reference + epsilon });
  }
  return points;
}

/** A closed curve around the reference model. */
export interface Halo {
  /** ε: where all points would be without interaction. */
  readonly expected: number;
  /** By ascending angle. */
  readonly points: readonly { readonly angle: number; readonly radius: number }[];
}

/**
 * The Halo plot of a pair: each masked model at the angle of its split, a quarter turn further for each choice of directions, and at
 * the distance of its loss above L*.
 */
export async function haloOf(
  explained: Explained,
  search: RashomonSearch,
  pair: readonly [number, number],
): Promise<Halo> {
  const points: { angle: number; radius: number }[] = [];
  for (const { split, directions, mask } of maskedModels(search, pair)) {
    const quarter = Number(directions[0] === -1) + 2 * Number(directions[1] === -1);
    points.push({
      angle: Math.atan2(split[0], split[1]) + (Math.PI / 2) * quarter,
      radius: (await maskedLoss(explained, mask)) - search.reference,
    });
  }
  return { expected: search.epsilon, points: points.sort((one, other) => one.angle - other.angle) };
}

/** Least and greatest score of the points, all or only those in the set; null where there is none. */
export function rangeOf(points: readonly CloudPoint[], insideOnly: boolean): readonly [number, number] | null {
  const scores = points.filter(({ inside }) => inside || !insideOnly).map(({ score }) => score);
  return scores.length === 0 ? null : [Math.min(...scores), Math.max(...scores)];
}
