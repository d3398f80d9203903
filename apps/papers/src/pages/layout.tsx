/** @file The frame of every page: head, header with search, navigation, footer. */

import type { Child, PropsWithChildren } from 'hono/jsx';
import { assetPath } from './assets.ts';
import type { Asked } from './context.ts';

export interface Framed {
  readonly title: string;
  readonly description?: string;
  /** Where this page really is, in full: "https://host/papers/2410.11772". */
  readonly canonical?: string;
  /** What previews in messengers call it; "website" where absent. */
  readonly kind?: 'website' | 'article';
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

/** Keys after g, as `data-key` says them to the keyboard's script. */
const navigation = [
  ['today', '/', 'Today', 'g t'],
  ['trending', '/trending', 'Trending', 'g r'],
  ['topics', '/topics', 'Topics', 'g p'],
  ['methods', '/methods', 'Methods', 'g m'],
  ['claims', '/claims', 'Claims', 'g c'],
] as const;

function Head({ framed }: { framed: Framed }) {
  const { title, description, canonical, kind = 'website', feeds = [], modules = [], unlisted } = framed;
  const whole = title === 'Daily Papers' ? title : `${title} · Daily Papers`;
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{whole}</title>
      {description && <meta name="description" content={description} />}
      {unlisted && <meta name="robots" content="noindex" />}
      {canonical && (
        <>
          <link rel="canonical" href={canonical} />
          <meta property="og:url" content={canonical} />
          <meta property="og:type" content={kind} />
          <meta property="og:site_name" content="Daily Papers" />
          <meta property="og:title" content={title} />
          {description && <meta property="og:description" content={description} />}
        </>
      )}
      {feeds.map(({ type, title: feedTitle, href }) => (
        <link rel="alternate" type={feedType[type]} title={feedTitle} href={href} />
      ))}
      <link rel="icon" href="/icon.svg" type="image/svg+xml" />
      <link rel="search" type="application/opensearchdescription+xml" title="Daily Papers" href="/opensearch.xml" />
      {/* Before the styles and not deferred, so that no page flashes in the colours that were not chosen. */}
      <script src={assetPath('src/browser/remembered-scheme.ts')} />
      <link rel="stylesheet" href={assetPath('src/browser/site.css')} />
      {['src/browser/main.ts', ...modules].map((source) => (
        <script type="module" src={assetPath(source)} />
      ))}
    </head>
  );
}

function Frame({ c, framed, children }: PropsWithChildren<{ c: Asked; framed: Framed }>) {
  const { at, query } = framed;
  const person = c.get('person');
  return (
    <html lang="en">
      <Head framed={framed} />
      <body>
        <a class="skip" href="#main">
          To the content
        </a>
        <header class="site-header">
          <a class="site-name" href="/">
            Daily Papers
          </a>
          <nav aria-label="Site">
            {navigation.map(([key, href, label, keys]) => (
              <a href={href} data-key={keys} aria-current={at === key ? 'page' : undefined}>
                {label}
              </a>
            ))}
          </nav>
          <search>
            <form class="search" action="/search">
              <input
                type="search"
                name="q"
                value={query}
                placeholder="Search papers"
                aria-label="Search papers"
                maxlength={200}
                data-key="/"
              />
              <button type="submit" aria-label="Search">
                <svg viewBox="0 0 20 20" aria-hidden="true">
                  <circle cx="8.5" cy="8.5" r="5.5" />
                  <path d="m13 13 5 5" />
                </svg>
              </button>
            </form>
          </search>
          <div class="site-account">
            {person ? (
              <>
                <a href="/for-you">For you</a>
                <a href="/you" aria-current={at === 'you' ? 'page' : undefined}>
                  {person.name}
                </a>
              </>
            ) : (
              <>
                <a href="/subscribe" aria-current={at === 'subscribe' ? 'page' : undefined}>
                  Subscribe
                </a>
                <a href="/sign-in" aria-current={at === 'you' ? 'page' : undefined}>
                  Sign in
                </a>
              </>
            )}
            <color-scheme />
          </div>
        </header>
        <main id="main" tabindex={-1}>
          {children}
        </main>
        <footer class="site-footer">
          <p>Everything can be read without an account.</p>
          <p class="row">
            <a href="/about">About and formulas</a>
            <a href="/subscribe">Subscribe</a>
            <a href="/submit">Submit a paper</a>
            <a href="/feed.xml">Atom</a>
            <a href="/feed.json">JSON feed</a>
            <a href="/api">API</a>
            <keyboard-help />
          </p>
        </footer>
      </body>
    </html>
  );
}

declare module 'hono/jsx' {
  namespace JSX {
    interface IntrinsicElements {
      'color-scheme': Record<string, unknown>;
      'keyboard-help': Record<string, unknown>;
    }
  }
}

const utf8 = new TextEncoder();

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
  // As bytes: of a text the response would make a checked copy first.
  return c.body(utf8.encode(`<!doctype html>${html}`), status, { 'content-type': 'text/html; charset=UTF-8' });
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
