/** @file The graph: equal operators are one node, and what no output needs is left out. */

import { describe, expect, it } from 'vitest';
import { Graph, type Value } from './graph.ts';

const like = ({ type, shape }: Value) => ({ type, shape });
const ops = (graph: Graph, outputs: readonly Value[]) => graph.nodes(outputs).map(({ op }) => op);

describe('Graph', () => {
  it('has one node for equal operators on equal inputs', () => {
    const graph = new Graph();
    const [x, y] = [graph.input('float32', [2, 3]), graph.input('float32', [2, 3])];
    const sum = graph.apply('Add', [x, y], like(x));
    expect(graph.apply('Add', [x, y], like(x))).toBe(sum);
    const difference = graph.apply('Sub', [x, y], like(x));
    expect(difference).not.toBe(sum);
    expect(graph.apply('Sub', [y, x], like(x))).not.toBe(difference);
  });

  it('tells operators apart by their attributes and by the types they give', () => {
    const graph = new Graph();
    const x = graph.input('float32', [2, 3]);
    const [a, b] = [
      graph.transpose(x, [1, 0]),
      graph.apply('Transpose', [x], { type: 'float32', shape: [2, 3] }, { perm: [0, 1] }),
    ];
    expect(a).not.toBe(b);
    expect(graph.cast(x, 'int32')).not.toBe(graph.cast(x, 'int64'));
  });

  it('has one value for equal constants, and tells 0 from −0, types and shapes apart', () => {
    const graph = new Graph();
    expect(graph.scalar('float32', 2)).toBe(graph.scalar('float32', 2));
    expect(graph.scalar('float32', 0)).not.toBe(graph.scalar('float32', -0));
    expect(graph.scalar('float32', 1)).not.toBe(graph.scalar('int32', 1));
    expect(graph.constant('int64', [1], [4])).not.toBe(graph.scalar('int64', 4));
  });

  it('leaves out nodes that no output needs, and lists each after those it needs', () => {
    const graph = new Graph();
    const x = graph.input('float32', [2]);
    const negative = graph.apply('Neg', [x], like(x));
    const dead = graph.apply('Exp', [negative], like(x));
    const twice = graph.apply('Mul', [negative, negative], like(x));
    expect(ops(graph, [graph.apply('Add', [twice, negative], like(x))])).toEqual(['Neg', 'Mul', 'Add']);
    expect(ops(graph, [dead])).toEqual(['Neg', 'Exp']);
  });

  it('lists a chain of ten thousand nodes', () => {
    const graph = new Graph();
    let x = graph.input('float32', [2]);
    for (let i = 0; i < 10_000; i++) x = graph.apply('Neg', [x], like(x));
    expect(graph.nodes([x])).toHaveLength(10_000);
  });

  it('composes transposes, and a transpose with its inverse is the value itself', () => {
    const graph = new Graph();
    const x = graph.input('float32', [2, 3, 4]);
    const turned = graph.transpose(graph.transpose(x, [1, 2, 0]), [2, 1, 0]);
    expect(turned.shape).toEqual([2, 4, 3]);
    expect(graph.nodes([turned]).map(({ attributes }) => attributes.perm)).toEqual([[0, 2, 1]]);
    expect(graph.transpose(graph.transpose(x, [1, 2, 0]), [2, 0, 1])).toBe(x);
  });

  it('makes a transpose that moves only axes of length 1 a reshape', () => {
    const graph = new Graph();
    const x = graph.input('float32', [1, 3, 1, 4]);
    expect(ops(graph, [graph.transpose(x, [1, 0, 3, 2])])).toEqual(['Reshape']);
  });

  it('makes the transpose of a product of matrices a product of transposes, and only that', () => {
    const graph = new Graph();
    const [x, y] = [graph.input('float32', [2, 3]), graph.input('float32', [3, 6])];
    const product = graph.apply('MatMul', [x, y], { type: 'float32', shape: [2, 6] });
    const turned = graph.transpose(product, [1, 0]);
    expect(turned).toMatchObject({ shape: [6, 2], node: { op: 'FusedMatMul', attributes: { transA: 1, transB: 1 } } });
    expect(graph.transpose(graph.reshape(product, [2, 2, 3]), [1, 2, 0]).shape).toEqual([2, 3, 2]);
    expect(ops(graph, [graph.transpose(graph.reshape(product, [2, 2, 3]), [1, 2, 0])])).toEqual([
      'FusedMatMul',
      'Reshape',
    ]);
    expect(ops(graph, [graph.transpose(graph.reshape(product, [4, 3]), [1, 0])])).toContain('Transpose');
    expect(ops(graph, [graph.transpose(graph.reshape(product, [2, 2, 3]), [0, 2, 1])])).toContain('Transpose');
  });

  it('composes reshapes, and a reshape back is the value itself', () => {
    const graph = new Graph();
    const x = graph.input('float32', [6]);
    expect(ops(graph, [graph.reshape(graph.reshape(x, [2, 3]), [3, 2])])).toEqual(['Reshape']);
    expect(graph.reshape(graph.reshape(x, [2, 3]), [6])).toBe(x);
  });

  it('folds casts and reshapes of constants', () => {
    const graph = new Graph();
    const x = graph.constant('float32', [2, 2], [-1.5, 0, 0.1, 2.7]);
    expect(graph.cast(x, 'int32').constant).toEqual([-1, 0, 0, 2]);
    expect(graph.cast(x, 'bool').constant).toEqual([1, 0, 1, 1]);
    expect(graph.cast(graph.constant('int32', [1], [16777217]), 'float32').constant).toEqual([16777216]);
    expect(graph.cast(graph.constant('int32', [1], [-1]), 'uint32').constant).toEqual([4294967295]);
    expect(graph.reshape(x, [4])).toMatchObject({ shape: [4], constant: [-1.5, 0, 0.1, 2.7] });
  });

  it('knows what has no elements', () => {
    const graph = new Graph();
    const x = graph.input('float32', [0, 3]);
    const y = graph.apply('Exp', [x], like(x));
    expect(y).toMatchObject({ shape: [0, 3], constant: [] });
    expect(graph.nodes([y])).toEqual([]);
  });
});
