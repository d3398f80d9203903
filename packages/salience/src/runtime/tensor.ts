/** @file Arrays as programs take and give them: typed arrays with a shape. */

import { InputError } from '../core/errors.ts';

/** Element types at the edge of a program; inside, booleans are bytes of 0 and 1. */
export type ElementType = 'float32' | 'int32' | 'uint32' | 'bool';

/** The typed array of each element type. */
export interface DataOf {
  float32: Float32Array;
  int32: Int32Array;
  uint32: Uint32Array;
  bool: Uint8Array;
}

/** A typed array with a shape; row-major. */
export class Tensor<Type extends ElementType = ElementType> {
  readonly type: Type;
  readonly shape: readonly number[];
  #data: DataOf[Type] | undefined;

  /** @throws InputError if the data has not as many elements as the shape. */
  constructor(type: Type, shape: readonly number[], data: DataOf[Type]) {
    if (data.length !== sizeOf(shape)) {
      throw new InputError(
        `a tensor of shape [${shape.join(', ')}] needs ${sizeOf(shape)} elements, not ${data.length}`,
      );
    }
    this.type = type;
    this.shape = shape;
    this.#data = data;
  }

  /**
   * The elements.
   * @throws InputError after dispose.
   */
  get data(): DataOf[Type] {
    if (!this.#data) throw new InputError('this tensor was disposed of; its memory belongs to another one');
    return this.#data;
  }

  /**
   * Gives a result's memory back, for results of later calls; worth it for large results that are not needed any more.
   * Without it the garbage collector frees the tensor in its own time. Memory that the caller brought stays the caller's.
   */
  dispose(): void {
    if (this.#data) giveBack(this.#data.buffer as ArrayBuffer);
    this.#data = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A float32 tensor. */
export function float32(shape: readonly number[], data: ArrayLike<number>): Tensor<'float32'> {
  return new Tensor('float32', shape, data instanceof Float32Array ? data : Float32Array.from(data));
}

/** An int32 tensor. */
export function int32(shape: readonly number[], data: ArrayLike<number>): Tensor<'int32'> {
  return new Tensor('int32', shape, data instanceof Int32Array ? data : Int32Array.from(data));
}

/** How many elements a shape has. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

const kinds = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array };

/** Memory of results that was not given back yet: only this is ever used again, and only once for each time it is given back. */
const lent = new WeakSet<ArrayBufferLike>();

/** Memory given back, by size: fresh memory costs a page fault every 4 KiB. */
const idle = new Map<number, ArrayBuffer[]>();
let idleBytes = 0;
const mostIdle = 512 * 2 ** 20;

function giveBack(buffer: ArrayBuffer): void {
  if (!lent.delete(buffer)) return;
  if (idleBytes + buffer.byteLength > mostIdle) return;
  idleBytes += buffer.byteLength;
  const same = idle.get(buffer.byteLength);
  if (same) same.push(buffer);
  else idle.set(buffer.byteLength, [buffer]);
}

/** A tensor for a result, its elements yet to be written. */
export function unwritten<Type extends ElementType>(type: Type, shape: readonly number[]): Tensor<Type> {
  const Kind = kinds[type];
  const n = sizeOf(shape);
  const buffer = idle.get(n * Kind.BYTES_PER_ELEMENT)?.pop();
  if (buffer) idleBytes -= buffer.byteLength;
  const data = (buffer ? new Kind(buffer) : new Kind(n)) as DataOf[Type];
  lent.add(data.buffer);
  return new Tensor(type, shape, data);
}
