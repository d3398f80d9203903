/**
 * @file Path-dependent tree Shapley values by quadrature, for paths with too many players for tables.
 *
 * The weights of coalitions are integrals, |T|! (d − 1 − |T|)! / d! = ∫ t^|T| (1 − t)^(d − 1 − |T|) dt over [0, 1], so that a leaf of value v gives
 * player i the integral of v (o_i − z_i) Π over j ≠ i of (o_j t + z_j (1 − t)), with o_j whether the row agrees at all of j's nodes and z_j the
 * product of the shares of the covers there. It is a polynomial of degree d − 1, which ⌈d / 2⌉ Gauss–Legendre points integrate exactly. As
 * in Linear TreeSHAP (arXiv:2209.08192), which takes these polynomials at other points, sums over the leaves go up the tree and a
 * node's player is served once a node: ⌈d / 2⌉ steps a node and row.
 */

import { goesLeft, type PlayedTrees, share } from './played-trees.ts';

/**
 * Adds one tree's path-dependent Shapley values.
 * @param distinct the greatest number of different players on a path.
 * @param rows row-major, shape [≥ n · columns].
 * @param sums shape [players][≥ n]; added to.
 */
export function addByQuadrature(
  { ensemble, player, players, columns }: PlayedTrees,
  root: number,
  distinct: number,
  rows: Float64Array,
  n: number,
  sums: readonly Float64Array[],
): void {
  const { feature, left, right, value } = ensemble;
  const { points, weights } = gaussLegendre(Math.max(1, Math.ceil(distinct / 2)));
  const q = points.length;
  const agrees = new Float64Array(players);
  const usual = new Float64Array(players);
  /** Π (o t + z (1 − t)) on the way to a node, and Σ v · that over the leaves below it; one of each for a depth. */
  const products: Float64Array[] = [];
  const below: Float64Array[] = [];
  let row = 0;

  const visit = (node: number, depth: number) => {
    const product = products[depth];
    const sum = below[depth];
    const p = player[node];
    if (p < 0) {
      for (let k = 0; k < q; k++) sum[k] = value[node] * product[k];
      return;
    }
    sum.fill(0);
    products[depth + 1] ??= new Float64Array(q);
    below[depth + 1] ??= new Float64Array(q);
    const next = products[depth + 1];
    const goes = goesLeft(ensemble, node, rows[row * columns + feature[node]]);
    const o = agrees[p];
    const z = usual[p];
    for (const child of [left[node], right[node]]) {
      const newO = (child === left[node]) === goes ? o : 0;
      const newZ = z * share(ensemble, child, node);
      if (newO === 0 && newZ === 0) continue; // no coalition ever comes here
      for (let k = 0; k < q; k++) {
        const t = points[k];
        next[k] = (product[k] * (newO * t + newZ * (1 - t))) / (o * t + z * (1 - t));
      }
      agrees[p] = newO;
      usual[p] = newZ;
      visit(child, depth + 1);
      const reached = below[depth + 1];
      let phi = 0;
      for (let k = 0; k < q; k++) {
        const t = points[k];
        phi +=
          weights[k] * reached[k] * ((newO - newZ) / (newO * t + newZ * (1 - t)) - (o - z) / (o * t + z * (1 - t)));
        sum[k] += reached[k];
      }
      sums[p][row] += phi;
    }
    agrees[p] = o;
    usual[p] = z;
  };

  for (row = 0; row < n; row++) {
    agrees.fill(1);
    usual.fill(1);
    products[0] = new Float64Array(q).fill(1);
    below[0] ??= new Float64Array(q);
    visit(root, 0);
  }
}

/** Gauss–Legendre points and weights on [0, 1]: exact for polynomials of degree 2 count − 1. Newton's method on Legendre's polynomial. */
function gaussLegendre(count: number): { points: Float64Array; weights: Float64Array } {
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    let x = Math.cos((Math.PI * (k + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      let before = 1;
      let value = x;
      for (let j = 2; j <= count; j++) [before, value] = [value, ((2 * j - 1) * x * value - (j - 1) * before) / j];
      slope = (count * (x * value - before)) / (x * x - 1);
      const move = value / slope;
      x -= move;
      if (Math.abs(move) < 1e-15) break;
    }
    points[k] = (1 - x) / 2;
    weights[k] = 1 / ((1 - x * x) * slope * slope);
  }
  return { points, weights };
}
