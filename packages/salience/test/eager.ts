/** @file The reference for compiled programs: jax-js evaluating the same function on its own, operation by operation. */

import * as jax from '@jax-js/jax';
import { expect } from 'vitest';
import { type ElementType, Tensor } from '../src/runtime/tensor.ts';
import { type Equation, type Program, prepareTracing } from '../src/runtime/trace.ts';

let counting = true;

/** Makes jax-js ready, and lets `eagerly` switch off its reference counts, which model code need not keep. */
export async function prepareEager(): Promise<void> {
  await prepareTracing();
  const prototypes = new Set<object>([jax.Array.prototype]);
  const note = (x: jax.Array): jax.Array => {
    for (const held of [x, ...Object.values(x)]) {
      if (held instanceof Object && 'aval' in held) prototypes.add(Object.getPrototypeOf(held));
    }
    return x.mul(1);
  };
  const two = () => jax.numpy.zeros([2]);
  jax.makeJaxpr(note)(two());
  jax.jvp(note, [two()], [two()]);
  jax.linearize(note, [two()]);
  for (const prototype of prototypes) {
    const ref = Object.getOwnPropertyDescriptor(prototype, 'ref')?.get;
    const dispose = Object.getOwnPropertyDescriptor(prototype, 'dispose')?.value as (() => void) | undefined;
    if (!ref || !dispose) continue;
    Object.defineProperty(prototype, 'ref', {
      configurable: true,
      get() {
        return counting ? ref.call(this) : this;
      },
    });
    Object.defineProperty(prototype, 'dispose', {
      configurable: true,
      value() {
        if (counting) dispose.call(this);
      },
    });
  }
}

/**
 * A tensor as an array of jax-js. One whose elements are all equal would become a literal there, and jax-js folds a literal
 * divided by a variable to 0; so each is cut out of an array with one element more, another one.
 */
function arrayOf({ type, shape, data }: Tensor): jax.Array {
  const dtype = jax.numpy[type];
  if (data.length === 0) return jax.numpy.zeros([...shape], { dtype });
  const Kind = type === 'bool' ? Int32Array : (data.constructor as Float32ArrayConstructor);
  const longer = new Kind(data.length + 1);
  longer.set(data, 1);
  longer[0] = data[0] === 0 ? 1 : 0;
  return jax.numpy
    .array(longer, { dtype })
    .slice([1, data.length + 1])
    .reshape([...shape]);
}

function tensorOf(array: jax.Array): Tensor {
  const type = array.dtype as ElementType;
  const data = array.dataSync();
  return new Tensor(type, [...array.shape], (type === 'bool' ? Uint8Array.from(data) : data.slice()) as never);
}

/** The leaves of what jax-js gives for a function of these tensors (or trees of them). */
export function eagerly(fn: (...args: never[]) => unknown, args: readonly unknown[]): Tensor[] {
  counting = false;
  try {
    const [leaves, structure] = jax.tree.flatten(args as never) as unknown as [Tensor[], jax.tree.JsTreeDef];
    const arrays = jax.tree.unflatten(structure, leaves.map(arrayOf)) as unknown as never[];
    return (jax.tree.leaves(fn(...arrays) as never) as unknown as jax.Array[]).map(tensorOf);
  } finally {
    counting = true;
  }
}

/** The leaves of what a compiled function gave. */
export function leavesOf(result: unknown): Tensor[] {
  return jax.tree.leaves(result as never) as unknown as Tensor[];
}

/** Names of all primitives in a program and its sub-programs. */
export function primitivesOf({ eqns }: Program): Set<string> {
  const within = ({ primitive, params }: Equation) =>
    primitive === 'jit' ? [...primitivesOf(params.jaxpr)] : [primitive];
  return new Set(eqns.flatMap(within));
}

/**
 * Fails unless both have the same types, shapes and elements: whole numbers and booleans exactly, floats to `tolerance` of the
 * largest finite one (or of 1), not-a-number and infinity where the other has them.
 */
export function expectSame(actual: readonly Tensor[], expected: readonly Tensor[], tolerance = 1e-5): void {
  expect(actual.map(({ type, shape }) => `${type}[${shape}]`)).toEqual(
    expected.map(({ type, shape }) => `${type}[${shape}]`),
  );
  actual.forEach(({ type, shape, data }, r) => {
    const wanted: ArrayLike<number> = expected[r].data;
    const allowed =
      type === 'float32'
        ? tolerance *
          Array.from(wanted).reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 1)
        : 0;
    for (let i = 0; i < wanted.length; i++) {
      const [a, b] = [data[i], wanted[i]];
      if (Object.is(a, b) || a === b || Math.abs(a - b) <= allowed) continue;
      expect.fail(
        `result ${r}, ${type}[${shape}], element ${i}: ${a} instead of ${b} (${[...data].slice(0, 12)} for ${Array.from(wanted).slice(0, 12)})`,
      );
    }
  });
}
