/**
 * @file Trainings on disk: one safetensors file, written beside and renamed, that holds all that the next step depends on. Only tensors
 * that are no longer what the training began with are in it.
 */

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, OutputError } from '../../core/errors.ts';
import { type ElementType, Tensor } from '../../runtime/index.ts';
import type { ParameterTensors } from '../parameters.ts';

/** Tensors under keys, and plain JSON. */
export interface SavedTraining {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly notes: Readonly<Record<string, unknown>>;
}

const fileName = 'training.safetensors';

const dtypes: Readonly<Record<ElementType, string>> = { float32: 'F32', int32: 'I32', uint32: 'U32', bool: 'BOOL' };
const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array } as const;
const widths: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, uint32: 4, bool: 1 };

/** What tells one set of parameters from all others: a digest of names, shapes and elements, in their order. */
export function fingerprint(parameters: ParameterTensors): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of Object.entries(parameters)) {
    hash.update(JSON.stringify([name, shape])).update(bytesOf(data));
  }
  return hash.digest('hex');
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Writes the training to the folder, which is made where it is missing; what was saved there before stays until the new file is whole.
 * @throws OutputError if it cannot be written.
 */
export async function saveTraining(folder: string, { tensors, notes }: SavedTraining): Promise<void> {
  const header: Record<string, unknown> = {
    __metadata__: { format: 'salience training', notes: JSON.stringify(notes) },
  };
  let end = 0;
  // Types of four bytes first, so that every tensor begins where its type may.
  const entries = Object.entries(tensors).sort(([, a], [, b]) => widths[b.type] - widths[a.type]);
  for (const [key, { type, shape, data }] of entries) {
    header[key] = { dtype: dtypes[type], shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text + ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, fileName);
  const temporary = join(folder, `.${fileName}.partial-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true });
    await removeStale(folder);
    const file = await open(temporary, 'wx');
    try {
      for (const piece of [length, json, ...entries.map(([, { data }]) => bytesOf(data))]) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new OutputError(`${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}

/** Takes away what killed processes left half-written. */
async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, owner] = name.match(/^\.training\.safetensors\.partial-(\d+)-/) ?? [];
    if (owner !== undefined && !isRunning(Number(owner))) await rm(join(folder, name), { force: true });
  }
}

function isRunning(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * What was saved in the folder, or undefined where nothing was.
 * @throws InputError if the file is not whole or not of a training.
 */
export async function loadTraining(folder: string): Promise<SavedTraining | undefined> {
  const path = join(folder, fileName);
  const wrong = (what: string) => new InputError(`${path}: ${what}; remove it to begin anew`);
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new InputError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  const size = file.length >= 8 ? file.readBigUInt64LE(0) : 0n;
  if (size < 2n || size > BigInt(file.length - 8)) throw wrong(`has ${file.length} bytes and no whole header`);
  const start = 8 + Number(size);
  let notes: unknown;
  let entries: [string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }][];
  try {
    const { __metadata__: metadata, ...rest } = JSON.parse(file.toString('utf8', 8, start));
    if (metadata?.format !== 'salience training') throw new TypeError('is not a saved training');
    notes = JSON.parse(metadata.notes);
    entries = Object.entries(rest);
  } catch (error) {
    throw wrong((error as Error).message);
  }
  const tensors: Record<string, Tensor> = {};
  let end = 0;
  for (const [key, { dtype, shape, data_offsets: offsets }] of entries) {
    const type = (Object.keys(dtypes) as ElementType[]).find((known) => dtypes[known] === dtype);
    const lengths = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0) ? shape : undefined;
    if (!type || !lengths || !Array.isArray(offsets)) throw wrong(`tensor "${key}" has no type, shape or place`);
    const count = lengths.reduce((product: number, n: number) => product * n, 1);
    if (offsets[0] !== end || offsets[1] !== end + count * widths[type] || start + offsets[1] > file.length) {
      throw wrong(`tensor "${key}" is not at bytes ${end} to ${end + count * widths[type]} of ${file.length - start}`);
    }
    // A copy, since the file's bytes need not lie where the type may begin.
    const bytes = Uint8Array.from(file.subarray(start + end, start + offsets[1]));
    tensors[key] = new Tensor(type, lengths, new arrays[type](bytes.buffer) as never);
    end = offsets[1];
  }
  if (start + end !== file.length) throw wrong(`the tensors end at byte ${start + end} and the file at ${file.length}`);
  return { tensors, notes: notes as Record<string, unknown> };
}
