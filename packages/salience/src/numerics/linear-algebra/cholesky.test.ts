import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { cholesky, invertPositiveDefinite } from './cholesky.ts';
import { inverseFactor } from './inverse-factor.ts';

/** X Xᵀ of n × n Gaussian numbers, plus a ridge. */
function covariance(n: number, ridge: number): Float64Array {
  const random = new Random(7, `covariance ${n}`);
  const x = Float64Array.from({ length: n * n }, () => random.normal());
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      for (let k = 0; k < n; k++) a[i * n + j] += x[i * n + k] * x[j * n + k];
    }
    a[i * n + i] += ridge;
  }
  return a;
}

/** The entry of A B that is furthest from `expected`, relative to the greatest of `expected`. */
function furthest(n: number, product: (i: number, j: number) => number, expected: (i: number, j: number) => number) {
  let far = 0;
  let greatest = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      far = Math.max(far, Math.abs(product(i, j) - expected(i, j)));
      greatest = Math.max(greatest, Math.abs(expected(i, j)));
    }
  }
  return far / greatest;
}

function entry(a: Float64Array, b: Float64Array, n: number, transpose: 'left' | 'right' | 'none') {
  return (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < n; k++) {
      sum += a[transpose === 'left' ? k * n + i : i * n + k] * b[transpose === 'right' ? j * n + k : k * n + j];
    }
    return sum;
  };
}

const one = (i: number, j: number) => Number(i === j);

describe('cholesky', () => {
  it('of [[4, 2], [2, 3]] is [[2, 0], [1, √2]]', () => {
    const l = cholesky([4, 2, 2, 3], 2);
    [2, 0, 1, Math.SQRT2].forEach((value, i) => {
      expect(l[i]).toBeCloseTo(value, 14);
    });
  });

  // 1 and 64 fill a block or less; 67, 130 and 197 leave rows and columns that fill no tile.
  it.each([1, 3, 64, 67, 130, 197])('times its transpose is the matrix, of order %d', (n) => {
    const a = covariance(n, 1);
    const l = cholesky(a, n);
    expect(furthest(n, entry(l, l, n, 'right'), (i, j) => a[i * n + j])).toBeLessThan(1e-13);
    expect(n < 2 || l[1] === 0).toBe(true);
  });

  it.each([1, 67, 130])('gives the inverse, of order %d', (n) => {
    const a = covariance(n, 1);
    expect(furthest(n, entry(a, invertPositiveDefinite(a, n), n, 'none'), one)).toBeLessThan(1e-9);
  });

  it('names the column where a matrix is not positive definite', () => {
    expect(() => cholesky([1, 2, 2, 1], 2)).toThrow('fails in column 1');
    expect(() => cholesky([Number.NaN], 1)).toThrow(InputError);
    expect(() => cholesky([1, 2], 2)).toThrow('has 4 entries, this one 2');
  });
});

describe('the factor of a damped inverse', () => {
  const close = (u: Float64Array, expected: number[]) =>
    expected.forEach((value, i) => {
      expect(u[i]).toBeCloseTo(value, 5);
    });

  it('is that of the worked Hessians', () => {
    const weighted = inverseFactor([6.276323, 1.338812, 1.338812, 3.2063], 2);
    close(weighted.u, [0.416203, -0.171256, 0, 0.554384]);
    expect(weighted.damping).toBeCloseTo(0.047413, 6);
    const uniform = inverseFactor([12, -2, -2, 6], 2);
    close(uniform.u, [0.295744, 0.097125, 0, 0.40522]);
    expect(uniform.damping).toBeCloseTo(0.09, 12);
  });

  it.each([2, 67, 130])('transposed times itself is the inverse of H + λ I, of order %d', (n) => {
    const h = covariance(n, 0);
    const { u, damping } = inverseFactor(h, n);
    const inverse = Float64Array.from({ length: n * n }, (_, at) => entry(u, u, n, 'left')(Math.floor(at / n), at % n));
    for (let i = 0; i < n; i++) h[i * n + i] += damping;
    expect(furthest(n, entry(h, inverse, n, 'none'), one)).toBeLessThan(1e-9);
  });

  it('takes a dead column for 1', () => {
    const { u, dead, damping } = inverseFactor([4, 0, 0, 0], 2, 0.1);
    expect(dead).toEqual([1]);
    expect(damping).toBeCloseTo(0.25, 12);
    close(u, [1 / Math.sqrt(4.25), 0, 0, 1 / Math.sqrt(1.25)]);
  });

  it('adds damping again until the matrix is positive definite, and gives up after 50 times', () => {
    // Eigenvalues −0.1 and 2.1: eleven times 0.01 are needed.
    const { damping } = inverseFactor([1, 1.1, 1.1, 1], 2);
    expect(damping).toBeCloseTo(0.11, 10);
    expect(() => inverseFactor([1, 2, 2, 1], 2)).toThrow('not positive definite, even with 0.5');
  });

  it('refuses what is not finite, and no damping', () => {
    expect(() => inverseFactor([1, 0, Number.NaN, 1], 2)).toThrow('row 1, column 0 is NaN');
    expect(() => inverseFactor([1, 0, 0], 2)).toThrow(InputError);
    expect(() => inverseFactor([1], 1, 0)).toThrow(ParameterError);
  });
});
