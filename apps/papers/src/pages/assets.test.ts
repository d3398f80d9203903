import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { assetPath, assetRoutes } from './assets.ts';

const app = assetRoutes();
const get = (path: string, accepts = '') => app.request(path, { headers: { 'accept-encoding': accepts } });
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe('the bundle', () => {
  const style = assetPath('src/browser/site.css');

  it('is kept by browsers for a year, under names that change with the bytes', async () => {
    const response = await get(style);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(style).toMatch(/^\/assets\/site-.{8}\.css$/);
  });

  it('is the same packed and unpacked', async () => {
    const plain = await bytesOf(await get(style));
    const br = await get(style, 'gzip, deflate, br');
    const gz = await get(style, 'gzip');
    expect([br.headers.get('content-encoding'), gz.headers.get('content-encoding')]).toEqual(['br', 'gzip']);
    expect(new Uint8Array(brotliDecompressSync(await bytesOf(br)))).toEqual(plain);
    expect(new Uint8Array(gunzipSync(await bytesOf(gz)))).toEqual(plain);
  });

  it('serves nothing outside its folder', async () => {
    for (const path of [
      '/assets/../manifest.json',
      '/assets/..%2Fmanifest.json',
      '/assets/%2e%2e%2fmanifest.json',
      '/assets/',
    ])
      expect((await get(path)).status, path).toBe(404);
  });

  it('every page loads under 10 KB of scripts, and under 20 KB of styles', async () => {
    const scripts = [assetPath('src/browser/main.ts'), assetPath('src/browser/remembered-scheme.ts')];
    const sizes = await Promise.all(scripts.map(async (path) => (await bytesOf(await get(path))).length));
    expect(sizes[0] + sizes[1]).toBeLessThan(10_000);
    expect((await bytesOf(await get(style))).length).toBeLessThan(20_000);
  });

  it('names a source that was not built', () => {
    expect(() => assetPath('src/browser/none.ts')).toThrow('src/browser/none.ts is not in the bundle');
  });
});
