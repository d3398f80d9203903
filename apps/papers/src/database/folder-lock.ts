/** @file A folder that one process at a time may have. */

import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Takes a folder for this process and gives the function that lets it go. A lock whose process is gone is taken over.
 * @throws Error naming the process that has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  for (;;) {
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (file) {
      await file.writeFile(String(process.pid));
      await file.close();
      return () => rm(path, { force: true });
    }
    const pid = Number(await readFile(path, 'utf8').catch(() => ''));
    if (pid !== process.pid && pid > 0 && alive(pid)) {
      throw new Error(
        `${folder} is in use by process ${pid}; stop it first, or keep the data in PostgreSQL (DATABASE_URL), which several can use`,
      );
    }
    if (pid === process.pid) throw new Error(`${folder} is open in this process already`);
    await rm(path, { force: true });
  }
}
