/** @file Where the feeds of a page are. */

/** The Atom and JSON feeds of a page, by its path, which may have a query. */
export function feedLinks(path: string, title: string) {
  const [place, query] = path.split('?', 2);
  const root = place === '/' ? '' : place;
  const rest = query ? `?${query}` : '';
  return [
    { type: 'atom', title, href: `${root}/feed.xml${rest}` },
    { type: 'json', title, href: `${root}/feed.json${rest}` },
  ] as const;
}
