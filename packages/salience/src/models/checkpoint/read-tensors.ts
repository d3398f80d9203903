/** @file Reading a checkpoint's tensors into memory as float32: whole, or some rows of one that is large. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32, type Tensor as Values } from '../../runtime/index.ts';
import type { Checkpoint, Tensor } from './checkpoint-files.ts';
import { bytesOf, type FloatType, isFloatType } from './dtype.ts';
import { readFully, readTensorChunk } from './tensor-chunk.ts';

/** Elements read at a time. */
const chunk = 2 ** 22;

/**
 * The tensors of these names as float32, in this order; F16 and BF16 are exact.
 * @throws InputError if one is not in the checkpoint, is not of floats, or its file ends before it does.
 */
export async function readTensors(
  checkpoint: Checkpoint,
  names: Iterable<string>,
  run: Run,
): Promise<ParameterTensors> {
  const byName = new Map(checkpoint.tensors.map((tensor) => [tensor.name, tensor]));
  const wanted = [...names].map((name) => {
    const tensor = byName.get(name);
    if (!tensor) throw new InputError(`${checkpoint.path}: holds no tensor "${name}"`);
    floatTypeOf(tensor);
    return tensor;
  });
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  const read: [string, Values<'float32'>][] = [];
  for (const tensor of wanted) {
    const values = float32(tensor.shape, new Float32Array(elements(tensor.shape)));
    await readInto(tensor, 0, values.data, run, (bytes) => {
      done += bytes;
      run.progress('reading weights', done, total);
    });
    read.push([tensor.name, values]);
  }
  return Object.fromEntries(read);
}

/**
 * Some rows of a tensor of shape [rows, …] as float32, shape [ids.length, …], in the order of `ids`; neighbours are read together.
 * @throws InputError if the tensor is not of floats or has no rows, ParameterError if an id is not one of its rows.
 */
export async function readRows(tensor: Tensor, ids: ArrayLike<number>, run: Run): Promise<Values<'float32'>> {
  const dtype = floatTypeOf(tensor);
  const [rows, ...rest] = tensor.shape;
  if (rows === undefined) throw new InputError(`${tensor.path}: tensor "${tensor.name}" is a scalar and has no rows`);
  const width = elements(rest);
  const wanted = Array.from(ids);
  const wrong = wanted.find((id) => !Number.isInteger(id) || id < 0 || id >= rows);
  if (wrong !== undefined) {
    throw new ParameterError(`tensor "${tensor.name}" has ${rows} rows, counted from 0; ${wrong} is none of them`);
  }
  const out = new Float32Array(wanted.length * width);
  const order = [...new Set(wanted)].sort((a, b) => a - b);
  const most = Math.max(1, Math.floor(chunk / Math.max(1, width)));
  const places = new Map<number, number[]>();
  for (const [place, id] of wanted.entries()) {
    const known = places.get(id);
    if (known) known.push(place);
    else places.set(id, [place]);
  }
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && order[to] === order[to - 1] + 1 && to - from < most) to++;
    const together = new Float32Array((to - from) * width);
    await readInto({ ...tensor, dtype }, order[from] * width, together, run, () => {});
    for (let i = from; i < to; i++) {
      const row = together.subarray((i - from) * width, (i - from + 1) * width);
      for (const place of places.get(order[i])!) out.set(row, place * width);
    }
    run.progress('reading rows', to, order.length);
    from = to;
  }
  return float32([wanted.length, ...rest], out);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function floatTypeOf({ path, name, dtype }: Tensor): FloatType {
  if (isFloatType(dtype)) return dtype;
  throw new InputError(`${path}: tensor "${name}" is of ${dtype}; weights of F32, F16 and BF16 can be read`);
}

/** Fills `out` with the elements from the `first` on, a chunk at a time. */
async function readInto(
  tensor: Tensor,
  first: number,
  out: Float32Array,
  run: Run,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const dtype = floatTypeOf(tensor);
  const size = bytesOf[dtype];
  let last = performance.now();
  for (let at = 0; at < out.length; at += chunk) {
    const part = out.subarray(at, at + chunk);
    const offset = tensor.offset + (first + at) * size;
    if (dtype === 'F32') {
      readFully(tensor.path, new Uint8Array(part.buffer, part.byteOffset, part.byteLength), offset);
    } else {
      part.set(readTensorChunk({ path: tensor.path, dtype, offset }, part.length).values);
    }
    onBytes(part.length * size);
    run.check();
    if (performance.now() - last > 50) {
      await run.breathe();
      last = performance.now();
    }
  }
}
