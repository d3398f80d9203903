/** @file Convolution, sliding windows and their adjoint. */

import type { Graph, Value } from '../graph.ts';
import { sizeOf } from '../tensor.ts';
import { dense, repeated, type View, viewOf } from '../view.ts';
import { pad, slice } from './movement.ts';
import type { Rule } from './rule.ts';

/** Puts `by` − 1 zeros between neighbours along an axis. */
function dilated(graph: Graph, value: Value, axis: number, by: number): Value {
  const n = value.shape[axis];
  if (by === 1 || n <= 1) return value;
  const apart = graph.reshape(value, [...value.shape.slice(0, axis + 1), 1, ...value.shape.slice(axis + 1)]);
  const widened = pad(
    graph,
    apart,
    apart.shape.map((_, a) => (a === axis + 1 ? [0, by - 1] : [0, 0])),
  );
  const joined = graph.reshape(
    widened,
    value.shape.map((length, a) => (a === axis ? n * by : length)),
  );
  return slice(
    graph,
    joined,
    joined.shape.map((length, a) => [0, a === axis ? (n - 1) * by + 1 : length]),
  );
}

const conv: Rule = (graph, [lhs, rhs], params, [{ type, shape }]) => {
  const { vmapDims, strides, padding, lhsDilation, rhsDilation } = params as {
    vmapDims: number;
    strides: number[];
    padding: [number, number][];
    lhsDilation: number[];
    rhsDilation: number[];
  };
  const spatial = strides.length;
  if (spatial > 3) throw new TypeError(`has ${spatial} spatial axes; ONNX Runtime convolves along up to 3`);
  // Mapped axes become groups: their product stands before the channels.
  const mapped = shape.slice(0, vmapDims);
  const groups = sizeOf(mapped);
  const whole = (view: View) => {
    const to = [...mapped, ...view.shape.slice(vmapDims)];
    const axes = view.axes.map((a, i) => (i < vmapDims && view.shape[i] !== to[i] ? repeated : a));
    return graph.reshape(dense(graph, { base: view.base, axes, shape: to }), [groups, ...view.shape.slice(vmapDims)]);
  };
  const x4 = whole(lhs);
  const [, batch, channels, ...size] = x4.shape;
  const turn = [1, 0, ...x4.shape.slice(2).map((_, i) => i + 2)];
  let x = graph.reshape(graph.transpose(x4, turn), [batch, groups * channels, ...size]);
  const w4 = whole(rhs);
  const [, outChannels, , ...kernel] = w4.shape;
  let w = graph.reshape(w4, [groups * outChannels, channels, ...kernel]);
  lhsDilation.forEach((by, i) => {
    x = dilated(graph, x, i + 2, by);
  });
  x = pad(graph, x, [[0, 0], [0, 0], ...padding]);
  let window = { strides, dilations: rhsDilation, kernel_shape: kernel };
  if (spatial === 0) {
    x = graph.reshape(x, [...x.shape, 1]);
    w = graph.reshape(w, [...w.shape, 1]);
    window = { strides: [1], dilations: [1], kernel_shape: [1] };
  }
  const out = shape.slice(vmapDims + 2);
  const made = graph.apply(
    'Conv',
    [x, w],
    { type, shape: [batch, groups * outChannels, ...(spatial === 0 ? [1] : out)] },
    { ...window, group: groups },
  );
  const apart = graph.reshape(made, [batch, groups, outChannels, ...out]);
  return [viewOf(graph.reshape(graph.transpose(apart, [1, 0, ...apart.shape.slice(2).map((_, i) => i + 2)]), shape))];
};

/** Places of a sliding window along an axis of n: window k of output o starts at o · stride; shape [outputs][window]. */
function windowPlaces(n: number, window: number, stride: number): number[][] {
  const outputs = Math.ceil((n - window + 1) / stride);
  return Array.from({ length: outputs }, (_, o) => Array.from({ length: window }, (_, k) => o * stride + k));
}

/** [..., sizes...] → [..., outputs..., windows...] */
const pool: Rule = (graph, [x], { window, strides }) => {
  let value = dense(graph, x);
  const rank = value.shape.length;
  const lead = rank - window.length;
  // Each axis in turn becomes [outputs, window], the last one first so that the others keep their number.
  for (let i = window.length - 1; i >= 0; i--) {
    const places = windowPlaces(value.shape[lead + i], window[i], strides[i]);
    const at = graph.constant('int64', [places.length, window[i]], places.flat());
    const shape = [...value.shape.slice(0, lead + i), places.length, window[i], ...value.shape.slice(lead + i + 1)];
    value = graph.apply('Gather', [value, at], { type: value.type, shape }, { axis: lead + i });
  }
  const perm = [
    ...Array.from({ length: lead }, (_, a) => a),
    ...window.map((_: number, i: number) => lead + 2 * i),
    ...window.map((_: number, i: number) => lead + 2 * i + 1),
  ];
  return [viewOf(graph.transpose(value, perm))];
};

/** The adjoint of pool: every element goes back to its place and adds up there, by a product with 0 and 1. */
const poolTranspose: Rule = (graph, [x], { inShape, window, strides }) => {
  let value = dense(graph, x);
  const spatial = window.length;
  const lead = inShape.length - spatial;
  const perm = [
    ...Array.from({ length: lead }, (_, a) => a),
    ...window.flatMap((_: number, i: number) => [lead + i, lead + spatial + i]),
  ];
  value = graph.transpose(value, perm);
  for (let i = spatial - 1; i >= 0; i--) {
    const axis = lead + 2 * i;
    const n = inShape[lead + i];
    const places = windowPlaces(n, window[i], strides[i]).flat();
    const matrix = places.flatMap((place) => Array.from({ length: n }, (_, p) => Number(p === place)));
    const before = value.shape.slice(0, axis);
    const after = value.shape.slice(axis + 2);
    const flat = graph.reshape(value, [sizeOf(before), places.length, sizeOf(after)]);
    const last = graph.transpose(flat, [0, 2, 1]);
    const by = graph.constant(value.type, [places.length, n], matrix);
    const summed = graph.apply('MatMul', [last, by], { type: value.type, shape: [sizeOf(before), sizeOf(after), n] });
    value = graph.reshape(graph.transpose(summed, [0, 2, 1]), [...before, n, ...after]);
  }
  return [viewOf(value)];
};

export const convolutionRules: Readonly<Record<string, Rule>> = { conv, pool, pool_transpose: poolTranspose };
