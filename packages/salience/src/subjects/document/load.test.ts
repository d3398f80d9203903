import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CancelledError, InputError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { loadCollection } from './load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salience-load-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
async function put(name: string, content: string | Uint8Array): Promise<string> {
  await mkdir(join(at(name), '..'), { recursive: true });
  await writeFile(at(name), content);
  return at(name);
}
const load = (...paths: string[]) => loadCollection(paths, {}, new Run());
const textsOf = async (...paths: string[]) => (await load(...paths)).sentences.map(({ text }) => text);

describe('loadCollection', () => {
  it.each([
    ['a.txt', 'One lamp. Two *lamps*.', ['One lamp.', 'Two *lamps*.']],
    ['a.text', 'Any other name.', ['Any other name.']],
    ['README', 'No name at all.', ['No name at all.']],
    ['a.md', '---\nt: 1\n---\n# Lamps\nTwo *lamps*.', ['Lamps', 'Two lamps.']],
    ['a.MARKDOWN', '- one\n- two', ['one', 'two']],
    ['a.html', '<title>Lamps</title><p>One. Two.</p>', ['Lamps', 'One.', 'Two.']],
    ['a.htm', 'One &amp; two.', ['One & two.']],
    ['a.jsonl', '{"text":"One. Two."}\n\n{"text":"Three."}\n', ['One.', 'Two.', 'Three.']],
    ['a.ndjson', '{"text":"One."}\r\n{"text":"Two."}', ['One.', 'Two.']],
    ['a.txt', '\ufeffMarked.', ['Marked.']],
  ])('reads %s that holds %j', async (name, content, sentences) => {
    expect(await textsOf(await put(name, content))).toEqual(sentences);
  });

  it('reads UTF-16 with a byte order mark', async () => {
    expect(await textsOf(await put('a.txt', Buffer.from('\ufeffEin Leuchtturm.', 'utf16le')))).toEqual([
      'Ein Leuchtturm.',
    ]);
  });

  it('names the documents of JSON Lines by id, name or title, else by their line', async () => {
    const path = await put(
      'a.jsonl',
      '{"text":"A.","id":7,"title":"x"}\n{"text":"B.","name":"b"}\n{"text":"C.","title":"c"}\n{"text":"D.","id":null}',
    );
    const { documents } = await load(path);
    expect(documents.map(({ name }) => name)).toEqual(['7', 'b', 'c', `${path}, line 4`]);
  });

  it('reads JSON Lines whose lines cross the chunks of the file', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `Document ${i} says ${'ä'.repeat(i * 3000)}.`);
    const path = await put('a.jsonl', texts.map((text) => JSON.stringify({ text })).join('\n'));
    expect(await textsOf(path)).toEqual(texts);
  });

  it('reads the files of a folder and below it in the order of their names', async () => {
    await put('d/b.txt', 'Second.');
    await put('d/a/z.md', 'First.');
    await put('d/c.jsonl', '{"text":"Third."}');
    await put('d/.hidden.txt', 'No.');
    await put('d/.git/x.txt', 'No.');
    await put('d/node_modules/x.txt', 'No.');
    await put('d/picture.png', 'No.');
    const { documents, sentences } = await load(at('d'));
    expect(sentences.map(({ text }) => text)).toEqual(['First.', 'Second.', 'Third.']);
    expect(documents.slice(0, 2).map(({ name }) => name)).toEqual([at('d/a/z.md'), at('d/b.txt')]);
  });

  it('passes over links and empty files in a folder, and says so', async () => {
    await put('secret.txt', 'Secret.');
    await put('d/a.txt', 'Open.');
    await put('d/empty.txt', '');
    await symlink('../secret.txt', at('d/link.txt'));
    await symlink('..', at('d/loop'));
    const said: string[] = [];
    const { sentences } = await loadCollection([at('d')], {}, new Run({ onLog: (message) => said.push(message) }));
    expect(sentences.map(({ text }) => text)).toEqual(['Open.']);
    expect(said).toEqual([
      `${at('d/link.txt')} is a symbolic link and is passed over`,
      `${at('d/loop')} is a symbolic link and is passed over`,
      `${at('d/empty.txt')} holds no sentence and is passed over`,
    ]);
  });

  it('reads the text of standard input', async () => {
    vi.spyOn(process, 'stdin', 'get').mockReturnValue(
      Readable.from([Buffer.from('A lam'), Buffer.from('p. A lens.')]) as never,
    );
    const { documents } = await load('-');
    expect(documents[0].name).toBe('standard input');
    expect(documents[0].sentences.map(({ text }) => text)).toEqual(['A lamp.', 'A lens.']);
  });

  it('loads a background in the same language', async () => {
    const path = await put('a.txt', 'Am 3. Oktober.');
    const news = await put('news.txt', 'Am 4. Oktober. Der Turm.');
    const { background } = await loadCollection([path], { language: 'de', background: [news] }, new Run());
    expect(background?.language).toBe('de');
    expect(background?.sentences).toHaveLength(2);
  });

  it.each([
    ['a.txt', '', 'holds no sentence'],
    ['a.txt', ' \n *** \n', 'holds no sentence'],
    ['a.txt', Buffer.from([0x61, 0xff]), 'is not UTF-8: byte 1 is 0xff'],
    ['a.txt', 'GIF\0', 'is not a text'],
    ['a.html', '<script>1</script>', 'holds no sentence'],
    ['a.md', '```\ncode\n```', 'holds no sentence'],
    ['a.jsonl', '', 'holds no document'],
    ['a.jsonl', '{"text":"A."}\n{"text":"B."', 'line 2 is not JSON'],
    ['a.jsonl', '{"text":"A."}\n\n[1]', 'line 3 has no "text" that is a string'],
    ['a.jsonl', '{"text":5}', 'line 1 has no "text" that is a string'],
    ['a.jsonl', 'null', 'line 1 has no "text" that is a string'],
    ['a.jsonl', '{"text":" "}', 'line 1 holds no sentence'],
    ['a.jsonl', Buffer.from([0x7b, 0x22, 0xff, 0x22]), 'line 1 is not UTF-8: byte 2'],
  ])('refuses %s that holds %j: it %s', async (name, content, reason) => {
    const path = await put(name, content);
    await expect(load(path)).rejects.toThrow(InputError);
    await expect(load(path)).rejects.toThrow(new RegExp(`a\\.\\w+,? .*${reason}`));
  });

  it('refuses what does not exist and a folder without documents', async () => {
    await expect(load(at('none.txt'))).rejects.toThrow(`there is no file or folder ${at('none.txt')}`);
    await mkdir(at('empty'));
    await expect(load(at('empty'))).rejects.toThrow(/empty holds no \.txt, \.md/);
    await expect(load()).rejects.toThrow('there is no document');
  });

  it('refuses a file that is too large by its size, without reading it', async () => {
    await truncate(await put('a.txt', ''), 3 * 2 ** 30);
    await expect(load(at('a.txt'))).rejects.toThrow('a.txt has 3,072 MiB, more than the 512 MiB of one text');
  });

  it('reads one sentence, and one line of four megabytes', async () => {
    expect((await load(await put('one.txt', 'Lamp'))).sentences).toHaveLength(1);
    expect((await load(await put('long.txt', 'The lamp of Mr. Smith burns. '.repeat(150_000)))).sentences).toHaveLength(
      150_000,
    );
  });

  it('tells how far it is, and ends when it is cancelled', async () => {
    for (let i = 0; i < 5; i++) await put(`d/${i}.txt`, 'A lamp.');
    const counts: number[] = [];
    const stop = new AbortController();
    const run = new Run({
      signal: stop.signal,
      onProgress: ({ done }) => {
        counts.push(done);
        if (done === 3) stop.abort();
      },
    });
    await expect(loadCollection([at('d')], {}, run)).rejects.toThrow(CancelledError);
    expect(counts).toEqual([1, 2, 3]);
  });
});
