import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { readWordVectors } from './read-word-vectors.ts';
import type { WordVectors } from './word-vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'word-vectors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileOf(contents: string | Uint8Array, extension = 'txt'): string {
  const path = join(folder, `${files++}.${extension}`);
  writeFileSync(path, contents);
  return path;
}
const read = (contents: string | Uint8Array, extension?: string, only?: ReadonlySet<string>) =>
  readWordVectors(fileOf(contents, extension), new Run(), only);

const row = ({ values, dimensions }: WordVectors, i: number) => [
  ...values.subarray(i * dimensions, (i + 1) * dimensions),
];
const header = ({ words, dimensions }: WordVectors) => `${words.length} ${dimensions}\n`;

function textOf(vectors: WordVectors, lineEnd = '\n'): string {
  return vectors.words.map((word, i) => `${word} ${row(vectors, i).join(' ')}${lineEnd}`).join('');
}

function binaryOf(vectors: WordVectors, between = '\n'): Uint8Array {
  const parts = vectors.words.map((word, i) => {
    const numbers = Buffer.alloc(4 * vectors.dimensions);
    row(vectors, i).forEach((value, k) => {
      numbers.writeFloatLE(value, 4 * k);
    });
    return Buffer.concat([Buffer.from(`${word} `), numbers, Buffer.from(between)]);
  });
  return Buffer.concat([Buffer.from(header(vectors)), ...parts]);
}

const three: WordVectors = {
  words: ['gene', 'Zelle', '細胞'],
  dimensions: 2,
  values: Float32Array.of(0.5, -1, 3e-8, 2, 0.25, 1e20),
};

const word = fc.stringMatching(/^[^\s\p{C}]{1,12}$/u);
const anyVectors = fc
  .tuple(fc.uniqueArray(word, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 5 }))
  .chain(([words, dimensions]) =>
    fc
      .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
        minLength: words.length * dimensions,
        maxLength: words.length * dimensions,
      })
      .map((values): WordVectors => ({ words, dimensions, values: Float32Array.from(values, (v) => v + 0) })),
  );

describe('readWordVectors', () => {
  it('reads back what was written as word2vec text and binary, GloVe and fastText .vec', async () => {
    expect(await read(header(three) + textOf(three))).toEqual(three);
    expect(await read(textOf(three))).toEqual(three);
    expect(await read(header(three) + textOf(three, ' \n'), 'vec')).toEqual(three);
    expect(await read(header(three) + textOf(three, '\r\n'))).toEqual(three);
    expect(await read((header(three) + textOf(three)).trimEnd())).toEqual(three);
    expect(await read(binaryOf(three), 'bin')).toEqual(three);
    expect(await read(binaryOf(three, ''), 'bin')).toEqual(three);
    expect(await read(binaryOf(three), 'model')).toEqual(three);
  });

  it('reads back any vectors in every format', async () => {
    await fc.assert(
      fc.asyncProperty(anyVectors, async (vectors) => {
        expect(await read(header(vectors) + textOf(vectors), 'vec')).toEqual(vectors);
        expect(await read(binaryOf(vectors), 'bin')).toEqual(vectors);
        // Without a header a first line of two whole numbers would be one.
        if (vectors.dimensions > 1) expect(await read(textOf(vectors))).toEqual(vectors);
      }),
      { numRuns: 60 },
    );
  });

  it('holds only the words asked for', async () => {
    const only = new Set(['細胞', 'absent']);
    const wanted = { words: ['細胞'], dimensions: 2, values: Float32Array.of(0.25, 1e20) };
    expect(await read(header(three) + textOf(three), 'txt', only)).toEqual(wanted);
    expect(await read(binaryOf(three), 'bin', only)).toEqual(wanted);
    expect((await read(textOf(three), 'txt', new Set())).words).toEqual([]);
  });

  it('takes the first vector of a word that occurs twice', async () => {
    expect(row(await read('a 1 2\nb 3 4\na 5 6\n'), 0)).toEqual([1, 2]);
  });

  it('reads a GloVe word that holds spaces, or is a number', async () => {
    expect((await read('the 1 2\n. . . 3 4\n2005 5 6\n')).words).toEqual(['the', '. . .', '2005']);
  });

  it('reads files larger than one portion of the reader', async () => {
    const words = Array.from({ length: 30_000 }, (_, i) => `word${i}`);
    const large = { words, dimensions: 20, values: Float32Array.from({ length: 600_000 }, (_, e) => e % 1013) };
    for (const back of [await read(header(large) + textOf(large)), await read(binaryOf(large), 'bin')]) {
      expect(back.words.length).toBe(30_000);
      expect(back.words.every((word, i) => word === words[i])).toBe(true);
      expect(back.values.every((value, e) => value === e % 1013)).toBe(true);
    }
  });

  it('names the file and the place of what is wrong', async () => {
    const refused = async (contents: string | Uint8Array, extension: string, message: string) => {
      const path = fileOf(contents, extension);
      const error = await readWordVectors(path, new Run()).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toContain(path);
      expect((error as Error).message).toContain(message);
    };
    await refused('', 'txt', 'is empty');
    await refused(
      Uint8Array.of(0xba, 0x16, 0x4f, 0x2f, 12, 0, 0, 0),
      'bin',
      'fastText .bin model; give fastText’s .vec'.replace('’', "'"),
    );
    await refused(Uint8Array.of(0x1f, 0x8b, 8, 0), 'gz', 'unpack it first');
    await refused(
      '4000000000 300\na 1\n',
      'bin',
      'promises 4000000000 vectors of 300 numbers, and the file has only 19 bytes',
    );
    await refused('0 3\n', 'txt', 'both must be 1 or more');
    await refused('2 2\na 1 2\n', 'txt', 'ends after 1 of 2 vectors');
    await refused('1 2\na 1 2\nb 3 4\n', 'txt', 'line 3 is beyond the 1 vectors');
    await refused('2 2\na 1 2\nb 3\n', 'txt', 'line 3 is not a word and 2 numbers');
    await refused('a 1 2\nb 1 x\n', 'txt', 'line 2 ("b") has something that is not a finite number');
    await refused('a 1 2\nb 1 nan\n', 'txt', 'line 2 ("b")');
    await refused('a 1 2\nb 1 1e39\n', 'txt', 'line 2 ("b")');
    await refused('a 1 2\n\nb 1 2\n', 'txt', 'line 2 is not a word');
    await refused('lonely\n', 'txt', 'line 1 is not a word and some numbers');
    await refused(binaryOf(three).subarray(0, -6), 'bin', 'ends within vector 3 of 3');
    await refused(Buffer.concat([binaryOf(three), Buffer.from('more')]), 'bin', 'goes on behind the 3 vectors');
    await refused(Buffer.concat([Buffer.from('1 2000\n'), Buffer.alloc(9000, 'x')]), 'bin', 'longer than 4096 bytes');
    await refused('x'.repeat(2 ** 21), 'txt', 'line 1 is longer than');
    await expect(readWordVectors(join(folder, 'absent'), new Run())).rejects.toThrow('cannot be opened');
    await expect(readWordVectors(folder, new Run())).rejects.toThrow(InputError);
  });

  it('refuses numbers that are not finite only where the word is asked for', async () => {
    const contents = 'a 1 2\nb 1 nan\n';
    expect((await read(contents, 'txt', new Set(['a']))).words).toEqual(['a']);
    await expect(read(contents, 'txt', new Set(['b']))).rejects.toThrow('("b")');
  });

  it('of any cut or altered file makes vectors or an InputError', async () => {
    const whole = [header(three) + textOf(three), textOf(three)].map((text) => Buffer.from(text));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Uint8Array>(...whole, binaryOf(three)),
        fc.constantFrom('bin', 'txt'),
        fc.nat(80),
        fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 3 }),
        async (contents, extension, length, changes) => {
          const altered = Uint8Array.from(contents.subarray(0, length));
          for (const [at, byte] of changes) if (at < altered.length) altered[at] = byte;
          try {
            const { words, dimensions, values } = await read(altered, extension);
            expect(values.length).toBe(words.length * dimensions);
            expect(values.every(Number.isFinite)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stops when its run is cancelled', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(readWordVectors(fileOf(textOf(three)), new Run({ signal: controller.signal }))).rejects.toThrow(
      'cancelled',
    );
  });
});
