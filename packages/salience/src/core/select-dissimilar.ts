/** @file Redundancy-aware selection: the best first, passing over what is too similar to something already kept. */

import type { Budget } from './budget.ts';
import { BudgetError } from './errors.ts';
import type { Scores } from './scores.ts';
import { costsOf } from './select-by-cost.ts';
import { byScore, countOf } from './select-top.ts';

/**
 * Keeps units from the highest score down until the amount is reached; a unit whose similarity to a kept one exceeds
 * `budget.redundancy` is passed over. A cost budget passes over what no longer fits. May keep fewer units than the amount
 * says, when too few are unlike. Returns the kept indices, best first.
 */
export function keepDissimilar(indices: Uint32Array, scores: Scores, budget: Budget): Uint32Array {
  const { similarity, unit, values } = scores;
  const { amount, redundancy = 1 } = budget;
  if (!similarity) throw new BudgetError(`a redundancy needs similarities, and these ${unit} scores have none`);
  if (budget.floor > 0) throw new BudgetError('a budget cannot have both a floor and a redundancy');
  const costs = amount.kind === 'cost' ? costsOf(scores, amount) : undefined;
  if (amount.kind === 'cost' && amount.order === 'exact') {
    throw new BudgetError('a redundancy goes with "by score" or "by density", not with "by exact"');
  }
  const limit = amount.kind === 'cost' ? amount.limit : countOf(indices, scores, budget);
  const order =
    costs && amount.kind === 'cost' && amount.order === 'density'
      ? indices.slice().sort((i, j) => values[j] / costs[j] - values[i] / costs[i] || i - j)
      : byScore(indices, values);
  const kept: number[] = [];
  let spent = 0;
  for (const i of order) {
    const cost = costs ? costs[i] : 1;
    if (spent + cost > limit || kept.some((j) => similarity(i, j) > redundancy)) continue;
    kept.push(i);
    spent += cost;
  }
  return Uint32Array.from(kept);
}
