/**
 * @file The thread beside a run that ends its process when it takes too much memory or when the server is gone. Memory is that of the
 * whole process: typed arrays, WebAssembly and native code count, which limits on a thread's heap do not see.
 */

import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';

const { memory, parent } = workerData as { memory: number; parent: number };

setInterval(() => {
  if (process.memoryUsage.rss() > memory) {
    writeSync(2, 'out of memory\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, 50);
