/**
 * @file Mutual information of two columns, in nats: of two values by nearest neighbours (Kraskov, Stögbauer & Grassberger,
 * arXiv:cond-mat/0305641, estimator 1), of a value and a class (Ross 2014, doi:10.1371/journal.pone.0087357), of two classes by counts.
 */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

/** A column: values, or codes of classes. */
export interface MeasuredColumn {
  /** Finite numbers, shape [n]. */
  readonly values: ArrayLike<number>;
  readonly classes: boolean;
}

export interface MutualInformationOptions {
  /** k of the estimators; default 3. */
  readonly neighbours?: number;
  /** Draws noise of 1e-10 deviations, which parts equal values as the estimators want it; without it none is added. */
  readonly random?: Random;
}

/**
 * I(x; y) in nats, never below 0. Values are divided by their deviation first.
 * @throws InputError for columns that differ in length or hold no finite number; ParameterError for fewer than 1 neighbour.
 */
export function mutualInformation(
  x: MeasuredColumn,
  y: MeasuredColumn,
  { neighbours = 3, random }: MutualInformationOptions = {},
): number {
  const n = x.values.length;
  if (n !== y.values.length)
    throw new InputError(`columns of ${n} and of ${y.values.length} rows share no information`);
  if (n < 2) throw new InputError(`mutual information is of 2 rows or more, not ${n}`);
  if (!Number.isSafeInteger(neighbours) || neighbours < 1) {
    throw new ParameterError(`neighbours is a whole number of 1 or more, not ${neighbours}`);
  }
  for (const { values } of [x, y]) {
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(values[i]))
        throw new InputError(`row ${i} has ${values[i]}; mutual information is of finite numbers`);
    }
  }
  if (isConstant(x.values) || isConstant(y.values)) return 0;
  if (x.classes && y.classes) return ofClasses(x.values, y.values);
  if (x.classes) return ofValueAndClass(prepared(y.values, random), x.values, neighbours);
  if (y.classes) return ofValueAndClass(prepared(x.values, random), y.values, neighbours);
  return ofValues(prepared(x.values, random), prepared(y.values, random), neighbours);
}

function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Divided by the deviation, and parted by noise. */
function prepared(values: ArrayLike<number>, random: Random | undefined): Float64Array {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i] / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += (values[i] - mean) ** 2 / n;
  const deviation = Math.sqrt(variance) || 1;
  const scaled = Float64Array.from(values, (value) => value / deviation);
  if (!random) return scaled;
  const size = scaled.reduce((sum, value) => sum + Math.abs(value), 0) / n;
  return scaled.map((value) => value + 1e-10 * Math.max(1, size) * random.normal());
}

/** Σ p(x, y) ln (p(x, y) / (p(x) p(y))). */
function ofClasses(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const n = x.length;
  const counts = [
    new Map<number | string, number>(),
    new Map<number | string, number>(),
    new Map<number | string, number>(),
  ];
  for (let i = 0; i < n; i++) {
    [x[i], y[i], `${x[i]} ${y[i]}`].forEach((key, c) => {
      counts[c].set(key, (counts[c].get(key) ?? 0) + 1);
    });
  }
  let sum = 0;
  for (const [key, both] of counts[2]) {
    const [a, b] = String(key).split(' ').map(Number);
    sum += (both / n) * Math.log((both * n) / (counts[0].get(a)! * counts[1].get(b)!));
  }
  return Math.max(0, sum);
}

/** ψ(n) + mean ψ(k) − mean ψ(n_class) − mean ψ(m), m the rows within the distance of the k-th neighbour of the class. */
function ofValueAndClass(values: Float64Array, classes: ArrayLike<number>, neighbours: number): number {
  const rows = new Map<number, number[]>();
  for (let i = 0; i < values.length; i++) {
    const own = rows.get(classes[i]);
    if (own) own.push(i);
    else rows.set(classes[i], [i]);
  }
  // A class of one row has no neighbour, and its row is left out.
  const several = [...rows.values()].filter((own) => own.length > 1);
  const all = Float64Array.from(several.flatMap((own) => own.map((i) => values[i]))).sort();
  const n = all.length;
  if (n === 0) return 0;
  let sum = 0;
  for (const own of several) {
    const sorted = Float64Array.from(own, (i) => values[i]).sort();
    const k = Math.min(neighbours, own.length - 1);
    for (let i = 0; i < sorted.length; i++) {
      const radius = below(distanceWithin(sorted, i, k));
      sum += digamma(k) - digamma(own.length) - digamma(countWithin(all, sorted[i], radius));
    }
  }
  return Math.max(0, digamma(n) + sum / n);
}

/** ψ(n) + ψ(k) − mean (ψ(n_x + 1) + ψ(n_y + 1)), n_x and n_y the other rows nearer in x, in y, than the k-th neighbour in both. */
function ofValues(x: Float64Array, y: Float64Array, neighbours: number): number {
  const n = x.length;
  const k = Math.min(neighbours, n - 1);
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => x[a] - x[b]);
  const sortedX = Float64Array.from(order, (i) => x[i]);
  const alongX = Float64Array.from(order, (i) => y[i]);
  const sortedY = y.slice().sort();
  const nearest = new Float64Array(k);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    nearest.fill(Infinity);
    // Outwards along x until no row can be among the nearest.
    for (let left = i - 1, right = i + 1; left >= 0 || right < n; ) {
      const toLeft = left >= 0 ? sortedX[i] - sortedX[left] : Infinity;
      const toRight = right < n ? sortedX[right] - sortedX[i] : Infinity;
      const along = Math.min(toLeft, toRight);
      if (along >= nearest[k - 1]) break;
      const other = toLeft <= toRight ? left-- : right++;
      insert(nearest, Math.max(along, Math.abs(alongX[other] - alongX[i])));
    }
    const radius = below(nearest[k - 1]);
    sum += digamma(countWithin(sortedX, sortedX[i], radius)) + digamma(countWithin(sortedY, alongX[i], radius));
  }
  return Math.max(0, digamma(n) + digamma(k) - sum / n);
}

/** Puts a distance in its place among the least, ascending. */
function insert(nearest: Float64Array, distance: number): void {
  let at = nearest.length - 1;
  if (distance >= nearest[at]) return;
  for (; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
  nearest[at] = distance;
}

/** Distance of an entry of an ascending list to its k-th nearest other. */
function distanceWithin(sorted: Float64Array, i: number, k: number): number {
  let left = i - 1;
  let right = i + 1;
  let distance = 0;
  for (let found = 0; found < k; found++) {
    const toLeft = left >= 0 ? sorted[i] - sorted[left] : Infinity;
    const toRight = right < sorted.length ? sorted[right] - sorted[i] : Infinity;
    distance = Math.min(toLeft, toRight);
    if (toLeft <= toRight) left--;
    else right++;
  }
  return distance;
}

/** How many of an ascending list are at most `radius` away; at least 1, the one it is asked for. */
function countWithin(sorted: Float64Array, value: number, radius: number): number {
  const first = firstWhere(sorted, (other) => value - other <= radius);
  const end = firstWhere(sorted, (other) => other - value > radius);
  return Math.max(1, end - first);
}

/** The first place where a condition that stays true along the list is true; its length where it is never. */
function firstWhere(sorted: Float64Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(sorted[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The greatest float64 below a number of 0 or more; 0 stays. */
function below(x: number): number {
  if (x === 0) return 0;
  const floats = Float64Array.of(x);
  const bits = new BigInt64Array(floats.buffer);
  bits[0] -= 1n;
  return floats[0];
}

/** ψ(x) for x > 0: up to where the asymptotic series holds, then the series. */
export function digamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift -= 1 / at;
  const square = 1 / (at * at);
  const series =
    square *
    (1 / 12 -
      square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square * (1 / 132 - (square * 691) / 32760)))));
  return shift + Math.log(at) - 1 / (2 * at) - series;
}
