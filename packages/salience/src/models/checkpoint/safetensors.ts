/**
 * @file The safetensors format: 8 bytes of header length, a JSON header that names each tensor's type, shape and byte range,
 * then the bytes, without gaps. A file is untrusted: every number is checked before anything is allocated or read by it.
 */

import { visit } from 'jsonc-parser';
import { InputError } from '../../core/errors.ts';
import { bytesOf } from './dtype.ts';

export interface TensorEntry {
  readonly name: string;
  /** As the format names it: "F32", "BF16", … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, and the number of bytes. */
  readonly offset: number;
  readonly bytes: number;
}

export interface SafetensorsHeader {
  /** Bytes before the first tensor's data: the length field and the JSON. */
  readonly bytes: number;
  /** In the order of their bytes. */
  readonly tensors: readonly TensorEntry[];
}

/** The format's own limit on its header. */
const maxHeader = 100_000_000;

/**
 * The length of the JSON header, from the first 8 bytes of a file of `size` bytes called `file`.
 * @throws InputError if the file is too short for it.
 */
export function headerLength(start: Uint8Array, size: number, file: string): number {
  if (size < 8 || start.length < 8) {
    throw new InputError(`${file}: has ${group(size)} bytes; a safetensors file starts with 8 bytes of header length`);
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > BigInt(size - 8)) {
    throw new InputError(
      `${file}: the header should be ${group(length)} bytes but the file has ${group(size - 8)} after its length`,
    );
  }
  if (length > maxHeader) {
    throw new InputError(`${file}: the header is ${group(length)} bytes; the format allows ${group(maxHeader)}`);
  }
  return Number(length);
}

/**
 * Reads the JSON header of a file of `size` bytes called `file`.
 * @throws InputError naming the tensor whose type, shape or byte range is wrong, and what would be right.
 */
export function parseHeader(json: Uint8Array, size: number, file: string): SafetensorsHeader {
  const bytes = 8 + json.length;
  const header = parseObject(json, file);
  const tensors: TensorEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    tensors.push(parseEntry(name, value, bytes, size, file));
  }
  tensors.sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = bytes;
  let before = 'the header';
  for (const { name, offset, bytes: length } of tensors) {
    if (offset !== end) {
      const wrong = offset < end ? 'overlaps' : 'leaves a gap after';
      throw new InputError(
        `${file}: tensor "${name}" starts at byte ${group(offset)} and ${wrong} ${before}, which ends at ${group(end)}`,
      );
    }
    end = offset + length;
    before = `tensor "${name}"`;
  }
  if (end !== size) {
    throw new InputError(`${file}: ${before} ends at byte ${group(end)} but the file has ${group(size)}`);
  }
  return { bytes, tensors };
}

function group(n: number | bigint): string {
  return n.toLocaleString('en-US');
}

/** A JSON object whose keys are all different. */
export function parseObject(json: Uint8Array, file: string): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(json);
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${file}: is not valid JSON in UTF-8: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${file}: holds no JSON object`);
  }
  // JSON.parse keeps the last of two equal keys and says nothing.
  const seen: Set<string>[] = [];
  const visitor = {
    onObjectBegin: () => {
      seen.push(new Set());
    },
    onObjectEnd: () => {
      seen.pop();
    },
    onObjectProperty: (name: string) => {
      const names = seen[seen.length - 1];
      if (names.has(name)) throw new InputError(`${file}: names "${name}" twice`);
      names.add(name);
    },
  };
  try {
    visit(text, visitor);
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(`${file}: is JSON nested too deeply`);
    throw error;
  }
  return value as Record<string, unknown>;
}

function parseEntry(name: string, value: unknown, start: number, size: number, file: string): TensorEntry {
  const refuse = (reason: string): never => {
    throw new InputError(`${file}: tensor "${name}" ${reason}`);
  };
  const { dtype, shape, data_offsets: range } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesOf, dtype)) {
    return refuse(`has dtype ${JSON.stringify(dtype)}; known are ${Object.keys(bytesOf).join(', ')}`);
  }
  const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount))
    return refuse(`has shape ${JSON.stringify(shape)}; sizes are whole numbers`);
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount)) {
    return refuse(`has data_offsets ${JSON.stringify(range)}; they are two whole numbers`);
  }
  const [begin, end] = range as [number, number];
  if (end < begin) return refuse(`ends at data byte ${group(end)}, before it begins at ${group(begin)}`);
  if (start + end > size) {
    return refuse(`ends at byte ${group(start + end)} but the file has ${group(size)}`);
  }
  const needed = shape.reduce((product, length) => product * BigInt(length), BigInt(bytesOf[dtype]));
  if (needed !== BigInt(end - begin)) {
    return refuse(
      `of shape [${shape.join(', ')}] and ${dtype} needs ${group(needed)} bytes but has ${group(end - begin)}`,
    );
  }
  return { name, dtype, shape, offset: start + begin, bytes: end - begin };
}
