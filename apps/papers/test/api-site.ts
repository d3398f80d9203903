/** @file For tests: the API behind the guards that stand before it, on a site with the catalogue's papers. */

import { Hono } from 'hono';
import { apiFailure, apiRoutes } from '../src/api/api-routes.ts';
import { picks, user } from '../src/database/schema.ts';
import type { Fetch } from '../src/ingest/safe-fetch.ts';
import type { AppEnv } from '../src/pages/context.ts';
import { seedCatalogue } from '../src/papers/catalogue-papers.ts';
import { upsertPapers } from '../src/papers/records.ts';
import { makeKey } from '../src/people/api-keys.ts';
import { addComment } from '../src/people/comments.ts';
import type { Member } from '../src/people/member.ts';
import { session } from '../src/people/session.ts';
import { address } from '../src/security/address.ts';
import { csrf } from '../src/security/csrf.ts';
import { type TestSite, testSite } from './site.ts';

export interface ApiSite {
  readonly site: TestSite;
  readonly app: Hono<AppEnv>;
  readonly person: Member;
  readonly key: string;
  readonly otherKey: string;
  /** Parsed JSON of a GET. */
  get<Answer>(path: string, headers?: Record<string, string>): Promise<{ response: Response; json: Answer }>;
}

/** A paper with everything that a source can say. */
export const fullPaper = '2511.00001';

/** What Crossref answers about a made-up DOI, and about any other. */
const crossref: Fetch = async (url) => {
  const known = url.endsWith(encodeURIComponent('10.1234/made-up'));
  const message = {
    DOI: '10.1234/made-up',
    title: ['A made-up article'],
    author: [{ given: 'Mary', family: 'Somerville' }],
    issued: { 'date-parts': [[2025, 11, 22]] },
  };
  const text = known ? JSON.stringify({ message }) : 'Resource not found.';
  return { status: known ? 200 : 404, headers: {}, url, body: new TextEncoder().encode(text), text: () => text };
};

/** The application of a site, as server.ts mounts it. */
function appOf(site: TestSite): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.onError((error, c) => apiFailure(site, c, error));
  app.use(address(site), session(site), csrf(site));
  app.route('/', apiRoutes(site, { fetch: crossref }));
  return app;
}

async function member(site: TestSite, name: string): Promise<Member> {
  const person = { id: name.toLowerCase(), name, email: `${name.toLowerCase()}@example.org`, role: 'reader' as const };
  await site.database.db.insert(user).values(person);
  return person;
}

/** Opens one; close its site after the tests. */
export async function apiSite(): Promise<ApiSite> {
  const site = await testSite();
  await seedCatalogue(site);
  const ada = await member(site, 'Ada');
  const other = await member(site, 'Grace');
  await upsertPapers(
    site,
    [
      {
        title: 'A paper with everything: importance scores of everything',
        abstract: 'We score everything. See https://example.org/everything for more. It helps a lot.',
        arxiv: `${fullPaper}v2`,
        authors: ['Ada Lovelace', 'Grace Hopper'],
        posted: '2025-11-20',
        categories: ['cs.LG'],
        links: ['https://example.org/everything'],
        codeUrl: 'https://github.com/example/everything',
        importedVotes: 41,
        importedComments: 2,
        submittedBy: ada.id,
      },
      {
        title: 'A quieter paper',
        abstract: 'Nothing much. It was taken back.',
        arxiv: '2511.00002',
        authors: ['Grace Hopper'],
        posted: '2025-11-21',
        withdrawn: true,
      },
    ],
    'test',
  );
  await site.database.db.insert(picks).values({
    day: '2025-11-21',
    place: 0,
    paper: fullPaper,
    curator: other.id,
    curatorName: other.name,
    at: site.clock(),
  });
  const first = await addComment(site, ada, fullPaper, 'Is this **true**?');
  await addComment(site, other, fullPaper, 'It is.', first);
  const app = appOf(site);
  return {
    site,
    app,
    person: ada,
    key: await makeKey(site, ada, 'tests'),
    otherKey: await makeKey(site, other, 'tests'),
    async get(path, headers = {}) {
      const response = await app.request(path, { headers });
      return { response, json: await response.json() };
    },
  };
}
