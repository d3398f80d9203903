/** @file Small files that browsers and crawlers ask for: the icon, the search's description, what robots may read. */

import { Hono } from 'hono';
import type { Site } from '../../site.ts';
import type { AppEnv } from '../context.ts';
import { icon } from './icon.ts';

const hour = 'public, max-age=3600';

/** A text inside XML. */
function inXml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** /icon.svg, /favicon.ico, /opensearch.xml and /robots.txt. */
export function siteFileRoutes(site: Site): Hono<AppEnv> {
  const { url } = site.config;
  return new Hono<AppEnv>()
    .get('/icon.svg', (c) =>
      c.body(icon, 200, { 'Content-Type': 'image/svg+xml', 'Cache-Control': 'public, max-age=86400' }),
    )
    .get('/favicon.ico', (c) => c.redirect('/icon.svg', 301))
    .get('/opensearch.xml', (c) =>
      c.body(
        `<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
  <ShortName>Daily Papers</ShortName>
  <Description>Search papers by meaning and by words</Description>
  <InputEncoding>UTF-8</InputEncoding>
  <Image width="32" height="32" type="image/svg+xml">${inXml(url)}/icon.svg</Image>
  <Url type="text/html" template="${inXml(url)}/search?q={searchTerms}"/>
  <Url type="application/atom+xml" template="${inXml(url)}/search/feed.xml?q={searchTerms}"/>
</OpenSearchDescription>
`,
        200,
        { 'Content-Type': 'application/opensearchdescription+xml', 'Cache-Control': hour },
      ),
    )
    .get('/robots.txt', (c) =>
      c.text(
        [
          'User-agent: *',
          ...[
            '/api/',
            '/search',
            '/sign-in',
            '/subscribe',
            '/you',
            '/for-you',
            '/admin',
            '/curate',
            '/runs/',
            '/mcp',
          ].map((path) => `Disallow: ${path}`),
          '',
        ].join('\n'),
        200,
        { 'Cache-Control': hour },
      ),
    );
}
