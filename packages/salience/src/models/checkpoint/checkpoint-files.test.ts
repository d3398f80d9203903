import { mkdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16, f32, safetensors, temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { InputError } from '../../core/errors.ts';
import { openCheckpoint } from './checkpoint-files.ts';
import { toFloat32 } from './dtype.ts';
import { headerLength, parseHeader } from './safetensors.ts';
import { readTensorChunk } from './tensor-chunk.ts';

const root = temporaryFolder();
let made = 0;

function folderWith(files: Readonly<Record<string, Uint8Array | string | object>>): string {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  writeFiles(folder, files);
  return folder;
}

const a = f32('a', [2, 2], [1, -2, 3, -4]);
const b = bf16('b', [3], [0.5, -0.25, 8]);
const parse = (file: Uint8Array, size = file.length) => {
  const length = headerLength(file.subarray(0, 8), size, 'x');
  return parseHeader(file.subarray(8, 8 + length), size, 'x');
};

describe('a safetensors file', () => {
  it('tells the name, type, shape and bytes of each tensor', () => {
    const file = safetensors([a, b]);
    const { bytes, tensors } = parse(file);
    expect(tensors).toEqual([
      { name: 'a', dtype: 'F32', shape: [2, 2], offset: bytes, bytes: 16 },
      { name: 'b', dtype: 'BF16', shape: [3], offset: bytes + 16, bytes: 6 },
    ]);
  });

  it('may have metadata, a scalar, an empty tensor and no tensor', () => {
    expect(parse(safetensors([], { __metadata__: { format: 'pt' } })).tensors).toEqual([]);
    const scalar = f32('s', [], [7]);
    expect(
      parse(safetensors([scalar, f32('none', [0, 5], [])]))
        .tensors.map(({ bytes }) => bytes)
        .sort(),
    ).toEqual([0, 4]);
  });

  const entry = (shape: unknown, range: unknown, dtype: unknown = 'F32') => ({ dtype, shape, data_offsets: range });
  it.each<[string, Uint8Array, RegExp]>([
    ['is too short for a header length', Uint8Array.of(1, 2, 3), /has 3 bytes; a safetensors file starts with 8/],
    [
      'has a header longer than the file',
      new Uint8Array(new BigUint64Array([1000n, 0n]).buffer),
      /header should be 1,000 bytes but the file has 8/,
    ],
    [
      'has a header length of 2⁶³',
      new Uint8Array(new BigUint64Array([2n ** 63n, 0n]).buffer),
      /9,223,372,036,854,775,808/,
    ],
    ['is cut short', safetensors([a, b]).subarray(0, -1), /tensor "b" ends at byte [\d,]+ but the file has/],
    ['goes on after its tensors', new Uint8Array([...safetensors([a]), 0]), /ends at byte \d+ but the file has \d+/],
    ['has a header that is no JSON', safetensors([], '{"a":'), /not valid JSON/],
    ['has a header that is no object', safetensors([], '[1]'), /no JSON object/],
    ['has a header that is not UTF-8', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff]), /UTF-8/],
    [
      'names a tensor twice',
      safetensors(
        [],
        '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      ),
      /names "a" twice/,
    ],
    ['has an unknown type', safetensors([a], { a: entry([4], [0, 16], 'F31') }), /dtype "F31"; known are/],
    ['has a type from a prototype', safetensors([a], { a: entry([4], [0, 16], 'constructor') }), /dtype "constructor"/],
    ['has a negative size', safetensors([a], { a: entry([-4], [0, 16]) }), /shape \[-4\]; sizes are whole numbers/],
    [
      'has a shape that does not fit its bytes',
      safetensors([a], { a: entry([5], [0, 16]) }),
      /of shape \[5\] and F32 needs 20 bytes but has 16/,
    ],
    [
      'has a shape whose product overflows',
      safetensors([a], { a: entry([2 ** 40, 2 ** 40], [0, 16]) }),
      /needs 4,835,703,278,458,516,698,824,704 bytes/,
    ],
    [
      'has offsets out of order',
      safetensors([a], { a: entry([4], [16, 0]) }),
      /ends at data byte 0, before it begins at 16/,
    ],
    [
      'has overlapping tensors',
      safetensors([a, a], { a: entry([4], [0, 16]), b: entry([4], [8, 24]) }),
      /tensor "b" starts at byte \d+ and overlaps tensor "a"/,
    ],
    [
      'has a gap',
      safetensors([a, a], { a: entry([4], [0, 16]), b: entry([2], [24, 32]) }),
      /leaves a gap after tensor "a"/,
    ],
    ['has a range past the end', safetensors([a], { a: entry([8], [0, 32]) }), /ends at byte \d+ but the file has \d+/],
    ['has a tensor that is null', safetensors([a], { a: null }), /dtype undefined/],
  ])('that %s is refused', (_, file, message) => {
    expect(() => parse(file)).toThrow(InputError);
    expect(() => parse(file)).toThrow(message);
  });

  it('that is damaged anywhere gives an InputError or tensors inside the file, nothing else', () => {
    const good = safetensors([a, b, f32('c', [1], [1])]);
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, cut) => {
        const file = good.slice(0, good.length - (cut % 40));
        for (const [at, byte] of changes) if (at < file.length) file[at] = byte;
        try {
          for (const { offset, bytes } of parse(file).tensors) expect(offset + bytes).toBeLessThanOrEqual(file.length);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('with any JSON as its header gives an InputError or tensors inside the file', () => {
    const entryLike = fc.record(
      {
        dtype: fc.constantFrom('F32', 'BF16', 'X', 1),
        shape: fc.anything(),
        data_offsets: fc.array(fc.integer(), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.dictionary(fc.string(), entryLike).map((x) => JSON.stringify(x) ?? 'null'),
        ),
        (text) => {
          const file = safetensors([a], text);
          try {
            for (const { offset, bytes } of parse(file).tensors)
              expect(offset + bytes).toBeLessThanOrEqual(file.length);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('number formats', () => {
  it('read as float32 exactly, infinities, subnormals and zeros included', () => {
    const halves = Uint16Array.from([0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3555]);
    const out = new Float32Array(7);
    toFloat32('F16', new Uint8Array(halves.buffer), out);
    expect([...out]).toEqual([1, -2, 2 ** -24, 65504, Infinity, -0, 0.333251953125]);
    const brains = Uint16Array.from([0x3f80, 0xc000, 0x0001, 0x7f80]);
    toFloat32('BF16', new Uint8Array(brains.buffer), out.subarray(0, 4));
    expect([...out.subarray(0, 4)]).toEqual([1, -2, 2 ** -133, Infinity]);
    const nan = new Float32Array(1);
    toFloat32('F16', new Uint8Array(Uint16Array.of(0x7e00).buffer), nan);
    expect(nan[0]).toBeNaN();
  });
});

describe('a checkpoint', () => {
  const index = (map: Record<string, string>) => ({ metadata: {}, weight_map: map });

  it('is one file', async () => {
    const folder = folderWith({ 'w.safetensors': safetensors([a]) });
    const { tensors, folder: isFolder } = await openCheckpoint(join(folder, 'w.safetensors'));
    expect([tensors.map(({ name }) => name), isFolder]).toEqual([['a'], false]);
    const { path, offset } = tensors[0];
    expect([...readTensorChunk({ path, dtype: 'F32', offset: offset + 4 }, 2).values]).toEqual([-2, 3]);
  });

  it('is a folder with one file, and carries its small files', async () => {
    const folder = folderWith({
      'model.safetensors': safetensors([a, b]),
      'config.json': {},
      'tokenizer.json': {},
      'pytorch_model.bin': 'weights of another format',
      '.hidden': '',
    });
    const { tensors, companions } = await openCheckpoint(folder);
    expect(tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(companions).toEqual(['config.json', 'tokenizer.json']);
  });

  it('is a folder with shards and their index', async () => {
    const folder = folderWith({
      'm-2.safetensors': safetensors([b]),
      'm-1.safetensors': safetensors([a]),
      'model.safetensors.index.json': index({ b: 'm-2.safetensors', a: 'm-1.safetensors' }),
    });
    expect((await openCheckpoint(folder)).tensors.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each<[string, Record<string, Uint8Array | string | object>, RegExp]>([
    ['has no weights', { 'config.json': {} }, /holds no \.safetensors file/],
    [
      'has several files and no index',
      { 'x.safetensors': safetensors([a]), 'y.safetensors': safetensors([b]) },
      /2 \.safetensors files and no model\.safetensors\.index\.json/,
    ],
    [
      'lacks a shard',
      { 'model.safetensors.index.json': index({ a: 'm.safetensors' }) },
      /shard "m\.safetensors", which is missing/,
    ],
    [
      'has an index that names a tensor its shard lacks',
      { 'm.safetensors': safetensors([a]), 'model.safetensors.index.json': index({ z: 'm.safetensors' }) },
      /places tensor "z" in "m\.safetensors", which does not hold it/,
    ],
    [
      'has an index that names a tensor twice',
      {
        'm.safetensors': safetensors([a]),
        'model.safetensors.index.json': '{"weight_map":{"a":"m.safetensors","a":"n.safetensors"}}',
      },
      /names "a" twice/,
    ],
    [
      'holds a tensor in two shards',
      {
        'm.safetensors': safetensors([a, b]),
        'n.safetensors': safetensors([b]),
        'model.safetensors.index.json': index({ a: 'm.safetensors', b: 'n.safetensors' }),
      },
      /tensor "b" is in both "m\.safetensors" and "n\.safetensors"/,
    ],
    ['has an index without a map', { 'model.safetensors.index.json': {} }, /has no "weight_map" object/],
    [
      'has an index that leaves the folder',
      { 'model.safetensors.index.json': index({ a: '../m.safetensors' }) },
      /"\.\.\/m\.safetensors"; a shard is a \.safetensors file of this folder/,
    ],
    [
      'has an index with an absolute path',
      { 'model.safetensors.index.json': index({ a: '/m.safetensors' }) },
      /"\/m\.safetensors"/,
    ],
    [
      'has an index with a foreign separator',
      { 'model.safetensors.index.json': index({ a: '..\\m.safetensors' }) },
      /a shard is a/,
    ],
    [
      'has an index that names no weights',
      { 'config.json': {}, 'model.safetensors.index.json': index({ a: 'config.json' }) },
      /"config\.json"; a shard is a/,
    ],
  ])('that %s is refused', async (_, files, message) => {
    const folder = folderWith(files);
    await expect(openCheckpoint(folder)).rejects.toThrow(InputError);
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it('that is not there, or is no checkpoint, is refused', async () => {
    await expect(openCheckpoint(join(root, 'nothing'))).rejects.toThrow(/no such file or folder/);
    const folder = folderWith({ 'a.txt': 'text' });
    await expect(openCheckpoint(join(folder, 'a.txt'))).rejects.toThrow(/a checkpoint is a \.safetensors file/);
  });

  it('that shrinks while it is read is told so', async () => {
    const folder = folderWith({ 'model.safetensors': safetensors([a]) });
    const { tensors } = await openCheckpoint(folder);
    truncateSync(tensors[0].path, tensors[0].offset + 8);
    expect(() => readTensorChunk({ path: tensors[0].path, dtype: 'F32', offset: tensors[0].offset }, 4)).toThrow(
      /was it cut short/,
    );
  });
});
