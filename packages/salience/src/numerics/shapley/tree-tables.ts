/**
 * @file Tree Shapley values by tables: what a leaf gives a player depends only on which of the players on its path agree with it.
 *
 * A row meets a leaf with d players on its path as a set S of those whose columns send it there. Let β(U) be how much of what is usual
 * agrees with all of U: the product of the shares of the covers (path-dependent), or the share of the background rows (interventional).
 * The leaf's game is v · [T ⊆ S] · β(N ∖ T), and with
 *   Q(S) = Σ over T ⊆ S of w(|T|) β(N ∖ T),   Q⁻(S) = Σ over T ⊆ S of w(|T| − 1) β(N ∖ T),   w(t) = t! (d − 1 − t)! / d!
 * its Shapley values are −v Q(S) for every player outside S, and v (Q⁻(S) − Q⁻(S∖i) − Q(S∖i)) for i in S. Both sums are subset sums, d 2^d
 * additions for all S together; a row is then a look-up a player. (Tables for each leaf are the idea of Fast TreeSHAP v2,
 * arXiv:2109.09847, whose tables cost d² 2^d; a background costs no more here than the covers do.) Rows go down the tree in blocks, a
 * node at a time, as the bits of their S. Two leaves of one parent share one table.
 */

import { marginalWeights } from './exact.ts';
import { type PlayedTrees, share } from './played-trees.ts';

/** Players on a path up to which tables are made. */
export const mostTabulated = 12;

/** The numbers of the members of the sets 0 to 2^13 − 1. */
const sizes = new Uint8Array(2 ** (mostTabulated + 1));
for (let s = 1; s < sizes.length; s++) sizes[s] = sizes[s >> 1] + (s & 1);

const weightsOf = Array.from({ length: mostTabulated + 1 }, (_, d) => marginalWeights(d));

/**
 * Adds one tree's Shapley values.
 * @param x the rows column after column, shape [columns · n].
 * @param sums shape [players][≥ n]; added to.
 * @param background rows column after column, shape [columns · m]; without them the covers stand for what is usual.
 */
export function addByTables(
  trees: PlayedTrees,
  root: number,
  x: Float64Array,
  n: number,
  sums: readonly Float64Array[],
  background?: Float64Array,
): void {
  const { ensemble, player, columns } = trees;
  const m = background ? background.length / columns : 0;
  const work = workspace();
  const bitOf = new Int32Array(trees.players).fill(-1);
  /** The players on the path by bit, and the product of the shares of each. */
  const path = new Int32Array(mostTabulated + 1);
  const shares = new Float64Array(mostTabulated + 1);
  const sets: Uint16Array[] = [];
  const backgroundSets: Uint16Array[] = [];

  const visit = (node: number, depth: number, d: number) => {
    const p = player[node];
    if (p < 0) {
      if (d === 0) return;
      fillTable(node, d, backgroundSets[depth], work.left);
      for (let i = 0; i < d; i++) addLookedUp(sums[path[i]], work.left, i << d, sets[depth], n);
      return;
    }
    const { left, right } = ensemble;
    const isNew = bitOf[p] < 0;
    const bit = isNew ? d : bitOf[p];
    const met = isNew ? d + 1 : d;
    if (isNew) {
      bitOf[p] = bit;
      path[bit] = p;
      shares[bit] = 1;
    }
    const before = shares[bit];
    const threshold = ensemble.threshold[node];
    const missing = ensemble.missingLeft[node];
    const column = ensemble.feature[node];
    sets[depth + 1] ??= new Uint16Array(n);
    if (m > 0) backgroundSets[depth + 1] ??= new Uint16Array(m);
    if (player[left[node]] < 0 && player[right[node]] < 0) {
      // Both children are leaves: their tables are added up, and the row says once which way it goes, by bit `direction`.
      for (const [child, side, table] of [
        [left[node], 0, work.left],
        [right[node], 1, work.right],
      ] as const) {
        shares[bit] = before * share(ensemble, child, node);
        if (m > 0)
          descend(
            background!,
            column * m,
            threshold,
            missing,
            side,
            backgroundSets[depth],
            backgroundSets[depth + 1],
            bit,
            isNew,
            m,
          );
        fillTable(child, met, backgroundSets[depth + 1], table);
      }
      const direction = isNew ? bit : d;
      joinTables(work, met, bit, direction);
      mark(x, column * n, threshold, missing, sets[depth], sets[depth + 1], direction, n);
      for (let i = 0; i < met; i++) addLookedUp(sums[path[i]], work.both, i << (direction + 1), sets[depth + 1], n);
    } else {
      for (let side = 0; side < 2; side++) {
        const child = side === 0 ? left[node] : right[node];
        shares[bit] = before * share(ensemble, child, node);
        descend(x, column * n, threshold, missing, side, sets[depth], sets[depth + 1], bit, isNew, n);
        if (m > 0)
          descend(
            background!,
            column * m,
            threshold,
            missing,
            side,
            backgroundSets[depth],
            backgroundSets[depth + 1],
            bit,
            isNew,
            m,
          );
        visit(child, depth + 1, met);
      }
    }
    shares[bit] = before;
    if (isNew) bitOf[p] = -1;
  };

  /** The leaf's table, row i of 2^d entries for the player at bit i. */
  const fillTable = (leaf: number, d: number, ofBackground: Uint16Array | undefined, table: Float64Array) => {
    const { agree } = work;
    if (ofBackground) {
      agree.fill(0, 0, 1 << d);
      for (let b = 0; b < m; b++) agree[ofBackground[b]] += 1 / m;
      sumOverSupersets(agree, d);
    } else {
      agree[0] = 1;
      for (let i = 0; i < d; i++) for (let u = 0; u < 1 << i; u++) agree[u | (1 << i)] = agree[u] * shares[i];
    }
    tableOf(ensemble.value[leaf], d, work, table);
  };

  sets[0] = new Uint16Array(n);
  if (m > 0) backgroundSets[0] = new Uint16Array(m);
  visit(root, 0, 0);
}

interface Workspace {
  /** β, shape [2^d]. */
  readonly agree: Float64Array;
  readonly q: Float64Array;
  readonly qLess: Float64Array;
  /** Tables of two leaves, shape [d · 2^d], and of both, shape [d · 2^(d + 1)]. */
  readonly left: Float64Array;
  readonly right: Float64Array;
  readonly both: Float64Array;
}

let reused: Workspace | undefined;

function workspace(): Workspace {
  const size = 2 ** mostTabulated;
  reused ??= {
    agree: new Float64Array(size),
    q: new Float64Array(size),
    qLess: new Float64Array(size),
    left: new Float64Array(size * mostTabulated),
    right: new Float64Array(size * mostTabulated),
    both: new Float64Array(2 * size * mostTabulated),
  };
  return reused;
}

/** Which rows of the parent agree with the child on the side, as sets with the bit of the node's player. */
function descend(
  x: Float64Array,
  offset: number,
  threshold: number,
  missingLeft: number,
  side: number,
  from: Uint16Array,
  to: Uint16Array,
  bit: number,
  isNew: boolean,
  n: number,
): void {
  // What missing values do is the same as ≤ for one side and as > for the other.
  const one = 1 << bit;
  const gone = isNew ? 0 : one;
  const come = isNew ? one : 0;
  const leftward = side === 0;
  if (missingLeft === 1) {
    for (let r = 0; r < n; r++) {
      const goes = x[offset + r] > threshold !== leftward;
      to[r] = goes ? from[r] | come : from[r] & ~gone;
    }
  } else {
    for (let r = 0; r < n; r++) {
      const goes = x[offset + r] <= threshold === leftward;
      to[r] = goes ? from[r] | come : from[r] & ~gone;
    }
  }
}

/** The parent's sets with a bit for the way each row goes: 1 is left. */
function mark(
  x: Float64Array,
  offset: number,
  threshold: number,
  missingLeft: number,
  from: Uint16Array,
  to: Uint16Array,
  direction: number,
  n: number,
): void {
  const one = 1 << direction;
  if (missingLeft === 1) for (let r = 0; r < n; r++) to[r] = x[offset + r] > threshold ? from[r] : from[r] | one;
  else for (let r = 0; r < n; r++) to[r] = x[offset + r] <= threshold ? from[r] | one : from[r];
}

/** sum[r] += table[offset + set[r]]. */
function addLookedUp(sum: Float64Array, table: Float64Array, offset: number, set: Uint16Array, n: number): void {
  for (let r = 0; r < n; r++) sum[r] += table[offset + set[r]];
}

/** a[U] becomes Σ over V ⊇ U of a[V]. */
function sumOverSupersets(a: Float64Array, d: number): void {
  for (let one = 1; one < 1 << d; one <<= 1) {
    for (let high = one; high < 1 << d; high += 2 * one) {
      for (let u = high; u < high + one; u++) a[u - one] += a[u];
    }
  }
}

/** a[U] becomes Σ over V ⊆ U of a[V], for two arrays. */
function sumOverSubsets(a: Float64Array, b: Float64Array, d: number): void {
  for (let one = 1; one < 1 << d; one <<= 1) {
    for (let high = one; high < 1 << d; high += 2 * one) {
      for (let u = high; u < high + one; u++) {
        a[u] += a[u - one];
        b[u] += b[u - one];
      }
    }
  }
}

/** The table of a leaf of value v from β in `work.agree`. */
function tableOf(v: number, d: number, { agree, q, qLess }: Workspace, table: Float64Array): void {
  const all = (1 << d) - 1;
  const w = weightsOf[d];
  for (let t = 0; t <= all; t++) {
    const size = sizes[t];
    const beta = v * agree[all ^ t];
    q[t] = size < d ? w[size] * beta : 0;
    qLess[t] = size > 0 ? w[size - 1] * beta : 0;
  }
  sumOverSubsets(q, qLess, d);
  for (let i = 0; i < d; i++) {
    const one = 1 << i;
    const at = i << d;
    for (let high = 0; high <= all; high += 2 * one) {
      for (let s = high; s < high + one; s++) {
        table[at + s] = -q[s];
        table[at + s + one] = qLess[s + one] - qLess[s] - q[s];
      }
    }
  }
}

/** One table for two leaves of one parent, by the parent's set with the bit `direction` (1 is left). */
function joinTables({ left, right, both }: Workspace, d: number, bit: number, direction: number): void {
  const one = 1 << bit;
  const size = 1 << (direction + 1);
  for (let i = 0; i < d; i++) {
    const from = i << d;
    const to = i << (direction + 1);
    if (direction === bit) {
      for (let s = 0; s < size; s++) both[to + s] = left[from + s] + right[from + (s ^ one)];
    } else {
      // The player was asked before: going the other way takes its bit away.
      const half = 1 << direction;
      for (let s = 0; s < half; s++) {
        both[to + s] = left[from + (s & ~one)] + right[from + s];
        both[to + half + s] = left[from + s] + right[from + (s & ~one)];
      }
    }
  }
}
