/** @file For the command line: the jobs that an ingest leaves, done at once instead of by a server. */

import { digestJobs } from './digest/digest-jobs.ts';
import { searchJobs } from './search/embedding-jobs.ts';
import type { Site } from './site.ts';

/** Digests, keyphrases and embeddings of all papers that wait for theirs; returns when none is left or the signal says so. */
export async function workThrough(
  site: Site,
  onProgress: (waiting: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const definitions = [...digestJobs(site), ...searchJobs(site)];
  const names = new Set(definitions.map(({ name }) => name));
  await site.jobs.start(definitions);
  for (;;) {
    const counts = (await site.jobs.counts()).filter(({ name }) => names.has(name));
    const waiting = counts.reduce((sum, { waiting, active }) => sum + waiting + active, 0);
    if (waiting === 0 || signal.aborted) return;
    onProgress(waiting);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
