/** @file Reading and writing by index: gather, scatter, sorting. */

import type { Graph, Value } from '../graph.ts';
import { sizeOf } from '../tensor.ts';
import { dense, permuted, stretched, type View, viewOf } from '../view.ts';
import type { Rule } from './rule.ts';

/** The shape that index arrays have together. */
function commonShape(views: readonly View[]): number[] {
  const rank = Math.max(...views.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    views.reduce((length, { shape }) => {
      const own = shape[shape.length - rank + i] ?? 1;
      return own === 1 ? length : own;
    }, 1),
  );
}

/** The indices of several axes as one array of places, shape [...common, axes], int64. */
function places(graph: Graph, indices: readonly View[], shape: readonly number[]): Value {
  const columns = indices.map((view) => {
    const wide = graph.cast(dense(graph, stretched(view, shape)), 'int64');
    return graph.reshape(wide, [...shape, 1]);
  });
  if (columns.length === 1) return columns[0];
  return graph.apply('Concat', columns, { type: 'int64', shape: [...shape, columns.length] }, { axis: shape.length });
}

/** The order of axes in which the indexed ones come first. */
function indexedFirst(rank: number, axis: readonly number[]): number[] {
  return [...axis, ...Array.from({ length: rank }, (_, a) => a).filter((a) => !axis.includes(a))];
}

/** From [index axes..., rest...] to [rest before outDim..., index axes..., rest after...]. */
function indexAxesAt(outDim: number, indexRank: number, rank: number): number[] {
  const rest = Array.from({ length: rank - indexRank }, (_, i) => indexRank + i);
  const index = Array.from({ length: indexRank }, (_, i) => i);
  return [...rest.slice(0, outDim), ...index, ...rest.slice(outDim)];
}

const gather: Rule = (graph, [x, ...indices], { axis, outDim }, [{ type, shape }]) => {
  const common = commonShape(indices);
  const order = indexedFirst(x.shape.length, axis);
  const source = dense(graph, permuted(x, order));
  const rest = source.shape.slice(axis.length);
  const of = { type, shape: [...common, ...rest] };
  if (sizeOf(of.shape) === 0) return [viewOf(graph.constant(type, shape, []))];
  const value =
    axis.length === 1
      ? graph.apply('Gather', [source, graph.cast(dense(graph, stretched(indices[0], common)), 'int64')], of, {
          axis: 0,
        })
      : graph.apply('GatherND', [source, places(graph, indices, common)], of);
  return [permuted(viewOf(value), indexAxesAt(outDim, common.length, of.shape.length))];
};

const scatter: Rule = (graph, [updates, ...indices], params, [{ type, shape }]) => {
  const { op, axis, outDim } = params as { op: string; axis: number[]; outDim: number };
  const common = commonShape(indices);
  const order = indexedFirst(shape.length, axis);
  const target = order.map((a) => shape[a]);
  const rank = updates.shape.length;
  const at = indexAxesAt(outDim, common.length, rank);
  const back = at.map((_, i) => at.indexOf(i));
  const values = dense(graph, permuted(updates, back));
  const wide = type === 'float32' ? 'float32' : 'int32';
  const empty = graph.apply('Expand', [graph.scalar(wide, 0), graph.indices(target)], { type: wide, shape: target });
  const written =
    sizeOf(values.shape) === 0
      ? empty
      : graph.apply(
          'ScatterND',
          [empty, places(graph, indices, common), graph.cast(values, wide)],
          { type: wide, shape: target },
          { reduction: op === 'add' ? 'add' : 'none' },
        );
  const inverse = order.map((_, i) => order.indexOf(i));
  return [permuted(viewOf(graph.cast(written, type)), inverse)];
};

/** Values and their places, ascending along the last axis, equal ones in their old order. */
function sorted(graph: Graph, view: View): readonly [Value, Value] {
  const value = dense(graph, view);
  const n = value.shape[value.shape.length - 1];
  const wide = value.type === 'float32' ? 'float32' : value.type === 'int32' ? 'int32' : 'int64';
  const types = [
    { type: wide, shape: value.shape },
    { type: 'int64', shape: value.shape },
  ] as const;
  const attributes = { axis: value.shape.length - 1, largest: 0, sorted: 1 };
  const [values, at] = graph.applyAll('TopK', [graph.cast(value, wide), graph.indices([n])], types, attributes);
  return [graph.cast(values, value.type), graph.cast(at, 'int32')];
}

export const indexingRules: Readonly<Record<string, Rule>> = {
  gather,
  scatter,
  sort: (graph, [x]) => [viewOf(sorted(graph, x)[0])],
  argsort: (graph, [x]) => sorted(graph, x).map(viewOf),
};
