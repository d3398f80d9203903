/** @file Parquet files written by hand for tests, so that they can say of themselves what is not true. */

/** A field of a Thrift struct: its id, and a value. Numbers are i32, bigints i64. */
type Field = readonly [id: number, value: Value];
type Value = number | bigint | string | { readonly list: readonly Value[] } | { readonly struct: readonly Field[] };

function varint(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  return [...out, Number(rest)];
}

const zigzag = (value: number | bigint) => varint(BigInt(value) >= 0n ? BigInt(value) * 2n : -BigInt(value) * 2n - 1n);

function typeOf(value: Value): number {
  if (typeof value === 'number') return 5;
  if (typeof value === 'bigint') return 6;
  if (typeof value === 'string') return 8;
  return 'list' in value ? 9 : 12;
}

function written(value: Value): number[] {
  if (typeof value === 'number' || typeof value === 'bigint') return zigzag(value);
  if (typeof value === 'string') return [...varint(BigInt(value.length)), ...Buffer.from(value, 'latin1')];
  if ('struct' in value) return struct(value.struct);
  const { list } = value;
  const type = list.length === 0 ? 12 : typeOf(list[0]);
  return [0xf0 | type, ...varint(BigInt(list.length)), ...list.flatMap(written)];
}

/** A struct in Thrift's compact protocol. */
function struct(fields: readonly Field[]): number[] {
  let before = 0;
  const out: number[] = [];
  for (const [id, value] of fields) {
    out.push(((id - before) << 4) | typeOf(value), ...written(value));
    before = id;
  }
  return [...out, 0];
}

export const codecs = { none: 0, snappy: 1, gzip: 2, brotli: 4, zstd: 6 } as const;
const types = { int32: 1, double: 5, bytes: 6 } as const;

export interface Page {
  /** Values of a dictionary's page, or of a page that points into it, or of plain ones. */
  readonly kind: 'dictionary' | 'pointers' | 'plain';
  readonly values: number;
  /** Bytes that the page says it unpacks to. */
  readonly unpacked: number;
  /** As they lie in the file. */
  readonly bytes: Uint8Array;
}

export interface MadeColumn {
  readonly name: string;
  readonly type: keyof typeof types;
  readonly codec?: keyof typeof codecs;
  readonly pages: readonly Page[];
  /** Values that the column says it has; default: those of its pages. */
  readonly values?: bigint;
}

function pageBytes({ kind, values, unpacked, bytes }: Page): Uint8Array {
  const encoding = kind === 'pointers' ? 8 : 0;
  const header =
    kind === 'dictionary'
      ? ([
          7,
          {
            struct: [
              [1, values],
              [2, 0],
            ],
          },
        ] as const)
      : ([
          5,
          {
            struct: [
              [1, values],
              [2, encoding],
              [3, 3],
              [4, 3],
            ],
          },
        ] as const);
  const type = kind === 'dictionary' ? 2 : 0;
  return Buffer.concat([Uint8Array.from(struct([[1, type], [2, unpacked], [3, bytes.length], header])), bytes]);
}

/**
 * A file of one row group.
 * @param rows that the file and its row group say they have.
 */
export function madeParquet(rows: bigint, columns: readonly MadeColumn[]): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('PAR1')];
  let at = 4;
  const chunks = columns.map(({ name, type, codec = 'none', pages, values }): Value => {
    const places = pages.map((page) => {
      const bytes = pageBytes(page);
      parts.push(bytes);
      at += bytes.length;
      return { page, start: at - bytes.length, size: bytes.length };
    });
    const data = places.find(({ page }) => page.kind !== 'dictionary')!;
    const dictionary = places.find(({ page }) => page.kind === 'dictionary');
    const count = pages.reduce((sum, page) => sum + (page.kind === 'dictionary' ? 0 : page.values), 0);
    const meta: Field[] = [
      [1, types[type]],
      [2, { list: [0, 3, 8] }],
      [3, { list: [name] }],
      [4, codecs[codec]],
      [5, values ?? BigInt(count)],
      [6, BigInt(pages.reduce((sum, { unpacked }) => sum + unpacked, 0))],
      [7, BigInt(places.reduce((sum, { size }) => sum + size, 0))],
      [9, BigInt(data.start)],
      ...(dictionary ? ([[11, BigInt(dictionary.start)]] as const) : []),
    ];
    return {
      struct: [
        [2, 4n],
        [3, { struct: meta }],
      ],
    };
  });
  const elements: Value[] = columns.map(({ name, type }) => ({
    struct: [[1, types[type]], [3, 0], [4, name], ...(type === 'bytes' ? ([[6, 0]] as const) : [])],
  }));
  const footer = struct([
    [1, 1],
    [
      2,
      {
        list: [
          {
            struct: [
              [4, 'schema'],
              [5, columns.length],
            ],
          },
          ...elements,
        ],
      },
    ],
    [3, rows],
    [
      4,
      {
        list: [
          {
            struct: [
              [1, { list: chunks }],
              [2, 0n],
              [3, rows],
            ],
          },
        ],
      },
    ],
  ]);
  return parquetWith(Buffer.concat(parts), Uint8Array.from(footer));
}

/** A file of this beginning and this footer. */
export function parquetWith(head: Uint8Array, footer: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  return Buffer.concat([head, footer, length, Buffer.from('PAR1')]);
}

/** Whole numbers of 32 bits as a plain page. */
export function numbers(values: readonly number[]): Page {
  const bytes = Buffer.from(Int32Array.from(values).buffer);
  return { kind: 'plain', values: values.length, unpacked: bytes.length, bytes };
}

/** Texts as a plain page, or as the page of a dictionary. */
export function texts(values: readonly string[], kind: 'plain' | 'dictionary' = 'plain'): Page {
  const parts = values.flatMap((value) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(Buffer.byteLength(value));
    return [length, Buffer.from(value)];
  });
  const bytes = Buffer.concat(parts);
  return { kind, values: values.length, unpacked: bytes.length, bytes };
}

/** One entry of a dictionary again and again, in a few bytes. */
export function repeated(entry: number, times: number): Page {
  const bytes = Uint8Array.from([8, ...varint(BigInt(times) << 1n), entry]);
  return { kind: 'pointers', values: times, unpacked: bytes.length, bytes };
}
