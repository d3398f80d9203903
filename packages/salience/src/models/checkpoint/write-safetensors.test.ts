import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16, f32, safetensors, temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { openCheckpoint } from './checkpoint-files.ts';
import { type FloatType, fromFloat32, toFloat32 } from './dtype.ts';
import { readRows, readTensors } from './read-tensors.ts';
import { type WritableTensor, writeSafetensors, writeShards } from './write-safetensors.ts';

const root = temporaryFolder();
let made = 0;
const folder = () => {
  const path = join(root, String(made++));
  mkdirSync(path);
  return path;
};
const run = new Run();

function tensor(name: string, shape: number[], values: ArrayLike<number>, dtype: FloatType = 'F32'): WritableTensor {
  return { name, shape, dtype, values: () => Float32Array.from(values) };
}

/** What values read as after being written in a format. */
function through(dtype: FloatType, values: ArrayLike<number>): number[] {
  const from = Float32Array.from(values);
  const bytes = new Uint8Array(from.length * 4).subarray(0, from.length * (dtype === 'F32' ? 4 : 2));
  fromFloat32(dtype, from, bytes);
  const back = new Float32Array(from.length);
  toFloat32(dtype, bytes, back);
  return [...back];
}

describe('rounding to 16 bits', () => {
  it('goes to the nearest, ties to even', () => {
    // 1 + 2⁻¹¹ lies between 1 and 1 + 2⁻¹⁰ in half precision; 1 + 2⁻⁸ between 1 and 1 + 2⁻⁷ in bfloat16.
    expect(through('F16', [1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20, -(1 + 2 ** -11)])).toEqual([
      1,
      1 + 2 ** -9,
      1 + 2 ** -10,
      -1,
    ]);
    expect(through('BF16', [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -(1 + 2 ** -8)])).toEqual([
      1,
      1 + 2 ** -6,
      1 + 2 ** -7,
      -1,
    ]);
  });

  it('keeps signs of zero, infinities and NaN, and overflows to infinity from the midpoint on', () => {
    for (const dtype of ['F32', 'F16', 'BF16'] as const) {
      expect(through(dtype, [0, -0, Infinity, -Infinity, Number.NaN])).toEqual([
        0,
        -0,
        Infinity,
        -Infinity,
        Number.NaN,
      ]);
    }
    expect(through('F16', [65504, 65519, 65520, -1e5])).toEqual([65504, 65504, Infinity, -Infinity]);
    const largest = (2 - 2 ** -23) * 2 ** 127;
    expect(through('BF16', [largest, (2 - 2 ** -7) * 2 ** 127])).toEqual([Infinity, (2 - 2 ** -7) * 2 ** 127]);
    const hidden = new Float32Array(Uint32Array.of(0x7f800001).buffer);
    expect(through('F16', hidden)).toEqual([Number.NaN]);
    expect(through('BF16', hidden)).toEqual([Number.NaN]);
  });

  it('rounds to multiples of 2⁻²⁴ where half precision has no more exponents', () => {
    const unit = 2 ** -24;
    expect(
      through('F16', [unit, unit / 2, unit / 2 + 2 ** -40, 1.5 * unit, 2.5 * unit, 2 ** -26, 1023.5 * unit]),
    ).toEqual([unit, 0, unit, 2 * unit, 2 * unit, 0, 1024 * unit]);
  });

  it.each(['F16', 'BF16'] as const)('is exact on each of the 65,536 patterns of %s', (dtype) => {
    const bytes = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
    const values = new Float32Array(65536);
    toFloat32(dtype, bytes, values);
    const back = new Uint8Array(bytes.length);
    fromFloat32(dtype, values, back);
    const before = new Uint16Array(bytes.buffer);
    const after = new Uint16Array(back.buffer);
    const wrong = [...before.keys()].filter((i) => after[i] !== before[i] && !Number.isNaN(values[i]));
    expect(wrong).toEqual([]);
  });

  it('errs by half a step at the most', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 }), (x) => {
        const [half] = through('F16', [x]);
        const [brain] = through('BF16', [x]);
        expect(Math.abs(half - x)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -11, 2 ** -25));
        expect(Math.abs(brain - x)).toBeLessThanOrEqual(Math.max(Math.abs(x) * 2 ** -8, 2 ** -133));
      }),
    );
  });
});

describe('a written file', () => {
  it('reads back as it was, each tensor aligned to its element and the data to 8 bytes', async () => {
    const path = join(folder(), 'model.safetensors');
    const tensors = [
      tensor('h', [3], [1, 2, 3], 'F16'),
      tensor('z', [2, 2], [1.5, -2, 3, 1e-30]),
      tensor('b', [1], [0.25], 'BF16'),
      tensor('scalar', [], [7]),
      tensor('none', [0, 4], []),
    ];
    await writeSafetensors(path, tensors, run);
    const checkpoint = await openCheckpoint(path);
    expect(checkpoint.files[0].header.bytes % 8).toBe(0);
    for (const { offset, dtype } of checkpoint.tensors) expect(offset % (dtype === 'F32' ? 4 : 2)).toBe(0);
    const json = readFileSync(path).subarray(8, checkpoint.files[0].header.bytes).toString();
    expect(JSON.parse(json).__metadata__).toEqual({ format: 'pt' });
    const read = await readTensors(
      checkpoint,
      tensors.map(({ name }) => name),
      run,
    );
    expect(Object.entries(read).map(([name, { shape, data }]) => [name, shape, [...data]])).toEqual([
      ['h', [3], [1, 2, 3]],
      ['z', [2, 2], [1.5, -2, 3, Math.fround(1e-30)]],
      ['b', [1], [0.25]],
      ['scalar', [], [7]],
      ['none', [0, 4], []],
    ]);
  });

  it('holds any tensors bit for bit in F32', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.float32Array({ maxLength: 40 })), {
          selector: ([name]) => name,
        }),
        async (entries) => {
          fc.pre(entries.every(([name]) => name !== '__metadata__'));
          const path = join(folder(), 'm.safetensors');
          await writeSafetensors(
            path,
            entries.map(([name, values]) => tensor(name, [values.length], values)),
            run,
          );
          const checkpoint = await openCheckpoint(path);
          const read = await readTensors(
            checkpoint,
            entries.map(([name]) => name),
            run,
          );
          for (const [name, values] of entries) {
            expect(new Uint32Array(read[name].data.buffer)).toEqual(new Uint32Array(Float32Array.from(values).buffer));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('asks for the values of one tensor at a time', async () => {
    const asked: string[] = [];
    const lazy = (name: string): WritableTensor => ({
      name,
      shape: [2],
      dtype: 'F32',
      values: async () => {
        asked.push(name);
        return Float32Array.of(1, 2);
      },
    });
    await writeSafetensors(join(folder(), 'm.safetensors'), [lazy('b'), lazy('a')], run);
    expect(asked).toEqual(['a', 'b']);
  });

  it('refuses a name twice, the name of the metadata, values that do not fit, and to overwrite', async () => {
    const path = join(folder(), 'm.safetensors');
    const write = (...tensors: WritableTensor[]) => writeSafetensors(path, tensors, run);
    await expect(write(tensor('a', [1], [1]), tensor('a', [1], [1]))).rejects.toThrow(/"a" cannot be written/);
    await expect(write(tensor('__metadata__', [1], [1]))).rejects.toThrow(InputError);
    expect(existsSync(path)).toBe(false);
    await expect(write(tensor('a', [3], [1]))).rejects.toThrow(/shape \[3\] needs 3 values, not 1/);
    await expect(write(tensor('a', [1], [1]))).rejects.toThrow(/EEXIST/);
  });

  it('can be cancelled', async () => {
    const stopped = new Run({ signal: AbortSignal.abort() });
    const write = writeSafetensors(join(folder(), 'm.safetensors'), [tensor('a', [1], [1])], stopped);
    await expect(write).rejects.toThrow(CancelledError);
  });
});

describe('shards', () => {
  const tensors = [tensor('a', [4], [1, 2, 3, 4]), tensor('b', [2], [5, 6]), tensor('c', [3], [7, 8, 9])];

  it('are one file where all fits', async () => {
    const path = folder();
    expect(await writeShards(path, tensors, {}, run)).toEqual(['model.safetensors']);
    expect(readdirSync(path)).toEqual(['model.safetensors']);
  });

  it('are filled in order up to the size, with an index that tells the total', async () => {
    const path = folder();
    const names = await writeShards(path, tensors, { maxShard: 24 }, run);
    expect(names).toEqual([
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(JSON.parse(readFileSync(join(path, names[2]), 'utf8'))).toEqual({
      metadata: { total_size: 36 },
      weight_map: { a: names[0], b: names[0], c: names[1] },
    });
    const read = await readTensors(await openCheckpoint(path), ['c', 'a'], run);
    expect([...read.c.data, ...read.a.data]).toEqual([7, 8, 9, 1, 2, 3, 4]);
  });

  it('holds a tensor larger than a shard on its own', async () => {
    const path = folder();
    await writeShards(path, tensors, { maxShard: 8 }, run);
    expect((await openCheckpoint(path)).files.map(({ header }) => header.tensors.length)).toEqual([1, 1, 1]);
  });

  it('do not share a name', async () => {
    const twice = [tensor('a', [1], [1]), tensor('a', [1], [2])];
    await expect(writeShards(folder(), twice, { maxShard: 4 }, run)).rejects.toThrow(/the name is taken/);
  });
});

describe('reading tensors', () => {
  const path = folder();
  writeFiles(path, {
    'model.safetensors': safetensors([
      f32('e', [5, 2], [0, 1, 10, 11, 20, 21, 30, 31, 40, 41]),
      bf16('half', [3, 1, 2], [0, 1, 2, 3, 4, 5]),
      { name: 'i', dtype: 'I64', shape: [1], bytes: new Uint8Array(8) },
      f32('s', [], [1]),
    ]),
  });
  const named = async (name: string) => (await openCheckpoint(path)).tensors.find((tensor) => tensor.name === name)!;

  it('gives rows in the order asked for, again where asked again', async () => {
    const { shape, data } = await readRows(await named('e'), [3, 0, 1, 3], run);
    expect(shape).toEqual([4, 2]);
    expect([...data]).toEqual([30, 31, 0, 1, 10, 11, 30, 31]);
    const half = await readRows(await named('half'), Int32Array.of(2), run);
    expect([half.shape, [...half.data]]).toEqual([
      [1, 1, 2],
      [4, 5],
    ]);
    expect((await readRows(await named('e'), [], run)).shape).toEqual([0, 2]);
  });

  it('tells its progress in bytes', async () => {
    const seen: (number | undefined)[][] = [];
    const watched = new Run({ onProgress: ({ done, total }) => seen.push([done, total]) });
    await readTensors(await openCheckpoint(path), ['e', 'half'], watched);
    expect(seen).toEqual([
      [40, 52],
      [52, 52],
    ]);
  });

  it('refuses what is not there, is not of floats, or has no rows', async () => {
    const checkpoint = await openCheckpoint(path);
    await expect(readTensors(checkpoint, ['nope'], run)).rejects.toThrow(/holds no tensor "nope"/);
    await expect(readTensors(checkpoint, ['i'], run)).rejects.toThrow(/"i" is of I64; weights of F32/);
    await expect(readRows(await named('s'), [0], run)).rejects.toThrow(/scalar/);
    for (const id of [5, -1, 0.5, Number.NaN]) {
      await expect(readRows(await named('e'), [id], run)).rejects.toThrow(ParameterError);
    }
    const stopped = new Run({ signal: AbortSignal.abort() });
    await expect(readTensors(checkpoint, ['e'], stopped)).rejects.toThrow(CancelledError);
  });
});
