/** @file A contraction is one product of matrices: operands are taken as they lie, forward and in gradients. */

import * as jax from '@jax-js/jax';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareTracing, trace } from '../trace.ts';
import { lower } from './lower.ts';

const { numpy: np } = jax;
type Array_ = jax.Array;

/** How often each operator occurs in a program of float32 arrays of these shapes. */
function operators(fn: (...xs: Array_[]) => unknown, ...shapes: number[][]): Record<string, number> {
  const leaves = shapes.map((shape) => ({ type: 'float32' as const, shape }));
  const structure = jax.tree.structure(shapes.map((_, i) => i) as never);
  const { graph, outputs } = lower(trace(fn as never, structure, leaves).program.simplify());
  const counts: Record<string, number> = {};
  for (const { op } of graph.nodes(outputs)) counts[op] = (counts[op] ?? 0) + 1;
  return counts;
}

const products = ({ MatMul = 0, FusedMatMul = 0, Gemm = 0 }: Record<string, number>) => MatMul + FusedMatMul + Gemm;

const both = (fn: (x: Array_, y: Array_) => Array_) => (x: Array_, y: Array_, ct: Array_) =>
  jax.grad((a: Array_, b: Array_) => fn(a, b).mul(ct).sum(), { argnums: [0, 1] })(x, y);

const contractions: readonly (readonly [string, (x: Array_, y: Array_) => Array_, number[], number[], number[]])[] = [
  ['x w', np.matmul, [5, 3], [3, 4], [5, 4]],
  ['x wᵀ', (x, w) => np.matmul(x, w.transpose()), [5, 3], [4, 3], [5, 4]],
  ['xᵀ w', (x, w) => np.matmul(x.transpose(), w), [3, 5], [3, 4], [5, 4]],
  ['rows of a batch times w', np.matmul, [2, 5, 3], [3, 4], [2, 5, 4]],
  ['products of a batch', np.matmul, [2, 5, 3], [2, 3, 4], [2, 5, 4]],
  [
    'queries and keys',
    (q, k) => np.einsum(q, [0, 1, 2, 4], k, [0, 1, 3, 4], [0, 1, 2, 3]),
    [2, 6, 5, 3],
    [2, 6, 4, 3],
    [2, 6, 5, 4],
  ],
  [
    'weights and values',
    (a, v) => np.einsum(a, [0, 1, 2, 3], v, [0, 1, 3, 4], [0, 1, 2, 4]),
    [2, 6, 5, 4],
    [2, 6, 4, 3],
    [2, 6, 5, 3],
  ],
  ['tensordot over two axes', (x, y) => np.tensordot(x, y, 2), [5, 2, 3], [2, 3, 4], [5, 4]],
];

describe('contractions', () => {
  beforeAll(prepareTracing);

  it.each(contractions)('%s: one product and no transpose', (_, fn, x, y) => {
    const counts = operators(fn, x, y);
    expect(products(counts)).toBe(1);
    expect(counts.Transpose ?? 0).toBe(0);
  });

  it.each(contractions)('%s: its two gradients are one product each and no transpose', (_, fn, x, y, out) => {
    const counts = operators(both(fn) as never, x, y, out);
    expect(products(counts)).toBe(2);
    expect(counts.Transpose ?? 0).toBe(0);
  });

  it('an outer product needs no transpose and no sum', () => {
    const counts = operators((x, y) => np.outer(x, y), [5], [4]);
    expect(Object.keys(counts).filter((op) => !['Mul', 'MatMul', 'Reshape', 'Unsqueeze'].includes(op))).toEqual([]);
    expect((counts.Mul ?? 0) + products(counts)).toBe(1);
  });

  it('the gradients of an outer product are products of a matrix and a vector', () => {
    const counts = operators(both(np.outer) as never, [5], [4], [5, 4]);
    expect(counts.Transpose ?? 0).toBe(0);
    expect(products(counts) + (counts.ReduceSum ?? 0)).toBe(2);
  });

  it('a product used twice is made once', () => {
    expect(products(operators((x, w) => np.matmul(x, w).add(np.sin(np.matmul(x, w))), [5, 3], [3, 4]))).toBe(1);
  });

  it('what does not reach a result is not made', () => {
    const counts = operators(
      (x, w) => {
        np.matmul(x, w);
        return x.add(1);
      },
      [5, 3],
      [3, 4],
    );
    expect(counts).toEqual({ Add: 1 });
  });
});
