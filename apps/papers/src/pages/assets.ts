/** @file The bundled scripts and styles: the names that Vite gave them, and their bytes. */

import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { Hono } from 'hono';
import type { AppEnv } from './context.ts';

/** Folder of the bundle, made by the build. */
const publicFolder = fileURLToPath(new URL('../../dist/public/', import.meta.url));

interface Chunk {
  readonly file: string;
  readonly css?: string[];
}

let manifest: Record<string, Chunk> | undefined;

/**
 * The path at which a source of the bundle is served, e.g. of "src/browser/main.ts".
 * @throws Error where the bundle was not built.
 */
export function assetPath(source: string): string {
  manifest ??= JSON.parse(readFileSync(`${publicFolder}manifest.json`, 'utf8')) as Record<string, Chunk>;
  const chunk = manifest[source];
  if (!chunk) throw new Error(`${source} is not in the bundle; run npm run build`);
  return `/${chunk.file}`;
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

type Bytes = Uint8Array<ArrayBuffer>;

interface Asset {
  readonly type: string;
  readonly bytes: Bytes;
  /** Packed when it is first asked for, and kept. */
  readonly packed: { br?: Promise<Bytes>; gzip?: Promise<Bytes> };
}

const packers = {
  br: async (bytes: Bytes) =>
    new Uint8Array(await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })),
  gzip: async (bytes: Bytes) => new Uint8Array(await promisify(gzip)(bytes, { level: 9 })),
};

/** Only what lies in the folder has a name here, so no path of a request is ever opened. */
async function readAssets(): Promise<Map<string, Asset>> {
  const folder = `${publicFolder}assets`;
  const names = (await readdir(folder)).filter((name) => extname(name) in types);
  return new Map(
    await Promise.all(
      names.map(async (name) => {
        const bytes = new Uint8Array(await readFile(`${folder}/${name}`));
        return [name, { type: types[extname(name)], bytes, packed: {} }] as const;
      }),
    ),
  );
}

/** Serves /assets/…, whose names change with their bytes, so that browsers keep them for a year. */
export function assetRoutes(): Hono<AppEnv> {
  let reading: Promise<Map<string, Asset>> | undefined;
  return new Hono<AppEnv>().get('/assets/:name', async (c) => {
    reading ??= readAssets();
    const asset = (await reading).get(c.req.param('name'));
    if (!asset) return c.text('There is no such file.', 404, { 'Cache-Control': 'no-store' });
    const accepts = c.req.header('accept-encoding') ?? '';
    const encoding = /\bbr\b/.test(accepts) ? 'br' : /\bgzip\b/.test(accepts) ? 'gzip' : undefined;
    const { bytes, packed } = asset;
    if (encoding) packed[encoding] ??= packers[encoding](bytes);
    return c.body((encoding && (await packed[encoding])) ?? bytes, 200, {
      'Content-Type': asset.type,
      'Cache-Control': 'public, max-age=31536000, immutable',
      Vary: 'Accept-Encoding',
      ...(encoding && { 'Content-Encoding': encoding }),
    });
  });
}
