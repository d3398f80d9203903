/** @file Summaries of papers for the pages of results, kept while their papers do not change, read together by all who ask at once. */

import { type PaperSummary, papersByIds } from '../papers/lists.ts';
import type { Site } from '../site.ts';

/** A summary is some 3 KB. */
const mostKept = 100_000;

export class Summaries {
  readonly #site: Site;
  readonly #revisionOf: (id: string) => number | undefined;
  readonly #kept = new Map<string, { readonly revision: number; readonly summary: PaperSummary }>();
  #asked = new Set<string>();
  #reading: Promise<Map<string, PaperSummary>> | undefined;

  /** `revisionOf` gives the revision of a paper as the index knows it, undefined where it does not. */
  constructor(site: Site, revisionOf: (id: string) => number | undefined) {
    this.#site = site;
    this.#revisionOf = revisionOf;
  }

  /** The papers with these ids, in this order, without those that there are not. */
  async of(ids: readonly string[]): Promise<PaperSummary[]> {
    const known = new Map<string, PaperSummary>();
    const missing: string[] = [];
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept && kept.revision === this.#revisionOf(id)) known.set(id, kept.summary);
      else missing.push(id);
    }
    if (missing.length > 0) {
      for (const id of missing) this.#asked.add(id);
      // All who ask in this turn of the loop are served by one query.
      this.#reading ??= new Promise((resolve, reject) => {
        setImmediate(() => this.#read().then(resolve, reject));
      });
      const read = await this.#reading;
      for (const id of missing) {
        const summary = read.get(id);
        if (summary) known.set(id, summary);
      }
    }
    return ids.flatMap((id) => known.get(id) ?? []);
  }

  async #read(): Promise<Map<string, PaperSummary>> {
    const ids = [...this.#asked];
    this.#asked = new Set();
    this.#reading = undefined;
    const revisions = new Map(ids.map((id) => [id, this.#revisionOf(id)]));
    const summaries = await papersByIds(this.#site, ids);
    for (const summary of summaries) {
      const revision = revisions.get(summary.id);
      if (revision === undefined) continue;
      if (this.#kept.size >= mostKept) this.#kept.delete(this.#kept.keys().next().value!);
      this.#kept.set(summary.id, { revision, summary });
    }
    return new Map(summaries.map((summary) => [summary.id, summary]));
  }
}
