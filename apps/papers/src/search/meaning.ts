/** @file The vectors of a site's papers under the model in use, kept as new as the database, and what is near to a query. */

import { sql } from 'drizzle-orm';
import type { Site } from '../site.ts';
import { type Embedder, isLatent } from './embedder.ts';
import { embedLater, trainLater } from './embedding-jobs.ts';
import type { Following, Listener } from './following.ts';
import { placeLexemes } from './latent-model.ts';
import { openEmbedder } from './open-embedder.ts';
import { PaperVectors } from './paper-vectors.ts';
import { vectorFrom } from './vector-bytes.ts';

/** A model with the vectors it made. */
interface Live {
  readonly id: string;
  readonly embedder: Embedder;
  readonly vectors: PaperVectors;
  /** The revision up to which vectors were read. */
  revision: number;
}

interface VectorRow {
  readonly paper: string;
  readonly vector: Uint8Array;
  readonly hash: string;
}

const pageSize = 2000;
/** A query waits so long for an embedder that is elsewhere; then words alone answer. */
const patience = 2500;
const mostQueries = 2000;

export class Meaning {
  readonly #site: Site;
  readonly #following: () => Following;
  #live: Live | undefined;
  #asked: string | undefined;
  #lacking = new Set<string>();
  readonly #queries = new Map<string, Promise<Float32Array | undefined>>();

  constructor(site: Site, following: () => Following) {
    this.#site = site;
    this.#following = following;
  }

  readonly listener: Listener = {
    renewed: (facts, slot, before) => {
      this.#lacking.add(facts.id);
      const old = before === undefined ? undefined : this.#live?.vectors.at(before);
      // Until the new text has a vector, the old one's serves.
      if (old && before !== undefined) this.#live!.vectors.set(slot, old, this.#live!.vectors.hashAt(before)!);
    },
    followed: () => this.#follow(),
  };

  /** The vectors in memory; undefined before a first model is in use. */
  get vectors(): PaperVectors | undefined {
    return this.#live?.vectors;
  }

  /** The kind of the model in memory. */
  get kind(): string | undefined {
    return this.#live?.embedder.kind;
  }

  /** Lets go of the thread that compares vectors. */
  async close(): Promise<void> {
    await this.#live?.vectors.close();
  }

  /** The model in use. */
  async liveModel(): Promise<{ id: string; kind: string } | undefined> {
    const [live] = await this.#site.database.rows<{ id: string; kind: string }>(
      sql`SELECT id::text AS id, kind FROM embedding_models WHERE state = 'live' LIMIT 1`,
    );
    return live;
  }

  /** The vector of a query; undefined where there is no model, where nothing of it is known, or its embedder is too slow. */
  async place(text: string, lexemes: readonly string[]): Promise<Float32Array | undefined> {
    const embedder = this.#live?.embedder;
    if (!embedder) return undefined;
    const vector = isLatent(embedder) ? placeLexemes(embedder.model, lexemes) : await this.#embedded(embedder, text);
    return vector?.some((value) => value !== 0) ? vector : undefined;
  }

  #embedded(embedder: Embedder, text: string): Promise<Float32Array | undefined> {
    let known = this.#queries.get(text);
    if (!known) {
      if (this.#queries.size >= mostQueries) this.#queries.delete(this.#queries.keys().next().value!);
      known = embedder.embed([text], AbortSignal.timeout(patience)).then(
        ([vector]) => vector,
        (error) => {
          this.#queries.delete(text);
          this.#site.log.error('a query was not embedded', { error: String(error) });
          return undefined;
        },
      );
      this.#queries.set(text, known);
    }
    return known;
  }

  /** Opens the model in use without the vectors of the papers, for answers from the database. */
  async openModel(): Promise<void> {
    const live = await this.liveModel();
    if (live && live.id !== this.#live?.id) this.#live = await this.#opened(live);
  }

  async #opened({ id, kind }: { id: string; kind: string }): Promise<Live> {
    const { database, config } = this.#site;
    const following = this.#following();
    const [{ parameters }] = await database.rows<{ parameters: Uint8Array | null }>(
      sql`SELECT parameters FROM embedding_models WHERE id = ${id}::uuid`,
    );
    const embedder = await openEmbedder(kind, { parameters, reader: following.lexemes, key: config.embeddingsKey });
    const vectors = new PaperVectors(embedder.width, following.index.before);
    return { id, embedder, vectors, revision: 0 };
  }

  async #follow(): Promise<void> {
    const live = await this.liveModel();
    if (!live) {
      this.#lacking.clear();
      await this.#train('first');
      return;
    }
    if (live.id !== this.#live?.id) {
      const opened = await this.#opened(live).catch((error) => {
        this.#site.log.error('the embedder cannot be used', { kind: live.kind, error: String(error) });
        return undefined;
      });
      if (!opened) return;
      await this.#readAll(opened);
      const old = this.#live;
      this.#live = opened;
      this.#queries.clear();
      await old?.vectors.close();
      const { index } = this.#following();
      for (const id of index.ids()) {
        const facts = index.factsOf(id)!;
        if (opened.vectors.hashAt(index.slotOf(id)!) !== facts.textHash) this.#lacking.add(id);
      }
    } else await this.#readNew(this.#live);
    if (this.#lacking.size > 0) {
      const ids = [...this.#lacking];
      this.#lacking.clear();
      await embedLater(this.#site, ids);
    }
    const { embedder } = this.#live!;
    if (embedder.kind !== this.#site.config.embeddings) await this.#train(embedder.kind);
    else if (isLatent(embedder) && this.#following().index.size >= 2 * embedder.model.collection) {
      await this.#train(live.id);
    }
  }

  /** Asks once for each reason. */
  async #train(reason: string): Promise<void> {
    if (this.#asked === reason || this.#following().index.size < 3) return;
    this.#asked = reason;
    await trainLater(this.#site);
  }

  async #readAll(live: Live): Promise<void> {
    const { database } = this.#site;
    const [{ revision }] = await database.rows<{ revision: string | number | null }>(
      sql`SELECT max(revision) AS revision FROM embeddings WHERE model = ${live.id}::uuid`,
    );
    live.revision = Number(revision ?? 0);
    for (let last = ''; ; ) {
      const rows = await database.rows<VectorRow>(sql`
        SELECT paper, vector, text_hash AS hash FROM embeddings
        WHERE model = ${live.id}::uuid AND paper > ${last} ORDER BY paper LIMIT ${pageSize}`);
      this.#take(live, rows);
      if (rows.length < pageSize) return;
      last = rows[rows.length - 1].paper;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #take({ vectors }: Live, rows: readonly VectorRow[]): void {
    const { index } = this.#following();
    for (const { paper, vector, hash } of rows) {
      const slot = index.slotOf(paper);
      if (slot !== undefined && vector.byteLength === 4 * vectors.width) vectors.set(slot, vectorFrom(vector), hash);
    }
  }

  async #readNew(live: Live): Promise<void> {
    const { database } = this.#site;
    const { index } = this.#following();
    for (;;) {
      // One transaction may commit after a later one; those of the last 2,000 numbers are compared again.
      const rows = await database.rows<{ paper: string; hash: string; revision: string | number }>(sql`
        SELECT paper, text_hash AS hash, revision FROM embeddings
        WHERE model = ${live.id}::uuid AND revision > ${Math.max(0, live.revision - pageSize)}
        ORDER BY revision LIMIT ${2 * pageSize}`);
      const fresh = rows.filter(({ paper, hash }) => {
        const slot = index.slotOf(paper);
        return slot !== undefined && live.vectors.hashAt(slot) !== hash;
      });
      if (fresh.length > 0) {
        const papers = JSON.stringify(fresh.map(({ paper }) => paper));
        this.#take(
          live,
          await database.rows<VectorRow>(sql`
            SELECT paper, vector, text_hash AS hash FROM embeddings WHERE model = ${live.id}::uuid
            AND paper IN (SELECT json_array_elements_text(${papers}::json))`),
        );
      }
      const highest = rows.length === 0 ? live.revision : Number(rows[rows.length - 1].revision);
      const more = rows.length === 2 * pageSize && highest > live.revision;
      live.revision = Math.max(live.revision, highest);
      if (!more) return;
    }
  }
}
