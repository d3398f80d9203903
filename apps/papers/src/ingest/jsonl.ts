/** @file JSON lines: a record a line, in our own field names or in those of arXiv's published snapshot of its metadata. */

import { z } from 'zod';
import type { PaperInput } from '../papers/facts.ts';
import { firstNameFirst, type Item, linesOf } from './items.ts';

const day = z
  .string('is missing; a day such as 2024-02-29 is wanted')
  .regex(/^\d{4}-\d\d-\d\d/, 'is not a day such as 2024-02-29')
  .transform((text) => text.slice(0, 10));
const count = z.number().int().min(0);

const own = z.strictObject({
  title: z.string(),
  abstract: z.string().default(''),
  abstractKind: z.enum(['abstract', 'summary']).optional(),
  arxiv: z.string().optional(),
  doi: z.string().optional(),
  version: z.number().int().min(1).optional(),
  authors: z.array(z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)])).optional(),
  authorCount: count.optional(),
  posted: day,
  yearInferred: z.boolean().optional(),
  categories: z.array(z.string()).optional(),
  links: z.array(z.string()).optional(),
  codeUrl: z.string().optional(),
  importedComments: count.optional(),
  importedVotes: count.optional(),
  withdrawn: z.boolean().optional(),
  note: z.string().optional(),
  versionDate: day.optional(),
});

const snapshot = z.object({
  id: z.string(),
  title: z.string(),
  abstract: z.string(),
  authors: z.string().optional(),
  authors_parsed: z.array(z.array(z.string())).optional(),
  categories: z.string(),
  comments: z.string().nullish(),
  doi: z.string().nullish(),
  versions: z.array(z.object({ version: z.string().regex(/^v\d+$/), created: z.string() })).min(1),
});

function fromSnapshot(record: z.infer<typeof snapshot>): PaperInput {
  const dated = record.versions.map(({ created }) => {
    const time = Date.parse(created);
    return Number.isNaN(time) ? created : new Date(time).toISOString().slice(0, 10);
  });
  return {
    title: record.title,
    abstract: record.abstract,
    arxiv: record.id,
    version: Number(record.versions.at(-1)!.version.slice(1)),
    authors:
      record.authors_parsed?.map(([last, first, more]) => [first, last, more].filter(Boolean).join(' ')) ??
      (record.authors ?? '').split(/,\s*|\s+and\s+/).map(firstNameFirst),
    posted: dated[0],
    versionDate: dated.at(-1),
    categories: record.categories.split(' '),
    ...(record.doi && { doi: record.doi.split(/\s/)[0] }),
    ...(record.comments && { note: record.comments }),
    withdrawn: /\bwithdrawn\b/i.test(record.comments ?? ''),
  };
}

/** Reads a stream of JSON lines, record by record; empty lines are skipped. */
export async function* readJsonLines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Item> {
  for await (const { line, text } of linesOf(stream)) {
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(text.replace(/^\ufeff/, ''));
    } catch (error) {
      yield { line, problem: `not JSON: ${(error as Error).message}` };
      continue;
    }
    const isSnapshot = typeof value === 'object' && value !== null && 'versions' in value;
    const parsed = isSnapshot ? snapshot.transform(fromSnapshot).safeParse(value) : own.safeParse(value);
    if (parsed.success) yield { line, input: parsed.data };
    else {
      const [{ path, message }] = parsed.error.issues;
      yield { line, problem: `${path.length > 0 ? `${path.join('.')}: ` : ''}${message}` };
    }
  }
}
