import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../../core/run.ts';
import { openTableFile } from './open-table-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jsonl-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = new Run();

async function opened(text: string, name = 'a.jsonl') {
  const path = join(folder, name);
  await writeFile(path, text);
  return openTableFile(path);
}

describe('JSONL', () => {
  it('has the keys of its lines for columns, and undefined where a line has none', async () => {
    const table = await opened('{"a": 1, "b": "x"}\n\n{"b": null, "c": [1, 2]}\n');
    const batch = (await table.batches(run).next()).value!;
    expect(table.names).toEqual(['a', 'b', 'c']);
    expect(table.names.map((_, c) => batch.column(c))).toEqual([
      [1, undefined],
      ['x', null],
      [undefined, [1, 2]],
    ]);
    expect(batch.where(1)).toBe('line 3');
  });

  it('has own keys only', async () => {
    const table = await opened('{"toString": 1, "__proto__": 2}\n{"a": 3}\n');
    const batch = (await table.batches(run).next()).value!;
    expect(table.names.map((_, c) => batch.column(c)[1])).toEqual([undefined, undefined, 3]);
  });

  it('finds keys that come late', async () => {
    const line = '{"a": 1, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n';
    const table = await opened(`${line.repeat(40_000)}{"late": 2}\n`);
    expect(table.names).toEqual(['a', 'pad']);
    for await (const _ of table.batches(run));
    expect(table.names).toEqual(['a', 'pad', 'late']);
  });

  it('keeps rows byte for byte', async () => {
    const table = await opened('{"a":1.0}\n{ "a" : 2e3 }\n{"a":"é"}');
    const out = join(folder, 'rows.jsonl');
    await table.writeRows(out, Uint32Array.of(1, 2), run);
    expect(await readFile(out, 'utf8')).toBe('{ "a" : 2e3 }\n{"a":"é"}\n');
  });

  it('keeps columns with numbers as they stood', async () => {
    const table = await opened('{"a": 12345678901234567890, "b": {"x": 1.50}, "c": 3}\n{"a": 1, "c": 2}\n');
    const out = join(folder, 'columns.jsonl');
    await table.writeColumns(out, new Set(['a', 'b']), run);
    expect(await readFile(out, 'utf8')).toBe('{"a":12345678901234567890,"b":{"x": 1.50}}\n{"a":1}\n');
  });

  it('passes over lines of blanks', async () => {
    const table = await opened('{"a": 1}\n  \n\t\r\n{"a": 2}\n');
    const batch = (await table.batches(run).next()).value!;
    expect(batch.column(0)).toEqual([1, 2]);
    expect(batch.where(1)).toBe('line 4');
  });

  it('refuses to keep columns of lists that are nested too deeply to be gone through', async () => {
    const table = await opened(`{"a": 1}\n{"a": 1e5, "b": ${'['.repeat(20_000)}${']'.repeat(20_000)}}\n`);
    await expect(table.writeColumns(join(folder, 'deep.jsonl'), new Set(['a']), run)).rejects.toThrow(
      'a.jsonl: line 2 has lists nested too deeply',
    );
  });

  it('is recognised by its brace', async () => {
    expect((await opened('{"a": 1}\n', 'no-ending')).format).toBe('jsonl');
    await expect(opened('[{"a": 1}]\n', 'list')).rejects.toThrow('is a JSON list; write one object a line');
  });

  it.each([
    ['{"a": 1}\n{"a": }\n', 'a.jsonl: line 2 is not JSON'],
    ['{"a": 1}\n[1]\n', 'line 2 is a list; each line is an object'],
    ['7\n', 'line 1 is a number'],
    ['null\n', 'line 1 is null'],
    ['{}\n', 'has no rows with a key'],
    ['\n', 'has no rows'],
  ])('refuses %j', async (text, message) => {
    await expect(opened(text)).rejects.toThrow(message);
  });
});
