/** @file Texts of records, one a line, read in blocks: where each record begins and ends, without reading what it says. */

import { isAscii, isUtf8 } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { Place } from './table-file.ts';

/** Bytes that are read at a time: few enough for the texts of their cells to be gone before the collector counts them as old. */
const blockBytes = 2 ** 18;

/** Bytes of one record at the most. */
const longestRecord = 2 ** 26;

/** Bytes of a text in UTF-16 at the most; it is held in memory. */
const largestUtf16 = 2 ** 28;

/** The bytes of a text in UTF-8, in a file or in memory. */
export interface TextFile {
  readonly path: string;
  /** First byte after the byte order mark. */
  readonly start: number;
  readonly size: number;
  /** When the file was last changed, in milliseconds. */
  readonly changed: number;
  /** The byte that ends a line: line feed, or carriage return where a text has no other. */
  readonly newline: number;
  /** Lends a function that reads bytes; what the file holds must be what it held on opening. */
  use<Result>(action: (read: (offset: number, length: number) => Promise<Buffer>) => Promise<Result>): Promise<Result>;
}

/** Consecutive records of a text. */
export interface Records extends Place {
  readonly text: Buffer;
  /** First byte of each record in `text`, shape [length]. */
  readonly starts: Uint32Array;
  /** Byte after each record and the end of its line, shape [length]. */
  readonly ends: Uint32Array;
}

/**
 * Size and time of change of a file.
 * @throws InputError if there is no such file, or it is a folder.
 */
export async function statOf(path: string): Promise<{ size: number; changed: number }> {
  try {
    const stats = await stat(path);
    if (!stats.isFile())
      throw new InputError(`${path}: is ${stats.isDirectory() ? 'a folder' : 'no file'}; name a file`);
    return { size: stats.size, changed: stats.mtimeMs };
  } catch (error) {
    throw explained(path, error);
  }
}

/** An error of the system, in words. */
function explained(path: string, error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new InputError(`${path}: no such file`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM') return new InputError(`${path}: permission denied`, { cause: error });
  if (code.startsWith('E') && !(error instanceof InputError))
    return new InputError(`${path}: cannot be read: ${message}`, { cause: error });
  return error;
}

/** Reads exactly these bytes. */
export async function readBytes(path: string, file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await file.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) throw new InputError(`${path}: became shorter while it was read`);
    read += bytesRead;
  }
  return bytes;
}

/** Opens a file for reading, checked to be as it was when it was first looked at, and closes it when done. */
export async function withFile<Result>(
  path: string,
  { size, changed }: { readonly size: number; readonly changed: number },
  action: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  const file = await open(path, 'r').catch((error) => {
    throw explained(path, error);
  });
  try {
    const now = await file.stat();
    if (now.size !== size || now.mtimeMs !== changed) throw new InputError(`${path}: changed while it was read`);
    return await action(file);
  } finally {
    await file.close();
  }
}

/**
 * Opens a text in UTF-8, or in UTF-16 with a byte order mark.
 * @throws InputError if it is missing, empty, a folder, packed, or no text.
 */
export async function openTextFile(path: string): Promise<TextFile> {
  const stats = await statOf(path);
  const head = await withFile(path, stats, (file) => readBytes(path, file, 0, Math.min(stats.size, 2 ** 16)));
  if (head.length === 0) throw new InputError(`${path}: is empty`);
  if (head[0] === 0x1f && head[1] === 0x8b) throw new InputError(`${path}: is packed by gzip; unpack it first`);
  const mark = head.length >= 2 ? (head[0] << 8) | head[1] : 0;
  if (mark === 0xfffe || mark === 0xfeff) {
    if (stats.size > largestUtf16)
      throw new InputError(
        `${path}: is UTF-16 of more than ${largestUtf16.toLocaleString('en-US')} bytes; save it as UTF-8`,
      );
    const bytes = await withFile(path, stats, (file) => readBytes(path, file, 0, stats.size));
    let text: string;
    try {
      text = new TextDecoder(mark === 0xfffe ? 'utf-16le' : 'utf-16be', { fatal: true }).decode(bytes);
    } catch {
      throw new InputError(`${path}: begins like UTF-16 and is not valid UTF-16`);
    }
    const utf8 = Buffer.from(text);
    return {
      path,
      start: 0,
      size: utf8.length,
      changed: stats.changed,
      newline: newlineOf(utf8),
      use: (action) => action(async (offset, length) => utf8.subarray(offset, offset + length)),
    };
  }
  return {
    path,
    start: head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0,
    size: stats.size,
    changed: stats.changed,
    newline: newlineOf(head),
    use: (action) => withFile(path, stats, (file) => action((offset, length) => readBytes(path, file, offset, length))),
  };
}

function newlineOf(bytes: Buffer): number {
  return !bytes.includes(0x0a) && bytes.includes(0x0d) ? 0x0d : 0x0a;
}

/**
 * The records of a text from a byte on, about 256 KB at a time.
 * @param quotes whether an end of line between quotes belongs to a record.
 * @param from byte, row and line that the first record is at; default: the beginning.
 */
export async function* recordsOf(
  file: TextFile,
  quotes: boolean,
  run: Run,
  from: Pick<Place, 'offset' | 'start' | 'line'> = { offset: file.start, start: 0, line: 1 },
): AsyncGenerator<Records> {
  let { offset, start, line } = from;
  let rest: Buffer = Buffer.alloc(0);
  let at = offset;
  while (at < file.size) {
    run.check();
    // A long record is read in blocks that double, so that its beginning is not gone over too often.
    const length = Math.min(
      Math.max(blockBytes, rest.length),
      longestRecord + blockBytes - rest.length,
      file.size - at,
    );
    const block = await file.use((read) => read(at, length));
    at += length;
    const text = rest.length > 0 ? Buffer.concat([rest, block]) : block;
    const found = split(text, file.newline, quotes, at >= file.size);
    const first = found.starts.length > 0 ? found.ends[0] - found.starts[0] : text.length;
    if (Math.max(first, text.length - found.used) > longestRecord) {
      throw new InputError(
        `${file.path}: line ${line + (first > longestRecord ? 0 : found.lines)}: a record of more than ${longestRecord.toLocaleString('en-US')} bytes${quotes ? '; is a quote left open?' : ''}`,
      );
    }
    if (found.starts.length > 0) {
      yield {
        start,
        length: found.starts.length,
        offset,
        bytes: found.used,
        line,
        text: text.subarray(0, found.used),
        starts: found.starts,
        ends: found.ends,
      };
      start += found.starts.length;
    }
    offset += found.used;
    line += found.lines;
    rest = text.subarray(found.used);
    run.progress(`reading ${file.path}`, at, file.size);
  }
}

/** The records of a place that recordsOf gave, or of several joined. */
export async function recordsAt(file: TextFile, quotes: boolean, place: Place): Promise<Records> {
  const text = await file.use((read) => read(place.offset, place.bytes));
  const { starts, ends } = split(text, file.newline, quotes, true);
  if (starts.length !== place.length) throw new InputError(`${file.path}: changed while it was read`);
  return { ...place, text, starts, ends };
}

/** Where the complete records of a block are; empty lines are none, and without quotes (JSONL) those of blanks neither. */
function split(text: Buffer, newline: number, quotes: boolean, whole: boolean) {
  let starts = new Uint32Array(1024);
  let ends = new Uint32Array(1024);
  let count = 0;
  let lines = 0;
  let used = 0;
  let quote = quotes ? text.indexOf(0x22) : -1;
  for (let search = 0; used < text.length; ) {
    let end = text.indexOf(newline, search);
    if (quote !== -1 && (end === -1 || quote < end)) {
      const closing = text.indexOf(0x22, quote + 1);
      if (closing === -1) {
        if (!whole) break;
        end = -1;
      } else {
        for (let i = text.indexOf(newline, quote); i !== -1 && i < closing; i = text.indexOf(newline, i + 1)) lines++;
        search = closing + 1;
        quote = text.indexOf(0x22, search);
        continue;
      }
    }
    if (end === -1 && !whole) break;
    const after = end === -1 ? text.length : end + 1;
    if (end !== -1) lines++;
    if (!isBlank(text, used, after, !quotes)) {
      if (count === starts.length) {
        starts = grown(starts);
        ends = grown(ends);
      }
      starts[count] = used;
      ends[count++] = after;
    }
    used = search = after;
    if (quote !== -1 && quote < used) quote = text.indexOf(0x22, used);
  }
  if (used < text.length) lines = countUpTo(text, newline, used);
  return { starts: starts.slice(0, count), ends: ends.slice(0, count), used, lines };
}

function countUpTo(text: Buffer, newline: number, end: number): number {
  let lines = 0;
  for (let i = text.indexOf(newline); i !== -1 && i < end; i = text.indexOf(newline, i + 1)) lines++;
  return lines;
}

function isBlank(text: Buffer, start: number, end: number, spaces: boolean): boolean {
  for (let i = start; i < end; i++) {
    const blank = text[i] === 0x0a || text[i] === 0x0d || (spaces && (text[i] === 0x20 || text[i] === 0x09));
    if (!blank) return false;
  }
  return true;
}

function grown(values: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * values.length);
  larger.set(values);
  return larger;
}

/** The line that a record of a batch begins in. */
export function lineOf(file: TextFile, { text, starts, line }: Records, record: number): number {
  return line + countUpTo(text, file.newline, starts[record]);
}

/**
 * Records as text.
 * @throws InputError naming the first line that is not UTF-8 or has a zero character.
 */
export function decodeRecords(file: TextFile, records: Records): string {
  const { text, starts, ends } = records;
  const refuse = (test: (bytes: Buffer) => boolean, says: string): never => {
    let i = 0;
    while (i < starts.length - 1 && !test(text.subarray(starts[i], ends[i]))) i++;
    throw new InputError(`${file.path}: line ${lineOf(file, records, i)} ${says}`);
  };
  if (isAscii(text)) {
    if (text.includes(0)) refuse((bytes) => bytes.includes(0), 'has a zero character; this is no text');
    return text.toString('latin1');
  }
  if (!isUtf8(text)) refuse((bytes) => !isUtf8(bytes), 'is not UTF-8; save the file as UTF-8');
  if (text.includes(0)) refuse((bytes) => bytes.includes(0), 'has a zero character; this is no text');
  return text.toString('utf8');
}

/** Writes the records at ascending numbers as they stand, each on a line of its own. */
export async function writeRecords(
  path: string,
  file: TextFile,
  { quotes, head, from }: { quotes: boolean; head?: Buffer; from?: Pick<Place, 'offset' | 'start' | 'line'> },
  rows: Uint32Array,
  run: Run,
): Promise<void> {
  async function* blocks() {
    if (head) yield withNewline(head, file.newline);
    let next = 0;
    for await (const { start, length, text, starts, ends } of recordsOf(file, quotes, run, from)) {
      const pieces: Buffer[] = [];
      while (next < rows.length && rows[next] < start + length) {
        const first = rows[next] - start;
        let last = first;
        while (next + 1 < rows.length && rows[next + 1] === start + last + 1 && last + 1 < length) {
          next++;
          last++;
        }
        next++;
        pieces.push(text.subarray(starts[first], ends[last]));
      }
      if (pieces.length > 0) {
        const last = pieces.length - 1;
        pieces[last] = withNewline(pieces[last], file.newline);
        yield Buffer.concat(pieces);
      }
      if (next === rows.length) return;
    }
  }
  await writeBlocks(path, blocks());
}

function withNewline(bytes: Buffer, newline: number): Buffer {
  return bytes.at(-1) === newline ? bytes : Buffer.concat([bytes, Buffer.of(newline)]);
}

/** Writes blocks of bytes to a new file, one after another. */
export async function writeBlocks(
  path: string,
  blocks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for await (const block of blocks) await file.writeFile(block);
  } finally {
    await file.close();
  }
}
