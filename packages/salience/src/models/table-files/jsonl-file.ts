/** @file JSONL files: one object a line. Kept rows are written byte for byte, kept columns with their numbers as they stood. */

import { basename } from 'node:path';
import { type Node, parseTree } from 'jsonc-parser';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type Batch, mostColumns, type TableFile } from './table-file.ts';
import {
  decodeRecords,
  lineOf,
  openTextFile,
  type Records,
  recordsAt,
  recordsOf,
  type TextFile,
  writeBlocks,
  writeRecords,
} from './text-records.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Opens a JSONL file; its columns are the keys of its first rows, and grow with a pass over it.
 * @throws InputError if it is missing, empty, no text, or a line is no object.
 */
export async function openJsonlFile(path: string, run: Run): Promise<TableFile> {
  const text = await openTextFile(path);
  const names: string[] = [];
  const known = new Set<string>();

  const rowsOf = (records: Records): Row[] => linesOf(text, records).map((line, i) => parsed(text, records, line, i));

  const learnNames = (records: Records, rows: readonly Row[]): void => {
    for (const [i, row] of rows.entries()) {
      for (const name of Object.keys(row)) {
        if (known.has(name)) continue;
        known.add(name);
        names.push(name);
        if (names.length > mostColumns) {
          throw new InputError(
            `${path}: line ${lineOf(text, records, i)}: up to here there are more than ${mostColumns.toLocaleString('en-US')} different keys`,
          );
        }
      }
    }
  };

  const batchOf = (records: Records, read?: Row[]): Batch => {
    let rows = read;
    return {
      start: records.start,
      length: records.length,
      offset: records.offset,
      bytes: records.bytes,
      line: records.line,
      column(index) {
        const name = names[index];
        rows ??= rowsOf(records);
        return rows.map((row) => (Object.hasOwn(row, name) ? row[name] : undefined));
      },
      where: (row) => `line ${lineOf(text, records, row)}`,
    };
  };

  for await (const records of recordsOf(text, false, run)) {
    learnNames(records, rowsOf(records));
    break;
  }
  if (names.length === 0) throw new InputError(`${path}: has no rows with a key`);

  return {
    path,
    name: basename(path),
    format: 'jsonl',
    names,
    remarks: [],
    size: text.size,
    changed: text.changed,
    async *batches(run) {
      for await (const records of recordsOf(text, false, run)) {
        const rows = rowsOf(records);
        learnNames(records, rows);
        yield batchOf(records, rows);
      }
    },
    async read(place) {
      return batchOf(await recordsAt(text, false, place));
    },
    writeRows: (to, rows, run) => writeRecords(to, text, { quotes: false }, rows, run),
    writeColumns: (to, kept, run) =>
      writeBlocks(
        to,
        (async function* () {
          for await (const records of recordsOf(text, false, run)) {
            const lines = linesOf(text, records);
            yield Buffer.from(
              lines
                .map((line, i) => {
                  const where = () => `${path}: line ${lineOf(text, records, i)}`;
                  return `${pruned(line, parsed(text, records, line, i), kept, where)}\n`;
                })
                .join(''),
            );
          }
        })(),
      ),
  };
}

function linesOf(text: TextFile, records: Records): string[] {
  return decodeRecords(text, records)
    .split(text.newline === 0x0d ? '\r' : '\n')
    .filter((line) => !/^[ \t\r]*$/.test(line));
}

function parsed(text: TextFile, records: Records, line: string, i: number): Row {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${text.path}: line ${lineOf(text, records, i)} is not JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (row !== null && typeof row === 'object' && !Array.isArray(row)) return row as Row;
  const kind = row === null ? 'null' : Array.isArray(row) ? 'a list' : `a ${typeof row}`;
  throw new InputError(
    `${text.path}: line ${lineOf(text, records, i)} is ${kind}; each line is an object, such as {"age": 31, "grade": "low"}`,
  );
}

/** Numbers that JSON.stringify would not print as they stand: long ones, with zeros at the end, or with an exponent. */
const fragile = /\d{16}|\.\d*0(?!\d)|\d[eE]/;

/**
 * A line with the kept keys only.
 * @throws InputError if its lists are nested too deeply to be gone through.
 */
function pruned(line: string, row: Row, kept: ReadonlySet<string>, where: () => string): string {
  if (!fragile.test(line)) {
    return JSON.stringify(Object.fromEntries(Object.entries(row).filter(([name]) => kept.has(name))));
  }
  let tree: Node | undefined;
  try {
    tree = parseTree(line);
  } catch (error) {
    throw new InputError(`${where()} has lists nested too deeply: ${(error as Error).message}`, { cause: error });
  }
  const pairs = new Map<string, string>();
  for (const { children } of tree?.children ?? []) {
    const [key, value] = children as [Node, Node];
    if (kept.has(key.value)) pairs.set(key.value, line.slice(value.offset, value.offset + value.length));
  }
  return `{${Array.from(pairs, ([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
