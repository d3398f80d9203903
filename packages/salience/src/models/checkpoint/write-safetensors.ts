/** @file Writing tensors as published checkpoints hold them: one safetensors file, or shards and the index that places each tensor. */

import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { bytesOf, type FloatType, fromFloat32 } from './dtype.ts';

/** A tensor to be written; its values are asked for when its turn comes, so that only one need be in memory. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** The format on disk. */
  readonly dtype: FloatType;
  /** Row-major values, as many as the shape has. */
  values(): Float32Array | Promise<Float32Array>;
}

export interface ShardOptions {
  /** Bytes of tensors a file holds at the most, a single larger tensor aside; default 5 GB. */
  readonly maxShard?: number;
}

/** Elements converted and written at a time. */
const chunk = 2 ** 20;

/**
 * Writes one safetensors file; tensors lie in the order of falling element size, then name, so that each is aligned.
 * @throws InputError if two tensors have one name, or values do not fit their shape.
 */
export async function writeSafetensors(path: string, tensors: readonly WritableTensor[], run: Run): Promise<void> {
  const total = totalBytes(tensors);
  await writeFileOf(path, tensors, run, (done) => run.progress('writing weights', done, total));
}

/**
 * Writes a checkpoint's weights into a folder: `model.safetensors`, or where they exceed `maxShard` bytes the shards
 * `model-00001-of-0000N.safetensors`, filled in the order given, and `model.safetensors.index.json`.
 * @returns the names of the files.
 * @throws InputError as writeSafetensors does.
 */
export async function writeShards(
  folder: string,
  tensors: readonly WritableTensor[],
  { maxShard = 5e9 }: ShardOptions,
  run: Run,
): Promise<string[]> {
  checkNames(tensors, folder);
  const total = totalBytes(tensors);
  const shards: WritableTensor[][] = [[]];
  let filled = 0;
  for (const tensor of tensors) {
    const bytes = bytesIn(tensor);
    if (filled > 0 && filled + bytes > maxShard) {
      shards.push([]);
      filled = 0;
    }
    shards[shards.length - 1].push(tensor);
    filled += bytes;
  }
  const digits = (n: number) => String(n).padStart(5, '0');
  const names = shards.map((_, i) =>
    shards.length === 1 ? 'model.safetensors' : `model-${digits(i + 1)}-of-${digits(shards.length)}.safetensors`,
  );
  let before = 0;
  for (const [i, shard] of shards.entries()) {
    await writeFileOf(join(folder, names[i]), shard, run, (done) =>
      run.progress('writing weights', before + done, total),
    );
    before += totalBytes(shard);
  }
  if (shards.length === 1) return names;
  const placed = shards.flatMap((shard, i) => shard.map(({ name }) => [name, names[i]] as const));
  const index = {
    metadata: { total_size: total },
    weight_map: Object.fromEntries(placed.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  await writeFile(join(folder, 'model.safetensors.index.json'), `${JSON.stringify(index, undefined, 2)}\n`);
  return [...names, 'model.safetensors.index.json'];
}

function bytesIn({ shape, dtype }: WritableTensor): number {
  return shape.reduce((product, length) => product * length, bytesOf[dtype]);
}

function totalBytes(tensors: readonly WritableTensor[]): number {
  return tensors.reduce((sum, tensor) => sum + bytesIn(tensor), 0);
}

function checkNames(tensors: readonly WritableTensor[], where: string): void {
  const seen = new Set(['__metadata__']);
  for (const { name } of tensors) {
    if (seen.has(name)) throw new InputError(`${where}: a tensor named "${name}" cannot be written, the name is taken`);
    seen.add(name);
  }
}

/** The length field and the JSON header, padded with spaces to a multiple of 8 bytes. */
function headerOf(tensors: readonly WritableTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map((tensor): [string, unknown] => {
    const begin = end;
    end += bytesIn(tensor);
    return [tensor.name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [begin, end] }];
  });
  const json = new TextEncoder().encode(
    JSON.stringify(Object.fromEntries([['__metadata__', { format: 'pt' }] as [string, unknown], ...entries])),
  );
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

async function writeFileOf(
  path: string,
  tensors: readonly WritableTensor[],
  run: Run,
  onBytes: (done: number) => void,
): Promise<void> {
  checkNames(tensors, path);
  const inOrder = [...tensors].sort(
    (a, b) => bytesOf[b.dtype] - bytesOf[a.dtype] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const file = await open(path, 'wx');
  try {
    await writeAll(file, headerOf(inOrder));
    const space = new Uint8Array(4 * chunk);
    let done = 0;
    for (const tensor of inOrder) {
      const values = await tensor.values();
      const n = tensor.shape.reduce((product, length) => product * length, 1);
      if (values.length !== n) {
        throw new InputError(
          `${path}: tensor "${tensor.name}" of shape [${tensor.shape.join(', ')}] needs ${n} values, not ${values.length}`,
        );
      }
      for (let at = 0; at < n; at += chunk) {
        run.check();
        const part = values.subarray(at, at + chunk);
        const bytes = space.subarray(0, part.length * bytesOf[tensor.dtype]);
        fromFloat32(tensor.dtype, part, bytes);
        await writeAll(file, bytes);
        done += bytes.length;
        onBytes(done);
      }
    }
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  let at = 0;
  while (at < bytes.length) at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
}
