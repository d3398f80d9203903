/** @file JSON Feed 1.1 (jsonfeed.org/version/1.1). */

import type { Feed } from './feed.ts';

/**
 * Writes a feed as JSON Feed.
 * @param site the site's address, without a slash at the end.
 */
export function jsonFeedOf({ title, description, page, self, entries }: Feed, site: string): string {
  return JSON.stringify({
    version: 'https://jsonfeed.org/version/1.1',
    title,
    description,
    home_page_url: page,
    feed_url: self,
    icon: `${site}/icon.svg`,
    language: 'en',
    authors: [{ name: 'Daily Papers', url: `${site}/` }],
    items: entries.map((entry) => ({
      id: entry.id,
      url: entry.url,
      ...(entry.links.length > 0 && { external_url: entry.links[0].href }),
      title: entry.title,
      summary: entry.summary,
      content_text: entry.abstract || entry.summary || entry.title,
      date_published: entry.published.toISOString(),
      date_modified: entry.updated.toISOString(),
      ...(entry.authors.length > 0 && { authors: entry.authors }),
      tags: [...entry.topics.map(({ name }) => name), ...entry.categories],
    })),
  });
}
