/** @file Cost budgets: the knapsack problem, by a greedy rule with its guarantee or exactly where the sizes allow. */

import type { Amount } from './budget.ts';
import { BudgetError } from './errors.ts';
import type { Scores } from './scores.ts';
import { byScore } from './select-top.ts';

type CostAmount = Extract<Amount, { kind: 'cost' }>;

/** Cells of the exact table (units × whole-number budget); one bit each, so this is 32 MiB. */
const exactCells = 2 ** 28;

/** The cost of each unit: from the budget where it brings its own, else from the scores. */
export function costsOf(scores: Scores, { of }: CostAmount): ArrayLike<number> {
  const costs = of ?? scores.costs?.values;
  if (!costs) throw new BudgetError(`a cost budget needs costs, and these ${scores.unit} scores have none`);
  if (costs.length !== scores.values.length) {
    throw new BudgetError(`there are ${costs.length} costs for ${scores.values.length} ${scores.unit}s`);
  }
  for (let i = 0; i < costs.length; i++) {
    if (!(costs[i] >= 0 && costs[i] < Infinity)) {
      throw new BudgetError(`the cost of ${scores.unit} ${i} is ${costs[i]}; costs must be finite and 0 or more`);
    }
  }
  return costs;
}

/** The units kept within the cost, in no particular order. Units with a score of 0 or less are never worth a cost. */
export function keepByCost(indices: Uint32Array, scores: Scores, amount: CostAmount): Uint32Array {
  const costs = costsOf(scores, amount);
  const { values } = scores;
  switch (amount.order) {
    case 'score':
      return fill(byScore(indices, values), costs, amount.limit);
    case 'density':
      return keepByDensity(indices, values, costs, amount.limit);
    case 'exact':
      return keepExactly(indices, values, costs, amount.limit);
  }
}

function fill(order: Uint32Array, costs: ArrayLike<number>, limit: number): Uint32Array {
  let spent = 0;
  return order.filter((i) => {
    if (spent + costs[i] > limit) return false;
    spent += costs[i];
    return true;
  });
}

/** Greedy by score per cost, or the best single unit if that is worth more: at least half of the best total there is. */
function keepByDensity(
  indices: Uint32Array,
  values: Float32Array,
  costs: ArrayLike<number>,
  limit: number,
): Uint32Array {
  const worth = indices.filter((i) => values[i] > 0 && costs[i] <= limit);
  const density = (i: number) => (costs[i] === 0 ? Infinity : values[i] / costs[i]);
  const order = worth.slice().sort((i, j) => {
    const a = density(i);
    const b = density(j);
    return a === b ? values[j] - values[i] || i - j : b - a;
  });
  const greedy = fill(order, costs, limit);
  const total = greedy.reduce((sum, i) => sum + values[i], 0);
  const single = byScore(worth, values).subarray(0, 1);
  return single.length > 0 && values[single[0]] > total ? single : greedy;
}

/** The best total score within the limit, by dynamic programming over whole-number costs. */
function keepExactly(indices: Uint32Array, values: Float32Array, costs: ArrayLike<number>, limit: number): Uint32Array {
  const worth = indices.filter((i) => values[i] > 0 && costs[i] <= limit);
  if (worth.some((i) => !Number.isInteger(costs[i]))) {
    throw new BudgetError('an exact cost budget needs costs in whole numbers; leave out "by exact" for the greedy one');
  }
  const capacity = Math.min(
    Math.floor(limit),
    worth.reduce((sum, i) => sum + costs[i], 0),
  );
  const width = capacity + 1;
  if (worth.length * width > exactCells) {
    throw new BudgetError(
      `an exact cost budget of ${capacity} over ${worth.length} units is too large; leave out "by exact" for the greedy one`,
    );
  }
  const best = new Float64Array(width);
  const taken = new Uint8Array(Math.ceil((worth.length * width) / 8));
  worth.forEach((i, row) => {
    const cost = costs[i];
    for (let c = capacity; c >= cost; c--) {
      const withUnit = best[c - cost] + values[i];
      if (withUnit > best[c]) {
        best[c] = withUnit;
        const bit = row * width + c;
        taken[bit >> 3] |= 1 << (bit & 7);
      }
    }
  });
  let left = capacity;
  const kept: number[] = [];
  for (let row = worth.length - 1; row >= 0; row--) {
    const bit = row * width + left;
    if ((taken[bit >> 3] >> (bit & 7)) & 1) {
      kept.push(worth[row]);
      left -= costs[worth[row]];
    }
  }
  return Uint32Array.from(kept);
}
