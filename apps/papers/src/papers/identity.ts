/** @file By what a paper and an author are known: arXiv id, DOI, the words of the title, the letters of a name. */

import { createHash } from 'node:crypto';

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** Letters and digits of a text in lower case, with hyphens between the words; accents stay. */
const lettersAndDigits = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');

const withoutAccents = (text: string) => text.normalize('NFKD').replace(/\p{M}+/gu, '');

/** Key of a title: at most 80 characters of its slug without accents, and a hash of all its letters and digits. */
export function titleKey(title: string): string {
  const words = lettersAndDigits(title);
  const slug = withoutAccents(words)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 80)
    .replace(/^-+|-+$/g, '');
  return `${slug || 'paper'}-${shortHash(words || title)}`;
}

/** Key of an author's name: its slug, by which spellings with and without accents, dots and capitals are one. */
export function authorKey(name: string): string {
  const slug = lettersAndDigits(withoutAccents(name)).slice(0, 120);
  return slug || `author-${shortHash(name)}`;
}

const modernArxiv = /^(\d{4}\.\d{4,5})(?:v(\d+))?$/;
const oldArxiv = /^([a-z][a-z-]*)(?:\.[a-z]{2})?\/(\d{7})(?:v(\d+))?$/i;

/** Reads "2410.11772", "arXiv:2410.11772v2", "cs/0112017" or an address at arxiv.org; undefined where it is none. */
export function readArxivId(text: string): { id: string; version?: number } | undefined {
  const bare = text
    .trim()
    .replace(/^https?:\/\/(?:[a-z]+\.)?arxiv\.org\/(?:abs|pdf|html)\//i, '')
    .replace(/^(?:https?:\/\/(?:dx\.)?doi\.org\/)?10\.48550\/arxiv\./i, '')
    .replace(/^arxiv:\s*/i, '')
    .replace(/[?#].*$/, '')
    .replace(/\.pdf$/i, '')
    .replace(/\/$/, '');
  const modern = modernArxiv.exec(bare);
  if (modern) return { id: modern[1], ...(modern[2] && { version: Number(modern[2]) }) };
  const old = oldArxiv.exec(bare);
  if (old) return { id: `${old[1].toLowerCase()}/${old[2]}`, ...(old[3] && { version: Number(old[3]) }) };
  return undefined;
}

/** Reads "10.1007/s007999900023", with or without "doi:" or https://doi.org/, in lower case; undefined where it is none. */
export function readDoi(text: string): string | undefined {
  const bare = text
    .trim()
    .replace(/^https?:\/\/(?:dx\.)?doi\.org\//i, '')
    .replace(/^doi:\s*/i, '')
    .toLowerCase();
  return bare.length <= 200 && /^10\.\d{4,9}\/[-._;()/:a-z0-9]+$/.test(bare) ? bare : undefined;
}

/** The id under which a paper is kept: by its arXiv id, else its DOI, else its title. It can stand in an address. */
export function paperId(known: { arxiv: string | null; doi: string | null; titleKey: string }): string {
  if (known.arxiv) return known.arxiv.replace('/', '-');
  if (known.doi) return `doi-${known.doi.replaceAll('/', '~')}`;
  return known.titleKey;
}

/** What an id as it stands in an address may mean: ids of papers, a DOI, a title key. */
export function readPaperId(text: string): { ids: string[]; doi?: string; titleKey: string } {
  const old = text.replace(/^([a-z][a-z-]*)-(\d{7})(v\d+)?$/i, '$1/$2$3');
  const arxiv = readArxivId(old);
  const doi = text.startsWith('doi-') ? readDoi(text.slice(4).replaceAll('~', '/')) : readDoi(text);
  return {
    ids: arxiv ? [paperId({ arxiv: arxiv.id, doi: null, titleKey: '' }), text] : [text],
    ...(doi && { doi }),
    titleKey: text,
  };
}
