/** @file How steady and how redundant selected features are. */

/** Mean over pairs of sets of |A ∩ B| / |A ∪ B|: 1 for equal sets and for fewer than 2; two empty sets are equal. */
export function meanJaccard(sets: readonly ArrayLike<number>[]): number {
  let sum = 0;
  let pairs = 0;
  sets.forEach((first, i) => {
    const a = new Set(Array.from(first));
    for (const second of sets.slice(i + 1)) {
      const b = new Set(Array.from(second));
      let common = 0;
      for (const member of b) if (a.has(member)) common++;
      const union = a.size + b.size - common;
      sum += union === 0 ? 1 : common / union;
      pairs++;
    }
  });
  return pairs === 0 ? 1 : sum / pairs;
}

/**
 * Mean over pairs of columns of |r|, Pearson's correlation; 0 for fewer than 2 columns, and for pairs with a constant column.
 * @param columns shape [n] each.
 */
export function meanAbsoluteCorrelation(columns: readonly ArrayLike<number>[]): number {
  const scaled = columns.map((column) => {
    const n = column.length;
    let mean = 0;
    for (let i = 0; i < n; i++) mean += column[i] / n;
    const centred = Float64Array.from(column, (value) => value - mean);
    const size = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
    return size > 0 ? centred.map((value) => value / size) : centred;
  });
  let sum = 0;
  for (let a = 0; a < scaled.length; a++) {
    for (let b = 0; b < a; b++) {
      let r = 0;
      for (let i = 0; i < scaled[a].length; i++) r += scaled[a][i] * scaled[b][i];
      sum += Math.abs(r);
    }
  }
  const pairs = (scaled.length * (scaled.length - 1)) / 2;
  return pairs === 0 ? 0 : sum / pairs;
}
