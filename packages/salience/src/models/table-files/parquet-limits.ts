/** @file What a Parquet file may say of itself: sizes are checked against the file and against limits before memory is taken. */

import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { InputError } from '../../core/errors.ts';
import { mostColumns } from './table-file.ts';

/** Bytes of one column in one row group at the most; it is read at once. */
const largestChunk = 2 ** 31 - 2 ** 20;

/** Bytes of one page at the most, unpacked. */
const largestPage = 2 ** 28;

/** Values of one page at the most. */
const mostValues = 2 ** 24;

/** First byte of a column's pages, and the byte after the last. */
export function rangeOf(meta: ColumnMetaData): { start: number; end: number } {
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  return { start, end: start + Number(meta.total_compressed_size) };
}

/**
 * Refuses metadata that contradict the file or one another.
 * @param size bytes of the file.
 * @throws InputError naming the row group and the column.
 */
export function checkMetadata(path: string, { schema, row_groups, num_rows }: FileMetaData, size: number): void {
  const refuse = (what: string): never => {
    throw new InputError(`${path}: ${what}`);
  };
  if (schema.length === 0 || schema.length - 1 > mostColumns)
    refuse(`has ${schema.length - 1} columns; 1 to ${mostColumns.toLocaleString('en-US')} can be read`);
  let rows = 0n;
  for (const [g, { columns, num_rows: groupRows }] of row_groups.entries()) {
    if (typeof groupRows !== 'bigint' || groupRows < 0n) refuse(`row group ${g} says it has ${groupRows} rows`);
    rows += groupRows;
    for (const [c, { meta_data: meta, file_path: elsewhere }] of columns.entries()) {
      const name = meta ? meta.path_in_schema.join('.') : `column ${c}`;
      if (elsewhere) refuse(`${name} lies in another file, ${elsewhere}`);
      if (!meta)
        throw new InputError(`${path}: row group ${g}: ${name} says nothing about itself; is the file encrypted?`);
      const { start, end } = rangeOf(meta);
      if (!(start >= 4 && end >= start && end <= size))
        refuse(`row group ${g}, column ${name} says it is at bytes ${start} to ${end}; the file has ${size}`);
      if (end - start > largestChunk)
        refuse(
          `row group ${g}, column ${name} has ${(end - start).toLocaleString('en-US')} bytes, which are read at once; write the file in smaller row groups`,
        );
      if (meta.num_values < 0n || (meta.path_in_schema.length === 1 && meta.num_values !== groupRows))
        refuse(`row group ${g} says it has ${groupRows} rows and its column ${name} has ${meta.num_values} values`);
    }
  }
  if (rows !== num_rows) refuse(`says it has ${num_rows} rows; its row groups have ${rows}`);
  if (rows > 2n ** 32n) refuse(`has ${rows} rows; at most ${(2 ** 32).toLocaleString('en-US')} can be read`);
}

/**
 * Walks the page headers of a column's bytes.
 * @throws InputError if a page says that it is longer than its column, unpacks to more than 2^28 bytes, or has more values than the column.
 */
export function checkPages(path: string, meta: ColumnMetaData, bytes: ArrayBuffer, from: number, to: number): void {
  const refuse = (what: string): never => {
    throw new InputError(`${path}: column ${meta.path_in_schema.join('.')}: a page says it ${what}`);
  };
  const reader = { view: new DataView(bytes, 0, to), offset: from };
  let values = 0;
  while (reader.offset < to - 1) {
    const header = parquetHeader(reader);
    const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
    if (!(packed >= 0 && reader.offset + packed <= to)) refuse(`has ${packed} bytes; ${to - reader.offset} are left`);
    if (!(unpacked >= 0 && unpacked <= largestPage))
      refuse(`unpacks to ${unpacked} bytes; at most ${largestPage.toLocaleString('en-US')} are allowed`);
    const of = header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header;
    const count = of?.num_values ?? 0;
    if (!(count >= 0 && count <= mostValues)) refuse(`has ${count} values; at most ${mostValues} are allowed`);
    if (header.dictionary_page_header) {
      if (count > 8 * unpacked) refuse(`has ${count} values in ${unpacked} bytes`);
    } else {
      values += count;
    }
    if (values > Number(meta.num_values)) refuse(`has more values than its column, ${meta.num_values}`);
    reader.offset += packed;
  }
}
