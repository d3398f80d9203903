/** @file Summaries of papers for the pages of results, kept while their papers do not change, read together by all who ask at once. */

import { inOneQuery } from '../database/in-one-query.ts';
import { type PaperSummary, papersByIds } from '../papers/lists.ts';
import type { Site } from '../site.ts';

/** A summary is some 2 KB. */
const mostKept = 300_000;

interface Kept {
  readonly revision: number;
  /** As JSON: one string is quicker to keep than the thirty objects of a summary, which the garbage collector would walk over and over. */
  readonly json: string;
}

export class Summaries {
  readonly #site: Site;
  readonly #revisionOf: (id: string) => number | undefined;
  readonly #kept = new Map<string, Kept>();
  readonly #unknown = inOneQuery((ids) => this.#read(ids));

  /** `revisionOf` gives the revision of a paper as the index knows it, undefined where it does not. */
  constructor(site: Site, revisionOf: (id: string) => number | undefined) {
    this.#site = site;
    this.#revisionOf = revisionOf;
  }

  /** What is kept of a paper, if it is as the paper is now. */
  #current(id: string): string | undefined {
    const kept = this.#kept.get(id);
    return kept?.revision === this.#revisionOf(id) ? kept?.json : undefined;
  }

  /** The papers with these ids, in this order, without those that there are not. */
  async of(ids: readonly string[]): Promise<PaperSummary[]> {
    const known = ids.map((id) => this.#current(id));
    const found = await Promise.all(
      known.map((json, i) => (json === undefined ? this.#unknown.load(ids[i]) : (JSON.parse(json) as PaperSummary))),
    );
    return found.filter((summary) => summary !== undefined);
  }

  /** Reads those of these papers that are not known yet. */
  async readAhead(ids: readonly string[]): Promise<void> {
    await this.#unknown.loadMany(ids.filter((id) => this.#current(id) === undefined));
  }

  async #read(ids: readonly string[]): Promise<Map<string, PaperSummary>> {
    const revisions = new Map(ids.map((id) => [id, this.#revisionOf(id)]));
    const summaries = await papersByIds(this.#site, ids);
    for (const summary of summaries) {
      const revision = revisions.get(summary.id);
      if (revision === undefined) continue;
      if (this.#kept.size >= mostKept) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(summary.id, { revision, json: JSON.stringify(summary) });
    }
    return new Map(summaries.map((summary) => [summary.id, summary]));
  }
}
