import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CancelledError, OutputError } from '../core/errors.ts';
import { writeBeside } from './writing.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'salience-writing-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (content: string) => (temporary: string) => writeFile(temporary, content);
const tree = (files: Record<string, string>) => async (temporary: string) => {
  await mkdir(join(temporary, 'deep'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(temporary, name), content);
};
/** A process number that no process has. */
const dead = 2 ** 22 + 12345;

describe('writeBeside', () => {
  it('writes a file under its name and leaves nothing else', async () => {
    await writeBeside(join(folder, 'half'), { force: false }, text('new'));
    expect(await readFile(join(folder, 'half'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['half']);
  });

  it('writes a folder with what is below it', async () => {
    await writeBeside(join(folder, 'half'), { force: false }, tree({ a: '1', 'deep/b': '2' }));
    expect(await readFile(join(folder, 'half/deep/b'), 'utf8')).toBe('2');
    expect(await readdir(folder)).toEqual(['half']);
  });

  it('gives the writer a path in the folder of the output that says which process writes', async () => {
    let seen = '';
    await writeBeside(join(folder, 'half'), { force: false }, async (temporary) => {
      seen = temporary;
      await writeFile(temporary, '');
    });
    expect(seen.startsWith(join(folder, `.half.partial-${process.pid}-`))).toBe(true);
  });

  it('refuses what exists, before anything is written', async () => {
    await writeFile(join(folder, 'half'), 'old');
    let called = false;
    const writing = writeBeside(join(folder, 'half'), { force: false }, async () => {
      called = true;
    });
    await expect(writing).rejects.toThrow(OutputError);
    await expect(writing).rejects.toThrow(/half exists already; --force replaces it$/);
    expect(called).toBe(false);
    expect(await readFile(join(folder, 'half'), 'utf8')).toBe('old');
  });

  it('refuses what came to exist while it was written', async () => {
    const path = join(folder, 'half');
    const writing = writeBeside(path, { force: false }, async (temporary) => {
      await writeFile(temporary, 'new');
      await writeFile(path, 'of another process');
    });
    await expect(writing).rejects.toThrow('exists already');
    expect(await readFile(path, 'utf8')).toBe('of another process');
    expect(await readdir(folder)).toEqual(['half']);
  });

  it('replaces a file by a file with force', async () => {
    await writeFile(join(folder, 'half'), 'old');
    await writeBeside(join(folder, 'half'), { force: true }, text('new'));
    expect(await readFile(join(folder, 'half'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['half']);
  });

  it('replaces a folder by a folder with force: nothing of the old one is left', async () => {
    await tree({ old: '1' })(join(folder, 'half'));
    await writeBeside(join(folder, 'half'), { force: true }, tree({ new: '2' }));
    expect((await readdir(join(folder, 'half'))).sort()).toEqual(['deep', 'new']);
    expect(await readdir(folder)).toEqual(['half']);
  });

  it('replaces what a symbolic link points at, and keeps the link', async () => {
    await writeFile(join(folder, 'real'), 'old');
    await symlink('real', join(folder, 'link'));
    await writeBeside(join(folder, 'link'), { force: true }, text('new'));
    expect(await readFile(join(folder, 'real'), 'utf8')).toBe('new');
    expect(await readlink(join(folder, 'link'))).toBe('real');
  });

  it('never replaces a folder by a file or a file by a folder', async () => {
    await tree({ precious: '1' })(join(folder, 'models'));
    await expect(writeBeside(join(folder, 'models'), { force: true }, text('x'))).rejects.toThrow(
      'models is a folder and the output is a file',
    );
    await writeFile(join(folder, 'notes'), 'old');
    await expect(writeBeside(join(folder, 'notes'), { force: true }, tree({}))).rejects.toThrow(
      'notes is a file and the output is a folder',
    );
    expect(await readFile(join(folder, 'models/precious'), 'utf8')).toBe('1');
    expect(await readFile(join(folder, 'notes'), 'utf8')).toBe('old');
    expect((await readdir(folder)).sort()).toEqual(['models', 'notes']);
  });

  it.each(['.', '..', '/'])('never replaces %s, which holds the working folder', async (path) => {
    await expect(writeBeside(path, { force: true }, tree({}))).rejects.toThrow('holds the working folder');
  });

  it('refuses a device', async () => {
    await expect(writeBeside('/dev/null', { force: true }, text('x'))).rejects.toThrow(OutputError);
  });

  it.each(['-', ''])('refuses the path %j, which is none', async (path) => {
    await expect(writeBeside(path, { force: true }, text('x'))).rejects.toThrow('names no file or folder');
  });

  it('names the folder that is missing above the output', async () => {
    const writing = writeBeside(join(folder, 'a/half'), { force: false }, text('x'));
    await expect(writing).rejects.toThrow(OutputError);
    await expect(writing).rejects.toThrow(`there is no folder ${join(folder, 'a')}`);
    await writeFile(join(folder, 'b'), '');
    await expect(writeBeside(join(folder, 'b/half'), { force: false }, text('x'))).rejects.toThrow('is not a folder');
  });

  it.each([false, true])('leaves what was there when a writer fails half-way (of a folder: %s)', async (ofFolder) => {
    const path = join(folder, 'half');
    await (ofFolder ? tree({ old: '1' })(path) : text('1')(path));
    const writing = writeBeside(path, { force: true }, async (temporary) => {
      await (ofFolder ? tree({ a: '2' })(temporary) : text('2')(temporary));
      throw new CancelledError('cancelled');
    });
    await expect(writing).rejects.toThrow(CancelledError);
    expect(await readdir(folder)).toEqual(['half']);
    expect(await readFile(ofFolder ? join(path, 'old') : path, 'utf8')).toBe('1');
  });

  it('says that nothing was written when a writer makes no file', async () => {
    await expect(writeBeside(join(folder, 'half'), { force: false }, async () => {})).rejects.toThrow(
      'nothing was written',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('says so when the disk is full, and leaves what was there', async () => {
    const path = join(folder, 'half');
    await writeFile(path, 'old');
    const writing = writeBeside(path, { force: true }, async (temporary) => {
      await writeFile(temporary, 'part');
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    });
    await expect(writing).rejects.toThrow(OutputError);
    await expect(writing).rejects.toThrow('half cannot be written: there is no space left on its disk');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['half']);
  });

  it.skipIf(!existsSync('/dev/full'))('meets a device that is always full (skipped without /dev/full)', async () => {
    const writing = writeBeside(join(folder, 'half'), { force: false }, async (temporary) => {
      await symlink('/dev/full', temporary);
      await writeFile(temporary, 'x'.repeat(1e6));
    });
    await expect(writing).rejects.toThrow('no space left');
    expect(await readdir(folder)).toEqual([]);
  });

  it('passes on an error about something else as it is', async () => {
    const writing = writeBeside(join(folder, 'half'), { force: false }, async () => {
      throw Object.assign(new Error('gone'), { code: 'ENOENT', path: 'input' });
    });
    await expect(writing).rejects.toThrow(/^gone$/);
  });

  it('removes what a process that is gone left of this output, and no other', async () => {
    const mark = '0123456789ab';
    await writeFile(join(folder, `.half.partial-${dead}-${mark}`), 'stale');
    await tree({ a: '1' })(join(folder, `.half.replaced-${dead}-${mark}`));
    await writeFile(join(folder, 'half'), 'old');
    const others = [`.half.partial-${process.ppid}-${mark}`, `.whole.partial-${dead}-${mark}`, '.half.partial-x'];
    for (const name of others) await writeFile(join(folder, name), 'kept');
    await writeBeside(join(folder, 'half'), { force: true }, text('new'));
    expect((await readdir(folder)).sort()).toEqual([...others, 'half'].sort());
  });

  it('leaves a partial of this process alone: it may be of another thread', async () => {
    const mine = `.half.partial-${process.pid}-0123456789ab`;
    await writeFile(join(folder, mine), 'under way');
    await writeBeside(join(folder, 'half'), { force: false }, text('new'));
    expect((await readdir(folder)).sort()).toEqual([mine, 'half']);
  });

  it('puts back a folder that stepped aside for one that never came', async () => {
    await tree({ old: '1' })(join(folder, `.half.replaced-${dead}-0123456789ab`));
    await tree({ new: '2' })(join(folder, `.half.partial-${dead}-0123456789ab`));
    await expect(writeBeside(join(folder, 'half'), { force: false }, tree({}))).rejects.toThrow('exists already');
    expect(await readFile(join(folder, 'half/old'), 'utf8')).toBe('1');
    expect(await readdir(folder)).toEqual(['half']);
  });
});
