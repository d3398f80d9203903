/** @file From a jaxpr to a graph: each primitive by its rule, each named sub-program by an operator of its own where there is one. */

import { SalienceError } from '../../core/errors.ts';
import { Graph, type GraphType, type Value } from '../graph.ts';
import type { ElementType } from '../tensor.ts';
import { type Equation, isLiteral, type Literal, type Program, type Variable } from '../trace.ts';
import { dense, type View, viewOf } from '../view.ts';
import { contractionRules } from './contraction.ts';
import { convolutionRules } from './convolution.ts';
import { elementwiseRules } from './elementwise.ts';
import { indexingRules } from './indexing.ts';
import { movementRules } from './movement.ts';
import { NamedPrograms } from './named-programs.ts';
import type { Rule } from './rule.ts';

const rules: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...contractionRules,
  ...movementRules,
  ...indexingRules,
  ...convolutionRules,
};

/** A primitive that a graph cannot hold. */
export class LoweringError extends SalienceError {
  override name = 'LoweringError';
}

export interface Lowered {
  readonly graph: Graph;
  /** In the order of the program's results. */
  readonly outputs: readonly Value[];
}

const types: Readonly<Record<string, ElementType>> = {
  float32: 'float32',
  int32: 'int32',
  uint32: 'uint32',
  bool: 'bool',
};

/** The element type of a jax-js dtype. */
export function typeOf(dtype: string): ElementType {
  const type = types[dtype];
  if (!type) throw new LoweringError(`a program cannot hold ${dtype}; it computes in float32, int32, uint32 and bool`);
  return type;
}

/**
 * Lowers a program; its inputs become the graph's, in their order. `lines` says where the function used a primitive.
 * @throws LoweringError naming the primitive that has no counterpart, its place in the program, and the line.
 */
export function lower(program: Program, lines: ReadonlyMap<string, string> = new Map()): Lowered {
  const graph = new Graph();
  const inputs = program.inBinders.map(({ aval }) => viewOf(graph.input(typeOf(aval.dtype), aval.shape)));
  const context = { graph, named: new NamedPrograms(graph), lines };
  const outputs = run(context, program, inputs, '').map((view) => dense(graph, view));
  return { graph, outputs };
}

interface Context {
  readonly graph: Graph;
  readonly named: NamedPrograms;
  readonly lines: ReadonlyMap<string, string>;
}

/** The results of a program; `place` says in which sub-programs it stands. */
function run(context: Context, program: Program, inputs: readonly View[], place: string): View[] {
  const { graph } = context;
  const known = new Map<Variable, View>();
  program.inBinders.forEach((variable, i) => {
    known.set(variable, inputs[i]);
  });
  const read = (atom: Variable | Literal): View =>
    isLiteral(atom) ? viewOf(graph.scalar(typeOf(atom.aval.dtype), Number(atom.value))) : known.get(atom)!;
  for (const equation of program.eqns) {
    const results = step(context, equation, equation.inputs.map(read), place);
    equation.outBinders.forEach((variable, i) => {
      known.set(variable, results[i]);
    });
  }
  return program.outs.map(read);
}

function step(context: Context, equation: Equation, inputs: readonly View[], place: string): readonly View[] {
  const { graph, named, lines } = context;
  const { primitive, params, outBinders } = equation;
  if (primitive === 'jit') {
    const { name, jaxpr } = params as { name: string; jaxpr: Program };
    const shapes = outBinders.map(({ aval }) => aval.shape);
    const inline = () => run(context, jaxpr.simplify(), inputs, `${place} in ${name}`);
    return named.apply({ name, body: jaxpr }, inputs, shapes, inline);
  }
  const rule = rules[primitive];
  if (!rule) {
    const line = lines.get(primitive);
    throw new LoweringError(
      `${primitive}${place}${line ? ` (${line})` : ''} has no counterpart in ONNX; compute it outside the compiled function and pass it in`,
    );
  }
  const results = outBinders.map(({ aval }) => ({ type: typeOf(aval.dtype) as GraphType, shape: aval.shape }));
  try {
    return rule(graph, inputs, params, results);
  } catch (error) {
    if (error instanceof TypeError) throw new LoweringError(`${primitive}${place} ${error.message}`, { cause: error });
    throw error;
  }
}
