/** @file The feed by day, week and month, and by what readers do with it: trending, newest, most discussed. */

import { Hono } from 'hono';
import type { Child } from 'hono/jsx';
import {
  daysAfter,
  isDay,
  monthOf,
  type Span,
  spanOfMonth,
  spanOfWeek,
  weekOf,
  writtenMonth,
  writtenWeek,
} from '../../papers/calendar.ts';
import {
  dayList,
  daysAround,
  latestDay,
  mostDiscussed,
  newest,
  type PaperList as PaperListing,
  type PaperSummary,
  rangeList,
  trending,
} from '../../papers/lists.ts';
import { type Day, dayOf, type Site } from '../../site.ts';
import type { AppEnv, Asked } from '../context.ts';
import { counted, page, writtenDay } from '../layout.tsx';
import { feedLinks } from './feed-links.ts';
import {
  BeforeAndAfter,
  FeedLinks,
  listFacts,
  Pages,
  PaperList,
  pageNumber,
  pageSize,
  SubscribeBanner,
  Tabs,
} from './pieces.tsx';
import { notFoundPage, refusalPage } from './refusals.tsx';

/** A day with fewer papers than this is followed, on the first page, by those of the days before. */
const fullDay = 10;

const dayPath = (day: Day) => `/day/${day}`;
const weekPath = (day: Day) => `/week/${weekOf(day)}`;
const monthPath = (day: Day) => `/month/${monthOf(day)}`;

/** The tabs as they lead on from a day. */
const pathsFrom = (day: Day) => ({ daily: dayPath(day), weekly: weekPath(day), monthly: monthPath(day) });

function Heading({ title, says, children }: { title: string; says: string; children?: Child }) {
  return (
    <div class="heading">
      <div>
        <h1>{title}</h1>
        <p class="muted">{says}</p>
      </div>
      {children}
    </div>
  );
}

/** Who picked a day's papers, in words. */
function pickedBy(papers: readonly PaperSummary[]): string {
  const names = [...new Set(papers.flatMap(({ pick }) => (pick ? [pick.curatorName] : [])))];
  if (names.length === 0) return '';
  const last = names.pop();
  return ` · picked by ${names.length > 0 ? `${names.join(', ')} and ${last}` : last}`;
}

function nothing(c: Asked, says: string) {
  return refusalPage(c, {
    status: 404,
    title: 'No papers here',
    says,
    ways: [
      { href: '/', text: 'The latest day with papers' },
      { href: '/newest', text: 'The newest papers' },
    ],
  });
}

async function dayPage(c: Asked, site: Site, day: Day, first: boolean) {
  const at = pageNumber(c);
  if (at === undefined) return notFoundPage(c, `“${c.req.query('page')}” is no page of a list.`);
  const today = dayOf(site.clock());
  const [{ papers: all, total }, around] = await Promise.all([dayList(site, day), daysAround(site, day)]);
  const papers = all.slice((at - 1) * pageSize, at * pageSize);
  if (total > 0 && papers.length === 0)
    return nothing(c, `${writtenDay(day)} has ${counted(total, 'paper')}; no page ${at}.`);
  const before = first && total < fullDay ? daysAfter(day, -1) : undefined;
  const earlier = before
    ? (await rangeList(site, { from: '1500-01-01', to: before, limit: pageSize, offset: 0 })).papers
        .filter(({ id }) => !papers.some((paper) => paper.id === id))
        .slice(0, pageSize - total)
    : [];
  const facts = await listFacts(c, site, [...papers, ...earlier]);
  const name = writtenDay(day);
  return page(
    c,
    {
      title: first ? 'Daily Papers' : name,
      description: first
        ? 'The day’s papers on importance scores and machine learning: read them, search them, subscribe, and run the ones that are implemented.'
        : `Papers of ${name}: ${beginningTitles(papers)}`,
      canonical: site.config.url + (first ? '/' : dayPath(day)),
      at: 'today',
      feeds: first ? feedLinks('/', 'Daily Papers') : feedLinks(dayPath(day), `Daily Papers of ${name}`),
    },
    <>
      <SubscribeBanner />
      <Heading
        title={day === today ? `Today, ${name}` : name}
        says={total === 0 ? 'No papers were posted on this day.' : counted(total, 'paper') + pickedBy(all)}
      >
        <div class="before-after">
          <BeforeAndAfter
            label="Days"
            before={around.before ? { href: dayPath(around.before), text: writtenDay(around.before) } : undefined}
            after={
              around.after && around.after <= today
                ? { href: dayPath(around.after), text: writtenDay(around.after) }
                : undefined
            }
          />
          <form class="before-after" action="/day">
            <input type="date" name="day" value={day} min="1500-01-01" max={today} required aria-label="Another day" />
            <button class="button" type="submit">
              Go
            </button>
          </form>
        </div>
      </Heading>
      <Tabs at="daily" paths={pathsFrom(day)} />
      <PaperList c={c} papers={papers} facts={facts} firstRank={(at - 1) * pageSize + 1} />
      <Pages c={c} page={at} total={total} />
      {earlier.length > 0 && (
        <section aria-labelledby="earlier">
          <h2 id="earlier" class="section-title">
            Earlier
          </h2>
          <PaperList c={c} papers={earlier} facts={facts} />
          <p>
            <a href="/newest">All papers, newest first</a>
          </p>
        </section>
      )}
      <FeedLinks path={first ? '/' : dayPath(day)} />
    </>,
  );
}

/** Titles as a description lists them. */
function beginningTitles(papers: readonly PaperSummary[]): string {
  return papers
    .slice(0, 4)
    .map(({ title }) => title)
    .join('; ');
}

async function spanPage(
  c: Asked,
  site: Site,
  {
    span,
    at,
    title,
    path,
    before,
    after,
  }: {
    span: Span;
    at: 'weekly' | 'monthly';
    title: string;
    path: (day: Day) => string;
    before: { href: string; text: string };
    after: { href: string; text: string };
  },
) {
  const number = pageNumber(c);
  if (number === undefined) return notFoundPage(c, `“${c.req.query('page')}” is no page of a list.`);
  const today = dayOf(site.clock());
  const list = await rangeList(site, { ...span, limit: pageSize, offset: (number - 1) * pageSize });
  if (list.total > 0 && list.papers.length === 0)
    return nothing(c, `${title} has ${counted(list.total, 'paper')}; no page ${number}.`);
  // From a past span the other tabs lead to its own days; from the present one, to today's.
  const day = span.to < today ? (list.papers[0]?.posted ?? span.to) : today;
  return page(
    c,
    {
      title,
      description: `Papers from ${writtenDay(span.from)} to ${writtenDay(span.to)}: ${beginningTitles(list.papers)}`,
      canonical: site.config.url + path(span.from),
      at: 'today',
      feeds: feedLinks(path(span.from), `Daily Papers of ${title}`),
    },
    <>
      <SubscribeBanner />
      <Heading
        title={title}
        says={`${writtenDay(span.from)} to ${writtenDay(span.to)} · ${counted(list.total, 'paper')}`}
      >
        <BeforeAndAfter
          label={at === 'weekly' ? 'Weeks' : 'Months'}
          before={before}
          after={span.to < today ? after : undefined}
        />
      </Heading>
      <Tabs at={at} paths={pathsFrom(day)} />
      <PaperList c={c} papers={list.papers} facts={await listFacts(c, site, list.papers)} />
      <Pages c={c} page={number} total={list.total} />
      <FeedLinks path={path(span.from)} />
    </>,
  );
}

const rankings = {
  trending: {
    title: 'Trending',
    says: 'Comments, votes and readers, fading with age',
    list: trending,
    ranked: true,
  },
  newest: { title: 'Newest', says: 'By the day they were posted', list: newest, ranked: false },
  discussed: { title: 'Most discussed', says: 'By the number of comments', list: mostDiscussed, ranked: true },
} as const;

async function rankingPage(c: Asked, site: Site, at: keyof typeof rankings) {
  const number = pageNumber(c);
  if (number === undefined) return notFoundPage(c, `“${c.req.query('page')}” is no page of a list.`);
  const { title, says, list, ranked } = rankings[at];
  const offset = (number - 1) * pageSize;
  const { papers, total }: PaperListing = await list(site, { limit: pageSize, offset });
  if (total > 0 && papers.length === 0) return nothing(c, `There are ${counted(total, 'paper')}; no page ${number}.`);
  return page(
    c,
    {
      title,
      description: `${title} papers: ${beginningTitles(papers)}`,
      canonical: `${site.config.url}/${at}`,
      at: 'trending',
      feeds: feedLinks(`/${at}`, `${title} papers`),
    },
    <>
      <SubscribeBanner />
      <Heading title={title} says={`${says} · ${counted(total, 'paper')}`}>
        <p>
          <a href="/about#trending">How it is counted</a>
        </p>
      </Heading>
      <Tabs at={at} paths={pathsFrom(dayOf(site.clock()))} />
      <PaperList
        c={c}
        papers={papers}
        facts={await listFacts(c, site, papers)}
        firstRank={ranked ? offset + 1 : undefined}
      />
      <Pages c={c} page={number} total={total} />
      <FeedLinks path={`/${at}`} />
    </>,
  );
}

/** The pages of the feed. */
export function listRoutes(site: Site): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/', async (c) => {
      const today = dayOf(site.clock());
      return dayPage(c, site, (await latestDay(site, today)) ?? today, true);
    })
    .get('/day', (c) => {
      const day = c.req.query('day') ?? '';
      return isDay(day) ? c.redirect(dayPath(day), 303) : noDay(c, day);
    })
    .get('/day/:day', (c) => {
      const day = c.req.param('day');
      return isDay(day) ? dayPage(c, site, day, false) : noDay(c, day);
    })
    .get('/papers/date/:day', (c) => {
      const day = c.req.param('day');
      return isDay(day) ? c.redirect(dayPath(day), 301) : noDay(c, day);
    })
    .get('/week/:week', (c) => {
      const week = c.req.param('week');
      const span = spanOfWeek(week);
      if (!span) return notFoundPage(c, `“${week}” is no week; weeks are written 2025-W44, as ISO 8601 counts them.`);
      const other = (day: Day) => ({ href: weekPath(day), text: writtenWeek(weekOf(day)) });
      return spanPage(c, site, {
        span,
        at: 'weekly',
        title: writtenWeek(week),
        path: weekPath,
        before: other(daysAfter(span.from, -1)),
        after: other(daysAfter(span.to, 1)),
      });
    })
    .get('/month/:month', (c) => {
      const month = c.req.param('month');
      const span = spanOfMonth(month);
      if (!span) return notFoundPage(c, `“${month}” is no month; months are written 2025-10.`);
      const other = (day: Day) => ({ href: monthPath(day), text: writtenMonth(monthOf(day)) });
      return spanPage(c, site, {
        span,
        at: 'monthly',
        title: writtenMonth(month),
        path: monthPath,
        before: other(daysAfter(span.from, -1)),
        after: other(daysAfter(span.to, 1)),
      });
    })
    .get('/trending', (c) => rankingPage(c, site, 'trending'))
    .get('/newest', (c) => rankingPage(c, site, 'newest'))
    .get('/discussed', (c) => rankingPage(c, site, 'discussed'));
}

function noDay(c: Asked, day: string) {
  return notFoundPage(c, `“${day}” is no day of the calendar; days are written 2025-10-28.`);
}
