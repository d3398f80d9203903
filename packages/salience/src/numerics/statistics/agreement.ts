/** @file How two importances of the same features agree. */

import { pearson } from './correlation.ts';
import { spearman } from './rank-correlation.ts';

/** How two importances of the same features agree; null where a correlation is undefined. */
export interface Agreement {
  readonly pearson: number | null;
  readonly spearman: number | null;
  /** Spearman's without the feature that the first ranks highest, which alone can carry a correlation. */
  readonly withoutTop: number | null;
}

/** Pearson's and Spearman's correlation of two importances, shape [features] each. */
export function agreement(a: ArrayLike<number>, b: ArrayLike<number>): Agreement {
  let top = 0;
  for (let i = 1; i < a.length; i++) if (a[i] > a[top]) top = i;
  const rest = (x: ArrayLike<number>) => Array.from(x).toSpliced(top, 1);
  return {
    pearson: defined(pearson(a, b)),
    spearman: defined(spearman(a, b)),
    withoutTop: defined(spearman(rest(a), rest(b))),
  };
}

const defined = (value: number) => (Number.isNaN(value) ? null : value);
