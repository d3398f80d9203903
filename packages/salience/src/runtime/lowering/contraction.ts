/** @file Products and sums: `dot` as one matrix product, and reductions along axes. */

import type { Graph, Value } from '../graph.ts';
import { sizeOf } from '../tensor.ts';
import { arranged, layout, repeated, stretched, type View } from '../view.ts';
import { elementwise } from './elementwise.ts';
import type { Rule } from './rule.ts';

/** ONNX names of jax-js's reductions. */
const reductions: Readonly<Record<string, string>> = {
  Add: 'ReduceSum',
  Mul: 'ReduceProd',
  Min: 'ReduceMin',
  Max: 'ReduceMax',
};

/**
 * Reduces whole numbers. ONNX Runtime's sums and products stop at the largest number, where jax-js wraps around at 32 bits; its
 * minima and maxima of int64 compare only the lower halves, so those of uint32 are taken of int32 in the same order.
 */
function reduceWhole(graph: Graph, x: Value, op: string, run: (x: Value) => Value): Value {
  if (op === 'Add' || op === 'Mul') return run(graph.cast(x, 'int64'));
  if (x.type !== 'uint32') return run(graph.cast(x, 'int32'));
  const turn = (y: Value) =>
    graph.apply('BitwiseXor', [y, graph.scalar('int32', -(2 ** 31))], { type: 'int32', shape: y.shape });
  return turn(run(turn(graph.cast(x, 'int32'))));
}

/** Sums, products, minima or maxima along axes of the view; repeated axes only count. */
function reduce(graph: Graph, view: View, op: string, along: readonly number[]): View {
  const { base, axes, shape } = view;
  const kept = shape.map((_, i) => i).filter((i) => !along.includes(i));
  const outShape = kept.map((i) => shape[i]);
  const copies = along.filter((i) => axes[i] === repeated).reduce((n, i) => n * shape[i], 1);
  const { type } = base;
  const baseAxes = along.map((i) => axes[i]).filter((a) => a !== repeated);
  let value = base;
  let remaining = axes;
  if (baseAxes.length > 0) {
    const left = base.shape.map((_, a) => a).filter((a) => !baseAxes.includes(a));
    const sorted = [...baseAxes].sort((a, b) => a - b);
    const run = (x: Value) => {
      const of = { type: x.type, shape: left.map((a) => base.shape[a]) };
      return graph.apply(reductions[op], [x, graph.indices(sorted)], of, { keepdims: 0 });
    };
    value = graph.cast(type === 'float32' ? run(base) : reduceWhole(graph, base, op, run), type);
    remaining = axes.map((a) => (a === repeated ? repeated : left.indexOf(a)));
  }
  const reduced: View = { base: value, axes: kept.map((i) => remaining[i]), shape: outShape };
  if (copies === 1 || type === 'bool' || op === 'Min' || op === 'Max') return reduced;
  const factor: View = { base: graph.scalar(type, copies), axes: [], shape: [] };
  return elementwise(graph, [reduced, factor], { shape: outShape }, ([x, n], compact) => {
    const wide = type === 'uint32' ? 'int64' : type;
    const of = { type: wide, shape: compact } as const;
    return graph.cast(graph.apply(op === 'Add' ? 'Mul' : 'Pow', [graph.cast(x, wide), graph.cast(n, wide)], of), type);
  });
}

/**
 * Σ x · y along the last axis. An axis laid out in both is a batch axis, in x alone a row, in y alone a column; the product of
 * matrices takes each operand as it lies where its last two parts are only swapped.
 */
const dot: Rule = (graph, inputs, _, [result]) => {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const full = Array.from({ length: rank }, (_, i) =>
    Math.max(...inputs.map(({ shape }) => (shape.length - rank + i >= 0 ? shape[shape.length - rank + i] : 1))),
  );
  const zero = inputs.some(({ shape }) => sizeOf(shape) === 0);
  if (zero)
    for (let i = 0; i < rank; i++) if (inputs.some(({ shape }) => shape[shape.length - rank + i] === 0)) full[i] = 0;
  const [x, y] = inputs.map((view) => stretched(view, full));
  const k = rank - 1;
  const has = (view: View, i: number) => view.axes[i] !== repeated;
  if (!has(x, k) || !has(y, k)) {
    // One side is the same along the sum, so the other is summed first.
    const times = (a: View, b: View) =>
      elementwise(graph, [a, b], { shape: full.slice(0, k) }, (values, shape) => product(graph, values, shape));
    if (!has(x, k) && !has(y, k)) {
      const both = elementwise(graph, [x, y], { shape: full }, (values, shape) => product(graph, values, shape));
      return [reduce(graph, both, 'Add', [k])];
    }
    const [summed, other] = has(x, k) ? [x, y] : [y, x];
    const rest: View = { base: other.base, axes: other.axes.slice(0, k), shape: full.slice(0, k) };
    return [times(reduce(graph, summed, 'Add', [k]), rest)];
  }
  const batch = layout(x).filter((i) => i !== k && has(y, i));
  const rows = layout(x).filter((i) => i !== k && !has(y, i));
  const columns = layout(y).filter((i) => i !== k && !has(x, i));
  const length = (axes: readonly number[]) => axes.reduce((n, i) => n * full[i], 1);
  if (rows.length === 0 && columns.length === 0 && batch.length > 0 && length(batch) > 1) {
    // Nothing but a sum of products: no matrix.
    const both = elementwise(graph, [x, y], { shape: full }, (values, shape) => product(graph, values, shape));
    return [reduce(graph, both, 'Add', [k])];
  }
  const floats = result.type === 'float32';
  const operand = (view: View, middle: readonly number[], middleFirst: boolean): { value: Value; swapped: boolean } => {
    const plain = middleFirst ? [...batch, ...middle, k] : [...batch, k, ...middle];
    const turned = middleFirst ? [...batch, k, ...middle] : [...batch, ...middle, k];
    const lies = layout(view);
    const swapped = floats && lies.every((i, p) => i === turned[p]) && !lies.every((i, p) => i === plain[p]);
    const value = arranged(graph, view, swapped ? turned : plain);
    const sizes = [length(middle), full[k]];
    const [a, b] = middleFirst !== swapped ? sizes : [...sizes].reverse();
    return { value: graph.reshape(value, batch.length > 0 ? [length(batch), a, b] : [a, b]), swapped };
  };
  const left = operand(x, rows, true);
  const right = operand(y, columns, false);
  const lead = batch.length > 0 ? [length(batch)] : [];
  const shape = [...lead, length(rows), length(columns)];
  const operands = [left.value, right.value].map((value) =>
    graph.cast(value, result.type === 'uint32' ? 'int64' : result.type),
  );
  const of = { type: operands[0].type, shape };
  const made =
    left.swapped || right.swapped
      ? graph.apply(
          'FusedMatMul',
          operands,
          of,
          { transA: Number(left.swapped), transB: Number(right.swapped) },
          'com.microsoft',
        )
      : graph.apply('MatMul', operands, of);
  const order = [...batch, ...rows, ...columns];
  const base = graph.reshape(
    graph.cast(made, result.type),
    order.map((i) => full[i]),
  );
  return [{ base, axes: result.shape.map((_, i) => order.indexOf(i)), shape: result.shape }];
};

function product(graph: Graph, values: readonly Value[], shape: readonly number[]): Value {
  const { type } = values[0];
  const wide = type === 'uint32' ? 'int64' : type;
  return graph.cast(
    graph.apply(
      'Mul',
      values.map((value) => graph.cast(value, wide)),
      { type: wide, shape },
    ),
    type,
  );
}

export const contractionRules: Readonly<Record<string, Rule>> = {
  dot,
  reduce: (graph, [x], { op, axis }) => [reduce(graph, x, op, axis)],
};
