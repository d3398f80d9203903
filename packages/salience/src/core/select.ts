/** @file Exact selection in memory: the units a budget keeps, ties broken by the lower index, always as many as the budget says. */

import { type Amount, type Budget, type BudgetInput, isParsed, parseBudget, printBudget } from './budget.ts';
import { BudgetError } from './errors.ts';
import { checkScores, type Scores } from './scores.ts';
import { keepByCost } from './select-by-cost.ts';
import { keepDissimilar } from './select-dissimilar.ts';
import { keepInRuns } from './select-rows.ts';
import type { Allocate } from './select-stream.ts';
import { countOf, everyIndex, topK } from './select-top.ts';

export interface Selection {
  readonly unit: string;
  /** How many units there were to choose from. */
  readonly of: number;
  /** Indices of the kept units, ascending. */
  readonly kept: Uint32Array;
  /** The lowest score kept; Infinity where nothing is kept. */
  readonly threshold: number;
  readonly budget: Budget;
}

/**
 * Applies a budget to scores in memory.
 * @throws BudgetError if the budget is malformed or asks for what the scores do not carry (groups, costs, similarity,
 *   non-negative scores for a mass); InputError if the scores break their contract.
 */
export function select(scores: Scores, input: BudgetInput | Budget, allocate?: Allocate): Selection {
  const budget = isParsed(input) ? input : parseBudget(input);
  checkScores(scores);
  const { unit, values } = scores;
  // A floor under a threshold adds to a group what the threshold leaves out, and takes from no other group.
  // N:M never reaches over the end of a group.
  const perGroup =
    budget.within === 'group' ||
    (budget.amount.kind === 'atLeast' && budget.floor > 0) ||
    (budget.amount.kind === 'pattern' && scores.groups !== undefined);
  if (budget.amount.kind === 'pattern' && allocate) {
    throw new BudgetError(`a budget of ${printBudget(budget)} leaves no room for the method's own counts per group`);
  }
  let kept = perGroup ? keepPerGroup(scores, budget) : keepOf(everyIndex(values.length), scores, budget);
  if (allocate) kept = keepAllocated(scores, kept, allocate);
  kept.sort();
  let threshold = Infinity;
  for (const i of kept) threshold = Math.min(threshold, values[i]);
  return { unit, of: values.length, kept, threshold, budget };
}

/** The members of each group, ascending. */
function membersOf({ unit, groups }: Scores): Uint32Array[] {
  if (!groups) throw new BudgetError(`the budget speaks of groups, but these ${unit} scores have none`);
  const sizes = new Uint32Array(groups.names.length);
  for (const g of groups.of) sizes[g]++;
  const members = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(sizes.length);
  groups.of.forEach((g, i) => {
    members[g][filled[g]++] = i;
  });
  return members;
}

function keepPerGroup(scores: Scores, budget: Budget): Uint32Array {
  return concat(
    membersOf(scores).map((members, g) => {
      if (budget.amount.kind === 'pattern') return keepPattern(members, scores, budget.amount, scores.groups?.names[g]);
      const kept = keepOf(members, scores, { ...budget, floor: 0 });
      return kept.length < budget.floor ? topK(scores.values, members, budget.floor) : kept;
    }),
  );
}

/** Each group's best, as many as the method's own rule says. */
function keepAllocated(scores: Scores, kept: Uint32Array, allocate: Allocate): Uint32Array {
  const members = membersOf(scores);
  const counts = members.map(() => 0);
  for (const i of kept) counts[scores.groups!.of[i]]++;
  const allocated = allocate(
    members.map(({ length }) => length),
    counts,
  );
  return allocated ? concat(members.map((group, g) => topK(scores.values, group, allocated[g]))) : kept;
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What the budget keeps of some units (their indices, ascending), in no particular order. */
function keepOf(indices: Uint32Array, scores: Scores, budget: Budget): Uint32Array {
  const { amount, redundancy } = budget;
  if (redundancy !== undefined) return keepDissimilar(indices, scores, budget);
  if (amount.kind === 'pattern') return keepPattern(indices, scores, amount);
  if (amount.kind === 'cost') return keepByCost(indices, scores, amount);
  const count = countOf(indices, scores, budget);
  return budget.floor === 0 ? topK(scores.values, indices, count) : keepWithFloor(scores, budget, count);
}

/** The `keep` highest of every `of` consecutive units. */
function keepPattern(
  indices: Uint32Array,
  { unit, values }: Scores,
  { keep, of }: Extract<Amount, { kind: 'pattern' }>,
  group?: string,
): Uint32Array {
  if (indices.length % of !== 0) {
    const where = group === undefined ? '' : ` of ${group}`;
    throw new BudgetError(
      `a budget of ${keep}:${of} needs a multiple of ${of} ${unit}s; the ${indices.length}${where} are none`,
    );
  }
  const kept = keepInRuns(
    Float32Array.from(indices, (i) => values[i]),
    of,
    keep,
  );
  return indices.filter((_, at) => kept[at] === 1);
}

/** Keeps `count` units over all: each group's best up to the floor first, then the best of the rest. */
function keepWithFloor(scores: Scores, { floor }: Budget, count: number): Uint32Array {
  const owed = membersOf(scores).map((members) => topK(scores.values, members, floor));
  const kept = new Uint8Array(scores.values.length);
  let total = 0;
  for (const part of owed) {
    for (const i of part) kept[i] = 1;
    total += part.length;
  }
  if (total > count) {
    throw new BudgetError(
      `a floor of ${floor} in each of ${owed.length} groups needs ${total} ${scores.unit}s, the budget keeps ${count}`,
    );
  }
  const rest = everyIndex(scores.values.length).filter((i) => kept[i] === 0);
  for (const i of topK(scores.values, rest, count - total)) kept[i] = 1;
  return everyIndex(scores.values.length).filter((i) => kept[i] === 1);
}
