/** @file Atom (RFC 4287). */

import type { Feed, FeedEntry } from './feed.ts';

/** Text as it stands in an element or a quoted attribute. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function contentOf({ abstract, links }: FeedEntry): string {
  const listed = links.map(({ title, href }) => `<a href="${escaped(href)}">${escaped(title)}</a>`).join(' · ');
  return `<p>${escaped(abstract)}</p>${listed && `<p>${listed}</p>`}`;
}

function entryOf(entry: FeedEntry, site: string): string {
  const { id, url, title, summary, published, updated, authors, topics, categories, links } = entry;
  return [
    '<entry>',
    `<id>${escaped(id)}</id>`,
    `<title>${escaped(title)}</title>`,
    `<link rel="alternate" type="text/html" href="${escaped(url)}"/>`,
    ...links.map(({ title: name, href }) => `<link rel="related" title="${escaped(name)}" href="${escaped(href)}"/>`),
    `<published>${published.toISOString()}</published>`,
    `<updated>${updated.toISOString()}</updated>`,
    ...authors.map(
      ({ name, url: page }) => `<author><name>${escaped(name)}</name><uri>${escaped(page)}</uri></author>`,
    ),
    ...topics.map(
      ({ id: term, name }) =>
        `<category term="${escaped(term)}" label="${escaped(name)}" scheme="${escaped(`${site}/topics`)}"/>`,
    ),
    ...categories.map((term) => `<category term="${escaped(term)}" scheme="http://arxiv.org/schemas/atom"/>`),
    `<summary>${escaped(summary)}</summary>`,
    `<content type="html">${escaped(contentOf(entry))}</content>`,
    '</entry>',
  ].join('\n');
}

/**
 * Writes a feed as Atom.
 * @param site the site's address, without a slash at the end.
 */
export function atomOf({ id, title, description, page, self, updated, entries }: Feed, site: string): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
    `<id>${escaped(id)}</id>`,
    `<title>${escaped(title)}</title>`,
    `<subtitle>${escaped(description)}</subtitle>`,
    `<link rel="self" type="application/atom+xml" href="${escaped(self)}"/>`,
    `<link rel="alternate" type="text/html" href="${escaped(page)}"/>`,
    `<updated>${updated.toISOString()}</updated>`,
    // Stands for entries of which only the number of authors is known.
    `<author><name>Daily Papers</name><uri>${escaped(`${site}/`)}</uri></author>`,
    `<icon>${escaped(`${site}/icon.svg`)}</icon>`,
    ...entries.map((entry) => entryOf(entry, site)),
    '</feed>',
    '',
  ].join('\n');
}
