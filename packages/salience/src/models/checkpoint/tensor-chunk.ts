/** @file Reading a run of a tensor's elements, from one file at a time, into memory that is used again. */

import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../../core/errors.ts';
import { bytesOf, type FloatType, toFloat32 } from './dtype.ts';

/** Where some elements of a tensor lie. */
export interface TensorSource {
  readonly path: string;
  readonly dtype: FloatType;
  /** First byte in the file. */
  readonly offset: number;
  /** The elements, where this thread has read them already. */
  readonly loaded?: TensorChunk;
}

/** Elements as they lie on disk and as float32, shape [length]. Both are overwritten by the next read of this thread. */
export interface TensorChunk {
  readonly bytes: Uint8Array;
  readonly values: Float32Array;
}

let space = { raw: new ArrayBuffer(0), float: new ArrayBuffer(0) };

/**
 * Reads `length` elements; their bytes into `into` where it is given (shape [bytes], then not overwritten by the next read).
 * @throws InputError if the file ends before them.
 */
export function readTensorChunk(
  { path, dtype, offset, loaded }: TensorSource,
  length: number,
  into?: Uint8Array,
): TensorChunk {
  if (loaded) return loaded;
  const size = length * bytesOf[dtype];
  if (!into && space.raw.byteLength < size) space = { ...space, raw: new ArrayBuffer(size) };
  if (space.float.byteLength < 4 * length) space = { ...space, float: new ArrayBuffer(4 * length) };
  const bytes = into ?? new Uint8Array(space.raw, 0, size);
  readFully(path, bytes, offset);
  const values = new Float32Array(space.float, 0, length);
  toFloat32(dtype, bytes, values);
  return { bytes, values };
}

/** Fills `bytes` from a file. */
export function readFully(path: string, bytes: Uint8Array, offset: number): void {
  const file = openSync(path, 'r');
  try {
    let at = 0;
    while (at < bytes.length) {
      const read = readSync(file, bytes, at, bytes.length - at, offset + at);
      if (read === 0)
        throw new InputError(
          `${path}: ends at byte ${offset + at}, before byte ${offset + bytes.length}; was it cut short?`,
        );
      at += read;
    }
  } finally {
    closeSync(file);
  }
}
