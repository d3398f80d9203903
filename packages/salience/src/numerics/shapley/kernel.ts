/** @file Kernel SHAP (arXiv:1705.07874): Shapley values as a weighted least squares fit over coalitions. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import { weightedLeastSquares } from '../linear-algebra/weighted-least-squares.ts';
import { permutationShapley } from './permutation.ts';
import type { CoalitionValues, ShapleyValues } from './value-function.ts';

export interface KernelOptions {
  /** Coalitions asked besides nobody and all; 2 a player or more. Default 1000. */
  samples?: number;
  random: Random;
}

/** Players up to which all coalitions are asked whatever `samples` says. */
const enumerated = 10;

/** The Shapley kernel: (M − 1) / (C(M, s) s (M − s)), the weight of one coalition of s of M players, 0 < s < M. */
export function shapleyKernelWeight(players: number, size: number): number {
  return (players - 1) / (binomial(players, size) * size * (players - size));
}

/**
 * Shapley values by the weighted fit whose coefficients sum to v(all) − v(nobody). All coalitions are in it for 10 players or fewer,
 * or where `samples` allows; then the values are exact. Else whole sizes from the outside (1 and M − 1 first), which weigh most, as long
 * as they fit; of the sizes between, coalitions drawn by the kernel, each with its complement. Where the fit is singular: permutation
 * sampling with as many coalitions.
 * @throws InputError for no player or fewer than 2 samples a player.
 */
export async function kernelShapley(
  value: CoalitionValues,
  players: number,
  { samples = 1000, random }: KernelOptions,
): Promise<ShapleyValues> {
  const m = players;
  if (m < 1) throw new InputError('there is no player');
  const all = m < 31 ? 2 ** m - 2 : Infinity;
  const exact = m <= enumerated || samples >= all;
  if (!exact && !(samples >= 2 * m)) {
    throw new InputError(`${samples} coalitions are too few for ${m} features; ${2 * m} or more are needed`);
  }
  const drawn = m === 1 ? none : exact ? allCoalitions(m) : drawCoalitions(m, samples, random);
  const count = drawn.weights.length;
  const members = new Uint8Array((count + 2) * m);
  members.fill(1, m, 2 * m);
  members.set(drawn.members, 2 * m);
  const v = await value(members);
  const [empty, full] = v;
  if (m === 1) return { values: Float64Array.of(full - empty), empty, full };

  // The last player is eliminated: it gets what the others leave.
  const x = new Float64Array(count * (m - 1));
  const y = new Float64Array(count);
  for (let s = 0; s < count; s++) {
    const last = drawn.members[s * m + m - 1];
    y[s] = v[s + 2] - empty - last * (full - empty);
    for (let i = 0; i < m - 1; i++) x[s * (m - 1) + i] = drawn.members[s * m + i] - last;
  }
  const fitted = weightedLeastSquares(x, y, drawn.weights, m - 1);
  if (!fitted) return permutationShapley(value, m, { orders: Math.ceil(samples / (m - 1)), random });
  const values = new Float64Array(m);
  values.set(fitted);
  values[m - 1] = full - empty - fitted.reduce((sum, phi) => sum + phi, 0);
  return { values, empty, full };
}

interface Coalitions {
  /** Shape [coalitions · players]. */
  readonly members: Uint8Array;
  readonly weights: Float64Array;
}

const none: Coalitions = { members: new Uint8Array(), weights: new Float64Array() };

function allCoalitions(m: number): Coalitions {
  const count = 2 ** m - 2;
  const members = new Uint8Array(count * m);
  const weights = new Float64Array(count);
  for (let s = 1; s <= count; s++) {
    let size = 0;
    for (let i = 0; i < m; i++) size += members[(s - 1) * m + i] = (s >> i) & 1;
    weights[s - 1] = shapleyKernelWeight(m, size);
  }
  return { members, weights };
}

/** Whole sizes from the outside while their share of the samples covers them, then draws in pairs; equal draws are one, heavier. */
function drawCoalitions(m: number, samples: number, random: Random): Coalitions {
  const members: Uint8Array[] = [];
  const weights: number[] = [];
  const add = (coalition: Uint8Array, weight: number) => {
    members.push(coalition);
    weights.push(weight);
    return weights.length - 1;
  };
  const complement = (coalition: Uint8Array) => coalition.map((isIn) => 1 - isIn);
  // Weight of all coalitions of size s, or for s ≠ M − s of both sizes together.
  const half = Math.floor(m / 2);
  const weightOf = Float64Array.from({ length: half + 1 }, (_, s) =>
    s === 0 ? 0 : ((m - 1) / (s * (m - s))) * (2 * s === m ? 1 : 2),
  );
  let left = samples;
  let weightLeft = weightOf.reduce((sum, w) => sum + w, 0);
  let size = 1;
  for (; size <= half; size++) {
    const paired = 2 * size !== m;
    const count = binomial(m, size) * (paired ? 2 : 1);
    if ((left * weightOf[size]) / weightLeft < count) break;
    for (const coalition of ofSize(m, size)) {
      add(coalition, weightOf[size] / count);
      if (paired) add(complement(coalition), weightOf[size] / count);
    }
    left -= count;
    weightLeft -= weightOf[size];
  }
  const first = weights.length;
  if (size <= half && left > 0) {
    const place = new Map<string, number>();
    for (let draws = 0; weights.length - first + 2 <= left && draws < 4 * samples; draws++) {
      let u = random.uniform() * weightLeft;
      let s = size;
      while (s < half && u >= weightOf[s]) u -= weightOf[s++];
      const coalition = new Uint8Array(m);
      for (const i of random.permutation(m).subarray(0, s)) coalition[i] = 1;
      for (const one of [coalition, complement(coalition)]) {
        const key = one.join('');
        const known = place.get(key);
        if (known !== undefined) weights[known]++;
        else place.set(key, add(one, 1));
      }
    }
    let sum = 0;
    for (let s = first; s < weights.length; s++) sum += weights[s];
    for (let s = first; s < weights.length; s++) weights[s] *= weightLeft / sum;
  }
  const flat = new Uint8Array(members.length * m);
  members.forEach((coalition, s) => {
    flat.set(coalition, s * m);
  });
  return { members: flat, weights: Float64Array.from(weights) };
}

/** The coalitions of s of m players, one after the other. */
function* ofSize(m: number, s: number): Generator<Uint8Array> {
  const chosen = Array.from({ length: s }, (_, i) => i);
  for (;;) {
    const coalition = new Uint8Array(m);
    for (const i of chosen) coalition[i] = 1;
    yield coalition;
    let at = s - 1;
    while (at >= 0 && chosen[at] === m - s + at) at--;
    if (at < 0) return;
    chosen[at]++;
    for (let i = at + 1; i < s; i++) chosen[i] = chosen[i - 1] + 1;
  }
}

function binomial(n: number, k: number): number {
  let c = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) c = (c * (n - i + 1)) / i;
  return Math.round(c);
}
