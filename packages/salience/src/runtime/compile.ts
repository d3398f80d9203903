/** @file compile: a function of jax-js arrays as a program that ONNX Runtime runs. */

import * as jax from '@jax-js/jax';
import type { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-common';
import { InputError } from '../core/errors.ts';
import { type Backend, type BackendOptions, openBackend } from './backend.ts';
import { lower, typeOf } from './lowering/lower.ts';
import { inputName, onnxModel, outputName } from './onnx-model.ts';
import { type DataOf, type ElementType, Tensor } from './tensor.ts';
import { prepareTracing, trace } from './trace.ts';

/** A tensor, or lists and objects of trees. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** Where a function of arrays takes and gives arrays, its compiled form takes and gives tensors. */
export type Tensors<T> = T extends jax.Array
  ? Tensor
  : T extends readonly unknown[]
    ? { [K in keyof T]: Tensors<T[K]> }
    : T extends object
      ? { [K in keyof T]: Tensors<T[K]> }
      : T extends number
        ? Tensor | number
        : T;

export interface Compiled<Arguments extends readonly unknown[], Result> {
  (...args: { [K in keyof Arguments]: Tensors<Arguments[K]> }): Promise<Tensors<Result>>;
  /** Frees the sessions; the next call makes new ones. */
  dispose(): Promise<void>;
}

export interface CompileOptions extends BackendOptions {
  /** Programs of different shapes that are kept, those used last; by default all. */
  readonly programs?: number;
}

/** A program for one tuple of shapes and element types. */
interface Program {
  readonly session: InferenceSession;
  readonly backend: Backend;
  /** Arrays the function closed over. */
  readonly constants: readonly OrtTensor[];
  readonly outputs: readonly { readonly type: ElementType; readonly shape: readonly number[] }[];
  readonly result: jax.tree.JsTreeDef;
}

/**
 * Compiles a function of jax-js arrays (or trees of them). The first call with given shapes and element types traces it, lowers
 * it to one ONNX graph and makes a session; later calls run that. `grad`, `valueAndGrad`, `vjp`, `jvp` and `vmap` are applied
 * before compiling: `compile(valueAndGrad(loss))`. In the function no `.ref` is needed.
 * @throws (when called) InputError for arguments that are no tensors; LoweringError for what ONNX has no operator for.
 */
export function compile<Arguments extends readonly unknown[], Result>(
  fn: (...args: [...Arguments]) => Result,
  options: CompileOptions = {},
): Compiled<Arguments, Result> {
  const { programs: most = Infinity } = options;
  const programs = new Map<string, { readonly making: Promise<Program>; readonly calls: Set<Promise<unknown>> }>();
  const call = async (...args: unknown[]) => {
    const [leaves, structure] = jax.tree.flatten(args as never) as unknown as [unknown[], jax.tree.JsTreeDef];
    const tensors = leaves.map(tensorOf);
    const key = `${structure} ${tensors.map(({ type, shape }) => `${type}[${shape}]`)}`;
    const entry = programs.get(key) ?? { making: make(fn as never, structure, tensors, options), calls: new Set() };
    // The one used last is the last in the map.
    programs.delete(key);
    programs.set(key, entry);
    const running = entry.making.then((program) => run(program, tensors));
    entry.calls.add(running);
    try {
      return await running;
    } catch (error) {
      await entry.making.catch(() => programs.delete(key));
      throw error;
    } finally {
      entry.calls.delete(running);
      for (const [old, { making, calls }] of programs) {
        if (programs.size <= most) break;
        if (calls.size > 0) continue;
        programs.delete(old);
        await (await making).session.release();
      }
    }
  };
  const dispose = async () => {
    const old = [...programs.values()];
    programs.clear();
    for (const entry of old) {
      const made = await entry.making.catch(() => undefined);
      // A call that is under way has its program to its end.
      await Promise.allSettled(entry.calls);
      await made?.session.release();
    }
  };
  return Object.assign(call, { dispose }) as Compiled<Arguments, Result>;
}

function tensorOf(leaf: unknown, i: number): Tensor {
  if (leaf instanceof Tensor) return leaf;
  if (typeof leaf === 'number') return new Tensor('float32', [], Float32Array.of(leaf));
  throw new InputError(
    `argument leaf ${i} is ${leaf === null ? 'null' : typeof leaf}; arguments are tensors, numbers, and lists and objects of them`,
  );
}

async function make(
  fn: (...args: never[]) => unknown,
  structure: jax.tree.JsTreeDef,
  tensors: readonly Tensor[],
  options: BackendOptions,
): Promise<Program> {
  await prepareTracing();
  const { program, constants, result, lines } = trace(fn, structure, tensors);
  const lowered = lower(program.simplify(), lines);
  const backend = await openBackend(options);
  const session = await backend.session(onnxModel(lowered));
  return {
    session,
    backend,
    constants: constants.map((array) => {
      const type = typeOf(array.dtype);
      const data = array.ref.dataSync(); // the caller may use it again
      return ortTensor(
        backend,
        new Tensor(type, array.shape, type === 'bool' ? Uint8Array.from(data as never) : (data as never)),
      );
    }),
    outputs: lowered.outputs.map(({ type, shape }) => ({ type: type as ElementType, shape })),
    result,
  };
}

function ortTensor({ Tensor: Make }: Backend, { type, shape, data }: Tensor): OrtTensor {
  return new Make(type, data as never, shape as number[]) as OrtTensor;
}

async function run(
  { session, backend, constants, outputs, result }: Program,
  tensors: readonly Tensor[],
): Promise<unknown> {
  const feeds: Record<string, OrtTensor> = {};
  constants.forEach((tensor, i) => {
    feeds[inputName(i)] = tensor;
  });
  tensors.forEach((tensor, i) => {
    feeds[inputName(constants.length + i)] = ortTensor(backend, tensor);
  });
  const results = await session.run(
    feeds,
    outputs.map((_, r) => outputName(r)),
  );
  const leaves = outputs.map(
    ({ type, shape }, r) => new Tensor(type, shape, results[outputName(r)].data as DataOf[ElementType]),
  );
  return jax.tree.unflatten(result, leaves as never[]);
}
