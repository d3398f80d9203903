/** @file How much two selections have in common. */

import { InputError } from '../../core/errors.ts';

/**
 * Share of the members of one set that are in the other: |A ∩ B| / |A|, for two sets of one size (1 for two empty sets).
 * @throws InputError if the sizes differ.
 */
export function overlap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [first, second] = [new Set(Array.from(a)), new Set(Array.from(b))];
  if (first.size !== second.size) {
    throw new InputError(`an overlap is of two sets of one size, not of ${first.size} and ${second.size} members`);
  }
  if (first.size === 0) return 1;
  let common = 0;
  for (const member of first) if (second.has(member)) common++;
  return common / first.size;
}
