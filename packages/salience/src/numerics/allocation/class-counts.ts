/** @file How many of each class stay when classes are to keep their shares. */

import { largestRemainders } from './water-filling.ts';

/**
 * Shares `total` out in proportion to the class sizes, at least 1 to every class that has a member: classes whose share is below 1 get
 * 1, the others share the rest in proportion, rounded by largest remainders, the earlier class first among equals. The sum is
 * `total`. Where that is below the number of classes with a member, the largest classes keep 1 each: a budget is always met exactly.
 */
export function classCounts(sizes: readonly number[], total: number): number[] {
  const counts = sizes.map(() => 0);
  let open = sizes.map((_, c) => c).filter((c) => sizes[c] > 0);
  if (total < open.length) {
    for (const c of open.toSorted((a, b) => sizes[b] - sizes[a] || a - b).slice(0, total)) counts[c] = 1;
    return counts;
  }
  let left = total;
  for (;;) {
    const members = open.reduce((sum, c) => sum + sizes[c], 0);
    const short = open.filter((c) => left * sizes[c] <= members);
    if (short.length === 0) break;
    for (const c of short) counts[c] = 1;
    left -= short.length;
    open = open.filter((c) => counts[c] === 0);
  }
  if (open.length === 0 || left <= 0) return counts;
  const members = open.reduce((sum, c) => sum + sizes[c], 0);
  const given = largestRemainders(
    open.map((c) => (left * sizes[c]) / members),
    left,
  );
  open.forEach((c, i) => {
    counts[c] = given[i];
  });
  return counts;
}
