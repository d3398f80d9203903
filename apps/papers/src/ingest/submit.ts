/** @file A person submits a paper by its arXiv id or DOI: what it is comes from arXiv or from Crossref. */

import { z } from 'zod';
import { isDay, type PaperInput } from '../papers/facts.ts';
import { paperId, readArxivId, readDoi, titleKey } from '../papers/identity.ts';
import { paperById } from '../papers/lists.ts';
import { upsertPapers } from '../papers/records.ts';
import type { Site } from '../site.ts';
import { arxivAddressOf, readArxivAnswer } from './arxiv.ts';
import { writtenDay } from './items.ts';
import { type Fetch, FetchError, safeFetch } from './safe-fetch.ts';
import { plainText } from './xml.ts';

/** What a person submitted cannot be taken; the message is for them. */
export class SubmissionError extends Error {}

const work = z.object({
  message: z.object({
    DOI: z.string(),
    title: z.array(z.string()).default([]),
    abstract: z.string().optional(),
    author: z
      .array(z.object({ given: z.string().optional(), family: z.string().optional(), name: z.string().optional() }))
      .default([]),
    issued: z.object({ 'date-parts': z.array(z.array(z.number().int().nullable())) }).optional(),
  }),
});

/**
 * Reads Crossref's answer about a DOI.
 * @throws SubmissionError where it has no title, authors or date.
 */
function readCrossref(text: string): PaperInput {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SubmissionError('Crossref’s answer is not JSON; try again later');
  }
  const parsed = work.safeParse(value);
  if (!parsed.success)
    throw new SubmissionError(`Crossref’s answer cannot be read at ${parsed.error.issues[0].path.join('.')}`);
  const { DOI, title, abstract, author, issued } = parsed.data.message;
  const [year, month, day] = issued?.['date-parts'][0] ?? [];
  const posted = year ? writtenDay(year, month ?? 1, day ?? 1) : '';
  if (title.length === 0 || author.length === 0 || !isDay(posted))
    throw new SubmissionError(`Crossref knows no title, authors or date of ${DOI}`);
  return {
    title: plainText(title[0]),
    abstract: plainText(abstract ?? '').replace(/^Abstract\s*[:.]?\s*/i, ''),
    doi: DOI,
    authors: author.map(({ given, family, name }) => name ?? [given, family].filter(Boolean).join(' ')),
    posted,
    yearInferred: !(month && day),
    links: [`https://doi.org/${encodeURI(DOI)}`],
  };
}

/**
 * Takes a paper by what a person typed: an arXiv id, a DOI, or an address at arxiv.org or doi.org.
 * @param by id of the person.
 * @returns the paper's id, and whether it was new.
 * @throws SubmissionError where the text is neither, or nobody knows the paper.
 */
export async function submitPaper(
  site: Site,
  text: string,
  { by, fetch = safeFetch, signal }: { by: string; fetch?: Fetch; signal?: AbortSignal },
): Promise<{ id: string; added: boolean }> {
  const arxiv = readArxivId(text.slice(0, 300));
  const doi = arxiv ? undefined : readDoi(text.slice(0, 300));
  if (!arxiv && !doi)
    throw new SubmissionError('this is neither an arXiv id such as 2410.11772 nor a DOI such as 10.1007/s007999900023');
  const key = { arxiv: arxiv?.id ?? null, doi: doi ?? null, titleKey: '' };
  const address = arxiv ? arxivAddressOf([arxiv.id]) : `https://api.crossref.org/works/${encodeURIComponent(doi!)}`;
  const answer = await fetch(address, {
    headers: { 'user-agent': `salience-papers/0.1 (+${site.config.url})` },
    maxBytes: 2_000_000,
    timeoutMs: 15_000,
    signal,
  }).catch((error: unknown) => {
    if (error instanceof FetchError)
      throw new SubmissionError(
        `${arxiv ? 'arXiv' : 'Crossref'} does not answer now; try again later (${error.message})`,
      );
    throw error;
  });
  const nobody = () =>
    new SubmissionError(`${arxiv ? `arXiv has no paper ${arxiv.id}` : `Crossref knows no DOI ${doi}`}`);
  if (answer.status === 404 || answer.status === 400) throw nobody();
  if (answer.status !== 200)
    throw new SubmissionError(`${arxiv ? 'arXiv' : 'Crossref'} answers ${answer.status}; try again later`);
  let input: PaperInput;
  if (arxiv) {
    const [item] = readArxivAnswer(answer.text()).items;
    if (!item || !('input' in item)) throw nobody();
    input = item.input;
  } else input = readCrossref(answer.text());
  const { added, refused } = await upsertPapers(site, [{ ...input, submittedBy: by }], arxiv ? 'arxiv' : 'crossref');
  if (refused.length > 0) throw new SubmissionError(`this paper cannot be taken: ${refused[0].reason}`);
  const found = (await paperById(site, paperId(key))) ?? (await paperById(site, titleKey(input.title)));
  return { id: found?.id ?? paperId(key), added: added > 0 };
}
