/** @file Growing of binary trees, one split after the other; what decision trees, forests and boosting have in common. */

import type { Random } from '../../core/random.ts';
import type { Steps } from '../../core/steps.ts';
import type { TreeEnsemble } from '../../numerics/trees/tree-ensemble.ts';
import type { CodedColumns } from './coded-columns.ts';

/**
 * What a tree is grown to fit. The value of a leaf is S / (W + λ), of S and W the sums over its rows, and a split is worth
 * Σₖ S_L² / (W_L + λ) + S_R² / (W_R + λ) − S² / (W + λ). With S of targets and W of counts that is the drop of the squared error,
 * for classes (targets 0 and 1) half that of Gini's impurity times rows; with S of negative gradients and W of second derivatives
 * the gain of second-order boosting.
 */
export interface Growth {
  readonly columns: CodedColumns;
  /** Outputs a leaf has. */
  readonly outputs: number;
  /** Shape [rows · outputs]. */
  readonly sums: Float64Array;
  /** Shape [rows]. */
  readonly weights: Float64Array;
  /** How often each row is there, a whole number; rows with 0 are left out. Shape [rows]. */
  readonly counts: Float64Array;
  /** λ. */
  readonly shrinkage: number;
  /** A node whose rows are alike in this is a leaf, shape [rows]; absent where only the gain counts, which then has to be above 0. */
  readonly alike?: Float64Array;
  readonly depth: number;
  /** Rows that a leaf has at least. */
  readonly minLeaf: number;
  /** Rows that a node has at least to be split. */
  readonly minSplit: number;
  /** Columns, not constant in the node, that are looked at for a split; all where it is the number of columns. */
  readonly tried: number;
  /** Draws the columns where not all are tried. */
  readonly random?: Random;
}

/** The nodes of trees as they grow; leaf values are multiplied by a factor and are shape [nodes · outputs]. */
export class Grove {
  readonly #outputs: number;
  readonly #roots: number[] = [];
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #missingLeft: number[] = [];
  readonly #value: number[] = [];
  readonly #cover: number[] = [];

  constructor(outputs: number) {
    this.#outputs = outputs;
  }

  get nodes(): number {
    return this.#feature.length;
  }

  beginTree(): void {
    this.#roots.push(this.nodes);
  }

  add(cover: number, values: ArrayLike<number>): number {
    this.#feature.push(-1);
    this.#threshold.push(0);
    this.#left.push(-1);
    this.#right.push(-1);
    this.#missingLeft.push(0);
    this.#cover.push(cover);
    for (let k = 0; k < this.#outputs; k++) this.#value.push(values[k]);
    return this.nodes - 1;
  }

  split(node: number, feature: number, threshold: number, missingLeft: boolean): void {
    this.#feature[node] = feature;
    this.#threshold[node] = threshold;
    this.#missingLeft[node] = missingLeft ? 1 : 0;
  }

  join(node: number, child: number, left: boolean): void {
    (left ? this.#left : this.#right)[node] = child;
  }

  value(node: number, output = 0): number {
    return this.#value[node * this.#outputs + output];
  }

  /** One ensemble an output, with common nodes; values times `factor`. */
  ensembles(factor: number, bases: ArrayLike<number>): TreeEnsemble[] {
    const nodes = {
      roots: Int32Array.from(this.#roots),
      feature: Int32Array.from(this.#feature),
      threshold: Float64Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      missingLeft: Uint8Array.from(this.#missingLeft),
      cover: Float64Array.from(this.#cover),
    };
    return Array.from({ length: this.#outputs }, (_, k) => ({
      ...nodes,
      value: Float64Array.from({ length: this.nodes }, (_, node) => factor * this.value(node, k)),
      base: bases[k],
    }));
  }
}

/** What one tree of a growth did. */
export interface Grown {
  /** The worth of the splits of each column, shape [columns]. */
  readonly gains: Float64Array;
  /** The leaf of each row that is there, shape [rows]. */
  readonly leaves: Int32Array;
}

/** Memory that trees of the same columns are grown in. */
export class Grower {
  readonly #growth: Growth;
  readonly #rows: Int32Array;
  readonly #aside: Int32Array;
  readonly #stride: number;
  // Count, weight and sums of each row of the node at work.
  readonly #own: Float64Array;
  // The same of each level of a column, or of each group of equal values where levels are many.
  readonly #bins: Float64Array;
  readonly #groups: Int32Array;
  readonly #keys: Float64Array;
  readonly #order: Int32Array;
  readonly #total: Float64Array;
  readonly #leftSums: Float64Array;
  readonly #values: Float64Array;
  #totalCount = 0;
  #totalWeight = 0;
  // The best split of the node at work.
  #gain = 0;
  #feature = -1;
  #code = 0;
  #nextCode = 0;
  #missingLeft = false;

  constructor(growth: Growth) {
    this.#growth = growth;
    const { columns, outputs } = growth;
    const most = columns.levels.reduce((a, b) => Math.max(a, b), 0) + 1;
    this.#rows = new Int32Array(columns.rows);
    this.#aside = new Int32Array(columns.rows);
    this.#stride = 2 + outputs;
    this.#own = new Float64Array(columns.rows * this.#stride);
    this.#bins = new Float64Array(most * this.#stride);
    this.#groups = new Int32Array(most);
    this.#keys = new Float64Array(columns.rows);
    this.#order = Int32Array.from({ length: columns.columns }, (_, c) => c);
    this.#total = new Float64Array(outputs);
    this.#leftSums = new Float64Array(outputs);
    this.#values = new Float64Array(outputs);
  }

  /** Grows a tree into the grove, for the sums, weights and counts as they are now; pauses after each node. */
  *grow(grove: Grove, random = this.#growth.random): Steps<Grown> {
    const { columns, counts, depth, minLeaf, minSplit } = this.#growth;
    const n = columns.rows;
    const gains = new Float64Array(columns.columns);
    const leaves = new Int32Array(n).fill(-1);
    let present = 0;
    for (let i = 0; i < n; i++) if (counts[i] > 0) this.#rows[present++] = i;
    grove.beginTree();
    // Nodes to do: start and end in the rows, depth, parent, side.
    const stack = [[0, present, 0, -1, 0]];
    while (stack.length > 0) {
      const [start, end, level, parent, side] = stack.pop()!;
      const alike = this.#sumUp(start, end);
      const node = grove.add(this.#totalCount, this.#values);
      if (parent >= 0) grove.join(parent, node, side === 0);
      const splittable =
        !alike && level < depth && this.#totalCount >= minSplit && this.#totalCount >= 2 * minLeaf && end - start >= 2;
      if (!splittable || !this.#search(start, end, random)) {
        for (let at = start; at < end; at++) leaves[this.#rows[at]] = node;
        yield { done: end, total: present };
        continue;
      }
      const feature = this.#feature;
      gains[feature] += Math.max(0, this.#gain);
      grove.split(node, feature, this.#threshold(), this.#missingLeft);
      const middle = this.#part(start, end);
      stack.push([middle, end, level + 1, node, 1], [start, middle, level + 1, node, 0]);
      yield { done: start, total: present };
    }
    return { gains, leaves };
  }

  /** The sums of a node's rows and its values; whether the rows are alike. */
  #sumUp(start: number, end: number): boolean {
    const { outputs, sums, weights, counts, shrinkage, alike } = this.#growth;
    const total = this.#total.fill(0);
    let weight = 0;
    let count = 0;
    let same = alike !== undefined;
    const first = alike?.[this.#rows[start]];
    const own = this.#own;
    for (let at = start, to = 0; at < end; at++) {
      const i = this.#rows[at];
      own[to++] = counts[i];
      own[to++] = weights[i];
      count += counts[i];
      weight += weights[i];
      for (let k = 0; k < outputs; k++) {
        const sum = sums[i * outputs + k];
        own[to++] = sum;
        total[k] += sum;
      }
      if (same && alike![i] !== first) same = false;
    }
    this.#totalWeight = weight;
    this.#totalCount = count;
    const scale = weight + shrinkage;
    for (let k = 0; k < outputs; k++) this.#values[k] = scale > 0 ? total[k] / scale : 0;
    return same;
  }

  /** Finds the best split of a node's rows; whether there is one. */
  #search(start: number, end: number, random: Random | undefined): boolean {
    const { columns, tried, alike } = this.#growth;
    const d = columns.columns;
    this.#feature = -1;
    this.#gain = -Infinity;
    if (tried >= d || !random) {
      for (let c = 0; c < d; c++) this.#searchColumn(c, start, end);
    } else {
      let seen = 0;
      for (let drawn = 0; drawn < d && (seen < tried || this.#feature < 0); drawn++) {
        const other = drawn + random.integer(d - drawn);
        const c = this.#order[other];
        this.#order[other] = this.#order[drawn];
        this.#order[drawn] = c;
        if (this.#searchColumn(c, start, end)) seen++;
      }
    }
    return this.#feature >= 0 && (alike !== undefined || this.#gain > 1e-12);
  }

  /** Looks for a better split by a column; whether the column differs among the rows. */
  #searchColumn(c: number, start: number, end: number): boolean {
    const { columns } = this.#growth;
    const levels = columns.levels[c];
    const size = end - start;
    const few = levels <= 64 || levels <= 4 * size;
    const groups = few ? this.#byLevel(c, start, end, levels) : this.#bySorting(c, start, end);
    let present = groups;
    if (few) present = levels;
    else if (this.#groups[groups - 1] === levels) present = groups - 1;
    const some = few ? this.#bins[levels * this.#stride] > 0 : present < groups;
    const missing = some ? this.#bins.subarray(present * this.#stride, (present + 1) * this.#stride) : undefined;
    if (groups < 2) return false;
    this.#scan(c, present, few, missing, false);
    if (missing) this.#scan(c, present, few, missing, true);
    return true;
  }

  /** Sums by level; how many levels (what is missing among them) have rows. */
  #byLevel(c: number, start: number, end: number, levels: number): number {
    const { columns, outputs } = this.#growth;
    const stride = this.#stride;
    const rows = this.#rows;
    const own = this.#own;
    const bins = this.#bins.fill(0, 0, (levels + 1) * stride);
    const codes = columns.codes.subarray(c * columns.rows, (c + 1) * columns.rows);
    if (outputs === 1) {
      for (let at = start, from = 0; at < end; at++, from += 3) {
        const bin = 3 * codes[rows[at]];
        bins[bin] += own[from];
        bins[bin + 1] += own[from + 1];
        bins[bin + 2] += own[from + 2];
      }
    } else {
      for (let at = start, from = 0; at < end; at++, from += stride) {
        const bin = stride * codes[rows[at]];
        for (let k = 0; k < stride; k++) bins[bin + k] += own[from + k];
      }
    }
    let occurring = 0;
    for (let g = 0; g <= levels; g++) if (bins[g * stride] > 0) occurring++;
    return occurring;
  }

  /** Sums by groups of equal codes, ascending, for a column with many more levels than the node has rows; how many groups. */
  #bySorting(c: number, start: number, end: number): number {
    const { columns } = this.#growth;
    const stride = this.#stride;
    const bins = this.#bins;
    const size = end - start;
    const offset = c * columns.rows;
    // A key holds the code and the place; below 2^53 both are exact.
    const keys = this.#keys.subarray(0, size);
    for (let at = 0; at < size; at++) keys[at] = columns.codes[offset + this.#rows[start + at]] * size + at;
    keys.sort();
    let groups = 0;
    let last = -1;
    for (let at = 0; at < size; at++) {
      const code = Math.floor(keys[at] / size);
      const from = stride * (keys[at] - code * size);
      if (code !== last) {
        this.#groups[groups] = code;
        bins.fill(0, groups * stride, (groups + 1) * stride);
        groups++;
        last = code;
      }
      const bin = (groups - 1) * stride;
      for (let k = 0; k < stride; k++) bins[bin + k] += this.#own[from + k];
    }
    return groups;
  }

  /** Goes through the thresholds of a column from low to high, with what is missing on one side. */
  #scan(c: number, present: number, few: boolean, missing: Float64Array | undefined, missingLeft: boolean): void {
    const { outputs, shrinkage, minLeaf, columns } = this.#growth;
    const stride = this.#stride;
    const bins = this.#bins;
    const total = this.#total;
    const left = this.#leftSums;
    const all = this.#totalWeight + shrinkage;
    let before = 0;
    for (let k = 0; k < outputs; k++) before += total[k] * total[k];
    before = all > 0 ? before / all : 0;
    let count = 0;
    let weight = 0;
    left.fill(0);
    if (missing && missingLeft) {
      count = missing[0];
      weight = missing[1];
      left.set(missing.subarray(2));
    }
    const totalCount = this.#totalCount;
    const totalWeight = this.#totalWeight;
    let from = -1; // the last level that went left and whose threshold is not looked at yet
    for (let g = 0; g <= present; g++) {
      const end = g === present;
      if (!end && bins[g * stride] === 0) continue;
      // Above all levels only what is missing is left for the right side.
      if (end && (missingLeft || !missing)) break;
      if (from >= 0 && count >= minLeaf && totalCount - count >= minLeaf) {
        const leftWeight = weight + shrinkage;
        const rightWeight = totalWeight - weight + shrinkage;
        if (leftWeight > 0 && rightWeight > 0) {
          let leftSquares = 0;
          let rightSquares = 0;
          for (let k = 0; k < outputs; k++) {
            const own = left[k];
            const other = total[k] - own;
            leftSquares += own * own;
            rightSquares += other * other;
          }
          const gain = leftSquares / leftWeight + rightSquares / rightWeight - before;
          if (gain > this.#gain) {
            this.#gain = gain;
            this.#feature = c;
            this.#code = few ? from : this.#groups[from];
            this.#nextCode = end ? columns.levels[c] : few ? g : this.#groups[g];
            this.#missingLeft = missing ? missingLeft : count > totalCount - count;
          }
        }
      }
      if (end) break;
      count += bins[g * stride];
      weight += bins[g * stride + 1];
      for (let k = 0; k < outputs; k++) left[k] += bins[g * stride + 2 + k];
      from = g;
    }
  }

  /** The middle between the values on both sides of the best split; infinite where only what is missing goes right. */
  #threshold(): number {
    const { least, greatest, levels } = this.#growth.columns;
    const below = greatest[this.#feature][this.#code];
    if (this.#nextCode === levels[this.#feature]) return Infinity;
    const above = least[this.#feature][this.#nextCode];
    const middle = below + (above - below) / 2;
    return middle < above && middle >= below ? middle : below;
  }

  /** Puts the rows of the left side first, in their order; where those of the right side begin. */
  #part(start: number, end: number): number {
    const { codes, rows: n, levels } = this.#growth.columns;
    const offset = this.#feature * n;
    const missing = levels[this.#feature];
    let middle = start;
    let others = 0;
    for (let at = start; at < end; at++) {
      const i = this.#rows[at];
      const code = codes[offset + i];
      if (code === missing ? this.#missingLeft : code <= this.#code) this.#rows[middle++] = i;
      else this.#aside[others++] = i;
    }
    this.#rows.set(this.#aside.subarray(0, others), middle);
    return middle;
  }
}

/** Steps within a larger work that is so far. */
export function* within<Result>(done: number, total: number, steps: Steps<Result>): Steps<Result> {
  for (;;) {
    const next = steps.next();
    if (next.done) return next.value;
    yield { done, total };
  }
}
