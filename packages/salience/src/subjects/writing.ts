/** @file The one place that writes outputs: all of a file or a folder appears under its name, or nothing does. */

import { randomBytes } from 'node:crypto';
import { lstat, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { CancelledError, OutputError } from '../core/errors.ts';

/**
 * Writes a file or a folder under a temporary name beside `path`, flushes it to the disk and renames it. If anything fails or
 * is cancelled on the way, the temporary is removed and what was there before is as it was. What an earlier, killed process
 * left of the same output is tidied first.
 * @param path where the output goes; a symbolic link is followed.
 * @param options with `force`, a file replaces a file and a folder a folder.
 * @param write creates the file or the folder at the temporary path it is given.
 * @throws OutputError if the output exists and `force` is false, is of another kind, or cannot be written; whatever `write` throws.
 */
export async function writeBeside(
  path: string,
  { force }: { force: boolean },
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  if (path === '-' || path === '') throw new OutputError(`${JSON.stringify(path)} names no file or folder to write`);
  const target = await realpath(path).catch(() => resolve(path));
  await checkParent(path, dirname(target));
  await removeStale(target);
  await checkTarget(path, target, force);
  const mark = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const temporary = beside(target, 'partial', mark);
  try {
    await write(temporary);
    const written = await kindOf(temporary);
    if (written === undefined) throw new OutputError(`${path}: nothing was written`);
    await flush(temporary, written);
    const present = await checkTarget(path, target, force);
    if (present && present !== 'link' && present !== written) {
      throw new OutputError(`${path} is a ${present} and the output is a ${written}; --force replaces like with like`);
    }
    if (present && written === 'folder') await replaceFolder(temporary, target, beside(target, 'replaced', mark));
    else await rename(temporary, target);
    await flushFolder(dirname(target));
  } catch (error) {
    await remove(temporary);
    throw explain(error, path, temporary);
  }
}

/**
 * Refuses an output that could not be written, as far as that can be known beforehand.
 * @throws OutputError as writeBeside does.
 */
export async function checkOutput(path: string, { force }: { force: boolean }): Promise<void> {
  if (path === '-' || path === '') throw new OutputError(`${JSON.stringify(path)} names no file or folder to write`);
  const target = await realpath(path).catch(() => resolve(path));
  await checkParent(path, dirname(target));
  await checkTarget(path, target, force);
}

type Kind = 'file' | 'folder' | 'link' | 'device';

async function kindOf(path: string): Promise<Kind | undefined> {
  try {
    const stats = await lstat(path);
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : stats.isSymbolicLink() ? 'link' : 'device';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function beside(target: string, role: 'partial' | 'replaced', mark: string): string {
  return join(dirname(target), `.${basename(target)}.${role}-${mark}`);
}

async function checkParent(path: string, parent: string): Promise<void> {
  const stats = await stat(parent).catch(() => undefined);
  if (!stats) throw new OutputError(`${path} cannot be written: there is no folder ${parent}`);
  if (!stats.isDirectory()) throw new OutputError(`${path} cannot be written: ${parent} is not a folder`);
}

/** What is at the target now, if it may be replaced. */
async function checkTarget(path: string, target: string, force: boolean): Promise<Kind | undefined> {
  const present = await kindOf(target);
  if (present === undefined) return undefined;
  if (present === 'device') throw new OutputError(`${path} is neither a file nor a folder`);
  if (!force) throw new OutputError(`${path} exists already; --force replaces it`);
  const up = relative(target, process.cwd());
  if (present === 'folder' && up !== '..' && !up.startsWith(`..${sep}`) && !isAbsolute(up)) {
    throw new OutputError(`${path} holds the working folder and is not replaced; name another output`);
  }
  return present;
}

/** A folder cannot be renamed over another: the old one steps aside, and back if the new one cannot take its place. */
async function replaceFolder(temporary: string, target: string, aside: string): Promise<void> {
  await rename(target, aside);
  try {
    await rename(temporary, target);
  } catch (error) {
    await rename(aside, target);
    throw error;
  }
  await remove(aside);
}

/** Removes what is no longer wanted; if the system will not, the output is no worse for it. */
async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(() => {});
}

/** Removes what processes that are gone left of this output; a folder that had stepped aside for one that never came goes back. */
async function removeStale(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent).catch(() => [])) {
    for (const role of ['partial', 'replaced'] as const) {
      const prefix = `.${basename(target)}.${role}-`;
      const mark = name.startsWith(prefix) && /^(\d+)-[0-9a-f]{12}$/.exec(name.slice(prefix.length));
      if (!mark || !(await isGone(Number(mark[1]), join(parent, name)))) continue;
      if (role === 'partial' || (await kindOf(target))) await remove(join(parent, name));
      else await rename(join(parent, name), target);
    }
  }
}

/** Whether the process that left this file ended; one with our own number did if the file is older than we are. */
async function isGone(pid: number, left: string): Promise<boolean> {
  if (pid === process.pid) {
    const stats = await lstat(left).catch(() => undefined);
    return stats !== undefined && stats.ctimeMs < Date.now() - process.uptime() * 1000;
  }
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function flush(path: string, kind: Kind): Promise<void> {
  if (kind === 'folder') {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isDirectory()) await flush(join(path, entry.name), 'folder');
      else if (entry.isFile()) await flush(join(path, entry.name), 'file');
    }
    await flushFolder(path);
  } else if (kind === 'file') {
    const file = await open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

/** Flushes the names in a folder, where the system can; the files in it are flushed on their own. */
async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on its disk',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it is larger than its disk allows for a file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'its disk is read-only',
};

/** An error of the system about this output, in words; any other error as it is. */
function explain(error: unknown, path: string, temporary: string): unknown {
  const { code = '', path: where } = error as NodeJS.ErrnoException;
  if ((error as Error).name === 'AbortError') return new CancelledError('cancelled');
  const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
  if (!full && !where?.startsWith(temporary)) return error;
  return new OutputError(`${path} cannot be written: ${reasons[code] ?? (error as Error).message}`, { cause: error });
}
