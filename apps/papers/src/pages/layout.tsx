/** @file The frame of every page: head, header with search, navigation, footer. */

import type { Child, PropsWithChildren } from 'hono/jsx';
import { assetPath } from './assets.ts';
import type { Asked } from './context.ts';

export interface Framed {
  readonly title: string;
  readonly description?: string;
  /** Feeds of this page, for feed readers. */
  readonly feeds?: readonly { readonly type: 'atom' | 'json'; readonly title: string; readonly href: string }[];
  /** Which item of the navigation is this page's. */
  readonly at?: 'today' | 'trending' | 'topics' | 'methods' | 'claims' | 'subscribe' | 'you';
  /** What stands in the search field. */
  readonly query?: string;
  /** Sources of further modules of the bundle, e.g. "src/browser/run-panel.ts". */
  readonly modules?: readonly string[];
  /** Not for search engines. */
  readonly unlisted?: boolean;
}

const feedType = { atom: 'application/atom+xml', json: 'application/feed+json' };

const navigation = [
  ['today', '/', 'Today'],
  ['trending', '/trending', 'Trending'],
  ['topics', '/topics', 'Topics'],
  ['methods', '/methods', 'Methods'],
  ['claims', '/claims', 'Claims'],
  ['subscribe', '/subscribe', 'Subscribe'],
] as const;

function Frame({ c, framed, children }: PropsWithChildren<{ c: Asked; framed: Framed }>) {
  const { title, description, feeds = [], at, query, modules = [], unlisted } = framed;
  const person = c.get('person');
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        {description && <meta name="description" content={description} />}
        {unlisted && <meta name="robots" content="noindex" />}
        {feeds.map(({ type, title: feedTitle, href }) => (
          <link rel="alternate" type={feedType[type]} title={feedTitle} href={href} />
        ))}
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        <link rel="search" type="application/opensearchdescription+xml" title="Daily Papers" href="/opensearch.xml" />
        <link rel="stylesheet" href={assetPath('src/browser/site.css')} />
        {['src/browser/main.ts', ...modules].map((source) => (
          <script type="module" src={assetPath(source)} />
        ))}
      </head>
      <body>
        <a class="skip" href="#main">
          To the content
        </a>
        <header class="site-header">
          <a class="site-name" href="/">
            Daily Papers
          </a>
          <form class="search" action="/search" role="search">
            <input
              type="search"
              name="q"
              value={query}
              placeholder="Search by meaning or words"
              aria-label="Search papers"
              maxlength={200}
              data-key="/"
            />
          </form>
          <nav aria-label="Site">
            {navigation.map(([key, href, label]) => (
              <a href={href} aria-current={at === key ? 'page' : undefined}>
                {label}
              </a>
            ))}
            {person ? (
              <a href="/you" aria-current={at === 'you' ? 'page' : undefined}>
                {person.name}
              </a>
            ) : (
              <a href="/sign-in" aria-current={at === 'you' ? 'page' : undefined}>
                Sign in
              </a>
            )}
          </nav>
        </header>
        <main id="main" tabindex={-1}>
          {children}
        </main>
        <footer class="site-footer">
          <p>
            Everything can be read without an account. <a href="/feed.xml">Atom</a> · <a href="/feed.json">JSON feed</a>{' '}
            · <a href="/api">API</a> · <a href="/about">About and formulas</a>
          </p>
        </footer>
        <keyboard-help />
      </body>
    </html>
  );
}

declare module 'hono/jsx' {
  namespace JSX {
    interface IntrinsicElements {
      'keyboard-help': Record<string, unknown>;
    }
  }
}

/** Answers with a page in the site's frame. */
export function page(
  c: Asked,
  framed: Framed,
  content: Child,
  status: 200 | 400 | 403 | 404 | 409 | 410 | 413 | 429 | 500 = 200,
) {
  const html = (
    <Frame c={c} framed={framed}>
      {content}
    </Frame>
  );
  return c.html(`<!doctype html>${html}`, status);
}

/** The hidden field that every posted form carries. */
export function CsrfField({ c }: { c: Asked }) {
  return <input type="hidden" name="csrf" value={c.get('csrf')} />;
}

/** "1 author", "7 authors". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** A day as readers read it: "2025-10-28" is "Oct 28, 2025". */
export function writtenDay(day: string): string {
  const [year, month, date] = day.split('-').map(Number);
  return `${monthNames[month - 1]} ${date}, ${year}`;
}
