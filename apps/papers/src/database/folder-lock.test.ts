/** @file Whose folder it is. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from './folder-lock.ts';

const hasProc = existsSync('/proc/self/stat');

describe('a folder’s lock', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'papers-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const leave = (words: string) => writeFile(join(folder, 'lock'), words);

  it('is one holder’s, and leaves nothing behind', async () => {
    const [first, second] = await Promise.allSettled([lockFolder(folder), lockFolder(folder)]);
    expect([first.status, second.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect(await readFile(join(folder, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid}( \\d+)?$`));
    for (const one of [first, second]) if (one.status === 'fulfilled') await one.value();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a process that lives is respected, and named', async () => {
    await leave(String(process.ppid));
    await expect(lockFolder(folder)).rejects.toThrow(`in use by process ${process.ppid}`);
  });

  it('of a process that is gone is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    for (const words of [String(child.pid), `${child.pid} 12345`, '']) {
      await leave(words);
      await (await lockFolder(folder))();
    }
  });

  it('left by an earlier process of this one’s number is taken over, as in a container that was killed', async () => {
    await leave(String(process.pid));
    await (await lockFolder(folder))();
  });

  it.skipIf(!hasProc)(
    `whose number another process has by now is taken over${hasProc ? '' : ' (skipped: this system has no /proc)'}`,
    async () => {
      await leave(`${process.ppid} 1`);
      await (await lockFolder(folder))();
    },
  );
});
