/**
 * @file Exact selection over scores larger than memory: a radix selection on the bits of the floats. One read counts scores
 * by the upper 16 bits of their key, which tells the one bin that holds the threshold; a second read counts that bin by the
 * lower 16 bits, which tells the threshold itself and how many of the scores equal to it are kept.
 */

import { type Budget, type BudgetInput, countOfShare, isParsed, parseBudget, printBudget } from './budget.ts';
import { countChunks, type Question } from './chunk-counts.ts';
import type { Cut } from './cut.ts';
import { BudgetError, InputError } from './errors.ts';
import { halves } from './float-order.ts';
import { type Counts, countInBin, countOfMass, cutIn, placeOf } from './radix.ts';
import type { Run } from './run.ts';
import type { ScoreStream } from './scores.ts';

export interface StreamSelection {
  readonly unit: string;
  /** How many units there were to choose from. */
  readonly of: number;
  /** How many are kept. */
  readonly count: number;
  readonly budget: Budget;
  /** Whether one cut holds for all units, or each group has its own. */
  readonly scope: 'all' | 'group';
  /** One cut, or one a group. */
  readonly cuts: readonly Cut[];
  /** How many of the units equal to the threshold stay in each chunk, its first ones; absent where all of them stay. */
  readonly tiesInChunk?: readonly number[];
}

/**
 * A method's own rule for how many units each group keeps: from the group sizes and the counts the budget gives each group,
 * the counts to keep instead, or nothing to leave them as they are.
 */
export type Allocate = (sizes: readonly number[], counts: readonly number[]) => readonly number[] | undefined;

/**
 * Applies a budget to scores in chunks. A budget over all reads them twice in 0.5 MiB, and once more where only some of the
 * units equal to the threshold stay; budgets per group, floors and allocations need 0.5 MiB a group, and floors and
 * allocations one read more.
 * @throws BudgetError for costs, redundancies and N:M, which need scores in memory, and otherwise as `select` does; InputError
 *   naming the group and the unit of a score that is not finite.
 */
export async function selectStream(
  scores: ScoreStream,
  input: BudgetInput | Budget,
  run: Run,
  allocate?: Allocate,
): Promise<StreamSelection> {
  const budget = isParsed(input) ? input : parseBudget(input);
  const { unit, groups } = scores;
  const of = groups.reduce((sum, { size }) => sum + size, 0);
  if (of === 0) throw new InputError(`there is no ${unit} to score`);
  if (budget.amount.kind === 'cost' || budget.redundancy !== undefined) {
    throw new BudgetError(`budgets with a cost or a redundancy need ${unit} scores in memory, these are a stream`);
  }
  if (budget.amount.kind === 'pattern') {
    throw new BudgetError(
      `a budget of ${printBudget(budget)} cannot be applied to a stream of ${unit} scores; use a share`,
    );
  }
  const perGroup = budget.within === 'group' || budget.floor > 0 || allocate !== undefined;
  const reading = new Reading(scores, run, perGroup ? 'group' : 'all', budget);
  const tallies = await reading.tally();

  let counts: readonly number[];
  if (!perGroup || budget.within === 'group' || budget.amount.kind === 'atLeast') {
    counts = await reading.countsWithin(tallies);
  } else {
    const [total] = await reading.countsWithin([mergeTallies(tallies)]);
    counts = await countsOverAll(reading, tallies, total, budget.floor, unit);
  }
  counts = counts.map((count, s) => Math.max(count, Math.min(budget.floor, tallies[s].size)));
  counts =
    allocate?.(
      groups.map(({ size }) => size),
      counts,
    ) ?? counts;

  const places = counts.map((count, s) => placeOf(tallies[s].counts, count));
  const details = await reading.refine(places.map(({ bin }) => bin));
  const cuts = places.map(({ bin, inside }, s) => cutIn(bin, details[s], inside));
  const tiesInChunk = await reading.shareTies(cuts);
  return { unit, of, count: sum(counts), budget, scope: reading.scope, cuts, ...(tiesInChunk && { tiesInChunk }) };
}

/** How many units of each group a selection keeps: one more read, or two where it shares out ties. */
export async function countKept(
  scores: ScoreStream,
  { scope, cuts, tiesInChunk, budget }: StreamSelection,
  run: Run,
): Promise<number[]> {
  const reading = new Reading(scores, run, scope, budget);
  const kept = scores.groups.map(() => 0);
  const cutOf = (group: number) => cuts[reading.scopeOf(group)];
  await reading.ask(
    'counting kept',
    (group) => ({ kind: 'above', threshold: cutOf(group).threshold }),
    (group, { counts }) => {
      kept[group] += counts[0];
    },
  );
  if (!tiesInChunk) return kept;
  let at = 0;
  await reading.ask(
    'counting ties of',
    (group) => ({ kind: 'equal', threshold: cutOf(group).threshold }),
    (group, { counts }) => {
      for (const count of counts) kept[group] -= count - tiesInChunk[at++];
    },
  );
  return kept;
}

/** The scores of one scope, counted by upper half. */
interface Tally {
  readonly size: number;
  readonly counts: Counts;
  /** Sums of the scores by upper half; only for a mass. */
  readonly sums?: Float64Array;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mergeTallies(tallies: readonly Tally[]): Tally {
  const merged = { size: 0, counts: new Float64Array(halves), sums: tallies[0].sums && new Float64Array(halves) };
  for (const { size, counts, sums } of tallies) {
    merged.size += size;
    for (let bin = 0; bin < halves; bin++) merged.counts[bin] += counts[bin];
    if (sums && merged.sums) for (let bin = 0; bin < halves; bin++) merged.sums[bin] += sums[bin];
  }
  return merged;
}

/** Reads of one stream on behalf of one budget. */
class Reading {
  readonly scope: 'all' | 'group';
  readonly #scores: ScoreStream;
  readonly #run: Run;
  readonly #budget: Budget;
  #last: { bins: readonly number[]; details: Counts[] } | undefined;

  constructor(scores: ScoreStream, run: Run, scope: 'all' | 'group', budget: Budget) {
    this.#scores = scores;
    this.#run = run;
    this.scope = scope;
    this.#budget = budget;
  }

  scopeOf(group: number): number {
    return this.scope === 'group' ? group : 0;
  }

  async tally(): Promise<Tally[]> {
    const { groups } = this.#scores;
    const sizes = this.scope === 'group' ? groups.map(({ size }) => size) : [sum(groups.map(({ size }) => size))];
    const withSums = this.#budget.amount.kind === 'mass';
    const tallies = sizes.map((size) => ({
      size,
      counts: emptyCounts(size),
      sums: withSums ? new Float64Array(halves) : undefined,
    }));
    await this.ask(
      'counting',
      () => ({ kind: 'coarse', sums: withSums }),
      (group, answer) => {
        const { counts, sums } = tallies[this.scopeOf(group)];
        for (let bin = 0; bin < halves; bin++) counts[bin] += answer.counts[bin];
        if (sums) for (let bin = 0; bin < halves; bin++) sums[bin] += answer.sums![bin];
      },
    );
    return tallies;
  }

  /** Counts by lower half of the scores whose upper half is `bins[scope]`, one array a scope. */
  async refine(bins: readonly number[]): Promise<Counts[]> {
    if (this.#last?.bins.every((bin, s) => bin === bins[s])) return this.#last.details;
    const { groups } = this.#scores;
    const details = bins.map((_, s) => emptyCounts(this.scope === 'group' ? groups[s].size : Infinity));
    await this.ask(
      'locating the threshold',
      (group) => ({ kind: 'fine', upper: bins[this.scopeOf(group)] }),
      (group, answer) => {
        const counts = details[this.scopeOf(group)];
        for (let low = 0; low < halves; low++) counts[low] += answer.counts[low];
      },
    );
    this.#last = { bins, details };
    return details;
  }

  /** How many units of each tally the budget's amount keeps; one merged tally may stand for all scopes. */
  async countsWithin(tallies: readonly Tally[]): Promise<number[]> {
    const { amount } = this.#budget;
    switch (amount.kind) {
      case 'share':
        return tallies.map(({ size }) => countOfShare(amount.share, size));
      case 'count':
        return tallies.map(({ size }) => Math.min(amount.count, size));
      case 'atLeast': {
        const counts = tallies.map(() => 0);
        await this.ask(
          'counting',
          () => ({ kind: 'above', threshold: amount.threshold }),
          (group, answer) => {
            counts[this.scopeOf(group)] += answer.counts[0];
          },
        );
        return counts;
      }
      case 'mass': {
        for (const { counts } of tallies) {
          const negative = counts.findIndex((count) => count > 0);
          if (negative < halves / 2)
            throw new BudgetError(`a mass budget needs ${this.#scores.unit} scores of 0 or more`);
        }
        const reached = tallies.map(({ counts, sums }) => countOfMass(counts, sums!, amount.mass));
        const merged = tallies.length === 1 && this.scope === 'group';
        const bins = merged ? this.#scores.groups.map(() => reached[0].bin) : reached.map(({ bin }) => bin);
        const details = await this.refine(bins);
        return reached.map(
          ({ bin, above, missing }, s) => above + countInBin(bin, merged ? mergeCounts(details) : details[s], missing),
        );
      }
      case 'pattern':
      case 'cost':
        throw new BudgetError(`a budget of ${amount.kind} is no count of units`);
    }
  }

  /** Hands the ties of each cut to its chunks in unit order. */
  async shareTies(cuts: readonly Cut[]): Promise<number[] | undefined> {
    if (cuts.every(({ ties }) => ties === Infinity || ties === 0)) return undefined;
    const left = cuts.map(({ ties }) => ties);
    const shared: number[] = [];
    const question = (group: number): Question => ({ kind: 'equal', threshold: cuts[this.scopeOf(group)].threshold });
    await this.ask('counting ties of', question, (group, { counts }) => {
      const scope = this.scopeOf(group);
      for (const count of counts) {
        shared.push(Math.min(count, left[scope]));
        left[scope] -= shared[shared.length - 1];
      }
    });
    return shared;
  }

  /** Asks a question of every batch of chunks, and hands the answers on in unit order. */
  async ask(
    what: string,
    questionOf: (group: number) => Question,
    take: (group: number, answer: { counts: Uint32Array; sums?: Float64Array }) => void,
  ): Promise<void> {
    const { counting, inputs } = countChunks(this.#scores, questionOf);
    let at = 0;
    for await (const answer of this.#run.map(counting, inputs, `${what} ${this.#scores.unit}s`, inputs.length)) {
      take(inputs[at++].chunks[0].group, answer);
    }
  }
}

function emptyCounts(size: number): Counts {
  return size < 2 ** 32 ? new Uint32Array(halves) : new Float64Array(halves);
}

function mergeCounts(details: readonly Counts[]): Counts {
  const merged = new Float64Array(halves);
  for (const counts of details) for (let low = 0; low < halves; low++) merged[low] += counts[low];
  return merged;
}

/**
 * How many units each group keeps when `total` are kept over all, ties in unit order, and no group with fewer than the
 * floor: groups that fall below it are given the floor, the others share what is left, until none falls below.
 */
async function countsOverAll(
  reading: Reading,
  tallies: readonly Tally[],
  total: number,
  floor: number,
  unit: string,
): Promise<number[]> {
  const counts = new Array<number>(tallies.length).fill(0);
  const floors = tallies.map(({ size }) => Math.min(floor, size));
  if (sum(floors) > total) {
    throw new BudgetError(
      `a floor of ${floor} in each of ${tallies.length} groups needs ${sum(floors)} ${unit}s, the budget keeps ${total}`,
    );
  }
  let open = tallies.map((_, g) => g);
  while (open.length > 0) {
    const left = total - sum(counts.filter((_, g) => !open.includes(g)));
    const { bin, inside } = placeOf(mergeTallies(open.map((g) => tallies[g])).counts, left);
    const details = await reading.refine(tallies.map(() => bin));
    const place = inside > 0 ? placeOf(mergeCounts(open.map((g) => details[g])), inside) : { bin: halves, inside: 0 };
    let ties = place.inside;
    for (const g of open) {
      let count = 0;
      for (let upper = bin + 1; upper < halves; upper++) count += tallies[g].counts[upper];
      for (let low = place.bin + 1; low < halves; low++) count += details[g][low];
      const own = place.bin < halves ? Math.min(ties, details[g][place.bin]) : 0;
      ties -= own;
      counts[g] = count + own;
    }
    const below = open.filter((g) => counts[g] < floors[g]);
    if (below.length === 0) break;
    for (const g of below) counts[g] = floors[g];
    open = open.filter((g) => !below.includes(g));
  }
  return counts;
}
