/**
 * @file The thread beside a run that ends its process when it takes too much memory, fills the disk, or when the server is gone. Memory is
 * that of the whole process: typed arrays, WebAssembly and native code count, which limits on a thread's heap do not see.
 */

import { readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';

const { memory, disk, folder, parent } = workerData as {
  memory: number;
  disk: number;
  folder: string;
  parent: number;
};

/** Bytes of the files in a folder and below; what has just gone counts nothing. */
function bytesIn(place: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      const path = join(place, entry.name);
      bytes += entry.isDirectory() ? bytesIn(path) : (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return bytes;
}

setInterval(() => {
  if (process.memoryUsage.rss() > memory) {
    writeSync(2, 'out of memory\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (bytesIn(folder) > disk) {
    writeSync(2, 'out of disk\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 50);
