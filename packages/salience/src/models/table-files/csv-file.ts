/** @file CSV files (RFC 4180, other separators too): separator and header found out, rows in batches, kept rows written byte for byte. */

import { basename } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { type Batch, mostColumns, type Place, type ReadOptions, type TableFile } from './table-file.ts';
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

const separators = [',', ';', '\t', '|'];

/** Records that separator and header are found out from. */
const looked = 200;

/**
 * Opens a CSV file: finds its separator, its header and its columns' names.
 * @throws InputError if it is missing, empty or no text, or has too many columns.
 */
export async function openCsvFile(path: string, { header, separator }: ReadOptions, run: Run): Promise<TableFile> {
  const text = await openTextFile(path);
  const first = await firstRecords(text, run);
  if (!first) throw new InputError(`${path}: has no rows`);
  const sample = { ...first, length: Math.min(looked, first.length) };
  const parseBy = (delimiter: string, strict: boolean) => cellsOf(text, sample, delimiter, sample.length, strict);
  const delimiter = separator ?? findSeparator(parseBy);
  const cells = parseBy(delimiter, true);
  const counts = header === true ? undefined : countsLine(cells);
  const named = counts ? false : (header ?? looksLikeHeader(cells));
  const skipped = counts || named ? 1 : 0;
  const width = (counts ? cells[1] : cells[0]).length;
  if (width > mostColumns)
    throw new InputError(
      `${path}: line 1 has ${width.toLocaleString('en-US')} cells; columns are at most ${mostColumns.toLocaleString('en-US')}`,
    );
  const remarks: string[] = [];
  const names = named ? uniqueNames(cells[0], remarks) : Array.from({ length: width }, (_, c) => `c${c}`);
  if (counts) remarks.push(`the first line is scikit-learn's (${counts}) and no row`);
  if (!named) remarks.push(`there is no header; the columns are called c0 to c${width - 1}`);
  const head = skipped ? first.text.subarray(first.starts[0], first.ends[0]) : undefined;
  const from = skipped
    ? { offset: first.offset + first.ends[0], start: 0, line: first.line + linesIn(head!, text.newline) }
    : undefined;

  const batchOf = (records: Records): Batch => {
    let rows: string[][] | undefined;
    return {
      start: records.start,
      length: records.length,
      offset: records.offset,
      bytes: records.bytes,
      line: records.line,
      column(index) {
        rows ??= rowsOf(text, records, delimiter, width);
        return rows.map((row) => row[index]);
      },
      where: (row) => `line ${lineOf(text, records, row)}`,
    };
  };

  return {
    path,
    name: basename(path),
    format: 'csv',
    separator: delimiter,
    header: named,
    names,
    remarks,
    size: text.size,
    changed: text.changed,
    async *batches(run) {
      for await (const records of recordsOf(text, true, run, from)) yield batchOf(records);
    },
    async read(place: Place) {
      return batchOf(await recordsAt(text, true, place));
    },
    writeRows: (to, rows, run) =>
      writeRecords(to, text, { quotes: true, head: named ? head : undefined, from }, rows, run),
    writeColumns: (to, kept, run) =>
      writeBlocks(
        to,
        (async function* () {
          const columns = names.flatMap((name, c) => (kept.has(name) ? [c] : []));
          const line = text.newline === 0x0d ? '\r' : (head ?? first.text).includes('\r\n') ? '\r\n' : '\n';
          if (named) yield Buffer.from(printed([columns.map((c) => cells[0][c])], delimiter, line));
          for await (const records of recordsOf(text, true, run, from)) {
            const rows = rowsOf(text, records, delimiter, width).map((row) => columns.map((c) => row[c]));
            yield Buffer.from(printed(rows, delimiter, line));
          }
        })(),
      ),
  };
}

async function firstRecords(text: TextFile, run: Run): Promise<Records | undefined> {
  for await (const records of recordsOf(text, true, run)) return records;
  return undefined;
}

function linesIn(bytes: Buffer, newline: number): number {
  let lines = 0;
  for (let i = bytes.indexOf(newline); i !== -1; i = bytes.indexOf(newline, i + 1)) lines++;
  return lines;
}

/** Cells of the first records, shape [count][cells]; where not strict, a separator that does not fit gives no records. */
function cellsOf(text: TextFile, records: Records, separator: string, count: number, strict: boolean): string[][] {
  const upTo = { ...records, length: count, text: records.text.subarray(0, records.ends[count - 1]) };
  try {
    return parsed(
      text,
      { ...upTo, starts: records.starts.subarray(0, count), ends: records.ends.subarray(0, count) },
      separator,
    );
  } catch (error) {
    if (strict) throw error;
    return [];
  }
}

/** All records' cells, each record as long as the header. */
function rowsOf(text: TextFile, records: Records, separator: string, width: number): string[][] {
  const rows = parsed(text, records, separator);
  for (let i = 0; i < rows.length; i++) {
    if (rows[i].length === width) continue;
    throw new InputError(
      `${text.path}: line ${lineOf(text, records, i)} has ${rows[i].length} cells; the table has ${width} columns (separator ${JSON.stringify(separator)})`,
    );
  }
  return rows;
}

/**
 * The cells of each record. Written out here because reading a large file spends its time on it; csv-parse, against which it is tested,
 * takes about twice as long (bench/table-stream.js).
 */
function parsed(text: TextFile, records: Records, separator: string): string[][] {
  const { starts, ends, length } = records;
  const decoded = decodeRecords(text, records);
  const ascii = decoded.length === records.text.length; // then characters are where bytes are
  const rows: string[][] = [];
  for (let i = 0; i < length; i++) {
    let record = ascii ? decoded.slice(starts[i], ends[i]) : records.text.toString('utf8', starts[i], ends[i]);
    let end = record.length;
    while (end > 0 && (record.charCodeAt(end - 1) === 10 || record.charCodeAt(end - 1) === 13)) end--;
    if (end < record.length) record = record.slice(0, end);
    rows.push(record.includes('"') ? quotedCells(text, records, i, record, separator) : record.split(separator));
  }
  return rows;
}

/** The cells of a record that has quotes. */
function quotedCells(text: TextFile, records: Records, i: number, record: string, separator: string): string[] {
  const refuse = (at: number, what: string): never => {
    const line = lineOf(text, records, i) + record.slice(0, at).split(text.newline === 0x0d ? '\r' : '\n').length - 1;
    throw new InputError(
      `${text.path}: line ${line}: ${what}; a cell with quotes is written "…" with each quote in it doubled`,
    );
  };
  let cells: string[] = [];
  const add = (from: number, to: number) => {
    const more = record.slice(from, to).split(separator);
    if (cells.length === 0) cells = more;
    else for (const cell of more) cells.push(cell);
  };
  for (let at = 0; ; ) {
    const opening = record.indexOf('"', at);
    if (opening === -1) {
      add(at, record.length);
      return cells;
    }
    // All cells before one with quotes at once.
    if (opening > at) {
      if (record[opening - 1] !== separator) refuse(opening, 'a quote stands where none may');
      add(at, opening - 1);
    }
    let doubled = false;
    let closing = record.indexOf('"', opening + 1);
    while (closing !== -1 && record.charCodeAt(closing + 1) === 0x22) {
      doubled = true;
      closing = record.indexOf('"', closing + 2);
    }
    if (closing === -1) refuse(opening, 'a quote is opened and never closed');
    const cell = record.slice(opening + 1, closing);
    cells.push(doubled ? cell.replaceAll('""', '"') : cell);
    const next = closing + 1;
    if (next >= record.length) return cells;
    if (record[next] !== separator) refuse(next, 'a quote stands where none may');
    at = next + 1;
    if (at === record.length) {
      cells.push('');
      return cells;
    }
  }
}

/** The separator by which most records have the same number of cells, and the most cells of those. */
function findSeparator(parseBy: (separator: string, strict: boolean) => string[][]): string {
  let best = { separator: ',', share: 0, cells: 1 };
  for (const separator of separators) {
    const counts = new Map<number, number>();
    const rows = parseBy(separator, false);
    for (const { length } of rows) counts.set(length, (counts.get(length) ?? 0) + 1);
    for (const [cells, count] of counts) {
      const share = count / rows.length;
      if (cells === 1 || share < 0.5) continue;
      if (share > best.share || (share === best.share && cells > best.cells)) best = { separator, share, cells };
    }
  }
  return best.separator;
}

const isNumber = (cell: string) => cell.trim() !== '' && Number.isFinite(Number(cell));

/** What stands in a cell without a value, and names no column. */
const isMissing = /^(|#?n\/?a|nan|null|none|\?|-)$/i;

/** scikit-learn's own files begin with the numbers of rows and of features, and the classes' names. */
function countsLine(rows: readonly (readonly string[])[]): string | undefined {
  if (rows.length < 2) return undefined;
  const [samples, features, ...classes] = rows[0];
  if (!/^\d+$/.test(samples) || features !== String(rows[1].length - 1) || classes.some(isNumber)) return undefined;
  if (classes.length === 0 ? rows[1].length === 2 : !rows[1].every(isNumber)) return undefined;
  return `${samples} rows, ${features} features${classes.length > 0 ? `, classes ${classes.join(', ')}` : ''}`;
}

/** A header has no numbers, unless it counts the columns, and a text twice only over columns of numbers. */
function looksLikeHeader(rows: readonly (readonly string[])[]): boolean {
  const [first, ...others] = rows;
  const texts = first.map((cell) => cell.trim());
  if (texts.every((cell, c) => isNumber(cell) && Number(cell) === Number(texts[0]) + c)) {
    return texts.length > 1 && Number(texts[0]) < 2;
  }
  const filled = texts.filter((cell) => cell !== '');
  if (filled.length === 0) return false;
  if (new Set(filled).size < filled.length) {
    const names = (cell: string, c: number) => !isMissing.test(cell) && others.every((row) => isNumber(row[c] ?? ''));
    return others.length > 0 && !texts.some(isNumber) && texts.some(names);
  }
  if (!texts.some(isNumber)) return true;
  // A number over a column of texts names it; over a column of numbers it is one of them.
  return (
    others.length > 0 && texts.every((cell, c) => !isNumber(cell) || others.every((row) => !isNumber(row[c] ?? '')))
  );
}

function uniqueNames(cells: readonly string[], remarks: string[]): string[] {
  const names = new Set<string>();
  for (const [c, cell] of cells.entries()) {
    const given = cell.trim();
    let name = given === '' ? `c${c}` : given;
    for (let k = 1; names.has(name); k++) name = `${given === '' ? `c${c}` : given}.${k}`;
    if (name !== given)
      remarks.push(`column ${c} ${given === '' ? 'has no name' : `is a second ${given}`} and is called ${name}`);
    names.add(name);
  }
  return [...names];
}

function printed(rows: readonly (readonly string[])[], separator: string, line: string): string {
  const plain = (cell: string) => !/["\r\n]/.test(cell) && !cell.includes(separator);
  if (rows.every((row) => row.every(plain) && (row.length > 1 || row[0] !== '')))
    return rows.map((row) => row.join(separator) + line).join('');
  return stringify(rows as string[][], {
    delimiter: separator,
    record_delimiter: line,
    quoted_match: /^$|["\r\n]/,
  });
}
