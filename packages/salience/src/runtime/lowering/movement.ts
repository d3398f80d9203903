/** @file Rearranging elements: what a view can say costs nothing, the rest is sliced, padded, joined and split. */

import type { Graph, Value } from '../graph.ts';
import { broadcastAt, dense, permuted, reshaped, viewOf } from '../view.ts';
import type { Rule } from './rule.ts';

/** Elements from `start` up to before `end` along each axis. */
export function slice(graph: Graph, value: Value, bounds: readonly (readonly [number, number])[]): Value {
  const axes = bounds.map((_, a) => a).filter((a) => bounds[a][0] !== 0 || bounds[a][1] !== value.shape[a]);
  if (axes.length === 0) return value;
  const shape = bounds.map(([start, end]) => end - start);
  const inputs = [axes.map((a) => bounds[a][0]), axes.map((a) => bounds[a][1]), axes].map((list) =>
    graph.indices(list),
  );
  return graph.apply('Slice', [value, ...inputs], { type: value.type, shape });
}

/** Zeros before and after along each axis; negative widths cut. */
export function pad(graph: Graph, value: Value, widths: readonly (readonly [number, number])[]): Value {
  const cut = slice(
    graph,
    value,
    widths.map(([before, after], a) => [Math.max(0, -before), value.shape[a] - Math.max(0, -after)]),
  );
  const added = widths.map(([before, after]) => [Math.max(0, before), Math.max(0, after)]);
  if (added.every(([before, after]) => before === 0 && after === 0)) return cut;
  const shape = cut.shape.map((length, a) => length + added[a][0] + added[a][1]);
  const by = value.type === 'uint32' ? 'int32' : value.type;
  const inputs = [
    graph.cast(cut, by),
    graph.indices([...added.map(([b]) => b), ...added.map(([, a]) => a)]),
    graph.scalar(by, 0),
  ];
  return graph.cast(graph.apply('Pad', inputs, { type: by, shape }, { mode: 'constant' }), value.type);
}

export const movementRules: Readonly<Record<string, Rule>> = {
  transpose: (_, [x], { perm }) => [permuted(x, perm)],
  broadcast: (_, [x], { shape, axis }) => [broadcastAt(x, shape, axis)],
  reshape: (graph, [x], { shape }) => [reshaped(graph, x, shape)],
  flip: (graph, [x], { axis }) => {
    const value = dense(graph, x);
    const axes: number[] = axis.filter((a: number) => value.shape[a] > 1);
    if (axes.length === 0) return [viewOf(value)];
    const lists = [axes.map(() => -1), axes.map(() => -(2 ** 31)), axes, axes.map(() => -1)];
    const flipped = graph.apply('Slice', [value, ...lists.map((list) => graph.indices(list))], value);
    return [viewOf(flipped)];
  },
  shrink: (graph, [x], { slice: bounds }) => [viewOf(slice(graph, dense(graph, x), bounds))],
  pad: (graph, [x], { width }) => [viewOf(pad(graph, dense(graph, x), width))],
  concatenate: (graph, inputs, { axis }, [{ type, shape }]) => {
    const values = inputs.map((view) => graph.cast(dense(graph, view), type));
    return [viewOf(values.length === 1 ? values[0] : graph.apply('Concat', values, { type, shape }, { axis }))];
  },
  split: (graph, [x], { axis, sizes }, results) => {
    const value = dense(graph, x);
    let start = 0;
    return results.map((_, r) => {
      const bounds = value.shape.map((length, a): [number, number] =>
        a === axis ? [start, start + sizes[r]] : [0, length],
      );
      start += sizes[r];
      return viewOf(slice(graph, value, bounds));
    });
  },
};
