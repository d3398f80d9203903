/** @file What lists of papers are made of: a paper, the tabs, the pages of a list, the banner. */

import { verdictInWords } from 'salience';
import type { PaperSummary } from '../../papers/lists.ts';
import { votedBy } from '../../people/votes.ts';
import { claimsByMethod } from '../../runs/cards.ts';
import type { Site } from '../../site.ts';
import type { Asked } from '../context.ts';
import { counted, writtenDay } from '../layout.tsx';
import { VoteForm } from '../people/pieces.tsx';
import { feedLinks } from './feed-links.ts';

/** Papers on a page of a list. */
export const pageSize = 20;

/** Characters of abstracts on one page, so that a page of twenty stays light. */
const roomForAbstracts = 18_000;

/** Up to this many characters a text needs no fold on a wide screen. */
const threeLines = 220;

/** Where a paper's page is. */
export function paperPath(id: string): string {
  return `/papers/${encodeURIComponent(id)}`;
}

/** Where a method's page is. */
export function methodPath(id: string): string {
  return `/methods/${encodeURIComponent(id)}`;
}

/** The beginning of a text: whole sentences where there is one of them, else whole words; at most so many characters. */
export function beginning(text: string, most: number): string {
  if (text.length <= most) return text;
  const cut = text.slice(0, most);
  const sentence = Math.max(cut.lastIndexOf('. '), cut.lastIndexOf('? '), cut.lastIndexOf('! '));
  if (sentence > most / 2) return `${cut.slice(0, sentence + 1)} …`;
  const word = cut.lastIndexOf(' ');
  return `${cut.slice(0, word > 0 ? word : most).replace(/[\s,;:]+$/, '')} …`;
}

/** A day as machines and people read it. */
export function DayTime({ day, yearInferred = false }: { day: string; yearInferred?: boolean }) {
  return (
    <time
      datetime={day}
      title={yearInferred ? 'The source leaves out the year; this is the latest it can be' : undefined}
    >
      {writtenDay(day)}
    </time>
  );
}

/** What a claim's verdict looks like: held, failed, or neither. */
export function verdictClass(verdict: string): 'good' | 'bad' | 'open' {
  if (verdict.startsWith('reproduced')) return 'good';
  return verdict.startsWith('not reproduced') ? 'bad' : 'open';
}

/** The first authors' names, and how many there are. */
function Authors({ authors, authorCount }: Pick<PaperSummary, 'authors' | 'authorCount'>) {
  const shown = authors.slice(0, authorCount <= 3 ? 3 : 2);
  return (
    <span>
      {shown.map(({ name, key }, i) => (
        <>
          {i > 0 && ', '}
          <a href={`/authors/${encodeURIComponent(key)}`}>{name}</a>
        </>
      ))}
      {shown.length > 0 && authorCount > shown.length && ' … '}
      {authorCount > shown.length && counted(authorCount, 'author')}
    </span>
  );
}

/** What a list knows beside the papers. */
interface ListFacts {
  /** Verdicts of claims in words, by the method's id. */
  readonly verdicts: ReadonlyMap<string, string>;
  /** Papers of the list that the reader voted for. */
  readonly voted: ReadonlySet<string>;
}

/** Looks up what a list of papers shows beside them. */
export async function listFacts(c: Asked, site: Site, papers: readonly PaperSummary[]): Promise<ListFacts> {
  const ids = papers.map(({ id }) => id);
  const [claims, voted] = await Promise.all([claimsByMethod(), votedBy(site, c.get('person'), ids)]);
  return {
    verdicts: new Map([...claims].map(([id, claim]) => [id, verdictInWords(claim)])),
    voted,
  };
}

/** A piece of a text that was searched; `hit` where it is what was searched for. */
type Snippet = readonly { readonly text: string; readonly hit: boolean }[];

/** A text with what was found in it marked. */
function Marked({ snippet }: { snippet: Snippet }) {
  return <>{snippet.map(({ text, hit }) => (hit ? <mark>{text}</mark> : text))}</>;
}

function Paper({
  c,
  paper,
  rank,
  facts,
  room,
  snippet,
  because,
}: {
  c: Asked;
  paper: PaperSummary;
  rank?: number;
  facts: ListFacts;
  room: number;
  snippet?: Snippet;
  because?: string;
}) {
  const { id, title, abstract, system, topics } = paper;
  const path = paperPath(id);
  const verdict = system && paper.implemented ? facts.verdicts.get(system) : undefined;
  const shown = beginning(abstract, room);
  return (
    <article class="paper">
      <div class="paper-side">
        {rank !== undefined && <span class="rank muted">{rank}</span>}
        <VoteForm c={c} paper={paper} voted={facts.voted.has(id)} />
      </div>
      <div>
        <h2 class="paper-title">
          <a href={path}>{title}</a>
        </h2>
        <p class="meta">
          <Authors authors={paper.authors} authorCount={paper.authorCount} />
          <DayTime day={paper.posted} yearInferred={paper.yearInferred} />
          <a href={`${path}#comments`}>{counted(paper.comments, 'comment')}</a>
          {because && <span>{because}</span>}
        </p>
        {snippet ? (
          <p class="snippet">
            <Marked snippet={snippet} />
          </p>
        ) : (
          shown !== '' && (
            <div class={shown.length <= threeLines ? 'fold short' : 'fold'}>
              <p>{shown}</p>
              {shown.length > threeLines / 2 && (
                <details>
                  <summary>More</summary>
                </details>
              )}
            </div>
          )
        )}
      </div>
      <p class="row">
        {paper.withdrawn && <span class="tag bad">Withdrawn</span>}
        {system && paper.implemented && (
          <a class="tag runs" href={`${path}#run`}>
            Runs here
          </a>
        )}
        {verdict && (
          <a class={`tag ${verdictClass(verdict)}`} href={`${path}#claim`}>
            Claim: {verdict}
          </a>
        )}
        {paper.codeUrl && (
          <a class="tag" href={paper.codeUrl} rel="nofollow noopener">
            Code
          </a>
        )}
        {topics.slice(0, 3).map((topic) => (
          <a class="tag" href={`/topics/${encodeURIComponent(topic.id)}`}>
            {topic.name}
          </a>
        ))}
      </p>
    </article>
  );
}

/**
 * A list of papers in order.
 * @param firstRank number of the first; absent where the order says nothing.
 */
export function PaperList({
  c,
  papers,
  facts,
  firstRank,
}: {
  c: Asked;
  papers: readonly (PaperSummary & { readonly snippet?: Snippet; readonly because?: string })[];
  facts: ListFacts;
  firstRank?: number;
}) {
  const room = Math.floor(roomForAbstracts / Math.max(papers.length, 1));
  return (
    <ol class="list papers">
      {papers.map((paper, i) => (
        <li>
          <Paper
            c={c}
            paper={paper}
            rank={firstRank === undefined ? undefined : firstRank + i}
            facts={facts}
            room={room}
            snippet={paper.snippet}
            because={paper.because}
          />
        </li>
      ))}
    </ol>
  );
}

/** "Get trending papers in your email inbox!", and the way there. */
export function SubscribeBanner() {
  return (
    <aside class="banner" aria-label="Subscription">
      <p>Get trending papers in your email inbox!</p>
      <a class="button primary" href="/subscribe">
        Subscribe
      </a>
    </aside>
  );
}

/** The views of the feed; `paths` lead from a day to its week and month. */
export function Tabs({
  at,
  paths,
}: {
  at: 'daily' | 'weekly' | 'monthly' | 'trending' | 'newest' | 'discussed';
  paths: { readonly daily: string; readonly weekly: string; readonly monthly: string };
}) {
  const tabs = [
    ['daily', paths.daily, 'Daily'],
    ['weekly', paths.weekly, 'Weekly'],
    ['monthly', paths.monthly, 'Monthly'],
    ['trending', '/trending', 'Trending'],
    ['newest', '/newest', 'Newest'],
    ['discussed', '/discussed', 'Discussed'],
  ] as const;
  return (
    <nav class="tabs" aria-label="Views">
      {tabs.map(([key, href, label]) => (
        <a href={href} aria-current={key === at ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  );
}

/** The way to the list before and after: "‹ Oct 27, 2025", "Oct 29, 2025 ›". */
export function BeforeAndAfter({
  label,
  before,
  after,
}: {
  label: string;
  before?: { readonly href: string; readonly text: string };
  after?: { readonly href: string; readonly text: string };
}) {
  return (
    <nav class="before-after" aria-label={label}>
      {before && (
        <a class="button" rel="prev" href={before.href} data-key="[">
          <span aria-hidden="true">‹</span> {before.text}
        </a>
      )}
      {after && (
        <a class="button" rel="next" href={after.href} data-key="]">
          {after.text} <span aria-hidden="true">›</span>
        </a>
      )}
    </nav>
  );
}

/** Reads ?page=; 1 where it is absent, undefined where it is no page. */
export function pageNumber(c: Asked): number | undefined {
  const text = c.req.query('page');
  if (text === undefined) return 1;
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}

/** The address of this list's other pages: the same, but for `page`. */
function pagePath(c: Asked, page: number): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.delete('page');
  if (page > 1) searchParams.set('page', String(page));
  const query = searchParams.toString();
  return query ? `${pathname}?${query}` : pathname;
}

/** The pages of a list of `total` papers. */
export function Pages({ c, page, total }: { c: Asked; page: number; total: number }) {
  const last = Math.max(1, Math.ceil(total / pageSize));
  if (last === 1 && page === 1) return null;
  return (
    <nav class="pages" aria-label="Pages">
      {page > 1 && (
        <a class="button" rel="prev" href={pagePath(c, Math.min(page - 1, last))} data-key="[">
          <span aria-hidden="true">‹</span> Before
        </a>
      )}
      <span class="muted">
        Page {page.toLocaleString('en-US')} of {last.toLocaleString('en-US')}
      </span>
      {page < last && (
        <a class="button" rel="next" href={pagePath(c, page + 1)} data-key="]">
          After <span aria-hidden="true">›</span>
        </a>
      )}
    </nav>
  );
}

/** The feeds of a page, for people to see; feed readers find them in its head. */
export function FeedLinks({ path }: { path: string }) {
  const [atom, json] = feedLinks(path, '');
  return (
    <p class="meta feeds">
      <a href={atom.href}>This list as Atom</a>
      <a href={json.href}>as JSON feed</a>
    </p>
  );
}
