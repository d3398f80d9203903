/** @file The vectors in pgvector's type, beside the table that every database has: made where the extension is there. */

import { sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { vectorFrom } from './vector-bytes.ts';

/** Makes the table, which is not among the migrations since the extension may come and go, and fills it. */
export async function makeVectorTable(database: Database): Promise<void> {
  if (!database.pgvector) return;
  await database.rows(sql`
    CREATE TABLE IF NOT EXISTS embedding_vectors (
      model uuid NOT NULL, paper text NOT NULL, revision bigint NOT NULL, value vector NOT NULL, PRIMARY KEY (model, paper),
      FOREIGN KEY (model, paper) REFERENCES embeddings (model, paper) ON DELETE CASCADE ON UPDATE CASCADE)`);
  await database.rows(
    sql`CREATE INDEX IF NOT EXISTS embedding_vectors_revision ON embedding_vectors (model, revision)`,
  );
  await fillVectorTable(database);
}

export async function hasVectorTable(database: Database): Promise<boolean> {
  if (!database.pgvector) return false;
  const [{ there }] = await database.rows<{ there: boolean }>(
    sql`SELECT to_regclass('embedding_vectors') IS NOT NULL AS there`,
  );
  return there;
}

/** Copies the vectors of the model in use that are not there yet, in the order of their revisions. */
export async function fillVectorTable(database: Database): Promise<void> {
  for (;;) {
    const rows = await database.rows<{ model: string; paper: string; revision: string; vector: Uint8Array }>(sql`
      SELECT e.model::text AS model, e.paper, e.revision::text AS revision, e.vector FROM embeddings e
      JOIN embedding_models m ON m.id = e.model AND m.state = 'live'
      LEFT JOIN embedding_vectors v ON v.model = e.model AND v.paper = e.paper AND v.revision = e.revision
      WHERE v.paper IS NULL ORDER BY e.revision LIMIT 1000`);
    if (rows.length === 0) return;
    const values = rows.map(({ vector, ...row }) => ({ ...row, value: `[${vectorFrom(vector).join(',')}]` }));
    await database.rows(sql`
      INSERT INTO embedding_vectors (model, paper, revision, value)
      SELECT x.model, x.paper, x.revision, x.value::vector
      FROM jsonb_to_recordset(${JSON.stringify(values)}::jsonb) AS x(model uuid, paper text, revision bigint, value text)
      JOIN embeddings e ON e.model = x.model AND e.paper = x.paper
      ON CONFLICT (model, paper) DO UPDATE SET value = excluded.value, revision = excluded.revision`);
  }
}

/** Whether the table holds every vector of the model in use: it has the latest, and is filled in order. */
export async function isComplete(database: Database): Promise<boolean> {
  if (!(await hasVectorTable(database))) return false;
  const [row] = await database.rows<{ complete: boolean | null }>(sql`
    SELECT (SELECT max(revision) FROM embeddings WHERE model = m.id)
      = (SELECT max(revision) FROM embedding_vectors WHERE model = m.id) AS complete
    FROM embedding_models m WHERE m.state = 'live'`);
  return row?.complete === true;
}
