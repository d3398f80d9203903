/** @file Jobs that make vectors: of papers whose text is new, and of all where the embedder is another or trained anew. */

import { sql } from 'drizzle-orm';
import { Run } from 'salience/core';
import { touch } from '../database/connect.ts';
import type { JobDefinition } from '../jobs/jobs.ts';
import type { Site } from '../site.ts';
import { type Embedder, isLatent } from './embedder.ts';
import { textHash } from './following.ts';
import { collectionOf, latentTraining, packLatent, placeLexemes } from './latent-model.ts';
import { LexemeReader, readTsvector } from './lexemes.ts';
import { openEmbedder } from './open-embedder.ts';
import { bytesOf } from './vector-bytes.ts';
import { fillVectorTable, hasVectorTable } from './vector-table.ts';

/** The built-in embedder learns from so many papers at the most. */
const mostTrainedOn = 20_000;
const mostWords = 30_000;
const widest = 128;
/** Fewer papers teach nothing. */
const fewest = 3;
const pageSize = 250;

interface ModelRow {
  readonly id: string;
  readonly kind: string;
  readonly state: 'building' | 'live';
}

/** Makes the vectors of papers later: of these, or of all that lack one. */
export async function embedLater(site: Site, ids?: readonly string[]): Promise<void> {
  if (!ids) return site.jobs.send('embed', {}, { key: 'all' });
  for (let from = 0; from < ids.length; from += 500) {
    await site.jobs.send('embed', { ids: ids.slice(from, from + 500) });
  }
}

/** Trains or opens the embedder anew later, where that is due. */
export async function trainLater(site: Site): Promise<void> {
  await site.jobs.send('train-embeddings', {}, { key: 'train' });
}

/** The jobs of search: "embed" { ids? } and "train-embeddings" { force? }. */
export function searchJobs(site: Site): JobDefinition[] {
  return [
    {
      name: 'embed',
      work: async (data, signal) => {
        const { ids } = data as { ids?: string[] };
        for (const model of await models(site)) await embedPapers(site, model, signal, ids);
        if (await hasVectorTable(site.database)) await fillVectorTable(site.database);
      },
    },
    {
      name: 'train-embeddings',
      cron: '17 3 * * *',
      expireInSeconds: 6 * 3600,
      work: async (data, signal) => {
        await train(site, (data as { force?: boolean }).force === true, signal);
      },
    },
  ];
}

/** The model in use and the one that is being made. */
function models(site: Site): Promise<ModelRow[]> {
  return site.database.rows<ModelRow>(
    sql`SELECT id::text AS id, kind, state FROM embedding_models WHERE state IN ('building', 'live') ORDER BY made`,
  );
}

async function embedderOf(site: Site, { id, kind }: ModelRow, reader: LexemeReader): Promise<Embedder> {
  const [{ parameters }] = await site.database.rows<{ parameters: Uint8Array | null }>(
    sql`SELECT parameters FROM embedding_models WHERE id = ${id}::uuid`,
  );
  return openEmbedder(kind, { parameters, reader, key: site.config.embeddingsKey });
}

/** Makes the vectors that are missing or were made from another text, of these papers or of all. */
async function embedPapers(site: Site, model: ModelRow, signal: AbortSignal, ids?: readonly string[]): Promise<void> {
  const { database } = site;
  const among = ids ? sql`AND p.id IN (SELECT json_array_elements_text(${JSON.stringify(ids)}::json))` : sql``;
  let embedder: Embedder | undefined;
  for (let last = ''; ; ) {
    signal.throwIfAborted();
    const rows = await database.rows<{ id: string; text: string; words: string; hash: string }>(sql`
      SELECT p.id, p.title || E'\n' || p.abstract AS text, p.words::text AS words, ${textHash} AS hash
      FROM papers p LEFT JOIN embeddings e ON e.model = ${model.id}::uuid AND e.paper = p.id
      WHERE p.id > ${last} ${among} AND (e.paper IS NULL OR e.text_hash <> ${textHash})
      ORDER BY p.id LIMIT ${pageSize}`);
    if (rows.length === 0) return;
    embedder ??= await embedderOf(site, model, new LexemeReader(database));
    const own = embedder;
    const vectors = isLatent(own)
      ? rows.map(({ words }) => placeLexemes(own.model, readTsvector(words).terms))
      : await own.embed(
          rows.map(({ text }) => text),
          signal,
        );
    const made = rows.map(({ id, hash }, i) => ({ paper: id, hash, vector: bytesOf(vectors[i]).toString('base64') }));
    await database.rows(sql`
      INSERT INTO embeddings (model, paper, vector, text_hash)
      SELECT ${model.id}::uuid, x.paper, decode(x.vector, 'base64'), x.hash
      FROM jsonb_to_recordset(${JSON.stringify(made)}::jsonb) AS x(paper text, vector text, hash text)
      JOIN papers ON papers.id = x.paper
      ON CONFLICT (model, paper) DO UPDATE SET vector = excluded.vector, text_hash = excluded.text_hash,
        revision = nextval('revision')`);
    if (rows.length < pageSize) return;
    last = rows[rows.length - 1].id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Makes a new model and its vectors where that is due, while the old one serves; then switches in one transaction. */
async function train(site: Site, force: boolean, signal: AbortSignal): Promise<void> {
  const { database, config, clock, log } = site;
  const kind = config.embeddings;
  const known = await models(site);
  const live = known.find(({ state }) => state === 'live');
  const [{ papers }] = await database.rows<{ papers: number }>(sql`SELECT count(*)::int AS papers FROM papers`);
  let building = known.find((model) => model.state === 'building' && model.kind === kind);
  if (!building) {
    if (!force && live?.kind === kind && !(kind === 'built-in' && (await outgrown(site, live.id, papers)))) return;
    if (kind === 'built-in' && papers < fewest) return;
    await database.rows(sql`DELETE FROM embedding_models WHERE state <> 'live'`);
    const made =
      kind === 'built-in'
        ? await trainBuiltIn(site, papers, signal)
        : await openEmbedder(kind, { reader: new LexemeReader(database), key: config.embeddingsKey });
    if (made.width === 0) return;
    const parameters = 'parameters' in made ? Buffer.from(made.parameters).toString('base64') : null;
    [building] = await database.rows<ModelRow>(sql`
      INSERT INTO embedding_models (kind, width, state, parameters, made)
      VALUES (${kind}, ${made.width}, 'building', decode(${parameters}::text, 'base64'), ${clock().toISOString()}::timestamptz)
      RETURNING id::text AS id, kind, state`);
  }
  await embedPapers(site, building, signal);
  const { id } = building;
  await database.db.transaction(async (tx) => {
    await tx.execute(sql`UPDATE embedding_models SET state = 'retired' WHERE state = 'live' AND id <> ${id}::uuid`);
    await tx.execute(sql`UPDATE embedding_models SET state = 'live' WHERE id = ${id}::uuid`);
    await touch(database, tx);
  });
  // Of papers that came while the others were embedded.
  await embedPapers(site, building, signal);
  if (await hasVectorTable(database)) await fillVectorTable(database);
  log.info('the embedder is new', { kind, papers });
}

/** Whether there are twice as many papers as when the model was trained. */
async function outgrown(site: Site, id: string, papers: number): Promise<boolean> {
  const [{ head }] = await site.database.rows<{ head: Uint8Array | null }>(
    sql`SELECT substring(parameters FROM 1 FOR 64) AS head FROM embedding_models WHERE id = ${id}::uuid`,
  );
  return head === null || papers >= 2 * collectionOf(head);
}

async function trainBuiltIn(
  { database }: Site,
  papers: number,
  signal: AbortSignal,
): Promise<{ width: number; parameters: Uint8Array }> {
  // In the order of a hash, so that the sample is one of all times.
  const sample = await database.rows<{ id: string }>(
    sql`SELECT id FROM papers ORDER BY md5(id), id LIMIT ${mostTrainedOn}`,
  );
  const numbers = new Map<string, number>();
  const holding: number[] = [];
  const texts: number[][] = [];
  for (let from = 0; from < sample.length; from += pageSize) {
    signal.throwIfAborted();
    const ids = JSON.stringify(sample.slice(from, from + pageSize).map(({ id }) => id));
    const rows = await database.rows<{ words: string }>(sql`
      SELECT words::text AS words FROM papers
      WHERE id IN (SELECT json_array_elements_text(${ids}::json)) ORDER BY id`);
    for (const { words } of rows) {
      const text = readTsvector(words).terms.map((lexeme) => {
        const number = numbers.get(lexeme) ?? numbers.size;
        numbers.set(lexeme, number);
        return number;
      });
      for (const number of new Set(text)) holding[number] = (holding[number] ?? 0) + 1;
      texts.push(text);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const words = [...numbers.keys()]
    .filter((lexeme) => holding[numbers.get(lexeme)!] >= 2 && /\p{L}/u.test(lexeme))
    .sort((a, b) => holding[numbers.get(b)!] - holding[numbers.get(a)!] || (a < b ? -1 : 1))
    .slice(0, mostWords);
  const places = new Int32Array(numbers.size).fill(-1);
  words.forEach((lexeme, place) => {
    places[numbers.get(lexeme)!] = place;
  });
  const offsets = new Uint32Array(texts.length + 1);
  const indices: number[] = [];
  texts.forEach((text, t) => {
    for (const number of text) if (places[number] >= 0) indices.push(places[number]);
    offsets[t + 1] = indices.length;
  });
  // Fewer directions than words and papers, else nothing is brought together.
  const width = Math.max(2, Math.min(widest, Math.floor(texts.length / 3), Math.floor(words.length / 4)));
  // On another thread, since it takes seconds.
  const run = new Run({ threads: 2, signal });
  try {
    const input = { offsets, indices: Uint32Array.from(indices), terms: words.length, width };
    for await (const trained of run.map(latentTraining, [input])) {
      return {
        width: trained.width,
        parameters: packLatent(words, trained, { trainedOn: texts.length, collection: papers }),
      };
    }
  } finally {
    await run.close();
  }
  throw new Error('the training gave nothing');
}
