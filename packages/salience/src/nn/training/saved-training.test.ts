/** @file Trainings on disk: what was saved comes back, also what is larger than one read, and nothing that is not whole. */

import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { float32, int32, Tensor } from '../../runtime/index.ts';
import { fingerprint, loadTraining, saveTraining } from './saved-training.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'salience-saved-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Makes a checkpoint of its header and so many bytes after it, none of which takes room on the disk. */
function sparseCheckpoint(header: Record<string, unknown>, bytes: number, length?: number): void {
  const json = Buffer.from(JSON.stringify({ __metadata__: { format: 'salience training', notes: '{}' }, ...header }));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(length ?? json.length));
  const file = openSync(join(folder, 'training.safetensors'), 'w');
  writeSync(file, Buffer.concat([start, json]));
  ftruncateSync(file, 8 + json.length + bytes);
  closeSync(file);
}

describe('a saved training', () => {
  it('comes back as it was: types, shapes, elements, notes', async () => {
    const tensors = {
      flags: new Tensor('bool', [3], Uint8Array.of(1, 0, 1)),
      numbers: float32([2, 2], [0.5, -0, 3e38, 1e-45]),
      none: float32([0, 4], []),
      one: float32([], [7]),
      whole: int32([2], [-5, 2 ** 31 - 1]),
    };
    await saveTraining(folder, { tensors, notes: { step: 4, ä: [1] } });
    const loaded = (await loadTraining(folder))!;
    expect(loaded.notes).toEqual({ step: 4, ä: [1] });
    expect(loaded.tensors).toEqual(tensors);
    expect(Object.is(loaded.tensors.numbers.data[1], -0)).toBe(true);
  });

  it('comes back where a tensor is longer than what is read at a time', async () => {
    const long = new Float32Array(17_000_003);
    for (let i = 0; i < long.length; i++) long[i] = i;
    await saveTraining(folder, {
      tensors: { before: float32([1], [-1]), long: float32([long.length], long) },
      notes: {},
    });
    const { tensors } = (await loadTraining(folder))!;
    expect(Buffer.from(tensors.long.data.buffer).equals(Buffer.from(long.buffer))).toBe(true);
    expect(fingerprint({ long: tensors.long as Tensor<'float32'> })).toBe(
      fingerprint({ long: float32([long.length], long) }),
    );
  });

  it('above 2 GiB is looked at without its bytes in memory', async () => {
    sparseCheckpoint({ a: { dtype: 'F32', shape: [25], data_offsets: [0, 100] } }, 3 * 2 ** 30);
    await expect(loadTraining(folder)).rejects.toThrow(
      /training\.safetensors: the tensors end at byte 2\d\d and the file at 3221225\d\d\d; remove it to begin anew$/,
    );
  });

  it('with a tensor that ends behind the file is refused before memory is taken', async () => {
    const elements = 2 ** 40;
    sparseCheckpoint({ a: { dtype: 'F32', shape: [elements], data_offsets: [0, 4 * elements] } }, 100);
    await expect(loadTraining(folder)).rejects.toThrow(`tensor "a" is not at bytes 0 to ${4 * elements} of 100`);
  });

  it('with a header larger than any is refused before memory is taken', async () => {
    sparseCheckpoint({}, 3 * 2 ** 30, 2 ** 31);
    await expect(loadTraining(folder)).rejects.toThrow(InputError);
    await expect(loadTraining(folder)).rejects.toThrow(/a header of 2147483648 bytes/);
  });

  it('is none where the folder has none', async () => {
    expect(await loadTraining(folder)).toBeUndefined();
  });
});
