/** @file The one place that reads a text whole: from a file, or from standard input. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { InputError } from '../core/errors.ts';
import { decodeText } from './document/decoding.ts';

/** Bytes of a text at the most. */
const largest = 2 ** 28;

/**
 * Reads a text in UTF-8, or in UTF-16 with a byte order mark.
 * @param path a file, or `-` for standard input.
 * @param what what the text is for, as errors name it: "the prompt".
 * @throws InputError if it is missing, a folder, unreadable, larger than 2^28 bytes, or no text, with the byte that is wrong.
 */
export async function readText(path: string, what: string): Promise<string> {
  const name = path === '-' ? 'standard input' : path;
  const tooLarge = () =>
    new InputError(`${name}: has more than ${largest.toLocaleString('en-US')} bytes, too many for ${what}`);
  if (path !== '-') {
    const stats = await stat(path).catch((error) => {
      throw unreadable(path, error);
    });
    if (stats.isDirectory()) throw new InputError(`${path}: is a folder; ${what} is a text file`);
    if (stats.size > largest) throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
      size += chunk.length;
      if (size > largest) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreadable(name, error);
  }
  return decodeText(Buffer.concat(chunks), name);
}

function unreadable(name: string, error: unknown): Error {
  if (error instanceof InputError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new InputError(`${name}: no such file`, { cause: error });
  const reason = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : message;
  return new InputError(`${name}: cannot be read: ${reason}`, { cause: error });
}
