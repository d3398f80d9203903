/** @file Mutual information against closed forms and against scikit-learn 1.2.1 (numbers as it gave them). */

import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { digamma, mutualInformation } from './mutual-information.ts';

const value = (values: ArrayLike<number>) => ({ values, classes: false });
const code = (values: ArrayLike<number>) => ({ values, classes: true });
const random = new Random(1);
const list = (n: number, of: (i: number) => number) => Float64Array.from({ length: n }, (_, i) => of(i));

describe('digamma', () => {
  it('is -γ at 1, and grows by 1/x from x to x + 1', () => {
    expect(digamma(1)).toBeCloseTo(-0.5772156649015329, 13);
    expect(digamma(0.5)).toBeCloseTo(-1.9635100260214235, 13);
    for (const x of [0.3, 2, 9.5, 40]) expect(digamma(x + 1) - digamma(x)).toBeCloseTo(1 / x, 12);
  });
});

describe('mutual information', () => {
  // sin and cos waves; mutual_info_regression and mutual_info_classif of sklearn 1.2.1, random_state 0, column 3 discrete.
  const x = [
    list(60, (i) => Math.sin(1.3 * i)),
    list(60, (i) => Math.cos(2.1 * i + 0.4)),
    list(60, (i) => Math.sin(0.7 * i * i)),
    list(60, (i) => (i * 7) % 5),
  ];
  const y = list(60, (i) => x[0][i] ** 2 + 0.3 * x[1][i] + 0.1 * Math.sin(5.1 * i));
  const sorted = y.slice().sort();
  const [low, high] = [1 / 3, 2 / 3].map((q) => {
    const at = q * 59;
    const floor = Math.floor(at);
    return sorted[floor] + (at - floor) * (sorted[floor + 1] - sorted[floor]);
  });
  const thirds = y.map((v) => Number(v >= low) + Number(v >= high));
  const columns = x.map((values, c) => ({ values, classes: c === 3 }));

  it('of values and classes with a value is that of scikit-learn', () => {
    const wanted = [0.53505465, 0.28373455, 0, 0];
    columns.forEach((column, c) => {
      expect(mutualInformation(column, value(y), { random })).toBeCloseTo(wanted[c], 7);
    });
  });

  it('of values and classes with a class is that of scikit-learn', () => {
    const wanted = [0.3865341, 0.06273316, 0.09019544, 0.04185349];
    columns.forEach((column, c) => {
      expect(mutualInformation(column, code(thirds), { random })).toBeCloseTo(wanted[c], 7);
    });
  });

  it('of two classes is the entropy where one follows from the other, and 0 where they are independent', () => {
    const a = [0, 0, 1, 1];
    expect(mutualInformation(code(a), code([5, 5, 3, 3]))).toBeCloseTo(Math.LN2, 12);
    expect(mutualInformation(code(a), code([0, 1, 0, 1]))).toBe(0);
  });

  it('of two normals with correlation .8 is near -ln(1 - .64) / 2, and the same the other way round', () => {
    const draws = new Random(3);
    const a = list(2000, () => draws.normal());
    const b = a.map((v) => 0.8 * v + 0.6 * draws.normal());
    const estimate = mutualInformation(value(a), value(b));
    expect(Math.abs(estimate + Math.log(1 - 0.64) / 2)).toBeLessThan(0.05);
    expect(mutualInformation(value(b), value(a))).toBeCloseTo(estimate, 12);
  });

  it('of a constant column is 0, and a class of one row is left out', () => {
    expect(mutualInformation(value(new Float64Array(60).fill(2)), value(y), { random })).toBe(0);
    expect(mutualInformation(code(new Float64Array(60)), code(thirds))).toBe(0);
    expect(mutualInformation(value([1, 2, 3]), code([0, 1, 2]))).toBe(0);
  });

  it('refuses columns of different lengths, missing values and no neighbours', () => {
    expect(() => mutualInformation(value([1, 2]), value([1]))).toThrow(InputError);
    expect(() => mutualInformation(value([1, Number.NaN]), value([1, 2]))).toThrow(InputError);
    expect(() => mutualInformation(value([1]), value([1]))).toThrow(InputError);
    expect(() => mutualInformation(value([1, 2]), value([1, 2]), { neighbours: 0 })).toThrow(ParameterError);
  });
});
