/** @file The other side of the worker pool: loads the module of a task, applies it, and hands its arrays over without a copy. */

import { parentPort } from 'node:worker_threads';

interface Message {
  module: string;
  name: string;
  input: unknown;
}

/** The buffers of the typed arrays at the top of a result; they move to the other thread instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const parts = ArrayBuffer.isView(result)
    ? [result]
    : result && typeof result === 'object'
      ? Object.values(result)
      : [];
  const buffers = parts.filter((part) => ArrayBuffer.isView(part)).map((part) => part.buffer);
  return [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
}

parentPort!.on('message', async ({ module, name, input }: Message) => {
  try {
    const result = await (await import(module))[name](input);
    parentPort!.postMessage({ result }, buffersOf(result));
  } catch (error) {
    const { name: kind, message, stack } = error as Error;
    parentPort!.postMessage({ error: { name: kind, message, stack } });
  }
});
