/** @file A service with the JSON of GET /api/daily_papers?date=2025-10-28: its papers, day by day. */

import { z } from 'zod';
import { readArxivId } from '../papers/identity.ts';
import type { Day } from '../site.ts';
import { type Item, UnreadableFile } from './items.ts';

const moment = z.string().regex(/^\d{4}-\d\d-\d\d/);
const shape = z.object({
  paper: z.object({
    id: z.string().max(200),
    title: z.string(),
    summary: z.string().default(''),
    authors: z.array(z.object({ name: z.string() })).default([]),
    publishedAt: moment.optional(),
    upvotes: z.number().int().min(0).default(0),
    githubRepo: z.string().nullish(),
  }),
  publishedAt: moment.optional(),
  numComments: z.number().int().min(0).default(0),
});

/**
 * Reads one day's answer.
 * @throws UnreadableFile where it is no JSON array.
 */
export function readDailyPapers(text: string): Item[] {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    throw new UnreadableFile(`the answer is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(entries)) throw new UnreadableFile('the answer is not an array of papers');
  return entries.map((entry, i): Item => {
    const line = i + 1;
    const parsed = shape.safeParse(entry);
    if (!parsed.success) {
      const [{ path, message }] = parsed.error.issues;
      return { line, problem: `${path.join('.')}: ${message}` };
    }
    const { paper, publishedAt, numComments } = parsed.data;
    const posted = (paper.publishedAt ?? publishedAt)?.slice(0, 10);
    if (!posted) return { line, problem: 'paper.publishedAt is missing' };
    const code = paper.githubRepo && /^https?:\/\//.test(paper.githubRepo) ? paper.githubRepo : undefined;
    return {
      line,
      input: {
        title: paper.title,
        abstract: paper.summary,
        ...(readArxivId(paper.id) && { arxiv: paper.id }),
        authors: paper.authors.map(({ name }) => name),
        authorCount: Math.max(1, paper.authors.length),
        posted,
        importedComments: numComments,
        importedVotes: paper.upvotes,
        ...(code && { codeUrl: code }),
      },
    };
  });
}

/** Address of a day at a service. */
export function dailyAddress(base: string, day: Day): string {
  return `${base.replace(/\/+$/, '')}/api/daily_papers?${new URLSearchParams({ date: day })}`;
}

/** Walks a service from one day to another. */
export async function* walkDaily(
  base: string,
  { from, to }: { from: Day; to: Day },
  ask: (address: string) => Promise<string>,
): AsyncGenerator<{ items: Item[]; next: { day: Day }; day: Day }> {
  for (let day = from; day <= to; ) {
    const items = readDailyPapers(await ask(dailyAddress(base, day)));
    const read = day;
    day = new Date(Date.parse(day) + 864e5).toISOString().slice(0, 10);
    yield { items, next: { day }, day: read };
  }
}
