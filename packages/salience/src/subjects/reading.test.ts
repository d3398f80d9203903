import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/made-safetensors.ts';
import { InputError } from '../core/errors.ts';
import { readText } from './reading.ts';

const root = temporaryFolder();
const at = (name: string, content: string | Uint8Array = '') => {
  writeFileSync(join(root, name), content);
  return join(root, name);
};

describe('a text', () => {
  it('is read as it stands in the file', async () => {
    const text = `a\r\n é 語 \n${'long '.repeat(50_000)}`; // several chunks
    expect(await readText(at('t.txt', text), 'the prompt')).toBe(text);
    expect(await readText(at('empty.txt'), 'the prompt')).toBe('');
  });

  it('has no byte order mark, and may be UTF-16 with one', async () => {
    expect(await readText(at('utf8', '\ufeffab'), 'the prompt')).toBe('ab');
    expect(await readText(at('utf16', Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x62, 0)), 'the prompt')).toBe('ab');
  });
});

describe('what is no text', () => {
  const refusal = (path: string) => readText(path, 'the prompt').catch((error: Error) => error);

  it.each([
    ['a missing file', () => join(root, 'none.txt'), /none\.txt: no such file$/],
    [
      'a folder',
      () => {
        mkdirSync(join(root, 'folder'));
        return join(root, 'folder');
      },
      /folder: is a folder; the prompt is a text file$/,
    ],
    [
      'more than 2^28 bytes',
      () => {
        const path = at('huge');
        truncateSync(path, 2 ** 28 + 1);
        return path;
      },
      /huge: has more than 268,435,456 bytes, too many for the prompt$/,
    ],
    ['what is not UTF-8', () => at('bytes', Uint8Array.of(0x61, 0xff)), /bytes is not UTF-8: byte 1 is 0xff/],
    ['a path through a file', () => join(at('file'), 'x'), /cannot be read: ENOTDIR/],
  ])('is refused: %s', async (_, path, message) => {
    const error = await refusal(path());
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });
});
