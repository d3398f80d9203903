/**
 * @file Facts: what is known of a paper, and how what two sources say becomes one. `merge` is commutative, associative and
 * gives the same again for the same, so neither the order of imports nor their repetition matters.
 */

import type { Day } from '../site.ts';
import { readArxivId, readDoi, titleKey } from './identity.ts';

/** What a source says of a paper. */
export interface PaperInput {
  readonly title: string;
  /** May be empty where the source has none. */
  readonly abstract: string;
  /** Whose words the abstract is: the authors' (default), or our own summary. */
  readonly abstractKind?: 'abstract' | 'summary';
  /** With or without a version ("2410.11772v2"). */
  readonly arxiv?: string;
  readonly doi?: string;
  /** Default 1, or what the arXiv id says. */
  readonly version?: number;
  readonly authors?: readonly string[];
  /** Needed where the names are not known. */
  readonly authorCount?: number;
  /** When its first version came out. */
  readonly posted: Day;
  /** Whether the source left out the year of `posted`, or gave nothing but the year. */
  readonly yearInferred?: boolean;
  readonly categories?: readonly string[];
  readonly links?: readonly string[];
  /** Default: the first repository that the links or the abstract name. */
  readonly codeUrl?: string;
  /** id in the catalogue of salience. */
  readonly system?: string;
  readonly implemented?: boolean;
  readonly importedComments?: number;
  readonly importedVotes?: number;
  readonly withdrawn?: boolean;
  /** The authors' remark on this version, such as arXiv's comment. */
  readonly note?: string;
  /** When this version came out; default `posted`. Of two texts of one version the later stands. */
  readonly versionDate?: Day;
  /** Id of the person who submitted it. */
  readonly submittedBy?: string;
}

/** A version of the authors' text. */
export interface VersionFacts {
  readonly version: number;
  readonly at: Day;
  readonly title: string;
  readonly titleKey: string;
  readonly abstract: string;
  readonly note: string | null;
}

/** Everything about a paper that comes from sources. */
export interface Facts {
  readonly title: string;
  readonly titleKey: string;
  readonly abstract: string;
  readonly abstractKind: 'abstract' | 'summary';
  readonly arxiv: string | null;
  readonly doi: string | null;
  readonly version: number;
  readonly textVersion: number;
  readonly textAt: Day;
  readonly textSource: string;
  readonly authors: readonly string[];
  /** 0 where no names are known. */
  readonly authorsVersion: number;
  readonly authorCount: number;
  readonly posted: Day;
  readonly yearInferred: boolean;
  readonly withdrawn: boolean;
  readonly categories: readonly string[];
  readonly links: readonly string[];
  readonly codeUrl: string | null;
  readonly codeGiven: boolean;
  readonly system: string | null;
  readonly implemented: boolean;
  readonly importedComments: number;
  readonly importedVotes: number;
  readonly submittedBy: string | null;
  /** In ascending order. */
  readonly versions: readonly VersionFacts[];
}

/** Longest fields that are taken, in characters, and most entries of a list. */
export const limits = {
  title: 500,
  abstract: 20_000,
  authors: 5_000,
  name: 200,
  address: 2_000,
  links: 50,
  categories: 30,
} as const;

/** A record that cannot be taken; the message says which field is wrong and what would be right. */
export class RefusedRecord extends Error {}

/** The text on one line, without control characters. */
export function oneLine(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cs}]/gu, '')
    .trim();
}

/** Whether it is a day of the calendar, written "2024-02-29". */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '1500-01-01';
}

/** Every http(s) address in a text, without the punctuation after it; inside a LaTeX macro only the address. */
export function linksIn(text: string): string[] {
  const found = (text.match(/https?:\/\/[^\s<>"{}\\^`|]+/gi) ?? []).map((link) => {
    let bare = link.replace(/[.,;:!?'"*\]]+$/, '');
    while (bare.endsWith(')') && bare.split('(').length < bare.split(')').length)
      bare = bare.slice(0, -1).replace(/[.,;:!?'"*\]]+$/, '');
    return bare;
  });
  return [...new Set(found)].filter((link) => link.length <= limits.address && URL.canParse(link));
}

const repository = /^https?:\/\/(?:www\.)?(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)\/[^/\s]+\/[^/\s]+/i;

const httpAddress = (text: string, field: string): string => {
  const address = text.trim();
  if (address.length > limits.address) throw new RefusedRecord(`${field} is over ${limits.address} characters`);
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new RefusedRecord(`${field} "${address.slice(0, 80)}" is not an http(s) address`);
  return address;
};

const count = (value: number | undefined, field: string): number => {
  if (value === undefined) return 0;
  if (!Number.isInteger(value) || value < 0 || value > 1e9)
    throw new RefusedRecord(`${field} ${value} is not a count from 0 to 1,000,000,000`);
  return value;
};

const day = (value: string, field: string): Day => {
  if (!isDay(value)) throw new RefusedRecord(`${field} "${value.slice(0, 40)}" is not a day such as 2024-02-29`);
  return value;
};

/**
 * The facts that one record of a source states.
 * @throws RefusedRecord naming the field and what would be right.
 */
export function factsOf(input: PaperInput, source: string): Facts {
  const title = oneLine(input.title);
  if (title === '') throw new RefusedRecord('the title is empty');
  if (title.length > limits.title)
    throw new RefusedRecord(`the title has ${title.length} characters; at most ${limits.title} are taken`);
  const abstract = oneLine(input.abstract);
  if (abstract.length > limits.abstract)
    throw new RefusedRecord(`the abstract has ${abstract.length} characters; at most ${limits.abstract} are taken`);
  const arxiv = input.arxiv === undefined ? undefined : readArxivId(input.arxiv);
  if (input.arxiv !== undefined && !arxiv)
    throw new RefusedRecord(`"${input.arxiv.slice(0, 40)}" is not an arXiv id such as 2410.11772`);
  const doiIsArxiv = input.doi === undefined ? undefined : readArxivId(input.doi);
  const doi = input.doi === undefined || doiIsArxiv ? undefined : readDoi(input.doi);
  const version = input.version ?? arxiv?.version ?? 1;
  if (!Number.isInteger(version) || version < 1 || version > 1_000)
    throw new RefusedRecord(`version ${version} is not a whole number from 1 to 1,000`);
  const names = (input.authors ?? []).map(oneLine).filter((name) => name !== '');
  if (names.length > limits.authors)
    throw new RefusedRecord(`${names.length} authors; at most ${limits.authors} are taken`);
  const long = names.find((name) => name.length > limits.name);
  if (long) throw new RefusedRecord(`the author "${long.slice(0, 40)}…" has over ${limits.name} characters`);
  const authorCount = Math.max(input.authorCount ?? 0, names.length);
  if (!Number.isInteger(authorCount) || authorCount < 1 || authorCount > 100_000)
    throw new RefusedRecord(`author count ${authorCount} is not a whole number from 1 to 100,000`);
  const kind = abstract === '' ? 'summary' : (input.abstractKind ?? 'abstract');
  const posted = day(input.posted, 'posted');
  const at = day(input.versionDate ?? input.posted, 'versionDate');
  const links = [
    ...new Set([
      ...(input.links ?? []).map((link) => httpAddress(link, 'link')),
      ...(kind === 'abstract' ? linksIn(abstract) : []),
      ...(input.doi !== undefined && !doi && !doiIsArxiv
        ? [`https://doi.org/${encodeURI(input.doi.trim().slice(0, 500))}`]
        : []),
    ]),
  ];
  const key = titleKey(title);
  const note = input.note ? oneLine(input.note).slice(0, 2_000) || null : null;
  return {
    title,
    titleKey: key,
    abstract,
    abstractKind: kind,
    arxiv: arxiv?.id ?? doiIsArxiv?.id ?? null,
    doi: doi ?? null,
    version,
    textVersion: version,
    textAt: at,
    textSource: source,
    authors: names,
    authorsVersion: names.length > 0 ? version : 0,
    authorCount,
    posted,
    yearInferred: input.yearInferred ?? false,
    withdrawn: input.withdrawn ?? false,
    categories: [...new Set((input.categories ?? []).map(oneLine))]
      .filter((category) => category !== '' && category.length <= 100)
      .slice(0, limits.categories),
    links: [...links].sort().slice(0, limits.links),
    codeUrl: input.codeUrl
      ? httpAddress(input.codeUrl, 'codeUrl')
      : (links.find((link) => repository.test(link)) ?? null),
    codeGiven: Boolean(input.codeUrl),
    system: input.system ?? null,
    implemented: input.implemented ?? false,
    importedComments: count(input.importedComments, 'importedComments'),
    importedVotes: count(input.importedVotes, 'importedVotes'),
    submittedBy: input.submittedBy ?? null,
    versions: kind === 'abstract' ? [{ version, at, title, titleKey: key, abstract, note }] : [],
  };
}

type Key = readonly (number | string)[];

/** Compares place by place. */
function compare(a: Key, b: Key): number {
  for (let i = 0; i < a.length; i++) {
    if (a[i] < b[i]) return -1;
    if (a[i] > b[i]) return 1;
  }
  return 0;
}

const greater = <T>(a: T, b: T, key: (one: T) => Key): T => (compare(key(a), key(b)) >= 0 ? a : b);

/** The smaller of two texts, or the one that there is. */
const first = (a: string | null, b: string | null): string | null =>
  a === null || b === null ? (a ?? b) : a < b ? a : b;

/** The authors' words before ours before none; then the newer version, the later day, the longer text. */
const byText = (f: Facts): Key => [
  f.abstract === '' ? 0 : f.abstractKind === 'summary' ? 1 : 2,
  f.textVersion,
  f.textAt,
  f.abstract.length,
  f.abstract,
  f.title,
  f.textSource,
];
const byNames = (f: Facts): Key => [f.authorsVersion, f.authors.length, f.authors.join('\n')];
const byVersion = (v: VersionFacts): Key => [v.at, v.abstract.length, v.abstract, v.title];
const byCategories = (f: Facts): Key => [f.categories.length, f.categories.join('\n')];

function mergeVersions(a: readonly VersionFacts[], b: readonly VersionFacts[]): VersionFacts[] {
  const merged = new Map(a.map((version) => [version.version, version]));
  for (const other of b) {
    const held = merged.get(other.version);
    const note = held ? (compare([held.note ?? ''], [other.note ?? '']) >= 0 ? held.note : other.note) : other.note;
    merged.set(other.version, { ...(held ? greater(held, other, byVersion) : other), note });
  }
  return [...merged.values()].sort((x, y) => x.version - y.version);
}

/** Whether two records can be of one paper: neither their arXiv ids nor their DOIs contradict. */
export function compatible(a: Pick<Facts, 'arxiv' | 'doi'>, b: Pick<Facts, 'arxiv' | 'doi'>): boolean {
  return !(a.arxiv && b.arxiv && a.arxiv !== b.arxiv) && !(a.doi && b.doi && a.doi !== b.doi);
}

/** What two sources say of one paper, as one. */
export function merge(a: Facts, b: Facts): Facts {
  const text = greater(a, b, byText);
  const names = greater(a, b, byNames);
  const latest = greater(a, b, (f) => [f.version, Number(f.withdrawn)]);
  const dated = compare([Number(a.yearInferred), a.posted], [Number(b.yearInferred), b.posted]) <= 0 ? a : b;
  const code =
    a.codeUrl === null || b.codeUrl === null
      ? a.codeUrl === null
        ? b
        : a
      : compare([Number(!a.codeGiven), a.codeUrl], [Number(!b.codeGiven), b.codeUrl]) <= 0
        ? a
        : b;
  return {
    title: text.title,
    titleKey: text.titleKey,
    abstract: text.abstract,
    abstractKind: text.abstractKind,
    arxiv: first(a.arxiv, b.arxiv),
    doi: first(a.doi, b.doi),
    version: latest.version,
    textVersion: text.textVersion,
    textAt: text.textAt,
    textSource: text.textSource,
    authors: names.authors,
    authorsVersion: names.authorsVersion,
    authorCount: Math.max(a.authorCount, b.authorCount),
    posted: dated.posted,
    yearInferred: dated.yearInferred,
    withdrawn: latest.withdrawn,
    categories: greater(a, b, byCategories).categories,
    links: [...new Set([...a.links, ...b.links])].sort().slice(0, limits.links),
    codeUrl: code.codeUrl,
    codeGiven: code.codeGiven,
    system: first(a.system, b.system),
    implemented: a.implemented || b.implemented,
    importedComments: Math.max(a.importedComments, b.importedComments),
    importedVotes: Math.max(a.importedVotes, b.importedVotes),
    submittedBy: first(a.submittedBy, b.submittedBy),
    versions: mergeVersions(a.versions, b.versions),
  };
}
