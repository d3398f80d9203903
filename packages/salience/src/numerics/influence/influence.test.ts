import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import {
  alignment,
  factoredInnerProduct,
  factoredSquaredNorm,
  innerProduct,
  signProjection,
} from './gradient-alignment.ts';
import {
  dampedQuotient,
  eigenvalueCorrectedCurvature,
  factoredDampingProduct,
  intoBasis,
  inverseCurvatureProduct,
  kroneckerCurvature,
  layerBasis,
  outOfBasis,
} from './kronecker-curvature.ts';

const a = [2, 1, 1, 2];
const s = [1, 0.5, 0.5, 1];
const g = [1, 2, 3, 4];
const basis = layerBasis({ rows: 2, columns: 2, s, a });
const near = (values: ArrayLike<number>, expected: ArrayLike<number>, digits: number) => {
  expect(values.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) expect(values[i]).toBeCloseTo(expected[i], digits);
};

/** (S ⊗ A + λ I)⁻¹ vec(G) by elimination. */
function solved(s: number[], a: number[], rows: number, columns: number, g: ArrayLike<number>, damping: number) {
  const n = rows * columns;
  const h = Matrix.zeros(n, n);
  for (let p = 0; p < n; p++) {
    for (let q = 0; q < n; q++) {
      const value =
        s[Math.floor(p / columns) * rows + Math.floor(q / columns)] * a[(p % columns) * columns + (q % columns)];
      h.set(p, q, value + (p === q ? damping : 0));
    }
  }
  return solve(h, Matrix.columnVector(Array.from(g))).to1DArray();
}

/** A random covariance of n, and rows of it. */
function covariance(random: Random, n: number): number[] {
  const x = Array.from({ length: 2 * n * n }, () => random.normal());
  return Array.from({ length: n * n }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < 2 * n; k++) sum += x[k * n + Math.floor(i / n)] * x[k * n + (i % n)];
    return sum / (2 * n);
  });
}

describe('the inverse curvature of a layer', () => {
  it('gives the worked product, which is the direct solve of (S ⊗ A + .1 I) vec(V) = vec(G)', () => {
    const v = inverseCurvatureProduct(basis, g, 0.1);
    near(v, [-0.394, 0.231, 0.856, 1.481], 4);
    near(v, solved(s, a, 2, 2, g, 0.1), 14);
    near(basis.a.values, [1, 3], 14);
    near(basis.s.values, [0.5, 1.5], 14);
  });

  it('is not what damping each factor gives', () => {
    near(factoredDampingProduct(basis, g, 0.1), [-0.1635, 0.2548, 0.5754, 0.9937], 4);
  });

  it('is not a product with the curvature itself, which the released code computes', () => {
    const wrong = outOfBasis(
      basis,
      intoBasis(basis, g).map((value, i) => value * (kroneckerCurvature(basis)[i] + 0.1)),
    );
    near(wrong, [9.1, 10.7, 12.3, 13.9], 10);
    const identity = [1, 0, 0, 1];
    expect(innerProduct([wrong], [identity])).toBeCloseTo(23, 10);
    expect(alignment([wrong], [identity])).toBeCloseTo(0.6987, 4);
    const right = inverseCurvatureProduct(basis, g, 0.1);
    expect(innerProduct([right], [identity])).toBeCloseTo(1.087, 4);
    expect(alignment([right], [identity])).toBeCloseTo(0.4341, 4);
    expect(alignment([g], [identity])).toBeCloseTo(0.6455, 4);
  });

  it('is the direct solve for covariances of any two sizes', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (seed, rows, columns) => {
          const random = new Random(seed, 'factors');
          const factors = { rows, columns, s: covariance(random, rows), a: covariance(random, columns) };
          const gradient = Array.from({ length: rows * columns }, () => random.normal());
          const made = inverseCurvatureProduct(layerBasis(factors), gradient, 0.05);
          near(made, solved(factors.s, factors.a, rows, columns, gradient, 0.05), 9);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('with great damping is the gradient, scaled; with S = A = I it is G / (1 + λ)', () => {
    expect(alignment([inverseCurvatureProduct(basis, g, 1e9)], [g])).toBeCloseTo(1, 12);
    const identity = layerBasis({ rows: 2, columns: 2, s: [1, 0, 0, 1], a: [1, 0, 0, 1] });
    near(
      inverseCurvatureProduct(identity, g, 0.5),
      g.map((value) => value / 1.5),
      14,
    );
  });

  it('EK-FAC is K-FAC where the samples are products of independent parts, and exact in its diagonal where they are not', () => {
    // All pairs of δ and x from two small sets: E over the pairs is the product of the two expectations.
    const xs = [
      [1, 0],
      [1, 2],
      [-1, 1],
    ];
    const deltas = [
      [1, 1],
      [0.5, -1],
    ];
    const mean = (rows: number[][], i: number, j: number) =>
      rows.reduce((sum, row) => sum + row[i] * row[j], 0) / rows.length;
    const moments = (rows: number[][]) => [mean(rows, 0, 0), mean(rows, 0, 1), mean(rows, 1, 0), mean(rows, 1, 1)];
    const made = layerBasis({ rows: 2, columns: 2, s: moments(deltas), a: moments(xs) });
    const outer = (d: number[], x: number[]) => [d[0] * x[0], d[0] * x[1], d[1] * x[0], d[1] * x[1]];
    const all = deltas.flatMap((d) => xs.map((x) => outer(d, x)));
    near(eigenvalueCorrectedCurvature(made, all), kroneckerCurvature(made), 12);
    const some = all.filter((_, i) => i % 2 === 0);
    expect(eigenvalueCorrectedCurvature(made, some)).not.toEqual(kroneckerCurvature(made));
  });

  it('turns in and back to where it was', () => {
    near(outOfBasis(basis, intoBasis(basis, g)), g, 14);
  });

  it('refuses factors that are not symmetric, not finite or of another size, damping of 0, and gradients of other parameters', () => {
    expect(() => layerBasis({ rows: 2, columns: 2, s: [1, 0.5, 0.2, 1], a })).toThrow('factor S is not symmetric');
    expect(() => layerBasis({ rows: 2, columns: 2, s, a: [1, NaN, NaN, 1] })).toThrow('factor A is NaN');
    expect(() => layerBasis({ rows: 3, columns: 2, s, a })).toThrow('factor S has 4 entries');
    expect(() => inverseCurvatureProduct(basis, g, 0)).toThrow('damping = 0');
    expect(() => inverseCurvatureProduct(basis, [1, 2, 3], 0.1)).toThrow('has 3 numbers, not 4');
    expect(() => dampedQuotient(g, [1, 2], 0.1)).toThrow('has 4 numbers, not 2');
  });
});

describe('gradients in line', () => {
  it('a gradient and a product of different parameters are refused, in one layer and over layers: the released code compared them', () => {
    expect(() => alignment([g], [[1, 2]])).toThrow('in layer 0 one vector has 4 numbers and the other 2');
    expect(() => alignment([g, g], [g])).toThrow('vectors of 2 and 1 layers');
    expect(() => factoredInnerProduct(g, [1, 1], [1, 1, 1], 2, 3)).toThrow('no gradient of 4 numbers');
  });

  it('a gradient of 0 is in line with none', () => {
    expect(alignment([[0, 0]], [[1, 2]])).toBe(0);
    expect(alignment([[0, 0]], [[0, 0]])).toBe(0);
  });

  it('inner products and norms need no gradient: slopes and inputs give them', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed, 'gradient');
        const [tokens, rows, columns] = [3, 2, 4];
        const draw = (n: number) => Array.from({ length: n }, () => random.normal());
        const [slopes, inputs, v] = [draw(tokens * rows), draw(tokens * columns), draw(rows * columns)];
        const gradient = Array.from({ length: rows * columns }, (_, i) => {
          let sum = 0;
          for (let t = 0; t < tokens; t++)
            sum += slopes[t * rows + Math.floor(i / columns)] * inputs[t * columns + (i % columns)];
          return sum;
        });
        expect(factoredInnerProduct(v, slopes, inputs, rows, columns)).toBeCloseTo(innerProduct([v], [gradient]), 10);
        expect(factoredSquaredNorm(slopes, inputs, rows, columns)).toBeCloseTo(
          innerProduct([gradient], [gradient]),
          10,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('turning both sides by the same orthogonal matrix changes no score', () => {
    const random = new Random(2, 'turn');
    const basisOf = new EigenvalueDecomposition(Matrix.from1DArray(4, 4, covariance(random, 4)), {
      assumeSymmetric: true,
    }).eigenvectorMatrix;
    const turned = (v: number[]) => basisOf.mmul(Matrix.columnVector(v)).to1DArray();
    const [u, v] = [[1, -2, 0.5, 3], g];
    expect(alignment([turned(u)], [turned(v)])).toBeCloseTo(alignment([u], [v]), 12);
  });

  it('a shared projection by signs keeps inner products in the mean, the more dimensions the closer', () => {
    const random = new Random(3, 'projection');
    const u = [
      Float64Array.from({ length: 40 }, () => random.normal()),
      Float64Array.from({ length: 24 }, () => random.normal()),
    ];
    const v = u.map((layer) => layer.map((value) => value + random.normal()));
    const project = signProjection([40, 24], 8192, random);
    expect(alignment([project(u)], [project(v)])).toBeCloseTo(alignment(u, v), 1);
    expect(project(u)).toEqual(project(u));
    expect(alignment([project(u)], [project(u)])).toBeCloseTo(1, 12);
    const doubled = project(u.map((layer) => layer.map((value) => 2 * value)));
    near(
      doubled,
      project(u).map((value) => 2 * value),
      9,
    );
  });

  it('a projection is for one set of parameters, and has a dimension', () => {
    const project = signProjection([2, 2], 8, new Random(1, 'p'));
    expect(() => project([[1, 2]])).toThrow('it projects one set of parameters');
    expect(() => signProjection([2], 0, new Random(1, 'p'))).toThrow('a projection to 0 dimensions');
  });
});
