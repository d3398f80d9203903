/** @file The bundled scripts and styles, by the names that Vite gave them. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the bundle, made by the build. */
export const publicFolder = fileURLToPath(new URL('../../dist/public/', import.meta.url));

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
