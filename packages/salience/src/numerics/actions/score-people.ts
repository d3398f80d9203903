/** @file Responsiveness scores of people under a model (arXiv:2410.22598, definition 2). */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { clopperPearson, clopperPearsonDraws, farthestEnd, type Interval } from '../statistics/binomial-interval.ts';
import { type ActionSet, objection } from './action-set.ts';
import { type InterventionOptions, type Interventions, interventions, type Weighting } from './interventions.ts';

/** One number a row, row-major, shape [n · columns]. */
export type Decision = (rows: Float64Array) => ArrayLike<number> | PromiseLike<ArrayLike<number>>;

/** μ_j(x) of one feature that may be changed. */
export interface FeatureScore {
  readonly feature: number;
  /** Share of its interventions that reach the wanted decision; 0 where there are none. */
  readonly score: number;
  /** How many of `total` interventions or draws reach it. */
  readonly hits: number;
  readonly total: number;
  readonly how: Interventions['how'];
  readonly weighting: Weighting;
  /** Holds the score with probability 1 − δ or more; of an exact score the score itself. */
  readonly interval: Interval;
}

/** The scores of one person. */
export interface PersonScores {
  /** μ(x), shape [columns]; 0 where a feature cannot be changed. */
  readonly scores: Float64Array;
  /** Those of the features that may be changed, in column order. */
  readonly features: readonly FeatureScore[];
}

/** A look at the first draws: they are enough if their exact interval at `delta` is narrow enough. */
export interface Look {
  readonly draws: number;
  readonly delta: number;
}

/** When draws of a feature are enough. */
export interface Stopping {
  /** How far the ends of an interval may be from the score. */
  readonly tolerance: number;
  /** Ascending draws; the deltas add up to that of the whole. */
  readonly looks: readonly Look[];
}

/**
 * Three looks that together miss a score by more than the tolerance with probability `delta` at the most: one that is enough for shares near 0
 * and 1, one of four times its draws, and one that is enough for any share.
 */
export function threeLooks(tolerance: number, delta: number): Stopping {
  const early = 0.15 * delta;
  const late = delta - 2 * early;
  const draws = clopperPearsonDraws(tolerance, late);
  const first = Math.ceil(Math.log(early / 2) / Math.log1p(-tolerance));
  const looks = [
    { draws: first, delta: early },
    { draws: 4 * first, delta: early },
  ].filter((look) => look.draws < draws);
  return { tolerance, looks: [...looks, { draws, delta: late }] };
}

export interface ScoreOptions extends Omit<InterventionOptions, 'draws'> {
  /** A number of draws, whose intervals have this delta; or draws until they are enough. */
  readonly sampling: Look | Stopping;
  /** Rows of one call of the model at the most. */
  readonly batch: number;
  /** A decision of this or more is the wanted one. */
  readonly threshold: number;
}

/** Parts whose interventions are kept at the most. */
const mostKept = 4096;

/**
 * μ_j(x) = share of R_j(x) that h takes to the wanted decision, for each person and feature. Interventions are made once for all people
 * who have the same values in a part; equal people are scored once. What is missing (NaN) holds its part in place.
 * @param people row-major, shape [n · columns].
 * @param pause called after each call of the model with the people that are through.
 * @throws InputError if somebody cannot be acted from, saying who and why, or the model gives another number of decisions than rows.
 */
export async function scorePeople(
  set: ActionSet,
  people: Float64Array,
  decide: Decision,
  options: ScoreOptions,
  random: Random,
  pause?: (done: number) => Promise<void>,
): Promise<PersonScores[]> {
  const d = set.elements.length;
  const n = people.length / d;
  const looks = 'looks' in options.sampling ? options.sampling.looks : [options.sampling];
  const last = looks[looks.length - 1];
  const drawing = { ...options, draws: last.draws };
  const kept = new Map<string, readonly Interventions[]>();
  const interventionsOf = (part: number, x: Float64Array): readonly Interventions[] => {
    const { features } = set.parts[part];
    const key = `${part}: ${features.map((j) => x[j]).join()}`;
    let made = kept.get(key);
    if (!made) {
      made = interventions(set, set.parts[part], x, drawing, random.stream(key));
      if (kept.size >= mostKept) kept.delete(kept.keys().next().value!);
      kept.set(key, made);
    }
    return made;
  };

  const rows = new Float64Array(options.batch * d);
  const owner: Asked[] = new Array(options.batch);
  const weight = new Uint32Array(options.batch);
  let filled = 0;
  const flush = async (done: number): Promise<void> => {
    if (filled === 0) return;
    const decisions = await decide(rows.subarray(0, filled * d));
    if (decisions.length !== filled)
      throw new InputError(`the model gave ${decisions.length} decisions for ${filled} rows`);
    for (let r = 0; r < filled; r++) if (decisions[r] >= options.threshold) owner[r].hits += weight[r];
    filled = 0;
    await pause?.(done);
  };
  /** Has the points of a feature up to one decided. */
  const ask = async (asked: Asked, end: number, done: number): Promise<void> => {
    const { x, made } = asked;
    const { columns, values, counts } = made;
    const width = columns.length;
    for (; asked.done < end; asked.done++) {
      if (filled === options.batch) await flush(done);
      const at = filled * d;
      for (let c = 0; c < d; c++) rows[at + c] = x[c];
      for (let k = 0; k < width; k++) rows[at + columns[k]] = values[asked.done * width + k];
      owner[filled] = asked;
      weight[filled++] = counts[asked.done];
    }
  };

  const scored: PersonScores[] = [];
  const seen = new Map<string, number>();
  const same: number[] = [];
  for (let start = 0; start < n; start += together) {
    const group: Asked[][] = [];
    const end = Math.min(n, start + together);
    for (let i = start; i < end; i++) {
      const x = people.subarray(i * d, (i + 1) * d);
      const key = x.join();
      const before = seen.get(key);
      same.push(before ?? scored.length + group.length);
      if (before !== undefined) continue;
      seen.set(key, scored.length + group.length);
      const why = objection(set, x, 'hold');
      if (why) throw new InputError(`person ${i} cannot be acted from: ${why}`);
      group.push(
        set.parts.flatMap(({ movable }, part) =>
          movable ? interventionsOf(part, x).map((made) => ({ x, made, hits: 0, done: 0, delta: last.delta })) : [],
        ),
      );
    }
    let open = group.flat();
    for (const look of looks) {
      for (const asked of open) {
        const { counts, how, total } = asked.made;
        // Only draws that are all different are in the order they were drawn in.
        const inOrder = how === 'sampled' && total === counts.length;
        if (inOrder) asked.delta = look.delta;
        await ask(asked, inOrder ? Math.min(look.draws, counts.length) : counts.length, start);
      }
      await flush(end);
      open = open.filter((asked) => {
        if (asked.done === asked.made.counts.length) return false;
        return farthestEnd(asked.hits, asked.done, look.delta) > (options.sampling as Stopping).tolerance;
      });
    }
    for (const own of group) scored.push(scoresOf(own, d));
  }
  return same.map((i) => scored[i]);
}

/** People who are scored together, so that a call of the model is full. */
const together = 64;

/** A feature of a person while its interventions are decided. */
interface Asked {
  readonly x: Float64Array;
  readonly made: Interventions;
  hits: number;
  /** Points decided. */
  done: number;
  delta: number;
}

function scoresOf(own: readonly Asked[], d: number): PersonScores {
  const scores = new Float64Array(d);
  const features = own.map(({ made, hits, done, delta }): FeatureScore => {
    const { feature, how, weighting, counts } = made;
    const total = done === counts.length ? made.total : done;
    const score = total > 0 ? hits / total : 0;
    scores[feature] = score;
    const interval = how === 'sampled' && total > 0 ? clopperPearson(hits, total, delta) : { low: score, high: score };
    return { feature, score, hits, total, how, weighting, interval };
  });
  return { scores, features: features.sort((a, b) => a.feature - b.feature) };
}
