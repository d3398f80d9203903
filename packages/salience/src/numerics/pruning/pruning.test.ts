import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { keepInRows } from '../../core/select-rows.ts';
import {
  addGradient,
  balancedAlpha,
  gblmScores,
  gradientInverseScores,
  gradientNorm,
  gradientScores,
  gradientSum,
} from './gradient-norm.ts';
import { inputNorm, keepByCumulativeShare, wandaScores } from './wanda.ts';

// Worked numbers: two rows of four columns, two sequences of two tokens.
const weight = Float32Array.of(0.5, -1, 0.2, 0.8, -0.3, 0.6, 0.9, -0.1);
const sequences = [
  [
    [1, 2, 0, 1],
    [1, 0, 2, 1],
  ],
  [
    [3, 0, 1, 1],
    [0, 1, 2, 1],
  ],
];
const squares = [0, 1, 2, 3].map((j) => sequences.flat().reduce((sum, token) => sum + token[j] ** 2, 0));
const gradients = [
  [0.01, 0, 0.05, -0.02, 0.03, -0.01, 0, 0],
  [-0.02, 0.01, 0.05, 0.02, 0, 0.02, -0.01, 0],
];
const x = inputNorm(squares, 2);
const normOf = (norm: 'l1' | 'l2', alpha: number, given = gradients) => {
  const sum = gradientSum(8, norm, alpha);
  for (const gradient of given) addGradient(sum, gradient);
  return gradientNorm(sum);
};
const masked = (scores: Float32Array) => [...keepInRows(scores, 2, 4, { share: 0.5 })];
const close = (actual: ArrayLike<number>, expected: number[]) => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(actual[i]).toBeCloseTo(value, 5);
  });
};

describe('the worked example of Wanda and GBLM', () => {
  it('has these norms of the inputs', () => {
    close(x, [2.345208, 1.581139, 2.12132, Math.SQRT2]);
  });

  it('has these scores and masks of Wanda', () => {
    const scores = wandaScores(weight, 2, 4, x);
    close(scores, [1.172604, 1.581139, 0.424264, 1.131371, 0.703562, 0.948683, 1.909188, 0.141421]);
    expect(masked(scores)).toEqual([1, 1, 0, 0, 0, 1, 1, 0]);
  });

  it('has these scores and masks of l2', () => {
    close(normOf('l2', 1), [0.022361, 0.01, 0.070711, 0.028284, 0.03, 0.022361, 0.01, 0]);
    const scores = gblmScores(weight, 2, 4, x, normOf('l2', 100));
    close(scores, [2.290638, 2.581139, 1.838478, 3.394113, 1.603562, 2.290324, 2.809188, 0.141421]);
    expect(masked(scores)).toEqual([0, 1, 0, 1, 0, 1, 1, 0]);
  });

  it('has these scores and masks of l1', () => {
    close(normOf('l1', 1), [0.03, 0.01, 0.1, 0.04, 0.03, 0.03, 0.01, 0]);
    const scores = gblmScores(weight, 2, 4, x, normOf('l1', 100));
    close(scores, [2.672604, 2.581139, 2.424264, 4.331371, 1.603562, 2.748683, 2.809188, 0.141421]);
    expect(masked(scores)).toEqual([1, 0, 0, 1, 0, 1, 1, 0]);
  });

  it('has another mask by magnitude', () => {
    expect(masked(weight.map(Math.abs))).toEqual([0, 1, 0, 1, 0, 1, 1, 0]);
  });

  it('does not come out of the gradient of the mean, where signs cancel', () => {
    const mean = normOf('l1', 1, [gradients[0].map((g, i) => (g + gradients[1][i]) / 2)]);
    close(mean.slice(0, 4), [0.005, 0.005, 0.05, 0]);
    expect(normOf('l2', 1)[3]).toBeGreaterThan(0.02);
  });
});

describe('GBLM', () => {
  it('at alpha 0 is Wanda, number for number', () => {
    expect(gblmScores(weight, 2, 4, x, normOf('l2', 0))).toEqual(wandaScores(weight, 2, 4, x));
    expect(gblmScores(weight, 2, 4, x, normOf('l2', 1), 0)).toEqual(wandaScores(weight, 2, 4, x));
  });

  it('with one sequence has one norm', () => {
    close(normOf('l1', 100, [gradients[0]]), [...normOf('l2', 100, [gradients[0]])]);
  });

  it('with alpha growing comes to the mask of the gradient alone', () => {
    for (const norm of ['l1', 'l2'] as const) {
      const first = (scores: Float32Array) => masked(scores).slice(0, 4); // the second row has a tie, .3 · .03 = .9 · .01
      expect(first(gblmScores(weight, 2, 4, x, normOf(norm, 1e6)))).toEqual(
        first(gradientScores(weight, normOf(norm, 1))),
      );
    }
  });

  it('does not depend on the order of the sequences', () => {
    expect(normOf('l1', 100, gradients.toReversed())).toEqual(normOf('l1', 100));
  });

  it('stays the same when an input channel is scaled and its column divided, by powers of two to the last bit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 4, maxLength: 4 }), (powers) => {
        const c = powers.map((power) => 2 ** power);
        const scaled = {
          weight: weight.map((w, i) => w / c[i % 4]),
          x: inputNorm(
            squares.map((sum, j) => sum * c[j] ** 2),
            2,
          ),
          h: normOf(
            'l2',
            100,
            gradients.map((gradient) => gradient.map((g, i) => g * c[i % 4])),
          ),
        };
        expect(gblmScores(scaled.weight, 2, 4, scaled.x, scaled.h)).toEqual(
          gblmScores(weight, 2, 4, x, normOf('l2', 100)),
        );
      }),
    );
  });

  it('scales its gradients as the loss is scaled', () => {
    close(
      normOf(
        'l2',
        25,
        gradients.map((gradient) => gradient.map((g) => 4 * g)),
      ),
      [...normOf('l2', 100)],
    );
  });

  it('balanced, has terms of one mean, weights in different matrices counting alike', () => {
    const h = normOf('l2', 1);
    const small = { x: [3], h: [0.5] };
    const alpha = balancedAlpha([{ x, h }, small]);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(alpha * mean([...h, 0.5])).toBeCloseTo(mean([...x, ...x, 3]), 5);
    expect(balancedAlpha([{ x, h: new Float32Array(8) }])).toBe(0);
  });

  it('inverted, divides by the gradient, and by the floor where there is none', () => {
    const scores = gradientInverseScores(weight, 2, 4, x, normOf('l2', 1));
    expect(scores[0]).toBeCloseTo(1.172604 / 0.0223607, 2);
    expect(scores[7] / (0.1414214 / 1e-8)).toBeCloseTo(1, 5);
  });

  it('falls back on Wanda where all gradients are 0, and prunes dead inputs first', () => {
    const none = normOf('l2', 100, [new Array<number>(8).fill(0)]);
    expect(gblmScores(weight, 2, 4, x, none)).toEqual(wandaScores(weight, 2, 4, x));
    const dead = Float32Array.of(0, 1, 1, 1);
    const kept = keepInRows(gblmScores(weight, 2, 4, dead, none), 2, 4, { share: 0.75 });
    expect([kept[0], kept[4]]).toEqual([0, 0]);
  });

  it('keeps exactly two of four in 2:4', () => {
    const kept = keepInRows(gblmScores(weight, 2, 4, x, normOf('l2', 100)), 2, 4, { keep: 2, of: 4 });
    expect([...kept]).toEqual([0, 1, 0, 1, 0, 1, 1, 0]);
  });

  it('refuses what is not finite, of another size or out of range', () => {
    const sum = gradientSum(2, 'l2', 100);
    expect(() => addGradient(sum, [0, Number.NaN])).toThrow('the gradient of weight 1 is NaN');
    expect(() => addGradient(sum, [0])).toThrow(InputError);
    expect(() => gradientSum(2, 'l2', -1)).toThrow(ParameterError);
    expect(() => inputNorm([Infinity], 1)).toThrow('the squares of input 0 add up to Infinity');
    expect(() => inputNorm([1], 0)).toThrow(ParameterError);
    expect(() => wandaScores(weight, 2, 3, x)).toThrow('8 weights for 2 rows of 3 columns');
    expect(() => gblmScores(weight, 2, 4, x, [1])).toThrow('1 gradients for 8 weights');
    expect(() => gradientInverseScores(weight, 2, 4, x, weight, 0)).toThrow(ParameterError);
  });
});

describe('Wanda’s variant', () => {
  it('takes more from a row whose score lies in few weights', () => {
    // At a = 0.4 the even row loses 3 of 8 and the other all but its great one: 10 of 16.
    const scores = Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 100, 1, 1, 1, 1, 1, 1, 1);
    const { kept, sparsity, share } = keepByCumulativeShare(scores, 2, 8, 0.625);
    expect([...kept]).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect([sparsity, share]).toEqual([0.625, 0.4]);
  });

  it('comes within 0.001 of what is asked where scores are many, and no row loses more than a of its total', () => {
    const columns = 400;
    const scores = Float32Array.from({ length: 5 * columns }, (_, i) => ((i * 7919) % 10007) / (1 + (i % 5)));
    for (const p of [0, 0.3, 0.5, 0.7]) {
      const { kept, sparsity, share } = keepByCumulativeShare(scores, 5, columns, p);
      expect(Math.abs(sparsity - p)).toBeLessThanOrEqual(0.001);
      expect(1 - kept.reduce((sum, mark) => sum + mark, 0) / kept.length).toBeCloseTo(sparsity, 12);
      for (let r = 0; r < 5; r++) {
        let lost = 0;
        let total = 0;
        for (let i = r * columns; i < (r + 1) * columns; i++) {
          total += scores[i];
          if (kept[i] === 0) lost += scores[i];
        }
        expect(lost).toBeLessThanOrEqual(share * total * (1 + 1e-9));
      }
    }
  });

  it('refuses negative scores and sparsities outside 0 to 1', () => {
    expect(() => keepByCumulativeShare(Float32Array.of(1, -1), 1, 2, 0.5)).toThrow('row 0 has a score');
    expect(() => keepByCumulativeShare(Float32Array.of(1, 1), 1, 2, 1)).toThrow(ParameterError);
  });
});
