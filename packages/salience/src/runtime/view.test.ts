/** @file Views: what repeats or is turned costs no operator, and laying a view out gives what the same steps on plain arrays give. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBackend } from './backend.ts';
import { Graph } from './graph.ts';
import { inputName, onnxModel, outputName } from './onnx-model.ts';
import { sizeOf } from './tensor.ts';
import {
  arranged,
  broadcastAt,
  dense,
  layout,
  permuted,
  repeated,
  reshaped,
  stretched,
  type View,
  viewOf,
} from './view.ts';

interface Plain {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The array of a shape whose element at `place` is that of `from` at `source(place)`. */
function filled(from: Plain, shape: readonly number[], source: (place: readonly number[]) => readonly number[]): Plain {
  const data = Array.from({ length: sizeOf(shape) }, (_, n) => {
    let rest = n;
    const place = shape.map(() => 0);
    for (let a = shape.length - 1; a >= 0; a--) {
      place[a] = rest % shape[a];
      rest = Math.floor(rest / shape[a]);
    }
    return from.data[source(place).reduce((at, i, a) => at * from.shape[a] + i, 0)];
  });
  return { shape, data };
}

/** The same step for a view and for a plain array. */
interface Step {
  readonly view: (graph: Graph, view: View) => View;
  readonly plain: (from: Plain) => Plain;
}

function permuting(perm: readonly number[]): Step {
  return {
    view: (_, view) => permuted(view, perm),
    plain: (from) =>
      filled(
        from,
        perm.map((p) => from.shape[p]),
        (place) => perm.map((_, a) => place[perm.indexOf(a)]),
      ),
  };
}

function broadcasting(shape: readonly number[], added: readonly number[]): Step {
  return {
    view: (_, view) => broadcastAt(view, shape, added),
    plain: (from) => filled(from, shape, (place) => place.filter((_, a) => !added.includes(a))),
  };
}

function reshaping(shape: readonly number[]): Step {
  return { view: (graph, view) => reshaped(graph, view, shape), plain: ({ data }) => ({ shape, data }) };
}

/** A random next step for an array of this shape, with the shape it gives. */
function step(shape: readonly number[]): fc.Arbitrary<{ step: Step; shape: readonly number[] }> {
  const rank = shape.length;
  const turn = fc.shuffledSubarray([...shape.keys()], { minLength: rank }).map((perm) => ({
    step: permuting(perm),
    shape: perm.map((p) => shape[p]),
  }));
  const repeat = fc.tuple(fc.integer({ min: 0, max: rank }), fc.integer({ min: 1, max: 3 })).map(([at, length]) => {
    const longer = [...shape.slice(0, at), length, ...shape.slice(at)];
    return { step: broadcasting(longer, [at]), shape: longer };
  });
  const another = fc.array(fc.nat(), { minLength: 12, maxLength: 12 }).map((choices) => {
    const to: number[] = new Array(1 + (choices[0] % 4)).fill(1);
    let n = sizeOf(shape);
    let c = 1;
    for (let p = 2; n > 1; p++) for (; n % p === 0; n /= p) to[choices[c++ % 12] % to.length] *= p;
    return { step: reshaping(to), shape: to };
  });
  return sizeOf(shape) > 200 ? fc.oneof(turn, another) : fc.oneof(turn, repeat, another);
}

async function evaluate(graph: Graph, view: View, input: Plain): Promise<Plain> {
  const output = dense(graph, view);
  const { session: open, Tensor } = await openBackend({ threads: 1 });
  const session = await open(onnxModel({ graph, outputs: [output] }));
  const feeds = { [inputName(0)]: new Tensor('float32', Float32Array.from(input.data), [...input.shape]) };
  const { [outputName(0)]: result } = await session.run(feeds, { [outputName(0)]: null });
  await session.release();
  return { shape: result.dims, data: [...(result.data as Float32Array)] };
}

const iota = (shape: readonly number[]): Plain => ({ shape, data: Array.from({ length: sizeOf(shape) }, (_, i) => i) });

describe('views', () => {
  it('transposes, broadcasts and reshapes that only add or drop axes of length 1 emit no node', () => {
    const graph = new Graph();
    let view = viewOf(graph.input('float32', [2, 1, 3]));
    view = permuted(view, [2, 0, 1]);
    view = reshaped(graph, view, [3, 1, 2]);
    view = broadcastAt(view, [3, 1, 4, 2], [2]);
    view = stretched(view, [5, 3, 6, 4, 2]);
    view = reshaped(graph, view, [5, 3, 6, 1, 4, 2, 1]);
    expect(view.shape).toEqual([5, 3, 6, 1, 4, 2, 1]);
    expect(view.base).toBe(graph.inputs[0]);
    expect(graph.nodes([view.base])).toEqual([]);
  });

  it('a view of the whole value, laid out, is the value', () => {
    const graph = new Graph();
    const x = graph.input('float32', [2, 1, 3]);
    expect(dense(graph, viewOf(x))).toBe(x);
    expect(dense(graph, permuted(permuted(viewOf(x), [2, 0, 1]), [1, 2, 0]))).toBe(x);
  });

  it('layout lists the axes in the order in which they lie', () => {
    const graph = new Graph();
    const view = broadcastAt(permuted(viewOf(graph.input('float32', [2, 3, 4])), [2, 0, 1]), [4, 5, 2, 3], [1]);
    expect(view.axes).toEqual([2, repeated, 0, 1]);
    expect(layout(view)).toEqual([2, 3, 0]);
    expect(arranged(graph, view, [2, 1, 3, 0])).toMatchObject({ shape: [2, 1, 3, 4] });
  });

  it('a reshape of a partly repeated view goes on repeating where whole repeated axes go into one another', () => {
    const graph = new Graph();
    const view = broadcastAt(viewOf(graph.input('float32', [6])), [2, 4, 6], [0, 1]);
    const merged = reshaped(graph, view, [8, 2, 3]);
    expect(merged.axes[0]).toBe(repeated);
    expect(sizeOf(merged.base.shape)).toBe(6);
    const mixed = reshaped(graph, view, [2, 24]);
    expect(mixed.axes[0]).toBe(repeated);
    expect(sizeOf(mixed.base.shape)).toBe(24);
  });

  it('laying out a chain of permutations, broadcasts and reshapes gives what the same chain on plain arrays gives', async () => {
    const chain = fc.array(fc.constantFrom(1, 2, 3, 4), { maxLength: 4 }).chain((shape) => {
      let chain: fc.Arbitrary<{ steps: Step[]; shape: readonly number[] }> = fc.constant({ steps: [], shape });
      for (let n = 0; n < 4; n++) {
        chain = chain.chain(({ steps, shape: from }) =>
          step(from).map((next) => ({ steps: [...steps, next.step], shape: next.shape })),
        );
      }
      return fc.tuple(fc.constant(shape), chain);
    });
    await fc.assert(
      fc.asyncProperty(chain, async ([shape, { steps }]) => {
        const graph = new Graph();
        const input = iota(shape);
        const view = steps.reduce((from, next) => next.view(graph, from), viewOf(graph.input('float32', shape)));
        const expected = steps.reduce((from, next) => next.plain(from), input);
        expect(await evaluate(graph, view, input)).toEqual(expected);
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('a view without elements may take any shape without elements', () => {
    const graph = new Graph();
    const view = broadcastAt(viewOf(graph.input('float32', [0, 3])), [2, 0, 3], [0]);
    expect(dense(graph, reshaped(graph, view, [5, 0]))).toMatchObject({ shape: [5, 0], constant: [] });
  });
});
