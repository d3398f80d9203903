/** @file Arithmetic, comparison, casts and functions of single elements. */

import type { Attribute, Graph, GraphType, Value } from '../graph.ts';
import { arranged, layout, repeated, stretched, type View } from '../view.ts';
import type { Result, Rule } from './rule.ts';

/**
 * Applies operators element by element. They run in the layout of the largest input, on the axes that are laid out in any of
 * them; axes along which all inputs repeat go on repeating in the result.
 */
export function elementwise(
  graph: Graph,
  inputs: readonly View[],
  { shape }: Pick<Result, 'shape'>,
  emit: (values: readonly Value[], shape: readonly number[]) => Value,
): View {
  const views = inputs.map((view) => stretched(view, shape));
  const laidOut = shape.map((_, i) => i).filter((i) => views.some(({ axes }) => axes[i] !== repeated));
  const size = ({ axes }: View) => laidOut.reduce((n, i) => (axes[i] === repeated ? n : n * shape[i]), 1);
  const largest = views.reduce((a, b) => (size(b) > size(a) ? b : a));
  const first = layout(largest);
  const natural = first.every((i, k) => k === 0 || first[k - 1] < i);
  const order = natural ? laidOut : [...first, ...laidOut.filter((i) => !first.includes(i))];
  const values = views.map((view) => {
    const value = arranged(graph, view, order);
    const lead = value.shape.findIndex((length) => length !== 1);
    return graph.reshape(value, lead < 0 ? [] : value.shape.slice(lead));
  });
  const base = emit(
    values,
    order.map((i) => shape[i]),
  );
  return { base, axes: shape.map((_, i) => order.indexOf(i)), shape };
}

/** The type in which two values are compared or combined. */
function commonType(values: readonly Value[]): GraphType {
  const types = values.map(({ type }) => type);
  return types.includes('float32') ? 'float32' : (types.find((type) => type !== 'bool') ?? 'bool');
}

/** An operator that ONNX Runtime has for float32 and int32; uint32 goes by way of `unsigned`, bool by way of int32. */
function arithmetic(
  op: string,
  attributes: Readonly<Record<string, Attribute>> = {},
  unsigned: GraphType = 'int64',
): Rule {
  return (graph, inputs, _, [result]) => [
    elementwise(graph, inputs, result, (values, shape) => {
      const { type } = result;
      const wide = type === 'uint32' ? unsigned : type === 'bool' ? 'int32' : type;
      const cast = values.map((value) => graph.cast(value, wide));
      return graph.cast(graph.apply(op, cast, { type: wide, shape }, attributes), type);
    }),
  ];
}

function unary(op: string): Rule {
  return (graph, inputs, _, [{ type, shape }]) => [
    elementwise(graph, inputs, { shape }, ([x], compact) => graph.apply(op, [x], { type, shape: compact })),
  ];
}

const comparisons: Readonly<Record<string, string>> = {
  less: 'Less',
  equal: 'Equal',
  not_equal: 'Equal',
  less_equal: 'LessOrEqual',
};

const bitwise: Readonly<Record<string, readonly [string, string]>> = {
  and: ['BitwiseAnd', 'And'],
  or: ['BitwiseOr', 'Or'],
  xor: ['BitwiseXor', 'Xor'],
};

const cast: Rule = (graph, [x], _, [{ type, shape }]) => [
  elementwise(graph, [x], { shape }, ([value]) => graph.cast(value, type)),
];

export const elementwiseRules: Readonly<Record<string, Rule>> = {
  add: arithmetic('Add'),
  mul: arithmetic('Mul'),
  // Of int64 ONNX Runtime 1.30 compares only the lower halves.
  min: arithmetic('Min', {}, 'uint32'),
  max: arithmetic('Max', {}, 'uint32'),
  neg: (graph, inputs, params, results) =>
    results[0].type === 'uint32'
      ? arithmetic('Sub')(graph, [{ base: graph.scalar('uint32', 0), axes: [], shape: [] }, ...inputs], params, results)
      : arithmetic('Neg')(graph, inputs, params, results),
  mod: arithmetic('Mod', { fmod: 1 }),
  idiv: (graph, inputs, params, results) => {
    if (results[0].type !== 'float32') return arithmetic('Div')(graph, inputs, params, results);
    return [
      elementwise(graph, inputs, results[0], ([x, y], shape) => {
        const of = { type: 'float32' as const, shape };
        const quotient = graph.apply('Div', [x, y], of);
        const size = graph.apply('Floor', [graph.apply('Abs', [quotient], of)], of);
        return graph.apply('Mul', [graph.apply('Sign', [quotient], of), size], of);
      }),
    ];
  },
  reciprocal: unary('Reciprocal'),
  floor: unary('Floor'),
  ceil: unary('Ceil'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  asin: unary('Asin'),
  atan: unary('Atan'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  erf: unary('Erf'),
  erfc: (graph, inputs, _, [{ shape }]) => [
    elementwise(graph, inputs, { shape }, ([x], compact) => {
      const of = { type: 'float32' as const, shape: compact };
      return graph.apply('Sub', [graph.scalar('float32', 1), graph.apply('Erf', [x], of)], of);
    }),
  ],
  stop_gradient: (_, [x]) => [x],
  cast,
  bitcast: (graph, inputs, params, results) => {
    const types = [inputs[0].base.type, results[0].type];
    if (types[0] !== types[1] && types.includes('float32')) {
      throw new TypeError('reads the bits of floats as whole numbers, which ONNX has no operator for');
    }
    return cast(graph, inputs, params, results);
  },
  compare: (graph, inputs, { op }, [{ shape }]) => [
    elementwise(graph, inputs, { shape }, (values, compact) => {
      const common = commonType(values);
      const order = op === 'less' || op === 'less_equal';
      const type = common === 'uint32' ? 'int64' : common === 'bool' && order ? 'int32' : common;
      const of = { type: 'bool' as const, shape: compact };
      const result = graph.apply(
        comparisons[op],
        values.map((value) => graph.cast(value, type)),
        of,
      );
      return op === 'not_equal' ? graph.apply('Not', [result], of) : result;
    }),
  ],
  where: (graph, inputs, _, [{ type, shape }]) => [
    elementwise(graph, inputs, { shape }, ([condition, x, y], compact) => {
      // ONNX Runtime selects among int32 and float32; the others go by way of int32.
      const by = type === 'float32' ? 'float32' : 'int32';
      const chosen = graph.apply('Where', [condition, graph.cast(x, by), graph.cast(y, by)], {
        type: by,
        shape: compact,
      });
      return graph.cast(chosen, type);
    }),
  ],
  bit_combine: (graph, inputs, { op }, [{ type, shape }]) => [
    elementwise(graph, inputs, { shape }, (values, compact) =>
      graph.apply(
        bitwise[op][type === 'bool' ? 1 : 0],
        values.map((value) => graph.cast(value, type)),
        { type, shape: compact },
      ),
    ),
  ],
  bit_shift: (graph, inputs, { op }, [{ type, shape }]) => [
    elementwise(graph, inputs, { shape }, (values, compact) => {
      // Of unsigned numbers, as jax-js's own backends do: to the right zeros come in, of negative numbers too.
      const direction = op === 'shl' ? 'LEFT' : 'RIGHT';
      const unsigned = values.map((value) => graph.cast(value, 'uint32'));
      return graph.cast(graph.apply('BitShift', unsigned, { type: 'uint32', shape: compact }, { direction }), type);
    }),
  ],
};
