/**
 * @file Views: a value seen with its axes in another order, and with axes along which it only repeats. Transposes, broadcasts
 * and axes of length 1 cost nothing until an operator needs the elements laid out; a contraction reads off them which axes
 * are batch, rows and columns.
 */

import { type Graph, sameShape, type Value } from './graph.ts';
import { sizeOf } from './tensor.ts';

/** Along this axis the view repeats (a stride of 0). */
export const repeated = -1;

export interface View {
  readonly base: Value;
  /** For each axis of the view its axis in the base, or `repeated`. Axes of the base that are not named have length 1. */
  readonly axes: readonly number[];
  readonly shape: readonly number[];
}

/** A value as it is; its axes of length 1 count as repeated. */
export function viewOf(base: Value): View {
  return { base, axes: base.shape.map((length, a) => (length === 1 ? repeated : a)), shape: base.shape };
}

export function permuted({ base, axes, shape }: View, perm: readonly number[]): View {
  return { base, axes: perm.map((p) => axes[p]), shape: perm.map((p) => shape[p]) };
}

/** The view with new, repeated axes at the places `added` of the result. */
export function broadcastAt(view: View, shape: readonly number[], added: readonly number[]): View {
  let next = 0;
  const axes = shape.map((_, i) => (added.includes(i) ? repeated : view.axes[next++]));
  return { base: view.base, axes, shape };
}

/** The view repeated to a shape by NumPy's rules: axes are added in front, axes of length 1 stretch. */
export function stretched({ base, axes }: View, to: readonly number[]): View {
  const added = to.length - axes.length;
  return { base, axes: to.map((_, i) => (i < added ? repeated : axes[i - added])), shape: to };
}

/** Axes of the view that are laid out in the base, in the base's order. */
export function layout({ axes }: View): number[] {
  return axes
    .map((_, i) => i)
    .filter((i) => axes[i] !== repeated)
    .sort((i, j) => axes[i] - axes[j]);
}

/**
 * The elements with the view's axes in the given order; repeated axes have length 1 in the result's shape, which has one axis
 * for each of `order`.
 */
export function arranged(graph: Graph, { base, axes, shape }: View, order: readonly number[]): Value {
  const long = order.filter((i) => axes[i] !== repeated);
  const kept = new Set(long.map((i) => axes[i]));
  const compact = graph.reshape(
    base,
    base.shape.filter((_, a) => kept.has(a)),
  );
  const rank = [...kept].sort((a, b) => a - b);
  const turned = graph.transpose(
    compact,
    long.map((i) => rank.indexOf(axes[i])),
  );
  return graph.reshape(
    turned,
    order.map((i) => (axes[i] === repeated ? 1 : shape[i])),
  );
}

/** All elements in the view's own order and full shape. */
export function dense(graph: Graph, view: View): Value {
  const { shape } = view;
  const short = arranged(
    graph,
    view,
    shape.map((_, i) => i),
  );
  if (sameShape(short.shape, shape)) return short;
  if (short.constant && sizeOf(short.shape) === 1 && sizeOf(shape) <= 64) {
    return graph.constant(short.type, shape, new Array(sizeOf(shape)).fill(short.constant[0]));
  }
  return graph.apply('Expand', [short, graph.indices(shape)], { type: short.type, shape });
}

/** The same elements in another shape; repeated axes stay so where they are not mixed with others. */
export function reshaped(graph: Graph, view: View, shape: readonly number[]): View {
  if (sameShape(view.shape, shape)) return view;
  const { base, axes, shape: from } = view;
  const longFrom = from.map((_, i) => i).filter((i) => from[i] !== 1);
  const longTo = shape.map((_, i) => i).filter((i) => shape[i] !== 1);
  if (longFrom.length === longTo.length && longFrom.every((i, k) => from[i] === shape[longTo[k]])) {
    const source = new Map(longTo.map((i, k) => [i, axes[longFrom[k]]]));
    return { base, axes: shape.map((_, i) => source.get(i) ?? repeated), shape };
  }
  if (sizeOf(shape) === 0) return viewOf(graph.reshape(dense(graph, view), shape));
  // Runs of axes with equal products go into one another; a run that only repeats goes on repeating.
  const runs: { from: number[]; to: number[] }[] = [];
  let i = 0;
  let j = 0;
  while (i < longFrom.length || j < longTo.length) {
    const run = { from: [longFrom[i++]], to: [longTo[j++]] };
    let a = from[run.from[0]];
    let b = shape[run.to[0]];
    while (a !== b) {
      if (a < b) {
        a *= from[longFrom[i]];
        run.from.push(longFrom[i++]);
      } else {
        b *= shape[longTo[j]];
        run.to.push(longTo[j++]);
      }
    }
    runs.push(run);
  }
  const laidOut = runs.filter(({ from: run }) => run.some((k) => axes[k] !== repeated));
  // Where the axes of each run lie side by side in the base, the base itself takes another shape and the view stays turned.
  const long = base.shape.map((_, a) => a).filter((a) => base.shape[a] !== 1 && axes.includes(a));
  const inPlace = laidOut.every(({ from: run }) => {
    const first = long.indexOf(axes[run[0]]);
    return run.every((k, n) => axes[k] !== repeated && long[first + n] === axes[k]);
  });
  const part = laidOut.flatMap((run) => run.from);
  const source = inPlace
    ? base
    : dense(graph, { base, axes: part.map((k) => axes[k]), shape: part.map((k) => from[k]) });
  const order = inPlace ? laidOut.toSorted((a, b) => axes[a.from[0]] - axes[b.from[0]]) : laidOut;
  const places = order.flatMap((run) => run.to);
  const value = graph.reshape(
    source,
    places.map((k) => shape[k]),
  );
  return { base: value, axes: shape.map((_, k) => places.indexOf(k)), shape };
}
