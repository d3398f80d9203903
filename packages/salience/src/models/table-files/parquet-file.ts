/** @file Parquet files: read a range of rows and a column at a time, written in row groups with the columns' own types. */

import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type AsyncBuffer,
  type DecodedArray,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  type SchemaElement,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { InputError, OutputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { checkMetadata, checkPages, rangeOf } from './parquet-limits.ts';
import type { Batch, Place, TableFile } from './table-file.ts';
import { readBytes, statOf, withFile } from './text-records.ts';

/** Rows that are read at a time, and about how many bytes of them. */
const batchRows = 65_536;
const batchBytes = 2 ** 26;

/** Values that are written as they were read: moments and days as whole numbers. */
const exact = {
  timestampFromMilliseconds: (time: bigint) => time,
  timestampFromMicroseconds: (time: bigint) => time,
  timestampFromNanoseconds: (time: bigint) => time,
  dateFromDays: (days: number) => days,
};

type Column = DecodedArray;

/**
 * Opens a Parquet file.
 * @throws InputError if it is missing, no Parquet, or says of itself what cannot be.
 */
export async function openParquetFile(path: string): Promise<TableFile> {
  const stats = await statOf(path);
  const bufferOf = (slice: AsyncBuffer['slice']): AsyncBuffer => ({ byteLength: stats.size, slice });
  const metadata = await withFile(path, stats, async (file) => {
    if (stats.size < 12) throw new InputError(`${path}: has ${stats.size} bytes, too few for Parquet`);
    const buffer = bufferOf((start, end = stats.size) => arrayBuffer(readBytes(path, file, start, end - start)));
    return understood(path, () => parquetMetadataAsync(buffer, { geoparquet: false }));
  });
  checkMetadata(path, metadata, stats.size);
  const columns = columnsOf(metadata.schema);
  const names = columns.map(([{ name }]) => name);
  if (new Set(names).size < names.length) throw new InputError(`${path}: has two columns of one name`);
  const pagesAt = new Map(
    metadata.row_groups.flatMap((group) =>
      group.columns.map(({ meta_data }) => [rangeOf(meta_data!).start, meta_data!]),
    ),
  );

  /** The columns at these places in a range of rows, one after another. */
  const readColumns = (start: number, end: number, wanted: readonly number[], asStored: boolean): Promise<Column[]> =>
    withFile(path, stats, async (file) => {
      const buffer = bufferOf(async (from, to = stats.size) => {
        const bytes = await arrayBuffer(readBytes(path, file, from, to - from));
        for (let at = from; at < to; ) {
          const meta = pagesAt.get(at);
          const next = meta ? rangeOf(meta).end : to;
          if (meta && next <= to && next > at) checkPages(path, meta, bytes, at - from, next - from);
          at = Math.max(next, at + 1);
          while (at < to && !pagesAt.has(at)) at++;
        }
        return bytes;
      });
      return understood(path, async () => {
        const scan = await parquetScan({
          file: buffer,
          metadata,
          columns: wanted.map((c) => names[c]),
          rowStart: start,
          rowEnd: end,
          compressors,
          useOffsetIndex: false,
          geoparquet: false,
          ...(asStored && { parsers: exact, utf8: false }),
        });
        const read: Column[] = [];
        for (const c of wanted) {
          const values = await scan.readColumn({ column: names[c], rowStart: start, rowEnd: end });
          if (values.length !== end - start)
            throw new InputError(
              `${path}: column ${names[c]} has ${values.length} values in rows ${start} to ${end - 1}`,
            );
          read.push(values);
        }
        return read;
      });
    });

  const batchAt = async (place: Place, wanted: readonly number[] = names.map((_, c) => c)): Promise<Batch> => {
    const parts: unknown[][][] = wanted.map(() => []);
    for (const [start, end] of withinGroups(metadata, place.start, place.start + place.length)) {
      const read = await readColumns(start, end, wanted, false);
      for (const [i, values] of read.entries()) parts[i].push(Array.from(values as ArrayLike<unknown>, plain));
    }
    const cells = new Map(wanted.map((c, i) => [c, parts[i].length === 1 ? parts[i][0] : parts[i].flat(1)]));
    return {
      ...place,
      column(index) {
        const values = cells.get(index);
        if (!values) throw new InputError(`${path}: column ${names[index] ?? index} was not read`);
        return values;
      },
      where: (row) => `row ${place.start + row}`,
    };
  };

  /** Copies columns row group by row group; `rowsIn` gives the kept rows of a range, or undefined for all of them. */
  const write = async (
    to: string,
    wanted: readonly number[],
    rowsIn: (start: number, end: number) => Uint32Array | undefined,
    keyValues: FileMetaData['key_value_metadata'],
    run: Run,
  ): Promise<void> => {
    const file = await open(to, 'wx');
    try {
      const bytes = new ByteWriter();
      const flush = async () => {
        await file.writeFile(bytes.getBytes());
        bytes.index = 0;
      };
      Object.assign(bytes, { flush, finish: flush });
      const [root] = metadata.schema;
      const writer = new ParquetWriter({
        writer: bytes,
        schema: [{ ...root, num_children: wanted.length }, ...wanted.flatMap((c) => columns[c].map(writable))],
        codec: metadata.row_groups[0]?.columns[0]?.meta_data?.codec === 'UNCOMPRESSED' ? 'UNCOMPRESSED' : 'SNAPPY',
        createdBy: 'salience',
        ...(keyValues && { kvMetadata: keyValues }),
      });
      for (const { start, length } of ranges(metadata)) {
        run.check();
        const kept = rowsIn(start, start + length);
        if (kept?.length === 0) continue;
        const read = await readColumns(start, start + length, wanted, true);
        const columnData = wanted.map((c, i) => ({
          name: names[c],
          data: kept ? Array.from(kept, (row) => read[i][row - start]) : read[i],
        }));
        try {
          await writer.write({ columnData, rowGroupSize: length });
        } catch (error) {
          throw new OutputError(`${path}: cannot be written as Parquet again: ${(error as Error).message}`, {
            cause: error,
          });
        }
        run.progress(`writing ${basename(path)}`, start + length, Number(metadata.num_rows));
      }
      await writer.finish();
    } finally {
      await file.close();
    }
  };

  const everyColumn = names.map((_, c) => c);
  return {
    path,
    name: basename(path),
    format: 'parquet',
    names,
    rows: Number(metadata.num_rows),
    remarks: [],
    size: stats.size,
    changed: stats.changed,
    async *batches(run, wanted = everyColumn) {
      for (const place of ranges(metadata)) {
        run.check();
        yield await batchAt(place, wanted);
        run.progress(`reading ${path}`, place.start + place.length, Number(metadata.num_rows));
      }
    },
    read: batchAt,
    writeRows(to, rows, run) {
      let next = 0;
      const rowsIn = (_start: number, end: number) => {
        const first = next;
        while (next < rows.length && rows[next] < end) next++;
        return rows.subarray(first, next);
      };
      return write(to, everyColumn, rowsIn, metadata.key_value_metadata, run);
    },
    // Key-values such as pandas's describe all columns and would be wrong.
    writeColumns(to, kept, run) {
      const wanted = everyColumn.filter((c) => kept.has(names[c]));
      return write(to, wanted, () => undefined, undefined, run);
    },
  };
}

async function arrayBuffer(bytes: Promise<Buffer>): Promise<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = await bytes;
  return byteOffset === 0 && byteLength === buffer.byteLength
    ? (buffer as ArrayBuffer)
    : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}

/** An error of the reader is the file's; one of ours stays. */
async function understood<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read as Parquet: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * An element as hyparquet-writer writes it well. It gives the width of INTEGER in 32 bits where other readers want 8, and so makes a file
 * that Arrow refuses; the older name of the same type says as much.
 */
function writable({ logical_type: logical, ...element }: SchemaElement): SchemaElement {
  if (logical?.type !== 'INTEGER') return { ...element, ...(logical && { logical_type: logical }) };
  const older = `${logical.isSigned ? 'INT' : 'UINT'}_${logical.bitWidth}` as NonNullable<
    SchemaElement['converted_type']
  >;
  return { ...element, converted_type: element.converted_type ?? older };
}

/** The elements of each column's tree, in the order of the schema. */
function columnsOf(schema: readonly SchemaElement[]): SchemaElement[][] {
  const columns: SchemaElement[][] = [];
  for (let at = 1; at < schema.length; ) {
    let open = 1;
    let end = at;
    while (open > 0 && end < schema.length) open += (schema[end++].num_children ?? 0) - 1;
    columns.push(schema.slice(at, end));
    at = end;
  }
  return columns;
}

/** The parts of a range of rows that lie in one row group each. */
function* withinGroups({ row_groups }: FileMetaData, start: number, end: number): Generator<[number, number]> {
  let first = 0;
  for (const { num_rows } of row_groups) {
    const last = first + Number(num_rows);
    if (Math.max(first, start) < Math.min(last, end)) yield [Math.max(first, start), Math.min(last, end)];
    first = last;
  }
}

/** Ranges of rows that are read at a time: within one row group, at most 65,536 rows and about 64 MB. */
function* ranges({ row_groups }: FileMetaData): Generator<Place> {
  let first = 0;
  for (const { columns, num_rows } of row_groups) {
    const rows = Number(num_rows);
    const bytes = columns.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_uncompressed_size ?? 0), 0);
    const perRow = Math.max(1, bytes / Math.max(1, rows));
    const most = Math.max(1, Math.min(batchRows, Math.floor(batchBytes / perRow)));
    for (let at = 0; at < rows; at += most) {
      const length = Math.min(most, rows - at);
      yield { start: first + at, length, offset: 0, bytes: Math.ceil(perRow * length), line: 0 };
    }
    first += rows;
  }
}

/** Whole numbers of 64 bits as numbers, where they are exact. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint' && BigInt.asIntN(54, value) === value) return Number(value);
  return value;
}
