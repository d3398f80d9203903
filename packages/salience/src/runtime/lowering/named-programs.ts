/**
 * @file Sub-programs that carry a name and have an operator of their own. jax-js keeps the name of a jitted function through
 * differentiation: `gelu` becomes `gelu_jvp_peval` going forward, with the intermediate results the way back needs, and
 * `gelu_jvp_resid_t` going back. The forward part becomes one operator; the way back a closed form of its input and result.
 * Intermediate results that nothing needs any more are left out with the rest of the dead code.
 */

import { type Graph, sameShape, type Value } from '../graph.ts';
import { isLiteral, type Program } from '../trace.ts';
import { dense, type View, viewOf } from '../view.ts';
import { elementwise } from './elementwise.ts';

interface Named {
  readonly inputs: number;
  /** y of the inputs. */
  forward(graph: Graph, inputs: readonly View[], body: Program): View;
  /** y of the inputs where the way back will be taken: in a form that shares its steps with it. */
  forwardForBoth?(graph: Graph, inputs: readonly View[], body: Program): View;
  /** The cotangents of the inputs, from the inputs, y and its cotangent. */
  backward(graph: Graph, inputs: readonly View[], y: View, dy: View, body: Program): readonly View[];
}

/** A function of single elements. */
function ofElements(by: {
  forward: (graph: Graph, x: Value, shape: readonly number[]) => Value;
  forwardForBoth?: (graph: Graph, x: Value, shape: readonly number[]) => Value;
  backward: (graph: Graph, x: Value, y: Value, dy: Value, shape: readonly number[]) => Value;
}): Named {
  const map = (graph: Graph, [x]: readonly View[], to: typeof by.forward) =>
    elementwise(graph, [x], x, ([value], shape) => to(graph, value, shape));
  return {
    inputs: 1,
    forward: (graph, inputs) => map(graph, inputs, by.forward),
    forwardForBoth: (graph, inputs) => map(graph, inputs, by.forwardForBoth ?? by.forward),
    backward: (graph, [x], y, dy) => [
      elementwise(graph, [x, y, dy], x, ([a, b, c], shape) => by.backward(graph, a, b, c, shape)),
    ],
  };
}

/** Operators on float32 arrays of one shape, written as formulas. */
function formulas(graph: Graph, shape: readonly number[]) {
  const of = { type: 'float32' as const, shape };
  const value = (x: Value | number) => (typeof x === 'number' ? graph.scalar('float32', x) : x);
  const binary = (op: string) => (x: Value | number, y: Value | number) => graph.apply(op, [value(x), value(y)], of);
  const unary = (op: string) => (x: Value) => graph.apply(op, [x], of);
  return {
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    tanh: unary('Tanh'),
    sigmoid: unary('Sigmoid'),
    of,
  };
}

const tanh = ofElements({
  forward: (graph, x, shape) => formulas(graph, shape).tanh(x),
  // dy (1 − y²)
  backward(graph, _, y, dy, shape) {
    const { mul, sub } = formulas(graph, shape);
    return mul(dy, sub(1, mul(y, y)));
  },
});

const silu = ofElements({
  // x s, s = sigmoid(x)
  forward(graph, x, shape) {
    const { mul, sigmoid } = formulas(graph, shape);
    return mul(x, sigmoid(x));
  },
  // dy (s + y (1 − s))
  backward(graph, x, y, dy, shape) {
    const { add, mul, sigmoid, sub } = formulas(graph, shape);
    const s = sigmoid(x);
    return mul(dy, add(s, mul(y, sub(1, s))));
  },
});

const slope = 2 * Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** s = sigmoid(2 √(2/π) (x + 0.044715 x³)): the tanh form of GELU is x s. */
function geluGate(graph: Graph, x: Value, shape: readonly number[]): Value {
  const { add, mul, sigmoid } = formulas(graph, shape);
  return sigmoid(mul(x, add(mul(mul(x, x), slope * cubic), slope)));
}

const geluTanh = ofElements({
  forward: (graph, x, shape) => graph.apply('Gelu', [x], formulas(graph, shape).of, { approximate: 'tanh' }),
  forwardForBoth: (graph, x, shape) => formulas(graph, shape).mul(x, geluGate(graph, x, shape)),
  // dy (s + y (1 − s) · 2 √(2/π) (1 + 3 · 0.044715 x²))
  backward(graph, x, y, dy, shape) {
    const { add, mul, sub } = formulas(graph, shape);
    const s = geluGate(graph, x, shape);
    const inner = add(mul(mul(x, x), 3 * slope * cubic), slope);
    return mul(dy, add(s, mul(mul(y, sub(1, s)), inner)));
  },
});

/** Sums along the last axis, which stays with length 1. */
function overLast(graph: Graph, op: 'ReduceSum' | 'ReduceMean', x: Value): Value {
  const last = x.shape.length - 1;
  const of = { type: 'float32' as const, shape: [...x.shape.slice(0, last), 1] };
  return graph.apply(op, [x, graph.indices([last])], of, { keepdims: 1 });
}

const softmax: Named = {
  inputs: 1,
  forward(graph, [x]) {
    const value = dense(graph, x);
    return viewOf(
      graph.apply('Softmax', [value], { type: 'float32', shape: value.shape }, { axis: value.shape.length - 1 }),
    );
  },
  // y (dy − Σ dy y)
  backward(graph, _, y, dy) {
    const { mul, sub } = formulas(graph, y.shape);
    const [result, given] = [dense(graph, y), dense(graph, dy)];
    return [viewOf(mul(result, sub(given, overLast(graph, 'ReduceSum', mul(given, result)))))];
  },
};

/** The epsilon of a norm: the only number its body adds. */
function epsilonOf(body: Program): number {
  for (const { primitive, inputs } of body.eqns) {
    const literal = primitive === 'add' ? inputs.find(isLiteral) : undefined;
    if (literal) return Number(literal.value);
  }
  return 0;
}

/** x r scale, with r = 1 / √(mean x² + ε); and r, shape [..., 1]. */
function rmsOf(
  graph: Graph,
  [x, scale]: readonly View[],
  body: Program,
): { value: Value; weight: Value; y: Value; r: Value } {
  const [value, weight] = [dense(graph, x), dense(graph, scale)];
  const last = value.shape.length - 1;
  const types = [
    { type: 'float32' as const, shape: value.shape },
    { type: 'float32' as const, shape: [...value.shape.slice(0, last), 1] },
  ];
  const [y, r] = graph.applyAll('SimplifiedLayerNormalization', [value, weight], types, {
    axis: last,
    epsilon: { float: epsilonOf(body) },
  });
  return { value, weight, y, r };
}

const rmsNorm: Named = {
  inputs: 2,
  forward: (graph, inputs, body) => viewOf(rmsOf(graph, inputs, body).y),
  // dx = r g − x r³ mean(g x), g = dy scale; dscale = Σ dy x r
  backward(graph, inputs, _, dy, body) {
    const { value, weight, r } = rmsOf(graph, inputs, body);
    const { mul, sub } = formulas(graph, value.shape);
    const small = formulas(graph, r.shape);
    const given = dense(graph, dy);
    const g = mul(given, weight);
    const mean = overLast(graph, 'ReduceMean', mul(g, value));
    const pull = small.mul(small.mul(r, r), small.mul(r, mean));
    const dx = sub(mul(g, r), mul(value, pull));
    return [viewOf(dx), viewOf(overLead(graph, mul(given, mul(value, r))))];
  },
};

/** Sums over all axes but the last: the cotangent of what has the last axis alone. */
function overLead(graph: Graph, x: Value): Value {
  const last = x.shape.length - 1;
  if (last === 0) return x;
  const axes = x.shape.slice(0, last).map((_, a) => a);
  return graph.apply(
    'ReduceSum',
    [x, graph.indices(axes)],
    { type: 'float32', shape: [x.shape[last]] },
    { keepdims: 0 },
  );
}

/** (x − mean) r scale + shift, with r = 1 / √(variance + ε); mean and r have shape [..., 1]. */
function layerOf(graph: Graph, inputs: readonly View[], body: Program) {
  const [value, weight, bias] = inputs.map((view) => dense(graph, view));
  const last = value.shape.length - 1;
  const each = { type: 'float32' as const, shape: value.shape };
  const one = { type: 'float32' as const, shape: [...value.shape.slice(0, last), 1] };
  const attributes = { axis: last, epsilon: { float: epsilonOf(body) } };
  const [y, mean, r] = graph.applyAll('LayerNormalization', [value, weight, bias], [each, one, one], attributes);
  return { value, weight, y, mean, r };
}

const layerNorm: Named = {
  inputs: 3,
  forward: (graph, inputs, body) => viewOf(layerOf(graph, inputs, body).y),
  // dx = r (g − mean g − x̂ mean(g x̂)), g = dy scale, x̂ = (x − mean) r; dscale = Σ dy x̂, dshift = Σ dy
  backward(graph, inputs, _, dy, body) {
    const { value, weight, mean, r } = layerOf(graph, inputs, body);
    const { mul, sub } = formulas(graph, value.shape);
    const given = dense(graph, dy);
    const normal = mul(sub(value, mean), r);
    const g = mul(given, weight);
    const pull = mul(normal, overLast(graph, 'ReduceMean', mul(g, normal)));
    const dx = mul(sub(sub(g, overLast(graph, 'ReduceMean', g)), pull), r);
    return [viewOf(dx), viewOf(overLead(graph, mul(given, normal))), viewOf(overLead(graph, given))];
  },
};

/** The sub-program of this name and body that has operators of its own. */
function named(stem: string, body: Program): Named | undefined {
  switch (stem) {
    case 'tanh':
      return tanh;
    case 'silu':
      return silu;
    case 'gelu':
      // Two programs have this name: one by way of tanh, one by way of erfc.
      return body.eqns.some(({ primitive }) => primitive === 'erfc') ? undefined : geluTanh;
    case 'softmax':
      return softmax;
    case 'rms_norm':
      return rmsNorm;
    case 'layer_norm':
      return layerNorm;
    default:
      return undefined;
  }
}

/** What a differentiated sub-program left for its way back. */
interface Passed {
  readonly stem: string;
  readonly of: Named;
  readonly body: Program;
  readonly inputs: readonly View[];
  readonly y: View;
}

export class NamedPrograms {
  readonly #graph: Graph;
  /** What each intermediate result came from, by the value that holds it. */
  readonly #passed = new Map<Value, readonly Passed[]>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /** The results of a sub-program: its operator's where it has one, else those of its equations. */
  apply(
    { name, body }: { name: string; body: Program },
    inputs: readonly View[],
    shapes: readonly (readonly number[])[],
    inline: () => readonly View[],
  ): readonly View[] {
    const graph = this.#graph;
    const [, stem, stage] = /^(.*?)(_jvp_peval|_jvp_resid_t|)$/.exec(name)!;
    if (stage === '_jvp_resid_t') {
      const dy = inputs[inputs.length - 1];
      // Equal values of several sub-programs are one, so a value may come from many; all together come from one alone.
      const sets = inputs.slice(0, -1).flatMap(({ base }) => (this.#passed.has(base) ? [this.#passed.get(base)!] : []));
      const origin = sets[0]?.find((passed) => passed.stem === stem && sets.every((set) => set.includes(passed)));
      if (!origin || shapes.length !== origin.of.inputs) return inline();
      return origin.of.backward(graph, origin.inputs, origin.y, dy, origin.body);
    }
    const of = named(stem, body);
    // Differentiation may add a tangent that is known to be zero; a function of one array has its shape.
    const given = of?.inputs === 1 ? inputs.filter(({ shape }) => sameShape(shape, shapes[0])) : inputs;
    if (of?.inputs !== given.length) return inline();
    if (stage === '') return [of.forward(graph, given, body)];
    const y = (of.forwardForBoth ?? of.forward).call(of, graph, given, body);
    const [, ...residuals] = inline();
    const passed: Passed = { stem, of, body, inputs: given, y };
    // An input may itself be among the intermediate results; it says nothing of where it comes from.
    const own = new Set(inputs.map(({ base }) => base));
    for (const { base } of residuals) {
      if (own.has(base) || base.constant) continue;
      this.#passed.set(base, [...(this.#passed.get(base) ?? []), passed]);
    }
    return [y, ...residuals];
  }
}
