/** @file Predictions of tree ensembles, for many rows in one pass. */

import { InputError } from '../../core/errors.ts';
import type { TreeEnsemble } from './tree-ensemble.ts';

/** Rows that go through all trees together: they stay in the processor's cache, and so does each tree for them. */
const block = 256;

/**
 * What each ensemble gives for each row: base plus the values of the leaves it falls into. Ensembles that share their nodes
 * (those of the classes of a forest) are walked once.
 * @param rows row-major, shape [n · columns]; NaN is missing.
 * @returns shape [n · ensembles], row-major.
 * @throws InputError if the numbers are no whole rows.
 */
export function predictTrees(ensembles: readonly TreeEnsemble[], rows: Float64Array, columns: number): Float64Array {
  const n = rows.length / columns;
  if (!Number.isInteger(n)) throw new InputError(`${rows.length} numbers are no rows of ${columns} columns`);
  const outputs = ensembles.length;
  const out = new Float64Array(n * outputs);
  ensembles.forEach(({ base }, k) => {
    for (let i = k; i < out.length; i += outputs) out[i] = base;
  });
  if (ensembles.every(({ feature }) => feature === ensembles[0].feature)) {
    addLeaves(ensembles[0], ensembles, 0, outputs, rows, columns, out);
  } else {
    for (const [k, own] of ensembles.entries()) addLeaves(own, [own], k, outputs, rows, columns, out);
  }
  return out;
}

/** Adds to out[i · outputs + first + k] the leaf values of the kth of the ensembles, whose nodes are those of `nodes`. */
function addLeaves(
  { roots, feature, threshold, left, right, missingLeft }: TreeEnsemble,
  ensembles: readonly TreeEnsemble[],
  first: number,
  outputs: number,
  rows: Float64Array,
  columns: number,
  out: Float64Array,
): void {
  const n = rows.length / columns;
  const { value } = ensembles[0];
  for (let low = 0; low < n; low += block) {
    const high = Math.min(n, low + block);
    for (let t = 0; t < roots.length; t++) {
      const root = roots[t];
      for (let i = low; i < high; i++) {
        const row = i * columns;
        let node = root;
        let asked = feature[node];
        while (asked >= 0) {
          const x = rows[row + asked];
          if (x <= threshold[node]) node = left[node];
          else if (x > threshold[node] || missingLeft[node] === 0) node = right[node];
          else node = left[node];
          asked = feature[node];
        }
        const at = i * outputs + first;
        out[at] += value[node];
        for (let k = 1; k < ensembles.length; k++) out[at + k] += ensembles[k].value[node];
      }
    }
  }
}
