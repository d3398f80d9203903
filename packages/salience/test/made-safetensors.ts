/** @file Small safetensors files for tests, written byte by byte from their description. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface MadeTensor {
  name: string;
  dtype: 'F32' | 'F16' | 'BF16' | 'I64';
  shape: number[];
  bytes: Uint8Array;
}

export function f32(name: string, shape: number[], values: ArrayLike<number>): MadeTensor {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Values whose lower 16 bits are zero are exact in bfloat16; others are cut. */
export function bf16(name: string, shape: number[], values: ArrayLike<number>): MadeTensor {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return { name, dtype: 'BF16', shape, bytes: new Uint8Array(Uint16Array.from(bits, (b) => b >>> 16).buffer) };
}

/** A header, and the bytes of the tensors one after the other. */
export function safetensors(tensors: readonly MadeTensor[], header?: unknown): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const range = [end, end + bytes.length];
    end += bytes.length;
    return [name, { dtype, shape, data_offsets: range }] as const;
  });
  const text = typeof header === 'string' ? header : JSON.stringify(header ?? Object.fromEntries(entries));
  const json = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + json.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
  out.set(json, 8);
  let at = 8 + json.length;
  for (const { bytes } of tensors) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

/** A folder that is removed after the tests of this file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'salience-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a checkpoint folder: files by name, as bytes, text or JSON. */
export function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string | object>>): void {
  for (const [name, content] of Object.entries(files)) {
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, name), raw ? content : JSON.stringify(content));
  }
}
