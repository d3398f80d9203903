/** @file Parquet of readers: true files, and files that say of themselves what is not true. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { madeParquet, numbers, type Page, parquetWith, repeated, texts } from '../../test/made-parquet.ts';
import { execute, type Limits } from './execute.ts';

const limits: Limits = { seconds: 60, memory: 800_000_000, disk: 100_000_000 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'papers-hostile-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(method: string, content: Uint8Array, options: object = {}, params: object = {}) {
  const path = join(folder, 'upload.parquet');
  writeFileSync(path, content);
  const { memory, disk } = limits;
  const file = { path, name: 'mine.parquet' };
  const given = { params: { ...params }, options: { ...options } };
  const order = { method, ...given, budget: '50%', seed: 0, folder, memory, disk, file };
  return execute(order, limits, { signal: new AbortController().signal, onProgress: () => {} });
}

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const x = numbers(range(40));
const label = { name: 'label', type: 'int32', pages: [numbers(range(40).map((i) => i % 2))] } as const;

describe('Parquet', () => {
  it.each([
    ['mutual-information', '1 of 1 columns of mine.parquet kept'],
    ['random-examples', '20 of 40 examples of mine.parquet kept'],
  ])('is read by %s', async (method, title) => {
    const file = madeParquet(40n, [{ name: 'x', type: 'int32', pages: [x] }, label]);
    expect(await run(method, file, { target: 'label' })).toMatchObject({
      state: 'done',
      result: { title: expect.stringContaining(title) },
    });
  });

  it('of preferences is read, a dictionary and pointers into it as plain texts', async () => {
    const file = madeParquet(40n, [
      {
        name: 'prompt',
        type: 'bytes',
        pages: [
          texts(
            range(8).map((i) => `Question ${i}?`),
            'dictionary',
          ),
          ...range(8).map((i) => repeated(i, 5)),
        ],
      },
      { name: 'chosen', type: 'bytes', pages: [texts(range(40).map((i) => `The answer is ${i}, as asked.`))] },
      { name: 'rejected', type: 'bytes', pages: [texts(range(40).map((i) => `No ${i * i}.`))] },
    ]);
    expect(await run('fifa', file, {}, { proxySteps: 20 })).toMatchObject({
      state: 'done',
      result: { title: expect.stringContaining('20 of 40') },
    });
  });
});

/** One column, whose page says something else of itself. */
function claims(page: Partial<Page>, codec: 'snappy' | 'gzip' = 'snappy'): Uint8Array {
  return madeParquet(40n, [{ name: 'x', type: 'int32', codec, values: 40n, pages: [{ ...x, ...page }] }, label]);
}

/** A file whose columns and row group all say that they have so many rows. */
function saying(rows: bigint): Uint8Array {
  return madeParquet(rows, [
    { name: 'x', type: 'int32', pages: [x], values: rows },
    { ...label, values: rows },
  ]);
}

/** Four gigabytes of zeros. */
function gzipBomb(): Uint8Array {
  const block = deflateRawSync(Buffer.alloc(2 ** 20), { finishFlush: constants.Z_FULL_FLUSH });
  const head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
  return Buffer.concat([Buffer.from(head), ...range(4096).map(() => block), Buffer.from([3, 0]), Buffer.alloc(8)]);
}

const many = 100_000_000;
const pages = Array.from({ length: 10 }, () => repeated(0, many / 10));

const hostile: readonly (readonly [string, () => Uint8Array, RegExp])[] = [
  ['a page that unpacks to 2 GB', () => claims({ unpacked: 2 ** 31 - 1 }), /unpacks to 2147483647 bytes/],
  ['a page of a billion values', () => claims({ values: 2 ** 30 }), /a page says it has 1073741824 values/],
  ['a page longer than the file', () => claims({ unpacked: 2 ** 28 }), /mine\.parquet: cannot be read as Parquet/],
  ['4 GB behind a page of 160 bytes', () => claims({ bytes: gzipBomb() }, 'gzip'), /cannot be read as Parquet/],
  ['2^40 rows', () => saying(2n ** 40n), /has 1099511627776 rows/],
  ['2^31 rows in a few bytes', () => saying(2n ** 31n), /has 2,147,483,648 rows of 2 columns; 10,000,000 cells/],
  [
    'one text a hundred million times',
    () =>
      madeParquet(BigInt(many), [
        { name: 'x', type: 'bytes', pages: [texts(['a'.repeat(1000)], 'dictionary'), ...pages] },
      ]),
    /has 100,000,000 rows of 1 columns/,
  ],
  [
    'lists in lists, each of 2^27 entries',
    () =>
      parquetWith(Buffer.from('PAR1'), Uint8Array.from([0x19, ...range(99).flatMap(() => [0xf9, 255, 255, 255, 63])])),
    /needed more than 0\.8 GB of memory|cannot be read as Parquet/,
  ],
  [
    'a million structs in one another',
    () => parquetWith(Buffer.from('PAR1'), new Uint8Array(1_000_000).fill(0x1c)),
    /cannot be read as Parquet/,
  ],
  [
    'a footer longer than itself',
    () => Buffer.from([...Buffer.from('PAR1aaaa'), 255, 255, 255, 255, ...Buffer.from('PAR1')]),
    /cannot be read as Parquet/,
  ],
];

describe.each(['mutual-information', 'random-examples'])('hostile Parquet given to %s', (method) => {
  it.each(hostile)('%s: the run fails and says why', async (_, file, error) => {
    const outcome = await run(method, file(), { target: 'label' });
    expect(outcome).toMatchObject({ state: 'failed', expected: true, error: expect.stringMatching(error) });
    expect(JSON.stringify(outcome)).not.toContain(folder);
  });
});
