import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Budget, type BudgetInput, countOfShare, parseBudget, printBudget } from './budget.ts';
import { BudgetError } from './errors.ts';

const whole = (amount: Budget['amount']): Budget => ({ amount, within: 'all', floor: 0 });

describe('the budget language', () => {
  it.each<[BudgetInput, Budget]>([
    ['30%', whole({ kind: 'share', share: 0.3 })],
    ['0%', whole({ kind: 'share', share: 0 })],
    ['100%', whole({ kind: 'share', share: 1 })],
    ['12.5 %', whole({ kind: 'share', share: 0.125 })],
    ['5', whole({ kind: 'count', count: 5 })],
    [5, whole({ kind: 'count', count: 5 })],
    [' mass=0.9 ', whole({ kind: 'mass', mass: 0.9 })],
    [{ mass: 0.9 }, whole({ kind: 'mass', mass: 0.9 })],
    ['>=0.1', whole({ kind: 'atLeast', threshold: 0.1 })],
    ['>= -1e-3', whole({ kind: 'atLeast', threshold: -0.001 })],
    ['2:4', whole({ kind: 'pattern', keep: 2, of: 4 })],
    [' 4 : 8 per group', { ...whole({ kind: 'pattern', keep: 4, of: 8 }), within: 'group' }],
    [{ keep: 1, of: 3 }, whole({ kind: 'pattern', keep: 1, of: 3 })],
    ['cost<=512', whole({ kind: 'cost', limit: 512, order: 'density' })],
    ['cost<=512 by exact', whole({ kind: 'cost', limit: 512, order: 'exact' })],
    ['30% per group, floor 2', { amount: { kind: 'share', share: 0.3 }, within: 'group', floor: 2 }],
    [
      'cost<=100, redundancy<=0.7, by score',
      { ...whole({ kind: 'cost', limit: 100, order: 'score' }), redundancy: 0.7 },
    ],
    [
      { count: 3, within: 'group' },
      { amount: { kind: 'count', count: 3 }, within: 'group', floor: 0 },
    ],
  ])('reads %j', (input, budget) => {
    expect(parseBudget(input)).toEqual(budget);
  });

  it.each<[BudgetInput, RegExp]>([
    ['120%', /budget 120% is above 100%/],
    ['101%', /above 100%/],
    ['-1', /below 0/],
    ['-5%', /below 0%/],
    ['abc', /cannot read "abc"/],
    ['', /names no amount/],
    ['5 abc', /cannot read "abc"/],
    ['0.3', /not a whole number of units; for a share write 30%/],
    ['mass=1.5', /outside mass=0 to mass=1/],
    ['5 floor 1.5', /whole number/],
    ['5 5%', /amount twice/],
    ['5 by score', /"by score" goes with cost/],
    ['5 redundancy<=2', /redundancy outside 0 to 1/],
    ['cost<=9 floor 1', /floor, which a cost budget cannot promise/],
    ['5:4', /budget 5:4 keeps 5 of every 4 units/],
    ['0:4', /not N of every M units.*such as 2:4/],
    ['-1:4', /not N of every M/],
    ['1.5:4', /not N of every M/],
    ['2:', /cannot read ":"/],
    ['2:4 floor 1', /floor, which N:M cannot promise/],
    ['2:4 redundancy<=0.5', /redundancy, which N:M cannot promise/],
    ['2:4 30%', /amount twice/],
    [{ keep: 2, of: Number.NaN }, /not N of every M/],
    [Number.NaN, /whole number/],
    [{ cost: Infinity }, /finite cost/],
    [{} as BudgetInput, /needs one amount, this one has 0/],
    ['9'.repeat(400), /whole number/],
  ])('refuses %j', (input, message) => {
    expect(() => parseBudget(input)).toThrow(BudgetError);
    expect(() => parseBudget(input)).toThrow(message);
  });

  const budgets: fc.Arbitrary<Budget> = fc
    .record({
      amount: fc.oneof(
        fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ kind: 'share' as const, share: Math.abs(share) })),
        fc.nat().map((count) => ({ kind: 'count' as const, count })),
        fc.double({ min: 0, max: 1, noNaN: true }).map((mass) => ({ kind: 'mass' as const, mass: Math.abs(mass) })),
        fc
          .double({ noNaN: true, noDefaultInfinity: true })
          .map((x) => ({ kind: 'atLeast' as const, threshold: x + 0 })),
        fc
          .tuple(fc.integer({ min: 1, max: 64 }), fc.nat(64))
          .map(([keep, more]) => ({ kind: 'pattern' as const, keep, of: keep + more })),
        fc.record({
          kind: fc.constant('cost' as const),
          limit: fc.double({ min: 0, max: 1e9, noNaN: true }).map(Math.abs),
          order: fc.constantFrom('density' as const, 'score' as const, 'exact' as const),
        }),
      ),
      within: fc.constantFrom('all' as const, 'group' as const),
      floor: fc.nat(100),
      redundancy: fc.option(fc.double({ min: 0, max: 1, noNaN: true }).map(Math.abs), { nil: undefined }),
    })
    .map(({ redundancy, ...budget }) => ({
      ...budget,
      floor: budget.amount.kind === 'cost' || budget.amount.kind === 'pattern' ? 0 : budget.floor,
      ...(redundancy !== undefined && budget.amount.kind !== 'pattern' && { redundancy }),
    }));

  it('prints what it reads back as the same budget', () => {
    fc.assert(
      fc.property(budgets, (budget) => {
        const again = parseBudget(printBudget(budget));
        if (budget.amount.kind === 'share' && again.amount.kind === 'share') {
          expect(again.amount.share).toBeCloseTo(budget.amount.share, 12);
          expect({ ...again, amount: 0 }).toEqual({ ...budget, amount: 0 });
        } else expect(again).toEqual(budget);
      }),
    );
  });

  it('answers any text with a budget or a BudgetError, nothing else', () => {
    const pieces = fc.constantFrom(
      '5',
      '30%',
      'mass',
      '=',
      '>=',
      'cost<=',
      '2:4',
      ':',
      '-',
      '1e9',
      ' per group',
      ' floor',
      ' by exact',
      ',',
      'NaN',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((p) => p.join('')),
        ),
        (text) => {
          try {
            expect(parseBudget(text).floor).toBeGreaterThanOrEqual(0);
          } catch (error) {
            expect(error).toBeInstanceOf(BudgetError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the count of a share', () => {
  it('leaves floor((1 − share) n) out', () => {
    expect([0, 0.1, 0.4, 0.5, 1].map((share) => countOfShare(share, 15))).toEqual([0, 2, 6, 8, 15]);
  });

  it('is not thrown off by rounding: 7% of 100 is 7, 30% of 10 is 3', () => {
    for (let percent = 0; percent <= 100; percent++) {
      expect(countOfShare(percent / 100, 100)).toBe(percent);
      expect(countOfShare(parseShare(`${percent}%`), 1_000_000_000)).toBe(percent * 10_000_000);
    }
    function parseShare(text: string): number {
      const { amount } = parseBudget(text);
      return amount.kind === 'share' ? amount.share : Number.NaN;
    }
  });

  it('keeps at least one unit for any share above 0', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1e9 }), (share, n) => {
        const count = countOfShare(share, n);
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(n);
      }),
    );
  });
});
