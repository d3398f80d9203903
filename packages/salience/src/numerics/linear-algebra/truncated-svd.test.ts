import fc from 'fast-check';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { multiply, multiplyTransposed, type SparseMatrix } from './sparse-matrix.ts';
import { type TruncatedSvd, truncatedSvd } from './truncated-svd.ts';

function sparse(dense: readonly (readonly number[])[]): SparseMatrix {
  const offsets = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const row of dense) {
    row.forEach((value, j) => {
      if (value === 0) return;
      indices.push(j);
      values.push(value);
    });
    offsets.push(indices.length);
  }
  return {
    rows: dense.length,
    columns: dense[0].length,
    offsets: Uint32Array.from(offsets),
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  };
}

const dense = fc.tuple(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 1, max: 14 })).chain(([rows, columns]) =>
  fc.array(fc.array(fc.integer({ min: -4, max: 4 }), { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  }),
);

const rows = (flat: Float64Array, width: number) =>
  new Matrix(Array.from({ length: flat.length / width }, (_, i) => [...flat.subarray(i * width, (i + 1) * width)]));

/** U · diag(σ) · Vᵀ. */
const product = ({ u, sigma, v, rank }: TruncatedSvd) =>
  rows(u, rank)
    .mmul(Matrix.diag([...sigma]))
    .mmul(rows(v, rank).transpose());

const seeded = () => new Random(1, 'svd');

describe('truncatedSvd', () => {
  it('has the singular values of the dense decomposition, and gives the matrix back at full rank', async () => {
    await fc.assert(
      fc.asyncProperty(dense, async (matrix) => {
        const svd = await truncatedSvd(sparse(matrix), 14, seeded());
        const exact = new SingularValueDecomposition(new Matrix(matrix), { autoTranspose: true }).diagonal;
        const nonzero = exact.filter((value) => value > 1e-6 * exact[0]);
        expect(svd.rank).toBe(nonzero.length);
        nonzero.forEach((value, i) => {
          expect(svd.sigma[i]).toBeCloseTo(value, 8);
        });
        if (svd.rank === 0) return;
        expect(Matrix.sub(product(svd), new Matrix(matrix)).norm()).toBeLessThan(1e-8);
      }),
    );
  });

  it('has orthonormal vectors whose entry of largest magnitude on the left is positive', async () => {
    await fc.assert(
      fc.asyncProperty(dense, fc.integer({ min: 1, max: 5 }), async (matrix, k) => {
        const { u, v, rank } = await truncatedSvd(sparse(matrix), k, seeded());
        if (rank === 0) return;
        for (const vectors of [rows(u, rank), rows(v, rank)]) {
          expect(Matrix.sub(vectors.transpose().mmul(vectors), Matrix.eye(rank)).norm()).toBeLessThan(1e-9);
        }
        for (let i = 0; i < rank; i++) {
          const column = rows(u, rank).getColumn(i);
          expect(Math.max(...column)).toBeGreaterThanOrEqual(Math.max(...column.map(Math.abs)) - 1e-12);
        }
      }),
    );
  });

  it('finds the leading part of a larger matrix with a decaying spectrum', async () => {
    const random = new Random(7);
    const factor = (n: number) => Array.from({ length: n }, () => Array.from({ length: 30 }, () => random.normal()));
    const [left, right] = [new Matrix(factor(120)), new Matrix(factor(90))];
    const scaled = left.mmul(Matrix.diag(Array.from({ length: 30 }, (_, i) => 0.7 ** i)));
    const matrix = scaled.mmul(right.transpose()).to2DArray();
    const exact = new SingularValueDecomposition(new Matrix(matrix)).diagonal;
    const { sigma } = await truncatedSvd(sparse(matrix), 8, seeded());
    expect(sigma.length).toBe(8);
    sigma.forEach((value, i) => {
      expect(Math.abs(value / exact[i] - 1)).toBeLessThan(1e-6);
    });
  });

  it('gives the same bits for the same random stream', async () => {
    const matrix = sparse([
      [1, 2, 0],
      [0, 3, 4],
    ]);
    expect(await truncatedSvd(matrix, 2, seeded())).toEqual(await truncatedSvd(matrix, 2, seeded()));
  });

  it('has rank 0 where there is nothing', async () => {
    expect((await truncatedSvd(sparse([[0, 0]]), 1, seeded())).rank).toBe(0);
    const empty = {
      rows: 0,
      columns: 0,
      offsets: new Uint32Array(1),
      indices: new Uint32Array(0),
      values: new Float64Array(0),
    };
    expect((await truncatedSvd(empty, 1, seeded())).rank).toBe(0);
  });

  it('refuses a rank that is not a whole number of 1 or more', async () => {
    await expect(truncatedSvd(sparse([[1]]), 0, seeded())).rejects.toThrow('rank = 0 is not 1 or more');
    await expect(truncatedSvd(sparse([[1]]), 1.5, seeded())).rejects.toThrow('rank = 1.5');
  });

  it('stops where its pause throws', async () => {
    const pause = async () => {
      throw new Error('stopped');
    };
    await expect(truncatedSvd(sparse([[1]]), 1, seeded(), { pause })).rejects.toThrow('stopped');
  });
});

describe('multiply and multiplyTransposed', () => {
  it('are A · X and Aᵀ · X', () => {
    const a = sparse([
      [1, 0, 2],
      [0, 3, 0],
    ]);
    expect([...multiply(a, Float64Array.of(1, 2, 3, 4, 5, 6), 2)]).toEqual([11, 14, 9, 12]);
    expect([...multiplyTransposed(a, Float64Array.of(1, 2, 3, 4), 2)]).toEqual([1, 2, 9, 12, 2, 4]);
  });
});
