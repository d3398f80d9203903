/** @file Feed: what a page of papers is for feed readers, whatever the format. */

import { sql } from 'drizzle-orm';
import type { PaperSummary } from '../papers/lists.ts';
import { dayOf, type Site } from '../site.ts';

export interface FeedEntry {
  /** A tag: URI (RFC 4151) that stays, wherever the paper is listed. */
  readonly id: string;
  readonly url: string;
  readonly title: string;
  /** The digest; where there is none, the start of the abstract. Plain text. */
  readonly summary: string;
  /** Plain text. */
  readonly abstract: string;
  readonly published: Date;
  readonly updated: Date;
  readonly authors: readonly { readonly name: string; readonly url: string }[];
  readonly topics: readonly { readonly id: string; readonly name: string }[];
  /** Of arXiv, as "cs.LG". */
  readonly categories: readonly string[];
  /** The paper elsewhere, and its code. */
  readonly links: readonly { readonly title: string; readonly href: string }[];
}

export interface Feed {
  /** A tag: URI that stays. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** The page whose feed this is. */
  readonly page: string;
  /** Where this feed is. */
  readonly self: string;
  readonly updated: Date;
  readonly entries: readonly FeedEntry[];
}

/** Most authors that an entry names. */
const mostAuthors = 100;
/** Words of the abstract where there is no digest. */
const summaryWords = 60;

/** What XML 1.0 cannot hold, not even escaped. */
const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** The text without control characters and halves of characters. */
export function printable(text: string): string {
  return text.replace(notXml, '');
}

/** A tag: URI of this site, e.g. "tag:papers.example,2025:papers/2410.11772". */
function tagOf(site: Pick<Site, 'config'>, what: string): string {
  return `tag:${new URL(site.config.url).hostname},2025:${what}`;
}

function summaryOf({ digest, abstract }: PaperSummary): string {
  if (digest && digest.length > 0) return digest.map(({ text }) => text).join(' ');
  const words = abstract.split(/\s+/);
  return words.length > summaryWords ? `${words.slice(0, summaryWords).join(' ')} …` : abstract;
}

function linksOf({ arxiv, doi, codeUrl }: PaperSummary): FeedEntry['links'] {
  return [
    ...(arxiv ? [{ title: 'arXiv', href: `https://arxiv.org/abs/${encodeURI(arxiv)}` }] : []),
    ...(arxiv ? [{ title: 'PDF', href: `https://arxiv.org/pdf/${encodeURI(arxiv)}` }] : []),
    ...(doi ? [{ title: 'DOI', href: `https://doi.org/${encodeURI(doi)}` }] : []),
    ...(codeUrl && URL.canParse(codeUrl) ? [{ title: 'Code', href: new URL(codeUrl).href }] : []),
  ];
}

/**
 * Makes the feed of a list.
 * @param path of the page, from the root, with its query; `self` is the feed's own.
 */
export async function feedOf(
  site: Site,
  papers: readonly PaperSummary[],
  { title, description, path, self }: { title: string; description: string; path: string; self: string },
): Promise<Feed> {
  const { url } = site.config;
  const ids = papers.map(({ id }) => id);
  const facts = await site.database.rows<{ id: string; updated: number | string; categories: string[] }>(sql`
    SELECT p.id, extract(epoch FROM p.updated) AS updated, p.categories
    FROM jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb) AS asked(id) JOIN papers p ON p.id = asked.id`);
  const factsOf = new Map(facts.map((fact) => [fact.id, fact]));
  const entries = papers.flatMap((paper): FeedEntry[] => {
    const fact = factsOf.get(paper.id);
    if (!fact) return []; // gone between the two questions
    return [
      {
        id: tagOf(site, `papers/${encodeURIComponent(paper.id)}`),
        url: `${url}/papers/${encodeURIComponent(paper.id)}`,
        title: printable(paper.withdrawn ? `[Withdrawn] ${paper.title}` : paper.title),
        summary: printable(summaryOf(paper)),
        abstract: printable(paper.abstract),
        published: new Date(`${paper.posted}T00:00:00Z`),
        updated: new Date(Math.round(Number(fact.updated) * 1e3)),
        authors: paper.authors.slice(0, mostAuthors).map(({ name, key }) => ({
          name: printable(name),
          url: `${url}/authors/${encodeURIComponent(key)}`,
        })),
        topics: paper.topics.map(({ id, name }) => ({ id, name: printable(name) })),
        categories: fact.categories.map(printable),
        links: linksOf(paper),
      },
    ];
  });
  const latest = Math.max(...entries.map(({ updated }) => updated.getTime()));
  return {
    id: tagOf(site, `feeds${path}`),
    title: printable(title),
    description: printable(description),
    page: `${url}${path}`,
    self: `${url}${self}`,
    updated: Number.isFinite(latest) ? new Date(latest) : new Date(`${dayOf(site.clock())}T00:00:00Z`),
    entries,
  };
}
