import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { openTableFile } from './open-table-file.ts';
import type { Place, ReadOptions } from './table-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = new Run();

async function file(text: string | Uint8Array, name = 'a.csv'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Names and all rows of a text. */
async function read(text: string | Uint8Array, options: ReadOptions = {}) {
  const table = await openTableFile(await file(text), options);
  const rows: unknown[][] = [];
  for await (const batch of table.batches(run)) {
    const columns = table.names.map((_, c) => batch.column(c));
    for (let i = 0; i < batch.length; i++) rows.push(columns.map((column) => column[i]));
  }
  return { names: table.names, rows, table };
}

describe('CSV', () => {
  it('is read with its header', async () => {
    const { names, rows, table } = await read('a,b\n1,x\n2,\n');
    expect(names).toEqual(['a', 'b']);
    expect(rows).toEqual([
      ['1', 'x'],
      ['2', ''],
    ]);
    expect(table).toMatchObject({ format: 'csv', header: true, separator: ',' });
  });

  it.each([',', ';', '\t', '|'])('finds out that %j separates', async (separator) => {
    const { table, rows } = await read(
      `a${separator}b${separator}c\n1${separator}2.5${separator}3\n4${separator}5${separator}6\n`,
    );
    expect(table.separator).toBe(separator);
    expect(rows[1]).toEqual(['4', '5', '6']);
  });

  it('has no header where the first record has the numbers of a row', async () => {
    const { names, rows, table } = await read('5.1,3.5,a\n4.9,3,b\n');
    expect(names).toEqual(['c0', 'c1', 'c2']);
    expect(rows).toHaveLength(2);
    expect(table.header).toBe(false);
    expect(table.remarks).toEqual(['there is no header; the columns are called c0 to c2']);
  });

  it('takes numbers that count the columns for a header', async () => {
    expect((await read('0,1,2\n5,6,7\n')).names).toEqual(['0', '1', '2']);
  });

  it('takes a number over a column of texts for a name', async () => {
    expect((await read('name,2020\nx,low\ny,high\n')).table.header).toBe(true);
  });

  it('skips the line of counts that scikit-learn writes first', async () => {
    const { names, rows, table } = await read('2,3,class_0,class_1\n1,2,3,0\n4,5,6,1\n');
    expect(names).toEqual(['c0', 'c1', 'c2', 'c3']);
    expect(rows).toHaveLength(2);
    expect(table.remarks[0]).toContain('classes class_0, class_1');
  });

  it('skips it also where it is as long as a row', async () => {
    expect((await read('2,4,setosa,versicolor,virginica\n1,2,3,4,0\n4,5,6,7,1\n')).rows).toHaveLength(2);
  });

  it('takes a text that stands twice for a name over numbers, and for a cell over texts and where it means missing', async () => {
    expect((await read('a,a,y\n1,2,no\n3,4,yes\n')).names).toEqual(['a', 'a.1', 'y']);
    expect((await read('no,no,a\nyes,no,b\n')).table.header).toBe(false);
    expect((await read('NA,NA,?\n1,2,3\n')).table.header).toBe(false);
  });

  it('can be told that there is a header or none', async () => {
    expect((await read('1,2\n3,4\n', { header: true })).names).toEqual(['1', '2']);
    expect((await read('a,b\nc,d\n', { header: false })).rows).toHaveLength(2);
  });

  it('names unnamed columns and second ones of a name', async () => {
    const { names, table } = await read(',a,a\n1,2,3\n');
    expect(names).toEqual(['c0', 'a', 'a.1']);
    expect(table.remarks).toEqual([
      'column 0 has no name and is called c0',
      'column 2 is a second a and is called a.1',
    ]);
    expect((await read('x,y,x\nu,v,w\n', { header: true })).names).toEqual(['x', 'y', 'x.1']);
  });

  it('reads quoted separators, quotes and ends of lines', async () => {
    const { rows } = await read('a,b\n"1,5","say ""yes"""\n"two\nlines",z\n');
    expect(rows).toEqual([
      ['1,5', 'say "yes"'],
      ['two\nlines', 'z'],
    ]);
  });

  it.each([
    ['carriage returns and line feeds', 'a,b\r\n1,2\r\n\r\n3,4'],
    ['carriage returns alone', 'a,b\r1,2\r\r3,4\r'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
  ])('may have %s', async (_, text) => {
    const { names, rows } = await read(text);
    expect(names).toEqual(['a', 'b']);
    expect(rows).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('may be UTF-16', async () => {
    const text = Buffer.from('\ufeffname,b\nZoë,2\n', 'utf16le');
    expect((await read(text)).rows).toEqual([['Zoë', '2']]);
    expect((await read(text.swap16())).rows).toEqual([['Zoë', '2']]);
  });

  it('is read back as it was printed, whatever the cells hold', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '7', ',', '"', '\n', ';', ' ', 'é', '\r\n'), maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 8 }), async (rows) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
        const text = ['p,q,r', ...rows.map((row) => row.map(quoted).join(','))].join('\n');
        const { rows: back, table } = await read(text, { header: true, separator: ',' });
        expect(back).toEqual(rows);
        const out = join(folder, 'property.csv');
        await rm(out, { force: true });
        await table.writeColumns(out, new Set(['r', 'p']), run);
        const again = await openTableFile(out, { header: true, separator: ',' });
        const kept: unknown[] = [];
        for await (const batch of again.batches(run)) {
          for (let i = 0; i < batch.length; i++) kept.push([batch.column(0)[i], batch.column(1)[i]]);
        }
        expect(kept).toEqual(rows.map(([p, , r]) => [p, r]));
      }),
      { seed: 11, numRuns: 60 },
    );
  });

  it('has the cells that csv-parse reads, or is refused where csv-parse refuses', async () => {
    const piece = fc.constantFrom('a', '7', ',', '"', '""', '\n', 'é', '\r\n', '","');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 14 }), async (pieces) => {
        const text = `x,y\n${pieces.join('')}\n`;
        let expected: string[][] | undefined;
        try {
          expected = parse(text, {
            relax_column_count: true,
            skip_empty_lines: true,
            record_delimiter: ['\r\n', '\n'],
          });
        } catch {
          expected = undefined;
        }
        const [, ...rows] = expected ?? [];
        const whole = expected !== undefined && rows.length > 0 && rows.every((row) => row.length === 2);
        const ours = await read(text, { header: true, separator: ',' }).catch(() => undefined);
        if (whole) expect(ours?.rows).toEqual(rows);
        else expect(ours?.rows ?? []).toEqual([]);
      }),
      { seed: 5, numRuns: 300 },
    );
  });

  it('keeps rows byte for byte', async () => {
    const { table } = await read('a ,"b"\r\n1.50,"x, y"\r\n 2 ,"q"\r\n3,"two\r\nlines"');
    const out = join(folder, 'rows.csv');
    await table.writeRows(out, Uint32Array.of(0, 2), run);
    expect(await readFile(out, 'utf8')).toBe('a ,"b"\r\n1.50,"x, y"\r\n3,"two\r\nlines"\n');
  });

  it('keeps columns with their cells as they stood', async () => {
    const { table } = await read('a;b;c\n1.50;x;07\n2;"p;q";8\n');
    const out = join(folder, 'columns.csv');
    await table.writeColumns(out, new Set(['a', 'b']), run);
    expect(await readFile(out, 'utf8')).toBe('a;b\n1.50;x\n2;"p;q"\n');
  });

  it('is read in several batches, whose places can be read again', async () => {
    const line = (i: number) => `${i},"${'x'.repeat(i % 90)}\n${i}"`;
    const count = 60_000;
    const path = await file(`id,t\n${Array.from({ length: count }, (_, i) => line(i)).join('\n')}\n`, 'long.csv');
    const table = await openTableFile(path);
    const places: Place[] = [];
    let rows = 0;
    for await (const { column, where, ...place } of table.batches(run)) {
      expect(place.start).toBe(rows);
      expect(column(0)[0]).toBe(String(rows));
      expect(where(0)).toBe(`line ${2 * rows + 2}`);
      rows += place.length;
      places.push(place);
    }
    expect(rows).toBe(count);
    expect(places.length).toBeGreaterThan(2);
    const again = await table.read(places[1]);
    expect(again.column(0)).toEqual(Array.from({ length: places[1].length }, (_, i) => String(places[1].start + i)));
    const out = join(folder, 'some.csv');
    const kept = Uint32Array.from({ length: 2000 }, (_, i) => i * 29 + 3);
    await table.writeRows(out, kept, run);
    expect(await readFile(out, 'utf8')).toBe(`id,t\n${Array.from(kept, line).join('\n')}\n`);
  });

  it('can be cancelled', async () => {
    const cancelled = new AbortController();
    const table = await openTableFile(await file('a\n1\n', 'cancel.csv'));
    cancelled.abort();
    await expect(table.batches(new Run({ signal: cancelled.signal })).next()).rejects.toThrow('cancelled');
  });

  it.each([
    ['a,b\n1,2\n1,2,3\n', 'a.csv: line 3 has 3 cells; the table has 2 columns'],
    ['a,b\n1,"2\n3,4\n', 'line 2: a quote is opened and never closed'],
    ['a,b\n1,x"y"\n', 'line 2: a quote stands where none may'],
    [Buffer.from('a,b\n1,2\n3,\xff\n', 'latin1'), 'line 3 is not UTF-8'],
    ['a,b\n1,\0\n', 'line 2 has a zero character'],
    ['', 'is empty'],
    ['\n\n', 'has no rows'],
    [Buffer.of(0x1f, 0x8b, 8, 0), 'is packed by gzip'],
    [Buffer.of(0xff, 0xfe, 0x00, 0xd8, 0x41, 0), 'is not valid UTF-16'],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  it('refuses a record without an end', async () => {
    const path = await file(
      Buffer.concat([Buffer.from('a,b\n1,"'), Buffer.alloc(2 ** 26 + 2 ** 20, 0x78)]),
      'endless.csv',
    );
    await expect(async () => {
      for await (const _ of (await openTableFile(path)).batches(run));
    }).rejects.toThrow('line 2: a record of more than 67,108,864 bytes; is a quote left open?');
  });

  it('refuses more than 100,000 columns', async () => {
    await expect(read(`${'x,'.repeat(100_000)}y\n`)).rejects.toThrow('columns are at most 100,000');
  });

  it('refuses a folder, a missing file, standard input and a separator of two characters', async () => {
    await expect(openTableFile(folder)).rejects.toThrow('is a folder');
    await expect(openTableFile(join(folder, 'none.csv'))).rejects.toThrow('no such file');
    await expect(openTableFile('-')).rejects.toThrow('cannot come from standard input');
    await expect(openTableFile(await file('a'), { separator: '::' })).rejects.toThrow('is not one character');
  });

  it('notices that the file changed', async () => {
    const { table } = await read('a,b\n1,2\n');
    await file('a,b\n1,2\n3,4\n');
    await expect(table.batches(run).next()).rejects.toThrow('changed while it was read');
  });
});
