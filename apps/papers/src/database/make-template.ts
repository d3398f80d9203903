/** @file Part of the build: an empty, migrated PGlite database, packed, unless one with the same migrations is there. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { vector } from '@electric-sql/pglite-pgvector';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';
import { migrations, template } from './connect.ts';

const { dependencies } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
);
const hash = createHash('sha256').update(dependencies['@electric-sql/pglite']);
for (const name of readdirSync(migrations, { recursive: true }).map(String).sort()) {
  if (name.endsWith('.sql')) hash.update(readFileSync(`${migrations}/${name}`));
}
const of = hash.digest('hex');
const stamp = `${template}.of`;
const made = (() => {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return '';
  }
})();
if (made !== of) {
  rmSync(template, { force: true });
  const client = await PGlite.create({ extensions: { vector, pg_trgm } });
  await client.exec('CREATE EXTENSION IF NOT EXISTS vector');
  await migrate(drizzle(client), { migrationsFolder: migrations });
  const packed = await client.dumpDataDir('gzip');
  await client.close();
  writeFileSync(`${template}.partial`, new Uint8Array(await packed.arrayBuffer()));
  renameSync(`${template}.partial`, template);
  writeFileSync(stamp, of);
}
