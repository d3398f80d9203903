/** @file Topics, and the papers of one topic or one author. */

import { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import { type PaperList as PaperListing, papersOfAuthor, papersOfTopic } from '../../papers/lists.ts';
import { allTopics, topicById } from '../../papers/topics.ts';
import { isFollowing } from '../../people/follows.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { counted, type Framed, page } from '../layout.tsx';
import { FollowForm } from '../people/pieces.tsx';
import { feedLinks } from './feed-links.ts';
import { FeedLinks, listFacts, Pages, PaperList, pageNumber, pageSize } from './pieces.tsx';
import { notFoundPage } from './refusals.tsx';

const topicPath = (id: string) => `/topics/${encodeURIComponent(id)}`;

async function topicsPage(c: Asked, site: Site) {
  const topics = await allTopics(site);
  return page(
    c,
    {
      title: 'Topics',
      description: `Papers by theme: ${topics.map(({ name }) => name).join(', ')}.`,
      canonical: `${site.config.url}/topics`,
      at: 'topics',
    },
    <>
      <h1>Topics</h1>
      <p class="muted">Follow one, and its papers come first for you.</p>
      <ul class="list columns">
        {topics.map(({ id, name, says, papers }) => (
          <li class="card">
            <h2 class="paper-title">
              <a href={topicPath(id)}>{name}</a>
            </h2>
            <p>{says}</p>
            <p class="meta">{counted(papers, 'paper')}</p>
          </li>
        ))}
      </ul>
    </>,
  );
}

/** A list under a heading that can be followed. */
async function followedList(
  c: Asked,
  site: Site,
  {
    framed,
    path,
    heading,
    list,
    number,
  }: { framed: Framed; path: string; heading: Child; list: PaperListing; number: number },
) {
  return page(
    c,
    { ...framed, canonical: site.config.url + path, feeds: feedLinks(path, framed.title) },
    <>
      {heading}
      <PaperList c={c} papers={list.papers} facts={await listFacts(c, site, list.papers)} />
      <Pages c={c} page={number} total={list.total} />
      <FeedLinks path={path} />
    </>,
  );
}

/** /topics, /topics/:id and /authors/:key. */
export function topicRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/topics', (c) => topicsPage(c, site))
    .get('/topics/:id', async (c) => {
      const id = c.req.param('id');
      const number = pageNumber(c);
      const topic = await topicById(site, id);
      if (!topic) return notFoundPage(c, `There is no topic “${id}”; the topics are listed on their page.`);
      const list = number && (await papersOfTopic(site, id, { limit: pageSize, offset: (number - 1) * pageSize }));
      if (!number || !list || (list.papers.length === 0 && number > 1)) {
        return notFoundPage(c, `${topic.name} has no page “${c.req.query('page')}”.`);
      }
      return followedList(c, site, {
        number,
        list,
        path: topicPath(id),
        framed: {
          title: topic.name,
          description: topic.says,
          at: 'topics',
        },
        heading: (
          <div class="heading">
            <div>
              <h1>{topic.name}</h1>
              <p class="muted">{`${topic.says} ${counted(list.total, 'paper')}.`}</p>
            </div>
            <FollowForm
              c={c}
              kind="topic"
              value={id}
              following={await isFollowing(site, c.get('person'), 'topic', id)}
            />
          </div>
        ),
      });
    })
    .get('/authors/:key', async (c) => {
      const key = c.req.param('key');
      const number = pageNumber(c);
      const list = number && (await papersOfAuthor(site, key, { limit: pageSize, offset: (number - 1) * pageSize }));
      const name = list ? list.papers[0]?.authors.find((author) => author.key === key)?.name : undefined;
      if (!number || !list || !name) {
        return notFoundPage(c, 'No paper here is by an author of that name. The search finds papers, not names.');
      }
      return followedList(c, site, {
        number,
        list,
        path: `/authors/${encodeURIComponent(key)}`,
        framed: {
          title: name,
          description: `Papers by ${name}.`,
        },
        heading: (
          <div class="heading">
            <div>
              <h1>{name}</h1>
              <p class="muted">
                {counted(list.total, 'paper')}. Authors are told apart by their names alone, so two people of one name
                are one here.
              </p>
            </div>
            <FollowForm
              c={c}
              kind="author"
              value={key}
              following={await isFollowing(site, c.get('person'), 'author', key)}
            />
          </div>
        ),
      });
    });
}
