/** @file The search: by meaning and by words, narrowed down by filters that stand in the address. */

import { Hono, type MiddlewareHandler } from 'hono';
import { allTopics } from '../../papers/topics.ts';
import { isFollowing } from '../../people/follows.ts';
import { longestQuery, readSearch, type Search, searchQuery } from '../../search/address.ts';
import { search } from '../../search/search.ts';
import { limited } from '../../security/rate-limit.ts';
import type { Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { counted, page } from '../layout.tsx';
import { FollowForm } from '../people/pieces.tsx';
import { feedLinks } from './feed-links.ts';
import { FeedLinks, listFacts, Pages, PaperList, pageNumber, pageSize } from './pieces.tsx';

function Filters({ asked, topics }: { asked: Search; topics: readonly { id: string; name: string }[] }) {
  const { q, from, to, topic, implemented, hasCode, minAuthors } = asked;
  const narrowed = Boolean(from || to || topic || implemented || hasCode || minAuthors);
  return (
    <form class="filters" action="/search">
      <div class="search">
        <input
          type="search"
          name="q"
          value={q}
          maxlength={longestQuery}
          aria-label="What to search for"
          placeholder={'By meaning or words; "in quotes" literally'}
        />
        <button type="submit" class="button primary">
          Search
        </button>
      </div>
      <details open={narrowed}>
        <summary>Narrow down</summary>
        <div class="row">
          <label>
            From <input type="date" name="from" value={from} />
          </label>
          <label>
            to <input type="date" name="to" value={to} />
          </label>
          <label>
            Topic{' '}
            <select name="topic">
              <option value="">any</option>
              {topics.map(({ id, name }) => (
                <option value={id} selected={id === topic}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label>
            At least <input type="number" name="authors" min={1} max={99_999} value={minAuthors} /> authors
          </label>
          <label>
            <input type="checkbox" name="implemented" value="1" checked={implemented} /> runs here
          </label>
          <label>
            <input type="checkbox" name="code" value="1" checked={hasCode} /> has code
          </label>
          {narrowed && <a href={`/search?${new URLSearchParams({ q })}`}>Without these</a>}
        </div>
      </details>
    </form>
  );
}

async function searchPage(c: Asked, site: Site) {
  const topics = await allTopics(site);
  const { search: asked, wrong } = readSearch(c.req.query(), topics);
  const number = pageNumber(c) ?? 1;
  const { papers, total, corrected, message } = await search(site, {
    ...asked,
    limit: pageSize,
    offset: (number - 1) * pageSize,
  });
  const query = searchQuery(asked);
  const found = corrected ?? asked.q;
  return page(
    c,
    {
      title: asked.q ? `${asked.q} · Search` : 'Search',
      description: asked.q ? `Papers about ${found}` : 'Search papers by meaning and by words.',
      canonical: `${site.config.url}/search?${query}`,
      query: asked.q,
      feeds: feedLinks(`/search?${query}`, asked.q || 'Search'),
      unlisted: true,
    },
    <>
      <h1>Search</h1>
      <Filters asked={asked} topics={topics} />
      {wrong.map((what) => (
        <p class="error">{what}. It was left out.</p>
      ))}
      {corrected && (
        <p class="notice">
          No paper has “{asked.q}” as it is written; these are for{' '}
          <a href={`/search?${searchQuery({ ...asked, q: corrected })}`}>
            <strong>{corrected}</strong>
          </a>
          .
        </p>
      )}
      {message && <p class="notice">{message}</p>}
      <div class="row between">
        <p class="muted" role="status">
          {counted(total, 'paper')}
          {asked.q && ', best first'}
        </p>
        {asked.q !== '' && (
          <FollowForm
            c={c}
            kind="search"
            value={query}
            following={await isFollowing(site, c.get('person'), 'search', query)}
          />
        )}
      </div>
      {papers.length > 0 && <PaperList c={c} papers={papers} facts={await listFacts(c, site, papers)} />}
      <Pages c={c} page={number} total={total} />
      <FeedLinks path={`/search?${query}`} />
      <p class="meta">
        <a href="/about#search">How the search works</a>
      </p>
    </>,
  );
}

/** /search. */
export function searchRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/search', limited(site, 'search') as MiddlewareHandler<AppEnv>, (c) =>
    searchPage(c, site),
  );
}
