import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  auroc,
  balancedAccuracy,
  confusionMatrix,
  logLoss,
  macroF1,
  matthewsCorrelation,
  meanAbsoluteError,
  meanSquaredError,
  mostProbable,
  rSquared,
} from './classification.ts';

describe('predicted classes', () => {
  // Class 0: 3 of 4 right; class 1: 1 of 2.
  const y = [0, 0, 0, 0, 1, 1];
  const predicted = [0, 0, 0, 1, 1, 0];

  it('are right in so many rows, so many of each class, and with so many in their place', () => {
    expect([...confusionMatrix(y, predicted, 2)]).toEqual([3, 1, 1, 1]);
    expect(accuracy(y, predicted)).toBe(4 / 6);
    expect(balancedAccuracy(y, predicted, 2)).toBe((3 / 4 + 1 / 2) / 2);
    expect(macroF1(y, predicted, 2)).toBeCloseTo((6 / 8 + 2 / 4) / 2, 14);
  });

  it('have Matthews’ correlation (TP TN − FP FN) / √…, 1 when right, −1 when wrong, 0 when constant', () => {
    expect(matthewsCorrelation(y, predicted, 2)).toBeCloseTo((1 * 3 - 1 * 1) / Math.sqrt(2 * 2 * 4 * 4), 14);
    expect(matthewsCorrelation(y, y, 2)).toBe(1);
    expect(
      matthewsCorrelation(
        y,
        y.map((c) => 1 - c),
        2,
      ),
    ).toBe(-1);
    expect(
      matthewsCorrelation(
        y,
        y.map(() => 0),
        2,
      ),
    ).toBe(0);
  });

  it('have the numbers that scikit-learn 1.2.1 gives, of three classes', () => {
    // A congruential stream with seed 3: 30 true classes, 30 predicted ones, 30 scores in tenths.
    let s = 3;
    const next = () => {
      s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
      return s / 2 ** 32;
    };
    const own = Array.from({ length: 30 }, () => Math.floor(next() * 3));
    const other = Array.from({ length: 30 }, () => Math.floor(next() * 3));
    const scores = Array.from({ length: 30 }, () => Math.floor(next() * 10) / 10);
    expect(balancedAccuracy(own, other, 3)).toBeCloseTo(0.3474025974025974, 14);
    expect(macroF1(own, other, 3)).toBeCloseTo(0.3333333333333333, 14);
    expect(matthewsCorrelation(own, other, 3)).toBeCloseTo(0.023890784982935155, 14);
    expect(
      auroc(
        own.map((c) => Number(c === 1)),
        scores,
      ),
    ).toBeCloseTo(0.44019138755980863, 14);
  });

  it('of probabilities are the greatest, the first of equals', () => {
    expect([...mostProbable([0.2, 0.4, 0.4, 0.5, 0.2, 0.3], 3)]).toEqual([1, 0]);
    expect(logLoss([0, 1], [0.5, 0.5, 0.75, 0.25], 2)).toBeCloseTo((Math.log(2) + Math.log(4)) / 2, 14);
    expect(logLoss([0], [0, 1], 2)).toBeCloseTo(15 * Math.log(10), 10);
  });

  it('that do not fit are refused', () => {
    expect(() => accuracy([1], [1, 0])).toThrow('1 true values do not go with 2 predicted ones');
    expect(() => confusionMatrix([2], [0], 2)).toThrow('row 0: 2 is no code of 2 classes');
    expect(() => auroc([0, 2], [0, 0])).toThrow('row 1: the area under the ROC curve wants 0 or 1, not 2');
    expect(() => auroc([0, 1], [0, NaN])).toThrow('row 1: its score is NaN');
  });
});

describe('the area under the ROC curve', () => {
  it('is the share of pairs in the right order, ties half', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(5)), { minLength: 2, maxLength: 30 }), (rows) => {
        const ones = rows.filter(([y]) => y === 1);
        const zeros = rows.filter(([y]) => y === 0);
        const won = ones.flatMap(([, a]) => zeros.map(([, b]): number => (a > b ? 1 : a === b ? 0.5 : 0)));
        const expected = won.reduce((a, b) => a + b, 0) / won.length;
        const found = auroc(
          rows.map(([y]) => y),
          rows.map(([, score]) => score),
        );
        if (Number.isNaN(expected)) expect(found).toBeNaN();
        else expect(found).toBeCloseTo(expected, 12);
      }),
    );
  });
});

describe('predicted values', () => {
  it('explain 1 less the share of the variance that is left', () => {
    expect(rSquared([1, 2, 3], [1, 2, 4])).toBe(0.5);
    expect(rSquared([1, 2, 3], [2, 2, 2])).toBe(0);
    expect(rSquared([2, 2], [2, 2])).toBe(1);
    expect(rSquared([2, 2], [2, 3])).toBe(0);
    expect(meanSquaredError([1, 2], [1, 4])).toBe(2);
    expect(meanAbsoluteError([1, 2], [1, 4])).toBe(1);
  });
});
