import { type FileMetaData, parquetMetadata } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { checkMetadata, checkPages, rangeOf } from './parquet-limits.ts';

const bytes = parquetWriteBuffer({
  columnData: [{ name: 'x', data: Array.from({ length: 100 }, (_, i) => i / 3), type: 'DOUBLE' }],
});

/** True metadata, changed. */
function told(change: (metadata: FileMetaData) => void): FileMetaData {
  const metadata = parquetMetadata(bytes);
  change(metadata);
  return metadata;
}

const check = (change: (metadata: FileMetaData) => void) => () =>
  checkMetadata('t.parquet', told(change), bytes.byteLength);

describe('what a Parquet file says of itself', () => {
  it('may be true', () => {
    expect(check(() => {})).not.toThrow();
  });

  it('is refused where rows do not add up', () => {
    expect(
      check((m) => {
        m.num_rows = 1000n;
      }),
    ).toThrow('t.parquet: says it has 1000 rows; its row groups have 100');
    expect(
      check((m) => {
        m.row_groups[0].num_rows = 10n ** 12n;
      }),
    ).toThrow('row group 0 says it has 1000000000000 rows and its column x has 100 values');
    expect(
      check((m) => {
        m.row_groups[0].num_rows = -1n;
      }),
    ).toThrow('row group 0 says it has -1 rows');
  });

  it('is refused where a column lies outside of the file', () => {
    expect(
      check((m) => {
        m.row_groups[0].columns[0].meta_data!.total_compressed_size = 10n ** 15n;
      }),
    ).toThrow(/column x says it is at bytes 4 to 1000000000000004; the file has \d+/);
    expect(
      check((m) => {
        m.row_groups[0].columns[0].meta_data!.data_page_offset = -5n;
      }),
    ).toThrow('column x says it is at bytes');
    expect(
      check((m) => {
        m.row_groups[0].columns[0].file_path = '../secret';
      }),
    ).toThrow('x lies in another file');
    expect(
      check((m) => {
        delete m.row_groups[0].columns[0].meta_data;
      }),
    ).toThrow('is the file encrypted?');
  });
});

/** A data page's header in Thrift's compact protocol: bytes unpacked, bytes packed, values. */
function header(unpacked: number, packed: number, values: number): ArrayBuffer {
  const varint = (value: number) => {
    const out: number[] = [];
    let rest = 2 * value; // zigzag of a number that is not negative
    for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
    return [...out, rest];
  };
  const page = [0x15, ...varint(values), 0x15, 0, 0x15, ...varint(3), 0x15, ...varint(3), 0];
  return Uint8Array.from([0x15, 0, 0x15, ...varint(unpacked), 0x15, ...varint(packed), 0x2c, ...page, 0, 1, 2, 3])
    .buffer;
}

describe('the pages of a column', () => {
  const meta = parquetMetadata(bytes).row_groups[0].columns[0].meta_data!;
  const check = (page: ArrayBuffer) => () => checkPages('t.parquet', meta, page, 0, page.byteLength);

  it('may be true', () => {
    const { start, end } = rangeOf(meta);
    expect(() => checkPages('t.parquet', meta, bytes, start, end)).not.toThrow();
    expect(check(header(800, 3, 100))).not.toThrow();
  });

  it('are refused where they unpack to too much, are longer than their column or have more values', () => {
    expect(check(header(2 ** 30, 3, 100))).toThrow('column x: a page says it unpacks to 1073741824 bytes');
    expect(check(header(800, 900, 100))).toThrow('a page says it has 900 bytes; 3 are left');
    expect(check(header(800, 3, 101))).toThrow('a page says it has more values than its column, 100');
    expect(check(header(800, 3, 2 ** 29))).toThrow('a page says it has 536870912 values');
  });
});
