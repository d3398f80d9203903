/** @file The start of the server where it cannot be. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { serve } from './server.ts';

it('a server whose port is taken says so and lets go of its folder, so that its process ends', async () => {
  const data = await mkdtemp(join(tmpdir(), 'papers-server-'));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = other.address() as AddressInfo;
    const config = readConfig({ PORT: String(port), SALIENCE_DATA: data });
    await expect(serve(config, { info() {}, error() {} })).rejects.toThrow('EADDRINUSE');
    expect(existsSync(join(data, 'database', 'pglite'))).toBe(true);
    expect(existsSync(join(data, 'database', 'lock'))).toBe(false);
  } finally {
    other.close();
    await rm(data, { recursive: true });
  }
}, 60_000);
