/** @file From papers as we keep them to the JSON of the original service. */

import { sql } from 'drizzle-orm';
import type { PaperSummary } from '../papers/lists.ts';
import type { Day, Site } from '../site.ts';
import type { DailyPaper, FullPaper, Paper, User } from './original-schemas.ts';

/** What lists do not carry. */
interface Rest {
  readonly version: number;
  readonly categories: readonly string[];
  readonly links: readonly string[];
  readonly source: string;
  /** Name of the person who submitted it. */
  readonly submitter: string | null;
  readonly updatedDay: Day;
}

/** What only one list says of a paper. */
export interface Said {
  /** The day whose list it is. */
  readonly day?: Day;
  readonly snippet?: string;
  readonly score?: number;
}

const none: Rest = {
  version: 1,
  categories: [],
  links: [],
  source: '',
  submitter: null,
  updatedDay: '1970-01-01',
};

async function restOf(site: Site, papers: readonly PaperSummary[]): Promise<Map<string, Rest>> {
  if (papers.length === 0) return new Map();
  const ids = JSON.stringify(papers.map(({ id }) => id));
  const rows = await site.database.rows<Rest & { id: string }>(sql`
    SELECT p.id, p.version, p.categories, p.links, p.source, u.name AS submitter,
      (p.updated AT TIME ZONE 'UTC')::date::text AS "updatedDay"
    FROM jsonb_array_elements_text(${ids}::jsonb) AS asked(id)
    JOIN papers p ON p.id = asked.id LEFT JOIN "user" u ON u.id = p.submitted_by`);
  return new Map(rows.map((row) => [row.id, row]));
}

const midnight = (day: Day) => `${day}T00:00:00.000Z`;

const isCode = (link: string) => /^https?:\/\/(www\.)?(github\.com|gitlab\.com|bitbucket\.org)\//i.test(link);
const isPaper = (link: string) => /^https?:\/\/(\w+\.)?(arxiv\.org|doi\.org)\//i.test(link);

/** Who lists what nobody submitted. */
export const siteName = 'Daily Papers';

/** Begins the source of papers that an operator had in a file, whose name is nobody else's business. */
export const fileSource = 'file:';

/** Who brought it, if anybody did: the person or curator, else the service or feed it was read from. */
function submitterOf(url: string, { submitter, source }: Rest, curator: string | undefined): User | undefined {
  const person = submitter ?? curator;
  if (person !== undefined) return userOf(url, person, 'user');
  return source === '' || source.startsWith(fileSource) ? undefined : userOf(url, source, 'org');
}

function userOf(url: string, name: string, type: User['type']): User {
  return {
    _id: name,
    user: name,
    name,
    fullname: name,
    avatarUrl: `${url}/icon.svg`,
    type,
    isPro: false,
    isHf: false,
    isMod: false,
  };
}

function paperOf(url: string, paper: PaperSummary, rest: Rest, said: Said): Paper {
  const { id, title, abstract, arxiv, doi, codeUrl, digest, keyphrases } = paper;
  const project = rest.links.find((link) => !isCode(link) && !isPaper(link));
  const submitter = submitterOf(url, rest, paper.pick?.curatorName);
  return {
    id,
    authors: paper.authors.map(({ name, key }) => ({ _id: key, name, hidden: false })),
    publishedAt: midnight(paper.posted),
    submittedOnDailyAt: midnight(said.day ?? paper.posted),
    title,
    ...(submitter && { submittedOnDailyBy: submitter }),
    summary: abstract,
    upvotes: paper.votes,
    discussionId: id,
    ...(project && { projectPage: project }),
    ...(codeUrl && isCode(codeUrl) && { githubRepo: codeUrl }),
    ...(digest && digest.length > 0 && { ai_summary: digest.map(({ text }) => text).join(' ') }),
    ...(keyphrases && keyphrases.length > 0 && { ai_keywords: keyphrases.map(({ phrase }) => phrase) }),
    ...(paper.withdrawn && { withdrawnAt: midnight(rest.updatedDay) }),
    salience: {
      url: `${url}/papers/${id}`,
      authorCount: paper.authorCount,
      abstractKind: paper.abstractKind,
      ...(arxiv && { arxivId: arxiv }),
      ...(doi && { doi }),
      version: rest.version,
      withdrawn: paper.withdrawn,
      categories: [...rest.categories],
      links: [...rest.links],
      topics: paper.topics.map(({ id: topic, name }) => ({ id: topic, name })),
      ...(paper.implemented && paper.system && { method: paper.system }),
      ...(digest && { digest: digest.map(({ text, score }) => ({ text, score })) }),
      ...(keyphrases && { keyphrases: keyphrases.map(({ phrase, score }) => ({ phrase, score })) }),
      ...(said.snippet !== undefined && { snippet: said.snippet }),
      ...(said.score !== undefined && { score: said.score }),
    },
  };
}

/** Papers one by one, as /api/papers lists them; `said` of each by its id. */
export async function paperAnswers(
  site: Site,
  papers: readonly PaperSummary[],
  said: (paper: PaperSummary) => Said = () => ({}),
): Promise<Paper[]> {
  const rest = await restOf(site, papers);
  return papers.map((paper) => paperOf(site.config.url, paper, rest.get(paper.id) ?? none, said(paper)));
}

/** Papers as /api/daily_papers and the search give them. */
export async function dailyAnswers(
  site: Site,
  papers: readonly PaperSummary[],
  said?: (paper: PaperSummary) => Said,
): Promise<DailyPaper[]> {
  const answers = await paperAnswers(site, papers, said);
  return answers.map((paper, i) => ({
    paper,
    publishedAt: paper.publishedAt,
    title: paper.title,
    summary: paper.summary,
    thumbnail: `${site.config.url}/icon.svg`,
    numComments: papers[i].comments,
    submittedBy: paper.submittedOnDailyBy ?? userOf(site.config.url, siteName, 'org'),
    isAuthorParticipating: false,
  }));
}

/** A paper as /api/papers/{id} gives it. */
export async function fullAnswer(site: Site, paper: PaperSummary): Promise<FullPaper> {
  const [answer] = await paperAnswers(site, [paper]);
  return {
    ...answer,
    numComments: paper.comments,
    linkedModels: [],
    numTotalModels: 0,
    linkedDatasets: [],
    numTotalDatasets: 0,
    linkedSpaces: [],
  };
}
