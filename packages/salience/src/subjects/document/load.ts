/** @file Documents from files, folders and standard input. */

import { constants } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { CancelledError, InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type Collection, collectSentences } from './collection.ts';
import { decodeText } from './decoding.ts';
import { textOfHtml } from './html.ts';
import { htmlOfMarkdown } from './markdown.ts';
import { sentencesOf } from './sentences.ts';

type Format = 'text' | 'markdown' | 'html' | 'lines';

const formats: Readonly<Record<string, Format>> = {
  '.txt': 'text',
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.html': 'html',
  '.htm': 'html',
  '.jsonl': 'lines',
  '.ndjson': 'lines',
};

/** Bytes of a text that is read at once: a string cannot be longer. */
const largestText = constants.MAX_STRING_LENGTH;
/** Bytes of a Markdown or HTML document. */
const largestMarkup = 64 * 2 ** 20;
/** Characters of all documents together: what the heap of a usual Node has room for. */
const largestCollection = 2 ** 29;

interface Source {
  readonly path: string;
  /** Found in a folder and not asked for by name. */
  readonly found: boolean;
}

interface Read {
  readonly name: string;
  readonly text: string;
}

/**
 * Loads a collection. Folders are read recursively in the order of their names, without dot-files, node_modules and
 * symbolic links; a file in a folder that holds no sentence is passed over with a word to the log.
 * @param paths files, folders, or "-" for standard input: a text, or JSONL if its first line is such a document.
 * @param options `background`: paths of the texts that word statistics come from.
 * @throws InputError naming the file, and the line or byte, of what cannot be read as a document; CancelledError.
 */
export async function loadCollection(
  paths: readonly string[],
  { language = 'en', background = [] }: { language?: string; background?: readonly string[] },
  run: Run,
): Promise<Collection> {
  const documents: { name: string; sentences: string[] }[] = [];
  let characters = 0;
  for (const path of paths) {
    for (const source of await sourcesOf(path, run)) {
      run.check();
      for await (const { name, text } of read(source.path, run)) {
        characters += text.length;
        if (characters > largestCollection) {
          throw new InputError(`the documents up to ${name} have more than ${megabytes(largestCollection)} of text`);
        }
        const sentences = await paced(sentencesOf(text, language), run, (count) =>
          run.progress(`sentences of ${name}`, count),
        );
        if (sentences.length > 0 || !source.found) documents.push({ name, sentences });
        else run.log(`${name} holds no sentence and is passed over`);
        run.progress('read documents', documents.length);
        run.check();
      }
    }
  }
  return collectSentences(documents, {
    language,
    ...(background.length > 0 && { background: await loadCollection(background, { language }, run) }),
  });
}

/** All that a generator gives; every so often other work has its turn. */
async function paced<T>(generator: Iterable<T>, run: Run, tell?: (count: number) => void): Promise<T[]> {
  const all: T[] = [];
  let last = performance.now();
  for (const each of generator) {
    all.push(each);
    if ((all.length & 15) === 0 && performance.now() - last > 50) {
      tell?.(all.length);
      await run.breathe();
      last = performance.now();
    }
  }
  return all;
}

async function sourcesOf(path: string, run: Run): Promise<Source[]> {
  if (path === '-' || !(await about(path)).isDirectory()) return [{ path, found: false }];
  const sources = await filesIn(path, run);
  if (sources.length === 0) throw new InputError(`${path} holds no ${Object.keys(formats).join(', ')} file`);
  return sources.map((file) => ({ path: file, found: true }));
}

async function filesIn(folder: string, run: Run): Promise<string[]> {
  run.check();
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw unreadable(folder, error);
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
    if (entry.isSymbolicLink()) run.log(`${path} is a symbolic link and is passed over`);
    else if (entry.isDirectory()) for (const file of await filesIn(path, run)) files.push(file);
    else if (entry.isFile() && extname(path).toLowerCase() in formats) files.push(path);
  }
  return files;
}

/** The documents of one file. */
async function* read(path: string, run: Run): AsyncGenerator<Read> {
  const format = formats[extname(path).toLowerCase()] ?? 'text';
  if (path === '-') yield* standardInput(await textOf('standard input', process.stdin, run));
  else if (format === 'lines') yield* documentsOf(path, run);
  else {
    const text = await textOf(path, undefined, run);
    if (format === 'text') yield { name: path, text };
    else {
      if (text.length > largestMarkup) throw tooLarge(path, text.length, largestMarkup);
      yield {
        name: path,
        text: textOfHtml(format === 'html' ? text : (await paced(htmlOfMarkdown(text), run)).join('')),
      };
    }
  }
}

/** The whole text of a file or a stream. */
async function textOf(name: string, stream: Readable | undefined, run: Run): Promise<string> {
  const stats = stream ? undefined : await about(name);
  if (stats?.isFile()) {
    if (stats.size > largestText) throw tooLarge(name, stats.size, largestText);
    const bytes = await readFile(name, { signal: run.signal }).catch((error) => {
      throw unreadable(name, error);
    });
    return decodeText(bytes, name);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(name, stream ?? createReadStream(name), run)) {
    size += chunk.length;
    if (size > largestText) throw tooLarge(name, size, largestText);
    chunks.push(chunk);
  }
  return decodeText(Buffer.concat(chunks), name);
}

async function* documentsOf(path: string, run: Run): AsyncGenerator<Read> {
  let number = 0;
  for await (const line of linesOf(path, run)) {
    const place = `${path}, line ${++number}`;
    const json = decodeText(line, place);
    if (json.trim() === '') continue;
    yield documentOf(json, place);
  }
  if (number === 0) throw new InputError(`${path} holds no document`);
}

/** The document on one line of JSONL. */
function documentOf(json: string, place: string): Read {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new InputError(`${place} is not JSON: ${(error as Error).message}`);
  }
  const { text, id, name, title } = (parsed ?? {}) as Record<string, unknown>;
  if (typeof text !== 'string') throw new InputError(`${place} has no "text" that is a string`);
  const given = [id, name, title].find((value) => typeof value === 'number' || (typeof value === 'string' && value));
  return { name: given === undefined ? place : String(given), text };
}

/** Standard input: JSONL if its first line is a document of that kind, else one text. */
function* standardInput(text: string): Generator<Read> {
  const [first] = text.split('\n', 1);
  let lines = false;
  try {
    lines = typeof (JSON.parse(first) as { text?: unknown } | null)?.text === 'string';
  } catch {
    // A text that is not JSON.
  }
  if (!lines) {
    yield { name: 'standard input', text };
    return;
  }
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    if (line.trim() !== '') yield documentOf(line, `standard input, line ${number}`);
  }
}

async function* linesOf(path: string, run: Run): AsyncGenerator<Uint8Array> {
  let pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunksOf(path, createReadStream(path, { highWaterMark: 2 ** 20 }), run)) {
    let from = 0;
    for (let to = chunk.indexOf(10); to !== -1; to = chunk.indexOf(10, from)) {
      pieces.push(chunk.subarray(from, to));
      yield pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
      pieces = [];
      size = 0;
      from = to + 1;
    }
    pieces.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > largestText) throw tooLarge(`a line of ${path}`, size, largestText);
  }
  if (size > 0) yield Buffer.concat(pieces);
}

async function* chunksOf(name: string, stream: Readable, run: Run): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of addAbortSignal(run.signal, stream)) yield chunk as Uint8Array;
  } catch (error) {
    throw unreadable(name, error);
  }
}

async function about(path: string) {
  return await stat(path).catch((error) => {
    throw unreadable(path, error);
  });
}

function unreadable(name: string, error: unknown): Error {
  const { name: kind, code = '', message } = error as NodeJS.ErrnoException;
  if (kind === 'AbortError') return new CancelledError('cancelled');
  if (code === 'ENOENT') return new InputError(`there is no file or folder ${name}`);
  const reason = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : message;
  return new InputError(`${name} cannot be read: ${reason}`, { cause: error });
}

function tooLarge(name: string, size: number, limit: number): InputError {
  return new InputError(
    `${name} has ${megabytes(size)}, more than the ${megabytes(limit)} of one text; write it as .jsonl, a document a line`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;
}
