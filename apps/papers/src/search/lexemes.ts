/** @file The words of texts as PostgreSQL's full text search knows them: stems, without the words that are everywhere. */

import { sql } from 'drizzle-orm';
import type { Database } from '../database/connect.ts';
import { inOneQuery } from '../database/in-one-query.ts';

/** Lexemes in the order of their positions, which count from 1; parallel. */
export interface Lexemes {
  readonly terms: readonly string[];
  readonly positions: readonly number[];
}

/** A tsvector as PostgreSQL writes it: 'import':3A,15B 'score':4A. One without positions gives none. */
export function readTsvector(text: string): Lexemes {
  const terms: string[] = [];
  const positions: number[] = [];
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf("'", at + 1);
    let quoted = false;
    while (text[end + 1] === "'") {
      quoted = true;
      end = text.indexOf("'", end + 2);
    }
    let term = text.slice(at + 1, end);
    if (quoted) term = term.replaceAll("''", "'");
    if (term.includes('\\')) term = term.replaceAll('\\\\', '\\');
    at = end + 1;
    if (text[at] === ':') {
      at++;
      for (;;) {
        let position = 0;
        for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) {
          position = 10 * position + code - 48;
        }
        terms.push(term);
        positions.push(position);
        // The weight, which is a letter, or nothing for D.
        if (at < text.length && text[at] >= 'A' && text[at] <= 'D') at++;
        if (text[at] !== ',') break;
        at++;
      }
    }
    at++;
  }
  const order = Uint32Array.from(positions.keys()).sort((a, b) => positions[a] - positions[b]);
  return { terms: Array.from(order, (i) => terms[i]), positions: Array.from(order, (i) => positions[i]) };
}

const mostKept = 400_000;

/** Reads lexemes of short texts, each but once: those known are not asked for again. */
export class LexemeReader {
  readonly #database: Database;
  readonly #known = new Map<string, Lexemes>();
  readonly #unknown = inOneQuery((texts) => this.#read(texts));

  constructor(database: Database) {
    this.#database = database;
  }

  /** What is known of a text already. */
  peek(text: string): Lexemes | undefined {
    return this.#known.get(text);
  }

  /** The lexemes of each text, shape [texts]. */
  async of(texts: readonly string[]): Promise<Lexemes[]> {
    const known = texts.map((text) => this.#known.get(text));
    if (known.every((lexemes) => lexemes !== undefined)) return known;
    return Promise.all(known.map(async (lexemes, i) => lexemes ?? (await this.#unknown.load(texts[i]))!));
  }

  async #read(texts: readonly string[]): Promise<Map<string, Lexemes>> {
    const rows = await this.#database.rows<{ words: string }>(
      sql`SELECT to_tsvector('english', t)::text AS words
          FROM json_array_elements_text(${JSON.stringify(texts)}::json) WITH ORDINALITY AS u(t, n) ORDER BY n`,
    );
    if (this.#known.size + texts.length > mostKept) this.#known.clear();
    const found = new Map(texts.map((text, i) => [text, readTsvector(rows[i].words)]));
    for (const [text, lexemes] of found) if (text.length <= 100) this.#known.set(text, lexemes);
    return found;
  }
}
