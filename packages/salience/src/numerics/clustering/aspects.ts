/** @file Aspects: groups of columns that go up and down together. */

import { agnes } from 'ml-hclust';
import { InputError } from '../../core/errors.ts';
import { midRanks, spearman } from '../statistics/rank-correlation.ts';

/**
 * How much each two columns depend on each other, 0 to 1, shape [columns · columns]: |Spearman's rho| of two columns with an order,
 * bias-corrected Cramér's V of two of categories (Bergsma 2013), η² from the Kruskal–Wallis H of a mixed pair, as dalex's aspects have it.
 * Rows where either is missing (NaN) do not count; 0 where a column is constant or fewer than 2 rows have both, 1 on the diagonal.
 * @param rows row-major, shape [n · columns].
 * @param categorical which columns are codes without an order; none by default.
 */
export function dependenciesOf(rows: Float64Array, columns: number, categorical?: readonly boolean[]): Float64Array {
  const n = rows.length / columns;
  const dependency = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    dependency[i * columns + i] = 1;
    for (let j = 0; j < i; j++) {
      const a: number[] = [];
      const b: number[] = [];
      for (let r = 0; r < n; r++) {
        const x = rows[r * columns + i];
        const y = rows[r * columns + j];
        if (Number.isNaN(x) || Number.isNaN(y)) continue;
        a.push(x);
        b.push(y);
      }
      const found =
        a.length < 2
          ? 0
          : categorical?.[i]
            ? categorical[j]
              ? cramersV(a, b)
              : rankEta(a, b)
            : categorical?.[j]
              ? rankEta(b, a)
              : Math.abs(spearman(a, b));
      dependency[i * columns + j] = dependency[j * columns + i] = Number.isNaN(found) ? 0 : Math.min(1, found);
    }
  }
  return dependency;
}

/** Bias-corrected Cramér's V of two columns of codes. */
function cramersV(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const [rowOf, columnOf] = [places(a), places(b)];
  const [r, k] = [rowOf.size, columnOf.size];
  const counts = new Float64Array(r * k);
  const inRow = new Float64Array(r);
  const inColumn = new Float64Array(k);
  a.forEach((code, i) => {
    const [at, to] = [rowOf.get(code)!, columnOf.get(b[i])!];
    counts[at * k + to]++;
    inRow[at]++;
    inColumn[to]++;
  });
  let phi = -1; // χ² / n = Σ count² / (row · column) − 1
  counts.forEach((count, at) => {
    phi += (count * count) / (inRow[Math.floor(at / k)] * inColumn[at % k]);
  });
  const corrected = Math.max(0, phi - ((k - 1) * (r - 1)) / (n - 1));
  const least = Math.min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1;
  return least > 0 ? Math.sqrt(corrected / least) : 0;
}

/** η² = (H − k + 1) / (n − k) of a column's ranks in the groups that the codes make, H corrected for ties. */
function rankEta(codes: readonly number[], values: readonly number[]): number {
  const n = codes.length;
  const groupOf = places(codes);
  const k = groupOf.size;
  const ranks = midRanks(values);
  const sums = new Float64Array(k);
  const counts = new Float64Array(k);
  const middle = (n - 1) / 2;
  let spread = 0;
  codes.forEach((code, i) => {
    const group = groupOf.get(code)!;
    sums[group] += ranks[i] - middle;
    counts[group]++;
    spread += (ranks[i] - middle) ** 2;
  });
  if (k < 2 || k >= n || spread === 0) return 0;
  let between = 0;
  for (let g = 0; g < k; g++) between += sums[g] ** 2 / counts[g];
  const h = ((n - 1) * between) / spread;
  return Math.max(0, (h - k + 1) / (n - k));
}

/** A place for each code that occurs. */
function places(codes: readonly number[]): Map<number, number> {
  const found = new Map<number, number>();
  for (const code of codes) if (!found.has(code)) found.set(code, found.size);
  return found;
}

/**
 * A partition of the columns so that every two of one aspect depend on each other by h or more: complete linkage on 1 − dependency, cut
 * at 1 − h (arXiv:2205.05907, as in dalex's aspects). Columns of an aspect ascend, aspects by their first column.
 * @param dependency symmetric, 0 to 1, shape [columns · columns].
 * @throws InputError for h outside of 0 to 1.
 */
export function aspectsOf(dependency: ArrayLike<number>, columns: number, h = 0.5): number[][] {
  if (!(h >= 0 && h <= 1)) throw new InputError(`dependency h = ${h} is not between 0 and 1`);
  if (columns === 1) return [[0]];
  const distances = Array.from({ length: columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => 1 - dependency[i * columns + j]),
  );
  const aspects: number[][] = [];
  const cut = (cluster: ReturnType<typeof agnes>) => {
    // What rounding adds to a distance does not part columns that are equal.
    if (cluster.height <= 1 - h + 1e-12) aspects.push(cluster.indices().sort((a, b) => a - b));
    else for (const child of cluster.children) cut(child);
  };
  cut(agnes(distances, { method: 'complete', isDistanceMatrix: true }));
  return aspects.sort((a, b) => a[0] - b[0]);
}
