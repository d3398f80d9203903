/** @file Feeds of everything that has a page, each as Atom (feed.xml) and as JSON Feed (feed.json) below the page's path. */

import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { latestRevision } from '../database/connect.ts';
import type { AppEnv } from '../pages/context.ts';
import { spanOfMonth, spanOfWeek, writtenMonth, writtenWeek } from '../papers/calendar.ts';
import { isDay } from '../papers/facts.ts';
import {
  dayList,
  daysAround,
  latestDay,
  mostDiscussed,
  newest,
  type PaperSummary,
  papersOfAuthor,
  papersOfTopic,
  rangeList,
  trending,
} from '../papers/lists.ts';
import { allTopics, topicById } from '../papers/topics.ts';
import { readSearch, searchQuery } from '../search/address.ts';
import { search } from '../search/search.ts';
import { limited } from '../security/rate-limit.ts';
import { type Day, dayOf, type Site } from '../site.ts';
import { atomOf } from './atom.ts';
import { feedOf } from './feed.ts';
import { jsonFeedOf } from './json-feed.ts';

type Asked = Context<AppEnv>;

/** Most papers in a feed, and how many the feed of the latest day has at least, with those of up to a week of days before. */
const most = 100;
const first = { limit: 50, offset: 0 };
const fewest = 20;
const mostDays = 7;

interface Listed {
  readonly title: string;
  readonly description: string;
  /** The page, from the root, with its query. */
  readonly path: string;
  readonly papers: readonly PaperSummary[];
}

const segment = encodeURIComponent;

/** The latest day; where it has few papers, those of the days before, so that who reads once a day misses none. */
async function latestPapers(site: Site): Promise<PaperSummary[]> {
  const papers: PaperSummary[] = [];
  let day = await latestDay(site, dayOf(site.clock()));
  for (let days = 0; day && days < mostDays && papers.length < fewest; days++) {
    const known = new Set(papers.map(({ id }) => id));
    papers.push(...(await dayList(site, day)).papers.filter(({ id }) => !known.has(id)));
    day = (await daysAround(site, day)).before;
  }
  return papers.slice(0, most);
}

/** The papers of a week or month, which stands in the path under its own name; nothing where it is none. */
async function spanOf(
  site: Site,
  c: Asked,
  kind: 'week' | 'month',
  daysOf: (written: string) => { from: Day; to: Day } | undefined,
  inWords: (written: string) => string,
): Promise<Listed | undefined> {
  const asked = c.req.param(kind) ?? '';
  const span = daysOf(asked);
  if (!span) return undefined;
  return {
    title: `Daily Papers of ${inWords(asked)}`,
    description: `The papers from ${span.from} to ${span.to}.`,
    path: `/${kind}/${asked}`,
    papers: (await rangeList(site, { ...span, limit: most, offset: 0 })).papers,
  };
}

/** The lists that have feeds, by the path of their page; nothing where there is no such page. */
const lists: Record<string, (site: Site, c: Asked) => Promise<Listed | undefined>> = {
  '': async (site) => ({
    title: 'Daily Papers',
    description: 'The papers of the latest day, picks of the curators first.',
    path: '/',
    papers: await latestPapers(site),
  }),
  '/day/:day': async (site, c) => {
    const day = c.req.param('day') ?? '';
    if (!isDay(day)) return undefined;
    return {
      title: `Daily Papers of ${day}`,
      description: `The papers of ${day}, picks of the curators first.`,
      path: `/day/${day}`,
      papers: (await dayList(site, day)).papers.slice(0, most),
    };
  },
  '/week/:week': (site, c) => spanOf(site, c, 'week', spanOfWeek, writtenWeek),
  '/month/:month': (site, c) => spanOf(site, c, 'month', spanOfMonth, writtenMonth),
  '/trending': async (site) => ({
    title: 'Trending papers',
    description: 'Papers by votes, comments and readers, the newer the higher.',
    path: '/trending',
    papers: (await trending(site, first)).papers,
  }),
  '/newest': async (site) => ({
    title: 'Newest papers',
    description: 'All papers, newest first.',
    path: '/newest',
    papers: (await newest(site, first)).papers,
  }),
  '/discussed': async (site) => ({
    title: 'Most discussed papers',
    description: 'Papers with the most comments first.',
    path: '/discussed',
    papers: (await mostDiscussed(site, first)).papers,
  }),
  '/topics/:id': async (site, c) => {
    const topic = await topicById(site, c.req.param('id') ?? '');
    if (!topic) return undefined;
    return {
      title: `Papers on ${topic.name}`,
      description: topic.says,
      path: `/topics/${segment(topic.id)}`,
      papers: (await papersOfTopic(site, topic.id, first)).papers,
    };
  },
  '/authors/:key': async (site, c) => {
    const key = c.req.param('key') ?? '';
    const { papers } = await papersOfAuthor(site, key, first);
    if (papers.length === 0) return undefined;
    const name = papers[0].authors.find((author) => author.key === key)?.name ?? key;
    return {
      title: `Papers by ${name}`,
      description: `Papers that name ${name} among their authors, newest first.`,
      path: `/authors/${segment(key)}`,
      papers,
    };
  },
  '/search': async (site, c) => {
    const { search: asked } = readSearch(c.req.query(), await allTopics(site));
    const { papers } = await search(site, { ...asked, ...first });
    return {
      title: asked.q ? `Papers about ${asked.q}` : 'Papers of a search',
      description: 'What a search finds, best first.',
      path: `/search?${searchQuery(asked)}`,
      papers,
    };
  },
};

const formats = {
  xml: { type: 'application/atom+xml; charset=utf-8', write: atomOf },
  json: { type: 'application/feed+json; charset=utf-8', write: jsonFeedOf },
} as const;

/**
 * Answers 304 to who has the latest revision of the day (rankings change with it). Last-Modified is the second in which this
 * process first saw the revision: never before the change, so that nobody is told too early that nothing is new.
 */
function notModified(site: Site): MiddlewareHandler<AppEnv> {
  let seen = { tag: '', at: 0 };
  return async (c, next) => {
    const now = site.clock();
    const tag = `W/"feed.${await latestRevision(site.database)}.${dayOf(now)}"`;
    if (seen.tag !== tag) seen = { tag, at: Math.max(Math.floor(now.getTime() / 1000) * 1000, seen.at + 1000) };
    const { at } = seen;
    const headers = {
      etag: tag,
      'last-modified': new Date(at).toUTCString(),
      'cache-control': 'public, max-age=0, must-revalidate',
    };
    const known = c.req.header('if-none-match');
    const since = Date.parse(c.req.header('if-modified-since') ?? '');
    // RFC 9110, 13.1.3: where a tag is given, the date does not count.
    const same =
      known === undefined
        ? since >= at
        : known.split(',').some((one) => one.trim().replace(/^W\//, '') === tag.slice(2));
    if (same) return c.body(null, 304, headers);
    await next();
    if (c.res.status === 200) for (const [name, value] of Object.entries(headers)) c.header(name, value);
  };
}

/**
 * /feed.xml, /day/:day/feed.xml, /week/:week/feed.xml, /month/:month/feed.xml, /trending/feed.xml, /newest/feed.xml,
 * /discussed/feed.xml, /topics/:id/feed.xml, /authors/:key/feed.xml, /search/feed.xml?q=… (also /search.xml?q=…), and the same as .json.
 */
export function feedRoutes(site: Site): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const fresh = notModified(site);
  for (const [page, list] of Object.entries(lists)) {
    for (const [ending, { type, write }] of Object.entries(formats)) {
      const answer = async (c: Asked) => {
        const listed = await list(site, c);
        if (!listed) return c.notFound();
        const [path, query] = listed.path.split('?', 2);
        const self = `${path === '/' ? '' : path}/feed.${ending}${query === undefined ? '' : `?${query}`}`;
        return c.body(write(await feedOf(site, listed.papers, { ...listed, self }), site.config.url), 200, {
          'content-type': type,
        });
      };
      if (page === '/search') {
        for (const path of [`/search/feed.${ending}`, `/search.${ending}`]) {
          app.get(path, fresh, limited(site, 'search') as MiddlewareHandler<AppEnv>, answer);
        }
      } else app.get(`${page}/feed.${ending}`, fresh, answer);
    }
  }
  return app;
}
