/** @file What search keeps of each site: the index that follows its database. */

import { setTimeout } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Site } from '../site.ts';
import { Following } from './following.ts';
import { Meaning } from './meaning.ts';
import type { Filter } from './paper-index.ts';
import { Summaries } from './summaries.ts';
import { makeVectorTable } from './vector-table.ts';

/** Of so many words the meaning is read ahead. */
const mostWordsAhead = 200_000;
/** Up to so many papers a search waits for the index to be loaded. */
const loadedAtOnce = 5_000;

export interface SearchOptions {
  /** Above so many papers the database answers instead of the memory; 300,000 by default. */
  readonly memoryLimit?: number;
  /** Told how many of how many papers are in the index. */
  readonly progress?: (done: number, total: number) => void;
}

/** What a paper must be to be found. */
export type Filters = Omit<Filter, 'among'> & { readonly topic?: string };

export class SiteSearch {
  readonly site: Site;
  readonly following: Following;
  readonly meaning: Meaning;
  readonly summaries: Summaries;
  #opening: Promise<void> | undefined;
  #small = false;
  #topics: { revision: number; papers: Map<string, Promise<ReadonlySet<string>>> } = {
    revision: -1,
    papers: new Map(),
  };

  constructor(site: Site) {
    this.site = site;
    this.meaning = new Meaning(site, () => this.following);
    this.following = new Following(site, this.meaning.listener);
    this.summaries = new Summaries(site, (id) => this.following.index.factsOf(id)?.revision);
  }

  open({ memoryLimit = 300_000, progress = () => {} }: SearchOptions = {}): Promise<void> {
    this.#opening ??= this.#open(memoryLimit, progress).catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(memoryLimit: number, progress: (done: number, total: number) => void): Promise<void> {
    const { database, log } = this.site;
    const [{ count }] = await database.rows<{ count: number }>(sql`SELECT count(*)::int AS count FROM papers`);
    this.#small = count <= loadedAtOnce;
    if (count > memoryLimit) {
      log.info('search is answered by the database', { papers: count, memoryLimit });
      await makeVectorTable(database);
      return;
    }
    await this.following.load(count, progress);
  }

  /** Waits until the answer can be as new as the database; says whether the memory can give it. */
  async prepare(): Promise<boolean> {
    if (!this.following.ready) {
      const opening = this.open();
      if (this.#opening && this.#small) await opening;
      else {
        opening.catch((error) => this.site.log.error('the search index was not loaded', { error: String(error) }));
        await setTimeout(100);
        if (this.#small) await opening;
      }
    }
    if (!this.following.ready) return false;
    await this.following.current();
    return true;
  }

  /**
   * Reads what searches will ask the database for while nobody waits: what the words of the papers are to its full text search, and
   * what results show. Takes no more than half of the time.
   */
  async readAhead(signal: AbortSignal): Promise<void> {
    const { index, lexemes } = this.following;
    const inParts = async (all: readonly string[], size: number, read: (some: string[]) => Promise<unknown>) => {
      for (let from = 0; from < all.length && !signal.aborted; from += size) {
        const start = performance.now();
        await read(all.slice(from, from + size));
        await setTimeout(performance.now() - start, undefined, { signal }).catch(() => {});
      }
    };
    await inParts(index.commonWords(mostWordsAhead), 500, (words) => lexemes.of(words));
    await inParts([...index.ids()], 50, (ids) => this.summaries.readAhead(ids));
  }

  /** 1 for each slot of a paper that passes. */
  async allowed({ topic, from, to, implemented, hasCode, minAuthors }: Filters): Promise<Uint8Array> {
    const { index } = this.following;
    const among = topic === undefined ? undefined : await this.#topic(topic);
    if (!among && !from && !to && !implemented && !hasCode && minAuthors === undefined) return index.alive;
    return index.allowed({ from, to, implemented, hasCode, minAuthors, among });
  }

  /** Ids of the papers of a topic, read anew after every change. */
  async #topic(topic: string): Promise<ReadonlySet<string>> {
    const { revision } = this.following;
    if (this.#topics.revision !== revision) this.#topics = { revision, papers: new Map() };
    const { papers } = this.#topics;
    let known = papers.get(topic);
    if (!known) {
      if (papers.size > 200) papers.clear();
      known = this.site.database
        .rows<{ paper: string }>(sql`SELECT paper FROM paper_topics WHERE topic = ${topic}`)
        .then((rows) => new Set(rows.map(({ paper }) => paper)));
      papers.set(topic, known);
      known.catch(() => papers.delete(topic));
    }
    return known;
  }
}

const searches = new WeakMap<Site['database'], SiteSearch>();

/** The search of a site; the same for everyone who asks. */
export function searchOf(site: Site): SiteSearch {
  const known = searches.get(site.database) ?? new SiteSearch(site);
  searches.set(site.database, known);
  return known;
}

/** Loads the search index; the server can answer meanwhile, by the database. */
export function openSearch(site: Site, options?: SearchOptions): Promise<void> {
  return searchOf(site).open(options);
}

/** Reads what searches will need ahead of them, until it is all there or the signal says to stop; where the memory answers. */
export async function readAhead(site: Site, signal: AbortSignal): Promise<void> {
  if (indexReady(site)) await searchOf(site).readAhead(signal);
}

/** Lets searches that are under way end, and what they use go. */
export async function closeSearch({ database }: Site): Promise<void> {
  await searches.get(database)?.meaning.close();
}

/** Whether searches are answered from memory. */
export function indexReady(site: Site): boolean {
  return searchOf(site).following.ready;
}

/** Takes in what changed before the call; for those who have just changed something. */
export function refreshSearch(site: Site): Promise<void> {
  return searchOf(site).following.current(true);
}
