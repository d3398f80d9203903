/** @file Selection over scores that come part by part: the budget is applied to each matrix while the method walks. */

import { type Budget, type BudgetInput, isParsed, parseBudget, printBudget } from './budget.ts';
import { BudgetError, InputError } from './errors.ts';
import type { ChooseInRows, ScoreSequence, SequencePart } from './scores.ts';
import { keepInRows, type RowRule } from './select-rows.ts';

/** A budget on its way through a sequence. What it keeps is known once the sequence was walked. */
export interface SequenceSelection {
  readonly unit: string;
  /** How many units there are to choose from. */
  readonly of: number;
  readonly budget: Budget;
  readonly groups: ScoreSequence['groups'];
  /** How many units of each group the latest walk kept; 0 for those it has not reached. */
  readonly counts: readonly number[];
  /** Their sum. */
  readonly count: number;
  /**
   * Walks the sequence from its beginning under the budget, which repeats all of the method's work.
   * @throws InputError for a part out of order or of another size than its group; and what the method throws.
   */
  walk(): AsyncGenerator<SequencePart>;
}

/**
 * Readies a budget for a sequence; nothing is scored yet.
 * @throws BudgetError unless the budget is a share or N:M and nothing else: those hold in every row of every matrix, whatever
 *   comes later.
 */
export function selectSequence(scores: ScoreSequence, input: BudgetInput | Budget): SequenceSelection {
  const budget = isParsed(input) ? input : parseBudget(input);
  const { unit, groups } = scores;
  const choose = chooserOf(budget, unit);
  const of = groups.reduce((sum, { size }) => sum + size, 0);
  if (of === 0) throw new InputError(`there is no ${unit} to score`);
  const counts = groups.map(() => 0);
  return {
    unit,
    of,
    budget,
    groups,
    counts,
    get count() {
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async *walk() {
      const { settled = [] } = scores;
      counts.fill(0);
      settled.forEach((count, g) => {
        counts[g] = count;
      });
      let g = settled.length;
      for await (const part of inOrder(scores, choose)) {
        let count = 0;
        for (let i = 0; i < part.kept.length; i++) count += part.kept[i];
        counts[g++] = count;
        yield part;
      }
    },
  };
}

/** Walks a sequence with everything kept: for the scores alone. */
export function walkAll(scores: ScoreSequence): AsyncGenerator<SequencePart> {
  return inOrder(scores, chooser({ share: 1 }));
}

function chooser(rule: RowRule): ChooseInRows {
  const choose = (values: Float32Array, [rows, columns]: readonly [number, number], scope?: 'row' | 'matrix') =>
    keepInRows(values, rows, columns, rule, scope);
  return Object.assign(choose, 'of' in rule && { every: rule.of });
}

function chooserOf(budget: Budget, unit: string): ChooseInRows {
  const { amount, floor, redundancy } = budget;
  if ((amount.kind !== 'share' && amount.kind !== 'pattern') || floor > 0 || redundancy !== undefined) {
    throw new BudgetError(
      `a budget of ${printBudget(budget)} cannot be applied here: these ${unit}s are chosen matrix by matrix, which takes a share such as 50%, or N:M such as 2:4`,
    );
  }
  return chooser(amount);
}

/** The parts of a walk, each checked against the group it should be. */
async function* inOrder(scores: ScoreSequence, choose: ChooseInRows): AsyncGenerator<SequencePart> {
  const { groups, unit, settled = [] } = scores;
  let g = settled.length;
  for await (const part of scores.walk(choose)) {
    const { name, shape, kept, values } = part;
    const group = groups[g++];
    if (group?.name !== name) throw new InputError(`${name} came where ${group?.name ?? 'no more'} was due`);
    const n = shape[0] * shape[1];
    if (n !== group.size) throw new InputError(`${name} has ${n} ${unit}s where ${group.size} were due`);
    for (const { length } of [part.scores, kept, values ?? kept]) {
      if (length !== n) throw new InputError(`${name}: ${length} scores, marks or values for ${n} ${unit}s`);
    }
    yield part;
  }
  if (g < groups.length) throw new InputError(`the walk ended before ${groups[g].name}`);
}
