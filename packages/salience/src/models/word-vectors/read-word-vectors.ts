/** @file Word vectors from files: word2vec text and binary, GloVe text, fastText .vec. */

import { open } from 'node:fs/promises';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { ByteReader } from './byte-reader.ts';
import type { WordVectors } from './word-vectors.ts';

const newline = 0x0a;
const space = 0x20;
/** No line of text and no word is longer than this, in bytes. */
const longestLine = 2 ** 20;
const longestWord = 4096;

/**
 * Reads a file of word vectors from start to end, holding only those of the words asked for. Which format it is shows in the
 * file: a first line of two whole numbers is the header of word2vec and fastText, binary where the name ends in .bin or
 * control bytes follow; a first line without is GloVe. Of a word that occurs twice the first vector counts.
 * @param only the words wanted; all of them where absent.
 * @throws InputError naming the file and the place if it is of another format, is cut off, promises more vectors than its size
 *   can hold, or a vector wanted is not of finite numbers.
 */
export async function readWordVectors(path: string, run: Run, only?: ReadonlySet<string>): Promise<WordVectors> {
  const file = await open(path).catch((cause: Error) => {
    throw new InputError(`${path}: cannot be opened: ${cause.message}`, { cause });
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new InputError(`${path} is not a file of word vectors`);
    const reader = new ByteReader(file);
    await refuseOtherFormats(path, reader);
    const header = await readHeader(path, reader, status.size);
    const kept = new KeptVectors(path, only);
    if (header && (/\.bin$/i.test(path) || (await looksBinary(reader)))) {
      await readBinary(path, reader, header, kept, run);
    } else {
      await readText(path, reader, header, kept, run);
    }
    return kept.vectors(header?.dimensions);
  } finally {
    await file.close();
  }
}

interface Header {
  readonly count: number;
  readonly dimensions: number;
}

const otherFormats: readonly (readonly [readonly number[], string])[] = [
  [[0xba, 0x16, 0x4f, 0x2f], "is a fastText .bin model; give fastText's .vec file of the same name instead"],
  [[0x1f, 0x8b], 'is compressed by gzip; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive; unpack it first'],
];

async function refuseOtherFormats(path: string, reader: ByteReader): Promise<void> {
  await reader.fill(4);
  const start = reader.peek(4);
  if (start.length === 0) throw new InputError(`${path} is empty; a file of word vectors has a line or record a word`);
  for (const [magic, reason] of otherFormats) {
    if (magic.every((byte, i) => start[i] === byte)) throw new InputError(`${path} ${reason}`);
  }
}

/** The header, where the first line is two whole numbers; checked against the size of the file before anything is allocated. */
async function readHeader(path: string, reader: ByteReader, size: number): Promise<Header | undefined> {
  const end = await reader.find(newline, 64);
  if (end < 0) return undefined;
  const match = /^(\d+) (\d+)\s*$/.exec(asciiOf(reader.peek(end)));
  if (!match) return undefined;
  const [count, dimensions] = [Number(match[1]), Number(match[2])];
  if (count < 1 || dimensions < 1) {
    throw new InputError(`${path}: line 1 promises ${count} vectors of ${dimensions} numbers; both must be 1 or more`);
  }
  // In either format a number takes two bytes or more.
  if (count * dimensions * 2 > size) {
    throw new InputError(
      `${path}: line 1 promises ${count} vectors of ${dimensions} numbers, and the file has only ${size} bytes`,
    );
  }
  reader.skip(end + 1);
  return { count, dimensions };
}

async function looksBinary(reader: ByteReader): Promise<boolean> {
  await reader.fill(4096);
  return reader.peek(4096).some((byte) => byte < 0x09);
}

async function readBinary(
  path: string,
  reader: ByteReader,
  { count, dimensions }: Header,
  kept: KeptVectors,
  run: Run,
): Promise<void> {
  const bytes = 4 * dimensions;
  for (let i = 0; i < count; i++) {
    const cutOff = () => new InputError(`${path} ends within vector ${i + 1} of ${count}`);
    if (i % 1024 === 0) progress(run, i, count);
    if ((await reader.fill(1)) && reader.peek(1)[0] === newline) reader.skip(1);
    const end = await reader.find(space, longestWord);
    if (end < 0) {
      if (reader.length < longestWord) throw cutOff();
      throw new InputError(`${path}: the word of vector ${i + 1} is longer than ${longestWord} bytes`);
    }
    const word = utf8.decode(reader.peek(end));
    reader.skip(end + 1);
    if (reader.length < bytes && !(await reader.fill(bytes))) throw cutOff();
    if (kept.wants(word)) {
      const record = reader.peek(bytes);
      const view = new DataView(record.buffer, record.byteOffset, bytes);
      const values = Float32Array.from({ length: dimensions }, (_, k) => view.getFloat32(4 * k, true));
      kept.add(word, values, `vector ${i + 1}`);
    }
    reader.skip(bytes);
  }
  if ((await reader.fill(1)) && reader.peek(1)[0] === newline) reader.skip(1);
  if (await reader.fill(1))
    throw new InputError(`${path} goes on behind the ${count} vectors that its header promises`);
}

async function readText(
  path: string,
  reader: ByteReader,
  header: Header | undefined,
  kept: KeptVectors,
  run: Run,
): Promise<void> {
  let dimensions = header?.dimensions ?? 0;
  let vectors = 0;
  for (let line = header ? 2 : 1; await reader.fill(1); line++) {
    if (vectors % 1024 === 0) progress(run, vectors, header?.count);
    let length = await reader.find(newline, longestLine);
    const end = length < 0 ? reader.length : length;
    if (length < 0 && end >= longestLine) {
      throw new InputError(
        `${path}: line ${line} is longer than ${longestLine} bytes; this is no text of word vectors`,
      );
    }
    const bytes = reader.peek(end);
    length = end;
    while (length > 0 && bytes[length - 1] <= space) length--;
    if (dimensions === 0) dimensions = spacesOf(bytes, length);
    const wordEnd = beforeNumbers(bytes, length, dimensions);
    if (dimensions === 0 || wordEnd < 0) {
      throw new InputError(
        `${path}: line ${line} is not a word and ${dimensions || 'some'} numbers with single spaces between${header && vectors < header.count ? '; the file may be cut off' : ''}`,
      );
    }
    const word = utf8.decode(bytes.subarray(0, wordEnd));
    if (kept.wants(word)) {
      const fields = asciiOf(bytes.subarray(wordEnd + 1, length)).split(' ');
      kept.add(word, Float32Array.from(fields, numberOf), `line ${line}`);
    }
    vectors++;
    reader.skip(end + 1);
    if (header && vectors > header.count) {
      throw new InputError(`${path}: line ${line} is beyond the ${header.count} vectors that line 1 promises`);
    }
  }
  if (header && vectors < header.count) {
    throw new InputError(`${path} ends after ${vectors} of ${header.count} vectors`);
  }
}

function progress(run: Run, done: number, total?: number): void {
  run.check();
  run.progress('read word vectors', done, total);
}

function spacesOf(bytes: Uint8Array, length: number): number {
  let spaces = 0;
  for (let i = 0; i < length; i++) if (bytes[i] === space) spaces++;
  return spaces;
}

/** Where the space before the last `fields` fields stands: a word of GloVe may hold spaces itself. −1 if there is none. */
function beforeNumbers(bytes: Uint8Array, length: number, fields: number): number {
  let at = length;
  for (let left = fields; left > 0 && at >= 0; left--) at = bytes.lastIndexOf(space, at - 1);
  return fields > 0 && at > 0 ? at : -1;
}

const utf8 = new TextDecoder();

function asciiOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** A number as written in the file; NaN for what is none. */
function numberOf(text: string): number {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}

/** The vectors wanted, as they are found. */
class KeptVectors {
  readonly #path: string;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #words = new Set<string>();
  #values = new Float32Array(1024);
  #size = 0;

  constructor(path: string, only: ReadonlySet<string> | undefined) {
    this.#path = path;
    this.#only = only;
  }

  wants(word: string): boolean {
    return (this.#only === undefined || this.#only.has(word)) && !this.#words.has(word);
  }

  add(word: string, vector: Float32Array, place: string): void {
    if (!vector.every(Number.isFinite)) {
      throw new InputError(`${this.#path}: ${place} ("${word}") has something that is not a finite number`);
    }
    this.#words.add(word);
    if (this.#size + vector.length > this.#values.length) {
      const wider = new Float32Array(Math.max(2 * this.#values.length, this.#size + vector.length));
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values.set(vector, this.#size);
    this.#size += vector.length;
  }

  vectors(dimensions = this.#words.size > 0 ? this.#size / this.#words.size : 0): WordVectors {
    return { words: [...this.#words], dimensions, values: this.#values.slice(0, this.#size) };
  }
}
