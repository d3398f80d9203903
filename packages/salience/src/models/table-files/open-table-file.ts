/** @file Opens a file of rows and columns by its format, which its ending or its first bytes tell. */

import { extname } from 'node:path';
import { InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { openCsvFile } from './csv-file.ts';
import { openJsonlFile } from './jsonl-file.ts';
import { openParquetFile } from './parquet-file.ts';
import type { ReadOptions, TableFile } from './table-file.ts';
import { readBytes, statOf, withFile } from './text-records.ts';

const formats: Readonly<Record<string, TableFile['format']>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.tab': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
  '.pq': 'parquet',
};

/**
 * Opens a CSV, JSONL or Parquet file.
 * @throws InputError if it is missing, empty, a folder, or of no such format.
 */
export async function openTableFile(path: string, options: ReadOptions = {}, run = new Run()): Promise<TableFile> {
  if (path === '-') {
    throw new InputError('a table is read several times and cannot come from standard input; name its file');
  }
  const format = formats[extname(path).toLowerCase()] ?? (await formatOf(path));
  if (format === 'parquet') return openParquetFile(path);
  if (format === 'jsonl') return openJsonlFile(path, run);
  const { separator } = options;
  if (separator !== undefined && (separator.length !== 1 || separator === '"' || /[\r\n]/.test(separator))) {
    throw new InputError(`separator ${JSON.stringify(separator)} is not one character such as , ; | or a tab`);
  }
  return openCsvFile(path, options, run);
}

/** Parquet by its mark, JSONL by its brace, else CSV. */
async function formatOf(path: string): Promise<TableFile['format']> {
  const stats = await statOf(path);
  const head = await withFile(path, stats, (file) => readBytes(path, file, 0, Math.min(64, stats.size)));
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const first = head
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart()[0];
  if (first === '[') throw new InputError(`${path}: is a JSON list; write one object a line (JSONL)`);
  return first === '{' ? 'jsonl' : 'csv';
}
