/** @file Intervals for a share from draws: Hoeffding, Clopper–Pearson, Wilson. */

import { ParameterError } from '../../core/errors.ts';

/** A share of hits among draws with an interval that holds it with probability 1 − delta or more. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

function checkDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) throw new ParameterError(`delta ${delta} is not between 0 and 1`);
}

function checkDraws(hits: number, draws: number): void {
  if (!(Number.isSafeInteger(draws) && draws >= 1)) throw new ParameterError(`${draws} draws: there must be 1 or more`);
  if (!(hits >= 0 && hits <= draws)) throw new ParameterError(`${hits} hits are not among ${draws} draws`);
}

/** Half width √(ln(2/δ) / 2n) of the interval around the mean of n draws from [0, 1] (Hoeffding 1963). */
export function hoeffdingHalfWidth(draws: number, delta = 0.05): number {
  checkDelta(delta);
  checkDraws(0, draws);
  return Math.sqrt(Math.log(2 / delta) / (2 * draws));
}

/** The fewest draws whose Hoeffding interval has at most this half width. */
export function hoeffdingDraws(halfWidth: number, delta = 0.05): number {
  checkDelta(delta);
  if (!(halfWidth > 0 && halfWidth < 1))
    throw new ParameterError(`a half width of ${halfWidth} is not between 0 and 1`);
  return Math.ceil(Math.log(2 / delta) / (2 * halfWidth * halfWidth));
}

/** Hoeffding's interval, cut at 0 and 1. */
export function hoeffding(hits: number, draws: number, delta = 0.05): Interval {
  checkDraws(hits, draws);
  const half = hoeffdingHalfWidth(draws, delta);
  return { low: Math.max(0, hits / draws - half), high: Math.min(1, hits / draws + half) };
}

/** The exact interval from the quantiles of beta distributions (Clopper & Pearson 1934). */
export function clopperPearson(hits: number, draws: number, delta = 0.05): Interval {
  checkDelta(delta);
  checkDraws(hits, draws);
  return {
    low: hits === 0 ? 0 : betaQuantile(delta / 2, hits, draws - hits + 1),
    high: hits === draws ? 1 : betaQuantile(1 - delta / 2, hits + 1, draws - hits),
  };
}

/** The fewest draws whose Clopper–Pearson interval ends at most this far from the share, whatever the share. */
export function clopperPearsonDraws(halfWidth: number, delta = 0.05): number {
  checkDelta(delta);
  if (!(halfWidth > 0 && halfWidth < 1))
    throw new ParameterError(`a half width of ${halfWidth} is not between 0 and 1`);
  // Between the normal approximation and a little more.
  const z = normalQuantile(1 - delta / 2);
  let low = Math.max(0, Math.floor((z / (2 * halfWidth)) ** 2) - 1);
  let high = low + Math.ceil(3 / halfWidth);
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (widest(middle, delta) > halfWidth) low = middle;
    else high = middle;
  }
  return high;
}

/** The farthest end of any interval of so many draws. It is the upper one, of a share a little below one half; the search is for its one summit. */
function widest(draws: number, delta: number): number {
  const at = (hits: number) => farthestEnd(hits, draws, delta);
  let low = 0;
  let high = draws >> 1;
  while (high - low > 2) {
    const third = Math.max(1, Math.floor((high - low) / 3));
    if (at(low + third) < at(high - third)) low += third;
    else high -= third;
  }
  return Math.max(at(low), at(low + 1), at(high));
}

/** How far the ends of a Clopper–Pearson interval are from the share, the farther one. */
export function farthestEnd(hits: number, draws: number, delta = 0.05): number {
  const { low, high } = clopperPearson(hits, draws, delta);
  return Math.max(high - hits / draws, hits / draws - low);
}

/** The greatest share that draws without a hit leave possible, one-sided: 1 − δ^(1/n). */
export function greatestWithoutHits(draws: number, delta = 0.05): number {
  checkDelta(delta);
  checkDraws(0, draws);
  return -Math.expm1(Math.log(delta) / draws);
}

/** The interval of the score test (Wilson 1927): narrower, and right on average only. */
export function wilson(hits: number, draws: number, delta = 0.05): Interval {
  checkDelta(delta);
  checkDraws(hits, draws);
  const z = normalQuantile(1 - delta / 2);
  const share = hits / draws;
  const scale = 1 + (z * z) / draws;
  const centre = (share + (z * z) / (2 * draws)) / scale;
  const half = (z / scale) * Math.sqrt((share * (1 - share)) / draws + (z * z) / (4 * draws * draws));
  return { low: hits === 0 ? 0 : Math.max(0, centre - half), high: hits === draws ? 1 : Math.min(1, centre + half) };
}

/** The x at which the regularised incomplete beta function I_x(a, b) is p, by bisection to the last bit but few. */
function betaQuantile(p: number, a: number, b: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** I_x(a, b) by its continued fraction (Lentz's method), on the side where that converges fast. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  const tiny = 1e-300;
  const kept = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / kept(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / kept(1 + even * d);
    c = kept(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / kept(1 + odd * d);
    c = kept(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return front * fraction;
}

/** ln Γ(x), x > 0, by Lanczos's approximation with g = 7. */
function logGamma(x: number): number {
  let sum = 0.99999999999980993;
  for (let i = 0; i < LANCZOS.length; i++) sum += LANCZOS[i] / (x + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The standard normal quantile, to double precision (Wichura 1988, algorithm AS 241). */
function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRE, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? p : 1 - p));
  const x = r <= 5 ? ratio(SIDE, r - 1.6) : ratio(TAIL, r - 5);
  return q < 0 ? -x : x;
}

function ratio([above, below]: readonly (readonly number[])[], r: number): number {
  const at = (coefficients: readonly number[]) => coefficients.reduce((sum, c) => sum * r + c, 0);
  return at(above) / at(below);
}

const CENTRE = [
  [
    2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
    133.14166789178438, 3.3871328727963665,
  ],
  [
    5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
    42.31333070160091, 1,
  ],
];
const SIDE = [
  [
    0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
    5.769497221460691, 4.630337846156546, 1.4234371107496835,
  ],
  [
    1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
    1.6763848301838038, 2.053191626637759, 1,
  ],
];
const TAIL = [
  [
    2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
    1.7848265399172913, 5.463784911164114, 6.657904643501103,
  ],
  [
    2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
    0.1369298809227358, 0.599832206555888, 1,
  ],
];
