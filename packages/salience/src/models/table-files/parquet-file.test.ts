import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, type SchemaElement } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { openTableFile } from './open-table-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = new Run();

const moment = new Date('2020-02-03T04:05:06.789Z');
const columns: ColumnSource[] = [
  { name: 'id', data: Array.from({ length: 1000 }, (_, i) => i), type: 'INT32' },
  { name: 'big', data: Array.from({ length: 1000 }, (_, i) => 2n ** 60n + BigInt(i)), type: 'INT64' },
  { name: 'x', data: Array.from({ length: 1000 }, (_, i) => (i % 7 === 0 ? null : i / 4)), type: 'DOUBLE' },
  { name: 'town', data: Array.from({ length: 1000 }, (_, i) => ['Rome', 'Zürich', 'Oslo'][i % 3]), type: 'STRING' },
  { name: 'yes', data: Array.from({ length: 1000 }, (_, i) => i % 2 === 0), type: 'BOOLEAN' },
  { name: 'at', data: Array.from({ length: 1000 }, () => moment), type: 'TIMESTAMP' },
  { name: 'v', data: Array.from({ length: 1000 }, (_, i) => [i, i + 0.5]) },
];
const schema: SchemaElement[] = [
  { name: 'root', num_children: 7 },
  { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
  { name: 'big', type: 'INT64', repetition_type: 'REQUIRED' },
  { name: 'x', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
  { name: 'town', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
  { name: 'yes', type: 'BOOLEAN', repetition_type: 'REQUIRED' },
  { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MICROS', repetition_type: 'OPTIONAL' },
  { name: 'v', repetition_type: 'OPTIONAL', converted_type: 'LIST', num_children: 1 },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
];

async function made(name: string, rowGroupSize = 300): Promise<string> {
  const path = join(folder, name);
  const typed = columns.map(({ type: _, ...column }) => column);
  await writeFile(path, Buffer.from(parquetWriteBuffer({ columnData: typed, schema, rowGroupSize })));
  return path;
}

async function all(path: string) {
  const table = await openTableFile(path);
  const cells: unknown[][] = table.names.map(() => []);
  for await (const batch of table.batches(run)) {
    for (const [c, values] of cells.entries()) values.push(...batch.column(c));
  }
  return { table, cells };
}

describe('Parquet', () => {
  it('is read row group by row group', async () => {
    const { table, cells } = await all(await made('a.parquet'));
    expect(table.names).toEqual(['id', 'big', 'x', 'town', 'yes', 'at', 'v']);
    expect(table.rows).toBe(1000);
    expect(cells[0]).toEqual(columns[0].data);
    expect(cells[1][3]).toBe(2n ** 60n + 3n);
    expect(cells[2].slice(6, 9)).toEqual([1.5, null, 2]);
    expect(cells[3].slice(0, 3)).toEqual(['Rome', 'Zürich', 'Oslo']);
    expect(cells[4].slice(0, 2)).toEqual([true, false]);
    expect(cells[5][999]).toEqual(moment);
    expect(cells[6][500]).toEqual([500, 500.5]);
  });

  it('reads chosen columns, and places over the bounds of row groups', async () => {
    const table = await openTableFile(await made('b.parquet'));
    const batch = await table.read({ start: 250, length: 400, offset: 0, bytes: 0, line: 0 }, [0, 6]);
    expect(batch.column(0)).toEqual(Array.from({ length: 400 }, (_, i) => 250 + i));
    expect(batch.column(6)[399]).toEqual([649, 649.5]);
    expect(batch.where(2)).toBe('row 252');
    expect(() => batch.column(1)).toThrow('column big was not read');
  });

  it('keeps rows with the types of their columns', async () => {
    const { table, cells } = await all(await made('c.parquet'));
    const out = join(folder, 'rows.parquet');
    const kept = Uint32Array.from({ length: 100 }, (_, i) => i * 9 + (i > 50 ? 90 : 0));
    await table.writeRows(out, kept, run);
    const back = await all(out);
    expect(back.cells).toEqual(cells.map((values) => Array.from(kept, (row) => values[row])));
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(out));
    expect(
      metadata.schema.map(({ name, type, converted_type, repetition_type }) => [
        name,
        type,
        converted_type,
        repetition_type,
      ]),
    ).toEqual(
      schema.map(({ name, type, converted_type, repetition_type }) => [name, type, converted_type, repetition_type]),
    );
  });

  it('keeps columns, all rows', async () => {
    const { table, cells } = await all(await made('d.parquet'));
    const out = join(folder, 'columns.parquet');
    await table.writeColumns(out, new Set(['x', 'at', 'v']), run);
    const back = await all(out);
    expect(back.table.names).toEqual(['x', 'at', 'v']);
    expect(back.cells).toEqual([cells[2], cells[5], cells[6]]);
  });

  it('writes whole numbers of 8 bits so that Arrow reads them: by their older name alone', async () => {
    const path = join(folder, 'small.parquet');
    const wide: SchemaElement[] = [
      { name: 'root', num_children: 1 },
      {
        name: 'n',
        type: 'INT32',
        repetition_type: 'REQUIRED',
        logical_type: { type: 'INTEGER', bitWidth: 8, isSigned: true },
      },
    ];
    await writeFile(path, Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'n', data: [1, 2] }], schema: wide })));
    const out = join(folder, 'small-again.parquet');
    await (await openTableFile(path)).writeRows(out, Uint32Array.of(1), run);
    const { schema: written } = await parquetMetadataAsync(await asyncBufferFromFile(out));
    expect(written[1]).toMatchObject({ name: 'n', type: 'INT32', converted_type: 'INT_8' });
    expect(written[1].logical_type).toBeUndefined();
  });

  it('refuses a file that is cut off, or is something else', async () => {
    const bytes = await readFile(await made('e.parquet'));
    const path = join(folder, 'cut.parquet');
    await writeFile(path, bytes.subarray(0, bytes.length - 100));
    await expect(openTableFile(path)).rejects.toThrow('cut.parquet: cannot be read as Parquet');
    await writeFile(path, 'a,b\n1,2\n3,4\n');
    await expect(openTableFile(path)).rejects.toThrow('cannot be read as Parquet');
    await writeFile(path, 'PAR1');
    await expect(openTableFile(path)).rejects.toThrow('too few for Parquet');
  });

  it('never crashes otherwise than by an error, whatever byte is wrong', async () => {
    const bytes = await readFile(await made('f.parquet', 100));
    const path = join(folder, 'wrong.parquet');
    const random = run.random('bytes');
    let refused = 0;
    for (let k = 0; k < 150; k++) {
      const wrong = Buffer.from(bytes);
      // Half of them in the footer, where sizes are told.
      const at = k % 2 === 0 ? random.integer(bytes.length) : bytes.length - 1 - random.integer(4000);
      wrong[at] = random.integer(256);
      await writeFile(path, wrong);
      try {
        await all(path);
      } catch (error) {
        refused++;
        expect((error as Error).name).toBe('InputError');
        expect((error as Error).message).toContain('wrong.parquet');
      }
    }
    expect(refused).toBeGreaterThan(20);
  });
});
