/** @file Diversity by distances to neighbours: the Kozachenko–Leonenko estimate of differential entropy, and its term for each point. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { finish, type Steps } from '../../core/steps.ts';
import { nearestSteps } from '../neighbours/nearest.ts';

/** Added to a distance before its logarithm. */
const floor = 1e-8;

/**
 * log(ρ_k + 1e-8) of each point: how far its k-th nearest other point is, shape [n].
 * @param points row-major, shape [n · columns].
 * @throws ParameterError unless 1 ≤ k < n; InputError for points that are not finite.
 */
export function logNeighbourDistances(points: Float32Array | Float64Array, columns: number, k: number): Float64Array {
  return finish(logNeighbourDistancesSteps(points, columns, k));
}

/** `logNeighbourDistances` with pauses. */
export function* logNeighbourDistancesSteps(
  points: Float32Array | Float64Array,
  columns: number,
  k: number,
): Steps<Float64Array> {
  const n = points.length / columns;
  if (!(Number.isSafeInteger(k) && k >= 1 && k < n)) {
    throw new ParameterError(`the ${k}-th neighbour among ${n} different points: k is 1 to ${n - 1}`);
  }
  const { distances } = yield* nearestSteps(points, points, columns, { k, exceptSelf: true });
  return Float64Array.from({ length: n }, (_, i) => Math.log(distances[i * k + k - 1] + floor));
}

/**
 * Differential entropy of points in nats: ψ(n) − ψ(k) + log V_d + (d/n) Σ log ρ_k(i), V_d the volume of the unit ball (Kozachenko &
 * Leonenko 1987).
 * @throws as logNeighbourDistances does.
 */
export function neighbourEntropy(points: Float32Array | Float64Array, columns: number, k: number): number {
  const logs = logNeighbourDistances(points, columns, k);
  const n = logs.length;
  const sum = logs.reduce((total, log) => total + log, 0);
  return digamma(n) - digamma(k) + logBallVolume(columns) + (columns / n) * sum;
}

/** ψ(n) for a whole number n ≥ 1: −γ + Σ_{i < n} 1/i. */
function digamma(n: number): number {
  let sum = -0.5772156649015329;
  for (let i = 1; i < n; i++) sum += 1 / i;
  return sum;
}

/** log of π^{d/2} / Γ(d/2 + 1), by V_d = V_{d−2} · 2π/d. */
function logBallVolume(d: number): number {
  let log = d % 2 === 0 ? 0 : Math.log(2);
  for (let i = d % 2 === 0 ? 2 : 3; i <= d; i += 2) log += Math.log((2 * Math.PI) / i);
  return log;
}

/**
 * The set that maximises Σ value + weight · Σ log ρ_k of its points (of sets of one size the entropy's only term that differs), by greedy
 * choice: from the highest value on, each time the point whose addition gains most, distances taken inside the set. For small sets: a
 * step costs every point against the whole set.
 * @param values of the points, shape [n].
 * @param k neighbour rank inside the set; of smaller sets the farthest.
 * @returns indices in the order they were chosen.
 * @throws ParameterError unless 1 ≤ count ≤ n.
 */
export function greedyDiverse(
  values: ArrayLike<number>,
  points: Float64Array,
  columns: number,
  { k, count, weight }: { readonly k: number; readonly count: number; readonly weight: number },
): Uint32Array {
  const n = values.length;
  if (points.length !== n * columns) throw new InputError(`${points.length} numbers are no ${n} points of ${columns}`);
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= n)) {
    throw new ParameterError(`count = ${count}: 1 to ${n} points can be chosen`);
  }
  const entropyOf = (set: readonly number[]) => logDistancesInside(set, points, columns, k);
  const chosen: number[] = [];
  for (let step = 0; step < count; step++) {
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      if (chosen.includes(i)) continue;
      const gain = values[i] + (step === 0 ? 0 : weight * entropyOf([...chosen, i]));
      if (gain > most) {
        most = gain;
        best = i;
      }
    }
    chosen.push(best);
  }
  return Uint32Array.from(chosen);
}

/** Σ log(ρ_k + 1e-8) of the points of a set, distances taken inside it: of smaller sets to the farthest point, 0 for a single one. */
export function logDistancesInside(set: readonly number[], points: Float64Array, columns: number, k: number): number {
  const distance = (i: number, j: number) => {
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += (points[i * columns + c] - points[j * columns + c]) ** 2;
    return Math.sqrt(sum);
  };
  let total = 0;
  for (const i of set) {
    const all = Float64Array.from(
      set.filter((j) => j !== i),
      (j) => distance(i, j),
    ).sort();
    if (all.length > 0) total += Math.log(all[Math.min(k, all.length) - 1] + floor);
  }
  return total;
}
