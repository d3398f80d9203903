/** @file A generated lending table: people who ask for a loan, whether it was paid back, and features some of which nobody can change. */

import type { Random } from '../../core/random.ts';
import { type Column, type ColumnKind, type Table, tableInMemory } from './table.ts';

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** The lending features in their order. Savings are a thermometer: a thousand or more is on wherever ten thousand or more is. */
const features: readonly { readonly name: string; readonly kind: ColumnKind }[] = [
  { name: 'age', kind: 'integer' },
  { name: 'dependents', kind: 'integer' },
  { name: 'past_default', kind: 'boolean' },
  { name: 'late_payment', kind: 'boolean' },
  { name: 'loans', kind: 'integer' },
  { name: 'income', kind: 'integer' },
  { name: 'utilisation', kind: 'number' },
  { name: 'savings_1k', kind: 'boolean' },
  { name: 'savings_10k', kind: 'boolean' },
  { name: 'guarantor', kind: 'boolean' },
  { name: 'debt_ratio', kind: 'number' },
];

/**
 * A lending table. Age (21–75), dependents (0–5) and a past default cannot be changed and carry much of the signal; late payment,
 * open loans (0–8), income (1–20), utilisation (0–1), savings, guarantor and debt ratio (0–1.5) can. Whether a loan is `good` is drawn
 * from a logistic model over all eleven.
 * @param rows rows to train on.
 * @param test rows to test on, after them.
 */
export function lendingTable({
  rows,
  test,
  random,
}: {
  readonly rows: number;
  readonly test: number;
  readonly random: Random;
}): Table {
  const n = rows + test;
  const values = features.map(() => new Float64Array(n));
  const good = new Float64Array(n);
  const chance = (p: number) => (random.uniform() < p ? 1 : 0);
  for (let i = 0; i < n; i++) {
    const age = Math.round(clamp(42 + 13 * random.normal(), 21, 75));
    const means = random.normal(); // how well off somebody is, behind income, savings and debts
    const dependents = Math.floor(6 * random.uniform() * random.uniform());
    const pastDefault = chance(sigmoid(-1.1 - 0.6 * means - 0.02 * (age - 42)));
    const late = chance(sigmoid(-0.9 - 0.4 * means + 0.9 * pastDefault));
    const loans = Math.round(clamp(2.5 + 1.8 * random.normal() - 0.4 * means, 0, 8));
    const income = Math.round(clamp(7 + 3 * means + 0.05 * (age - 42) + 1.5 * random.normal(), 1, 20));
    const utilisation = clamp(0.5 + 0.25 * random.normal() - 0.1 * means + 0.1 * pastDefault, 0, 1);
    const saved = 2.2 + 0.9 * means + 0.7 * random.normal() + 0.015 * (age - 42); // log10 of savings
    const debtRatio = clamp(0.55 + 0.25 * random.normal() - 0.1 * means + 0.03 * loans, 0, 1.5);
    const row = [
      age,
      dependents,
      pastDefault,
      late,
      loans,
      income,
      utilisation,
      Number(saved >= 3),
      Number(saved >= 4),
      chance(0.15),
      debtRatio,
    ];
    for (const [c, value] of row.entries()) values[c][i] = value;
    const score =
      0.8 +
      0.045 * (age - 42) -
      0.35 * dependents -
      2.2 * pastDefault -
      0.9 * late -
      0.2 * (loans - 2.5) +
      0.16 * (income - 7) -
      1.6 * (utilisation - 0.5) +
      0.5 * row[7] +
      0.5 * row[8] +
      0.8 * row[9] -
      1.2 * (debtRatio - 0.6);
    good[i] = chance(sigmoid(1.5 * score));
  }
  const columns: Column[] = features.map(({ name, kind }, c) => ({
    name,
    kind,
    values: values[c],
    ...(kind === 'boolean' && { levels: ['0', '1'] }),
  }));
  const target: Column = { name: 'good', kind: 'boolean', values: good, levels: ['0', '1'] };
  const split = {
    train: Uint32Array.from({ length: rows }, (_, i) => i),
    test: Uint32Array.from({ length: test }, (_, i) => rows + i),
  };
  return tableInMemory(columns, target, test > 0 ? split : undefined, 'lending');
}
