import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import type { SparseMatrix } from '../linear-algebra/sparse-matrix.ts';
import { pageRank } from './page-rank.ts';
import { cosine, cosineGraph, thresholdGraph } from './similarity-graph.ts';
import { matrixGraph } from './similarity-matrix.ts';

/** Sparse rows of norm 1 (or 0) from a dense matrix. */
function rowsOf(dense: readonly (readonly number[])[], columns: number): SparseMatrix {
  const offsets = new Uint32Array(dense.length + 1);
  const indices: number[] = [];
  const values: number[] = [];
  dense.forEach((row, i) => {
    const norm = Math.hypot(...row);
    row.forEach((x, c) => {
      if (x > 0) {
        indices.push(c);
        values.push(x / norm);
      }
    });
    offsets[i + 1] = indices.length;
  });
  return {
    rows: dense.length,
    columns,
    offsets,
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  };
}

/** All cosines, 1 on the diagonal. */
const allCosines = (rows: SparseMatrix) => {
  const n = rows.rows;
  return Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => cosine(rows, i, j)));
};

const denseRows = fc.array(fc.array(fc.nat({ max: 3 }), { minLength: 6, maxLength: 6 }), {
  minLength: 1,
  maxLength: 90,
});

const product = (graph: { n: number; multiply(x: Float64Array, y: Float64Array): void }, x: Float64Array) => {
  const y = new Float64Array(graph.n).fill(Number.NaN);
  graph.multiply(x, y);
  return y;
};

describe('cosine', () => {
  it('is 1 for a row with itself, a row of zeros included, and 0 where nothing is shared', () => {
    const rows = rowsOf(
      [
        [1, 2, 0],
        [0, 0, 0],
        [0, 0, 5],
        [2, 4, 0],
      ],
      3,
    );
    expect(cosine(rows, 1, 1)).toBe(1);
    expect(cosine(rows, 0, 1)).toBe(0);
    expect(cosine(rows, 0, 2)).toBe(0);
    expect(cosine(rows, 0, 3)).toBeCloseTo(1, 15);
  });
});

describe('thresholdGraph', () => {
  it('joins exactly the pairs whose cosine is above the threshold, and multiplies as the dense matrix does', () => {
    fc.assert(
      fc.property(denseRows, fc.constantFrom(0, 0.1, 0.37, 0.55, 0.81, 0.97), (dense, t) => {
        const rows = rowsOf(dense, 6);
        const graph = thresholdGraph(rows, t);
        const expected = allCosines(rows).map((row) => row.map((c) => Number(c > t)));
        expect([...graph.outWeight]).toEqual(expected.map((row) => row.reduce((a, b) => a + b)));
        expect(graph.pairs).toBe((graph.outWeight.reduce((a, b) => a + b) - graph.n) / 2);
        const x = Float64Array.from({ length: graph.n }, (_, i) => 2 ** (i % 40)); // sums of few powers of 2 are exact
        const y = product(graph, x);
        expected.forEach((row, i) => {
          expect(y[i]).toBe(row.reduce((sum, a, j) => sum + a * x[j], 0));
        });
      }),
    );
  });

  it('joins all pairs of equal rows, and none of rows that share nothing', () => {
    const equal = thresholdGraph(rowsOf(new Array(70).fill([1, 2]), 2), 0.9);
    expect(equal.pairs).toBe((70 * 69) / 2);
    expect([...product(equal, new Float64Array(70).fill(1))]).toEqual(new Array(70).fill(70));
    const apart = thresholdGraph(
      rowsOf(
        [
          [1, 0],
          [0, 1],
        ],
        2,
      ),
      0,
    );
    expect(apart.pairs).toBe(0);
  });

  it('holds sparse and dense rows side by side and agrees with the cosines of 1,500 rows of skewed words', () => {
    const random = new Random(7);
    const columns = 400;
    const dense = Array.from({ length: 1500 }, () => {
      const row = new Array<number>(columns).fill(0);
      for (let w = 0; w < 8; w++) row[Math.floor(columns * random.uniform() ** 6)] += 1;
      return row;
    });
    const rows = rowsOf(dense, columns);
    for (const t of [0.1, 0.9]) {
      const degrees = new Float64Array(1500).fill(1);
      for (let i = 0; i < 1500; i++) {
        for (let j = 0; j < i; j++) {
          if (cosine(rows, i, j) > t) {
            degrees[i]++;
            degrees[j]++;
          }
        }
      }
      const graph = thresholdGraph(rows, t);
      expect([...graph.outWeight]).toEqual([...degrees]);
      expect([...product(graph, new Float64Array(1500).fill(1))]).toEqual([...degrees]);
    }
  });

  it('refuses a threshold outside [0, 1)', () => {
    for (const t of [-0.1, 1, Number.NaN]) {
      expect(() => thresholdGraph(rowsOf([[1]], 1), t)).toThrow(`threshold = ${t} is outside 0 to below 1`);
    }
  });
});

describe('cosineGraph', () => {
  it('multiplies as the matrix of all cosines does, rows of zeros keeping themselves', () => {
    fc.assert(
      fc.property(denseRows, (dense) => {
        const rows = rowsOf(dense, 6);
        const graph = cosineGraph(rows);
        const cosines = allCosines(rows);
        const x = Float64Array.from({ length: graph.n }, (_, i) => 1 / (i + 1));
        const y = product(graph, x);
        cosines.forEach((row, i) => {
          expect(graph.outWeight[i]).toBeCloseTo(
            row.reduce((a, b) => a + b),
            10,
          );
          expect(y[i]).toBeCloseTo(
            row.reduce((sum, c, j) => sum + c * x[j], 0),
            10,
          );
        });
      }),
    );
  });

  it('gives the PageRank of the matrix it stands for', () => {
    const rows = rowsOf(
      [
        [1, 2, 0],
        [0, 1, 1],
        [3, 0, 1],
        [0, 0, 0],
      ],
      3,
    );
    const implicit = pageRank(cosineGraph(rows)).scores;
    const explicit = pageRank(matrixGraph(allCosines(rows))).scores;
    implicit.forEach((score, i) => {
      expect(score).toBeCloseTo(explicit[i], 9);
    });
  });
});

describe('matrixGraph', () => {
  it('takes every self-similarity as 1', () => {
    const graph = matrixGraph([
      [0, 0.5],
      [0.5, 0.2],
    ]);
    expect([...graph.outWeight]).toEqual([1.5, 1.5]);
  });

  it('leaves negative similarities below any threshold', () => {
    const graph = matrixGraph(
      [
        [1, -0.5],
        [-0.5, 1],
      ],
      0,
    );
    expect([...graph.outWeight]).toEqual([1, 1]);
  });

  it('refuses what is no similarity matrix', () => {
    expect(() => matrixGraph([[1, 0]])).toThrow('row 0 has 2 entries, not 1');
    const of = (a: number, b: number) => [
      [1, a],
      [b, 1],
    ];
    expect(() => matrixGraph(of(0.1, 0.2))).toThrow('entry (1, 0) is 0.2, but (0, 1) is 0.1');
    expect(() => matrixGraph(of(Number.NaN, Number.NaN))).toThrow('entry (0, 1) is NaN; similarities must be finite');
    expect(() => matrixGraph(of(Infinity, Infinity), 0.1)).toThrow('must be finite');
    expect(() => matrixGraph(of(-0.1, -0.1))).toThrow('entry (0, 1) is -0.1; weights must be 0 or more');
    expect(() => matrixGraph(of(0.1, 0.1), 1)).toThrow('threshold = 1 is outside');
  });
});
