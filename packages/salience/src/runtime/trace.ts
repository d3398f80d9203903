/** @file Tracing with jax-js: a function of arrays becomes a jaxpr, without the library's manual reference counts. */

import * as jax from '@jax-js/jax';
import type { ElementType } from './tensor.ts';

/** A variable of a jaxpr. */
export interface Variable {
  readonly aval: { readonly shape: number[]; readonly dtype: string };
  readonly id: number;
}

/** A literal scalar. */
export interface Literal {
  readonly aval: { readonly shape: number[]; readonly dtype: string };
  readonly value: number | boolean;
}

export interface Equation {
  readonly primitive: string;
  readonly inputs: readonly (Variable | Literal)[];
  // biome-ignore lint/suspicious/noExplicitAny: each primitive has parameters of its own, as the library defines them
  readonly params: Readonly<Record<string, any>>;
  readonly outBinders: readonly Variable[];
}

export interface Program {
  readonly inBinders: readonly Variable[];
  readonly eqns: readonly Equation[];
  readonly outs: readonly (Variable | Literal)[];
  simplify(): Program;
  getHash(): bigint;
  toString(): string;
}

export interface Traced {
  readonly program: Program;
  /** Arrays the function closed over; they are the first inputs of the program. */
  readonly constants: readonly jax.Array[];
  /** How the outputs make up the function's result. */
  readonly result: jax.tree.JsTreeDef;
  /** Where the function first used each primitive that has no counterpart in ONNX: file, line and column. */
  readonly lines: ReadonlyMap<string, string>;
}

/** Primitives without a counterpart in ONNX: random bits and routines. */
const unsupported = new Set(['random_bits', 'triangular_solve', 'cholesky', 'lu', 'jacobi_eigh', 'fft']);

/** The type of an array without its elements; what a function is traced with. */
class Abstract {
  readonly shape: number[];
  readonly dtype: string;
  readonly weakType = false;

  constructor(dtype: ElementType, shape: readonly number[]) {
    this.dtype = dtype;
    this.shape = [...shape];
  }
}

export function isLiteral(atom: Variable | Literal): atom is Literal {
  return 'value' in atom;
}

let depth = 0;
let lines = new Map<string, string>();
let ready: Promise<void> | undefined;

/** Makes jax-js ready: its WebAssembly, and tracers that need no reference counting while a program is traced. */
export function prepareTracing(): Promise<void> {
  ready ??= (async () => {
    // The library looks for a browser's navigator, which Node.js has from 21 on.
    if (!('navigator' in globalThis)) {
      Object.defineProperty(globalThis, 'navigator', {
        value: { hardwareConcurrency: 1, userAgent: 'Node.js' },
        configurable: true,
      });
    }
    await jax.init('wasm');
    jax.defaultDevice('wasm');
    // Arrays that are closed over or made while tracing are counted too.
    const prototypes = new Set<object>([jax.Array.prototype]);
    const traces = new Set<{ processPrimitive: (primitive: string, ...rest: unknown[]) => unknown }>();
    // A tracer may hold another one: differentiation wraps partial evaluation.
    const note = (x: jax.Array): jax.Array => {
      for (const held of [x, ...Object.values(x)]) {
        if (!(held instanceof Object && 'aval' in held) || held instanceof jax.Array) continue;
        prototypes.add(Object.getPrototypeOf(held));
        traces.add(Object.getPrototypeOf((held as unknown as { _trace: object })._trace));
      }
      return x.mul(1);
    };
    const { numpy: np } = jax;
    jax.makeJaxpr(note)(np.zeros([2]));
    jax.jvp(note, [np.zeros([2])], [np.zeros([2])]);
    jax.linearize(note, [np.zeros([2])]);
    jax.vmap(note)(np.zeros([2, 2]));
    for (const prototype of prototypes) withoutCounts(prototype);
    for (const prototype of traces) {
      const { processPrimitive } = prototype;
      prototype.processPrimitive = function (primitive, ...rest) {
        if (unsupported.has(primitive) && !lines.has(primitive)) lines.set(primitive, callerLine());
        return processPrimitive.call(this, primitive, ...rest);
      };
    }
  })();
  return ready;
}

/** The innermost line on the stack that is neither of the library nor of this folder. */
function callerLine(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  Error.stackTraceLimit = stackTraceLimit;
  const own = frames.find((frame) => !/@jax-js|\/runtime\/(trace|compile)\.|node:|<anonymous>/.test(frame));
  return own ? own.replace(/^\s*at (.*\()?/, '').replace(/\)$/, '') : '';
}

/** Replaces `ref` and `dispose` of a tracer's prototype by versions that do nothing while a program is traced. */
function withoutCounts(prototype: object): void {
  const ref = Object.getOwnPropertyDescriptor(prototype, 'ref')?.get;
  const dispose = Object.getOwnPropertyDescriptor(prototype, 'dispose')?.value as (() => void) | undefined;
  if (!ref || !dispose) return;
  Object.defineProperty(prototype, 'ref', {
    configurable: true,
    get() {
      return depth > 0 ? this : ref.call(this);
    },
  });
  Object.defineProperty(prototype, 'dispose', {
    configurable: true,
    value() {
      if (depth === 0) dispose.call(this);
    },
  });
}

/** Traces a function with arguments of these types (trees of `{ type, shape }` leaves, given flat with their structure). */
export function trace(
  fn: (...args: never[]) => unknown,
  structure: jax.tree.JsTreeDef,
  leaves: readonly { readonly type: ElementType; readonly shape: readonly number[] }[],
): Traced {
  const args = jax.tree.unflatten(structure, leaves.map(({ type, shape }) => new Abstract(type, shape)) as never[]);
  depth++;
  lines = new Map();
  try {
    const made = jax.makeJaxpr(fn as (...args: unknown[]) => jax.Array)(...(args as unknown[]));
    const { jaxpr, treedef } = made as unknown as {
      jaxpr: { jaxpr: Program; consts: jax.Array[] };
      treedef: jax.tree.JsTreeDef;
    };
    return { program: jaxpr.jaxpr, constants: jaxpr.consts, result: treedef, lines };
  } finally {
    depth--;
  }
}
