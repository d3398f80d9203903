/** @file A folder that one process at a time may have. */

import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Locks that this process holds, by their paths. */
const held = new Set<string>();

/**
 * A process as no other is: its number with, where the system tells it (Linux), the tick in which it began. Numbers come again:
 * after a restart of the machine, and in a container with every start.
 * Source: proc_pid_stat(5), field 22; the name, field 2, may hold spaces and brackets.
 */
async function processName(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return began ? `${pid} ${began}` : String(pid);
}

/** Whether the process that wrote this into a lock still is. */
async function lives(written: string): Promise<boolean> {
  const [, number, began] = /^(\d+)(?: (\d+))?$/.exec(written) ?? [];
  const pid = Number(number);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await processName(pid);
  // This process knows its own locks; one that it does not know was left by an earlier one of its number.
  return began && now.includes(' ') ? now === written : pid !== process.pid;
}

/** Puts a file beside the lock and links it there, so that the lock is never seen without its words; false where there is one. */
async function written(path: string, words: string): Promise<boolean> {
  const fresh = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await writeFile(fresh, words, { mode: 0o600 });
    await link(fresh, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Takes a dead process's lock away; where another has taken the folder meanwhile, its lock is put back. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, path).catch(() => {});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/**
 * Takes a folder for this process and gives the function that lets it go. A lock whose process is gone is taken over.
 * @throws Error naming the process that has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  if (held.has(path)) throw new Error(`${folder} is open in this process already`);
  held.add(path);
  try {
    while (!(await written(path, await processName(process.pid)))) {
      const words = await readFile(path, 'utf8').catch(() => '');
      if (await lives(words)) {
        throw new Error(
          `${folder} is in use by process ${words.split(' ', 1)[0]}; stop it first, or keep the data in PostgreSQL (DATABASE_URL), which several can use`,
        );
      }
      await removeStale(path, words);
    }
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return async () => {
    await rm(path, { force: true });
    held.delete(path);
  };
}
