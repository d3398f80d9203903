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
  readonly data: DataOf[Type];

  /** @throws InputError if the data has not as many elements as the shape. */
  constructor(type: Type, shape: readonly number[], data: DataOf[Type]) {
    if (data.length !== sizeOf(shape)) {
      throw new InputError(
        `a tensor of shape [${shape.join(', ')}] needs ${sizeOf(shape)} elements, not ${data.length}`,
      );
    }
    this.type = type;
    this.shape = shape;
    this.data = data;
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
