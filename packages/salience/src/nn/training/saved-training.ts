/**
 * @file Trainings on disk: one safetensors file, written beside and renamed, that holds all that the next step depends on. Only tensors
 * that are no longer what the training began with are in it.
 */

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
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
/** Far above that of any training, and below what a text of Node's holds. */
const maxHeader = 2 ** 28;
/** Bytes read or hashed at a time: Node does at most 2 GiB at once. */
const atOnce = 2 ** 26;

const dtypes: Readonly<Record<ElementType, string>> = { float32: 'F32', int32: 'I32', uint32: 'U32', bool: 'BOOL' };
const arrays = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, bool: Uint8Array } as const;
const widths: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, uint32: 4, bool: 1 };

/** What tells one set of parameters from all others: a digest of names, shapes and elements, in their order. */
export function fingerprint(parameters: ParameterTensors): string {
  const hash = createHash('sha256');
  for (const [name, { shape, data }] of Object.entries(parameters)) {
    hash.update(JSON.stringify([name, shape]));
    const bytes = bytesOf(data);
    for (let at = 0; at < bytes.length; at += atOnce) hash.update(bytes.subarray(at, at + atOnce));
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
  let file: FileHandle;
  try {
    file = await open(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new InputError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  try {
    const { notes, places } = await readHeader(file, path);
    const tensors: Record<string, Tensor> = {};
    for (const { key, type, shape, from, size } of places) {
      // Memory of its own, since the file's bytes need not lie where the type may begin.
      const bytes = new Uint8Array(size);
      await fill(file, bytes, from, path);
      tensors[key] = new Tensor(type, shape, new arrays[type](bytes.buffer) as never);
    }
    return { tensors, notes };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    await file.close();
  }
}

/** A tensor in the file, from a byte on. */
interface Place {
  readonly key: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly from: number;
  /** Bytes. */
  readonly size: number;
}

/**
 * Notes and the places of all tensors, which fill the file to its end.
 * @throws InputError if they do not.
 */
async function readHeader(file: FileHandle, path: string): Promise<{ notes: SavedTraining['notes']; places: Place[] }> {
  const wrong = (what: string) => wrongFile(path, what);
  const all = (await file.stat()).size;
  const head = Buffer.alloc(Math.min(8, all));
  await fill(file, head, 0, path);
  const length = all >= 8 ? Number(head.readBigUInt64LE(0)) : 0;
  if (length < 2 || length > all - 8) throw wrong(`has ${all} bytes and no whole header`);
  if (length > maxHeader) throw wrong(`has a header of ${length} bytes; it has at most ${maxHeader}`);
  const start = 8 + length;
  const json = Buffer.alloc(length);
  await fill(file, json, 8, path);
  let notes: SavedTraining['notes'];
  let entries: [string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }][];
  try {
    const { __metadata__: metadata, ...rest } = JSON.parse(json.toString());
    if (metadata?.format !== 'salience training') throw new TypeError('is not a saved training');
    notes = JSON.parse(metadata.notes);
    entries = Object.entries(rest);
  } catch (error) {
    throw wrong((error as Error).message);
  }
  let end = 0;
  const places = entries.map(([key, { dtype, shape, data_offsets: offsets }]): Place => {
    const type = (Object.keys(dtypes) as ElementType[]).find((known) => dtypes[known] === dtype);
    const lengths = Array.isArray(shape) && shape.every((n) => Number.isSafeInteger(n) && n >= 0) ? shape : undefined;
    if (!type || !lengths || !Array.isArray(offsets)) throw wrong(`tensor "${key}" has no type, shape or place`);
    const size = widths[type] * lengths.reduce((product: number, n: number) => product * n, 1);
    const from = start + end;
    if (offsets[0] !== end || offsets[1] !== end + size || from + size > all)
      throw wrong(`tensor "${key}" is not at bytes ${end} to ${end + size} of ${all - start}`);
    end += size;
    return { key, type, shape: lengths, from, size };
  });
  if (start + end !== all) throw wrong(`the tensors end at byte ${start + end} and the file at ${all}`);
  return { notes, places };
}

/**
 * Fills `bytes` from a file's byte `from` on.
 * @throws InputError if the file ends before.
 */
async function fill(file: FileHandle, bytes: Uint8Array, from: number, path: string): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(atOnce, bytes.length - at), from + at);
    if (bytesRead === 0) throw wrongFile(path, `ends at byte ${from + at}, before byte ${from + bytes.length}`);
    at += bytesRead;
  }
}

function wrongFile(path: string, what: string): InputError {
  return new InputError(`${path}: ${what}; remove it to begin anew`);
}
