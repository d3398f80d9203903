/** @file The job that digests papers whose text is new, on other threads. */

import { availableParallelism } from 'node:os';
import { sql } from 'drizzle-orm';
import { Run } from 'salience/core';
import type { JobDefinition } from '../jobs/jobs.ts';
import type { Site } from '../site.ts';
import { digestTask, type TitledText } from './digest.ts';

/** Texts that are compared with one another. */
const together = 250;
/** Where there are fewer, the newest other papers make up so many. */
const enough = 100;

interface Waiting extends TitledText {
  readonly id: string;
  readonly hash: string;
}

/** Of the text and of the way it is digested. */
const digestHash = sql`md5('2 ' || p.title || E'\n' || p.abstract)`;

/** The job "digest" { ids }: writes digest and keyphrases of these papers; one whose text is as it was is left alone. */
export function digestJobs(site: Site): JobDefinition[] {
  return [
    {
      name: 'digest',
      work: async (data, signal) => {
        const { ids } = data as { ids: string[] };
        await digestPapers(site, ids, signal);
      },
    },
  ];
}

async function digestPapers({ database }: Site, ids: readonly string[], signal: AbortSignal): Promise<void> {
  const waiting = await database.rows<Waiting>(sql`
    SELECT p.id, p.title, p.abstract, ${digestHash} AS hash FROM papers p
    WHERE p.id IN (SELECT json_array_elements_text(${JSON.stringify(ids)}::json))
      AND (p.digested_hash IS NULL OR p.digested_hash <> ${digestHash})
    ORDER BY p.id`);
  if (waiting.length === 0) return;
  const batches: Waiting[][] = [];
  for (let from = 0; from < waiting.length; from += together) batches.push(waiting.slice(from, from + together));
  const smallest = batches[batches.length - 1];
  const context = smallest.length < enough ? await newestOthers(database, waiting, enough - smallest.length) : [];
  const inputs = batches.map((texts) => ({
    texts: texts.map(({ title, abstract }) => ({ title, abstract })),
    context: texts === smallest ? context : [],
  }));
  const threads = borrowThreads();
  try {
    let b = 0;
    for await (const digested of threads.map(digestTask, inputs)) {
      const rows = batches[b++].map(({ id, hash }, i) => ({ id, hash, ...digested[i] }));
      await database.rows(sql`
        UPDATE papers p SET digest = x.digest, keyphrases = x.keyphrases, digested_hash = x.hash,
          revision = nextval('revision')
        FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          AS x(id text, hash text, digest jsonb, keyphrases jsonb)
        WHERE p.id = x.id AND ${digestHash} = x.hash`);
      signal.throwIfAborted();
    }
  } finally {
    returnThreads();
  }
}

function newestOthers(database: Site['database'], papers: readonly Waiting[], most: number): Promise<TitledText[]> {
  const ids = JSON.stringify(papers.map(({ id }) => id));
  return database.rows<TitledText>(sql`
    SELECT p.title, p.abstract FROM papers p
    WHERE p.id NOT IN (SELECT json_array_elements_text(${ids}::json)) ORDER BY p.posted DESC, p.id LIMIT ${most}`);
}

/** Threads take a second to start, so they are kept for a while, for the next job. */
const idleMs = 5000;
let threads: Run | undefined;
let borrowers = 0;
let idle: NodeJS.Timeout | undefined;

function borrowThreads(): Run {
  clearTimeout(idle);
  borrowers++;
  // Not the signal of one job: the threads serve the next one too.
  threads ??= new Run({ threads: Math.max(2, availableParallelism() - 1) });
  return threads;
}

function returnThreads(): void {
  if (--borrowers > 0) return;
  idle = setTimeout(() => {
    const unused = threads;
    threads = undefined;
    void unused?.close();
  }, idleMs);
  idle.unref();
}
