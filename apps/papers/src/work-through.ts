/** @file For the command line: the jobs that an ingest leaves, done beside it instead of by a server. */

import { digestJobs } from './digest/digest-jobs.ts';
import { searchJobs, trainLater } from './search/embedding-jobs.ts';
import type { Site } from './site.ts';

/**
 * Begins to make digests, keyphrases and embeddings of papers as they come; the function that it gives waits until none is left,
 * or the signal says so.
 */
export async function beginWork(
  site: Site,
): Promise<(onProgress: (waiting: number) => void, signal: AbortSignal) => Promise<void>> {
  const definitions = [...digestJobs(site), ...searchJobs(site)];
  const names = new Set(definitions.map(({ name }) => name));
  await site.jobs.start(definitions);
  return async (onProgress, signal) => {
    await trainLater(site);
    for (;;) {
      const counts = (await site.jobs.counts()).filter(({ name }) => names.has(name));
      const waiting = counts.reduce((sum, { waiting, active }) => sum + waiting + active, 0);
      if (waiting === 0 || signal.aborted) return;
      onProgress(waiting);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };
}
