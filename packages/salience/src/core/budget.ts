/** @file Budgets: how much may be kept. One small language with one parser, one validator and one printer. */

import { BudgetError } from './errors.ts';

/** How a cost budget is filled: by score per cost, by score alone, or with the best total score there is. */
export type CostOrder = 'density' | 'score' | 'exact';

export type Amount =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'count'; readonly count: number }
  | { readonly kind: 'mass'; readonly mass: number }
  | { readonly kind: 'atLeast'; readonly threshold: number }
  /** N:M: of every `of` consecutive units of a group, the `keep` highest stay. */
  | { readonly kind: 'pattern'; readonly keep: number; readonly of: number }
  | { readonly kind: 'cost'; readonly limit: number; readonly order: CostOrder; readonly of?: ArrayLike<number> };

export interface Budget {
  readonly amount: Amount;
  /** Whether the amount is meant for all units together or for each group on its own. */
  readonly within: 'all' | 'group';
  /** Units each group keeps at the least (all it has, where it has fewer). */
  readonly floor: number;
  /** A unit more similar than this to one already kept is passed over. */
  readonly redundancy?: number;
}

/** What a caller may write: text such as `30% per group, floor 2`, a count, or an object with one amount. */
export type BudgetInput =
  | string
  | number
  | ((
      | { share: number }
      | { count: number }
      | { mass: number }
      | { atLeast: number }
      | { keep: number; of: number }
      | { cost: number; of?: ArrayLike<number>; order?: CostOrder }
    ) & { within?: 'all' | 'group'; floor?: number; redundancy?: number });

const grammar =
  'a budget is 30%, 5, mass=0.9, >=0.1, 2:4 or cost<=512, then, where wanted: per group, floor 2, redundancy<=0.7, by density|score|exact';

const number = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?`;
const words: readonly (readonly [RegExp, (text: string, budget: Partial<Written>) => void])[] = [
  [new RegExp(`^(${number})\\s*%`, 'i'), (n, b) => setAmount(b, { kind: 'share', share: Number(n) / 100 })],
  [new RegExp(`^mass\\s*=\\s*(${number})`, 'i'), (n, b) => setAmount(b, { kind: 'mass', mass: Number(n) })],
  [new RegExp(`^>=\\s*(${number})`, 'i'), (n, b) => setAmount(b, { kind: 'atLeast', threshold: Number(n) })],
  [
    new RegExp(`^cost\\s*<=\\s*(${number})`, 'i'),
    (n, b) => setAmount(b, { kind: 'cost', limit: Number(n), order: 'density' }),
  ],
  [/^per\s+group\b()/i, (_, b) => set(b, 'within', 'group')],
  [/^over\s+all\b()/i, (_, b) => set(b, 'within', 'all')],
  [new RegExp(`^floor\\s*=?\\s*(${number})`, 'i'), (n, b) => set(b, 'floor', Number(n))],
  [new RegExp(`^redundancy\\s*<=\\s*(${number})`, 'i'), (n, b) => set(b, 'redundancy', Number(n))],
  [/^by\s+(density|score|exact)\b/i, (order, b) => set(b, 'order', order.toLowerCase() as CostOrder)],
  [new RegExp(`^(${number}\\s*:\\s*${number})`, 'i'), (pattern, b) => setAmount(b, patternOf(pattern))],
  [new RegExp(`^(${number})(?![\\d.%])`, 'i'), (n, b) => setAmount(b, { kind: 'count', count: Number(n) })],
];

interface Written {
  amount: Amount;
  within: 'all' | 'group';
  floor: number;
  redundancy: number;
  order: CostOrder;
}

function set<K extends keyof Written>(budget: Partial<Written>, key: K, value: Written[K]): void {
  if (budget[key] !== undefined) throw new BudgetError(`the budget names its ${key} twice`);
  budget[key] = value;
}

function patternOf(text: string): Amount {
  const [keep, of] = text.split(':').map(Number);
  return { kind: 'pattern', keep, of };
}

function setAmount(budget: Partial<Written>, amount: Amount): void {
  set(budget, 'amount', amount);
}

/**
 * Reads and validates a budget.
 * @throws BudgetError naming the part that is wrong and what would be right.
 */
export function parseBudget(input: BudgetInput): Budget {
  const budget =
    typeof input === 'string' ? parseText(input) : typeof input === 'number' ? plain({ count: input }) : plain(input);
  validate(budget, typeof input === 'object' ? '' : ` ${String(input).trim()}`);
  return budget;
}

function parseText(text: string): Budget {
  const written: Partial<Written> = {};
  let rest = text.trim();
  while (rest !== '') {
    const before = rest;
    for (const [pattern, apply] of words) {
      const match = pattern.exec(rest);
      if (match) {
        apply(match[1], written);
        rest = rest.slice(match[0].length).replace(/^[\s,]+/, '');
        break;
      }
    }
    if (rest === before)
      throw new BudgetError(`budget ${JSON.stringify(text)}: cannot read ${JSON.stringify(rest)}; ${grammar}`);
  }
  const { amount, within = 'all', floor = 0, redundancy, order } = written;
  if (!amount) throw new BudgetError(`budget ${JSON.stringify(text)} names no amount; ${grammar}`);
  if (order !== undefined && amount.kind !== 'cost') {
    throw new BudgetError(`budget ${text.trim()}: "by ${order}" goes with cost<=…`);
  }
  return {
    amount: amount.kind === 'cost' && order ? { ...amount, order } : amount,
    within,
    floor,
    ...(redundancy !== undefined && { redundancy }),
  };
}

function plain(input: Exclude<BudgetInput, string | number>): Budget {
  const amounts: Amount[] = [];
  if ('share' in input) amounts.push({ kind: 'share', share: input.share });
  if ('count' in input) amounts.push({ kind: 'count', count: input.count });
  if ('mass' in input) amounts.push({ kind: 'mass', mass: input.mass });
  if ('atLeast' in input) amounts.push({ kind: 'atLeast', threshold: input.atLeast });
  if ('keep' in input) amounts.push({ kind: 'pattern', keep: input.keep, of: input.of });
  if ('cost' in input) {
    amounts.push({
      kind: 'cost',
      limit: input.cost,
      order: input.order ?? 'density',
      ...(input.of && { of: input.of }),
    });
  }
  if (amounts.length !== 1)
    throw new BudgetError(`a budget needs one amount, this one has ${amounts.length}; ${grammar}`);
  const { within = 'all', floor = 0, redundancy } = input;
  return { amount: amounts[0], within, floor, ...(redundancy !== undefined && { redundancy }) };
}

function validate({ amount, within, floor, redundancy }: Budget, written: string): void {
  const refuse = (reason: string): never => {
    throw new BudgetError(`budget${written} ${reason}`);
  };
  switch (amount.kind) {
    case 'share':
      if (!(amount.share >= 0)) refuse('is below 0%');
      if (amount.share > 1) refuse('is above 100%');
      break;
    case 'count':
      if (amount.count < 0) refuse('is below 0');
      if (!Number.isSafeInteger(amount.count)) {
        const share = amount.count < 1 ? `; for a share write ${Number((amount.count * 100).toPrecision(12))}%` : '';
        refuse(`is not a whole number of units${share}`);
      }
      break;
    case 'mass':
      if (!(amount.mass >= 0 && amount.mass <= 1)) refuse('is outside mass=0 to mass=1');
      break;
    case 'atLeast':
      if (!Number.isFinite(amount.threshold)) refuse('needs a finite threshold');
      break;
    case 'pattern':
      if (!Number.isSafeInteger(amount.of) || !(Number.isSafeInteger(amount.keep) && amount.keep >= 1)) {
        refuse('is not N of every M units, both whole numbers of 1 or more, such as 2:4');
      }
      if (amount.keep > amount.of) refuse(`keeps ${amount.keep} of every ${amount.of} units`);
      if (floor > 0) refuse('has a floor, which N:M cannot promise');
      if (redundancy !== undefined) refuse('has a redundancy, which N:M cannot promise');
      break;
    case 'cost':
      if (!(amount.limit >= 0 && amount.limit < Infinity)) refuse('needs a finite cost of 0 or more');
      if (floor > 0) refuse('has a floor, which a cost budget cannot promise');
      break;
  }
  if (within !== 'all' && within !== 'group') refuse('is neither over all nor per group');
  if (!Number.isSafeInteger(floor) || floor < 0) refuse('has a floor that is not a whole number of 0 or more');
  if (redundancy !== undefined && !(redundancy >= 0 && redundancy <= 1)) refuse('has a redundancy outside 0 to 1');
}

/** Tells a parsed budget from what a caller may write. */
export function isParsed(input: BudgetInput | Budget): input is Budget {
  return typeof input === 'object' && 'amount' in input;
}

/** Prints a budget in the language that parseBudget reads; costs given as an array are not part of it. */
export function printBudget({ amount, within, floor, redundancy }: Budget): string {
  const parts = [printAmount(amount)];
  if (within === 'group') parts.push('per group');
  if (floor > 0) parts.push(`floor ${floor}`);
  if (redundancy !== undefined) parts.push(`redundancy<=${redundancy}`);
  if (amount.kind === 'cost' && amount.order !== 'density') parts.push(`by ${amount.order}`);
  return parts.join(', ');
}

function printAmount(amount: Amount): string {
  switch (amount.kind) {
    case 'share':
      return `${Number((amount.share * 100).toPrecision(15))}%`;
    case 'count':
      return String(amount.count);
    case 'mass':
      return `mass=${amount.mass}`;
    case 'atLeast':
      return `>=${amount.threshold}`;
    case 'pattern':
      return `${amount.keep}:${amount.of}`;
    case 'cost':
      return `cost<=${amount.limit}`;
  }
}

/**
 * How many of n units a share keeps: the smallest whole number that is not below share × n, so that the units removed are
 * floor((1 − share) × n) and no share above 0 keeps nothing. A product within rounding error of a whole number is that number.
 */
export function countOfShare(share: number, n: number): number {
  const exact = share * n;
  const nearest = Math.round(exact);
  return Math.min(n, Math.abs(exact - nearest) <= exact * 2 ** -50 ? nearest : Math.ceil(exact));
}
