/** @file The routes of the original service, so that its clients work here with another base URL. */

import { createRoute, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { AppEnv, Asked } from '../pages/context.ts';
import { spanOfMonth, spanOfWeek } from '../papers/calendar.ts';
import { isDay } from '../papers/facts.ts';
import { newest, paperById, trending } from '../papers/lists.ts';
import { type FoundPaper, search } from '../search/search.ts';
import { limited } from '../security/rate-limit.ts';
import type { Site } from '../site.ts';
import { type Api, json, plainFailures, plainNotFound, tags } from './api.ts';
import { ApiError } from './api-error.ts';
import { dailyPapers, scoreOf } from './daily-lists.ts';
import { dailyAnswers, fullAnswer, paperAnswers } from './original-answers.ts';
import { dailyPaperSchema, fullPaperSchema, paperSchema } from './original-schemas.ts';

/** Limit and page of a list, as queries have them. */
export const page = {
  limit: z.coerce.number().int().min(1).max(100).default(50).meta({ description: 'Papers on a page.' }),
  // The generator would call it nullable, since null is coerced to 0.
  p: z.coerce.number().int().min(0).max(10_000).default(0).openapi({ type: 'integer', description: 'Page, from 0.' }),
};

const sort = z
  .enum(['publishedAt', 'trending'])
  .optional()
  .meta({ description: 'Newest first, or by the documented trending score.' });

const day = z.string().refine(isDay, 'write a day of the calendar like 2025-10-28');

/** A page of a list in the headers: how long it is, and where it goes on. */
export function tellPage(c: Asked, site: Site, { limit, p, total }: { limit: number; p: number; total: number }): void {
  c.header('X-Total-Count', String(total));
  if ((p + 1) * limit >= total) return;
  const next = new URL(c.req.url);
  next.searchParams.set('p', String(p + 1));
  c.header('Link', `<${site.config.url}${next.pathname}${next.search}>; rel="next"`);
}

/** The piece that shows why a paper was found, hits between ** and **. */
export function snippetText(snippet: FoundPaper['snippet']): string {
  return snippet.map(({ text, hit }) => (hit ? `**${text}**` : text)).join('');
}

/** Limits those calls of a route that search. */
function limitedSearch(site: Site): MiddlewareHandler<AppEnv> {
  const limit = limited(site, 'search');
  return (c, next) => (c.req.query('search') ? limit(c as unknown as Parameters<typeof limit>[0], next) : next());
}

/** Registers /api/daily_papers and /api/papers. */
export function paperRoutes(app: Api, site: Site): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/daily_papers',
      tags: [tags.original],
      operationId: 'listDailyPapers',
      summary: 'The papers of a day, a week or a month, or the latest',
      description:
        'A day comes as its curator ordered it, a week and a month by votes, everything else newest first. ' +
        'The header Link says where the next page is.',
      request: {
        query: z.object({
          date: day.optional().meta({ description: 'Only of this day, e.g. 2025-10-28.' }),
          week: z
            .string()
            .refine((week) => spanOfWeek(week) !== undefined, 'write an ISO week like 2025-W44')
            .optional()
            .meta({ description: 'Only of this ISO week, e.g. 2025-W44.' }),
          month: z
            .string()
            .refine((month) => spanOfMonth(month) !== undefined, 'write a month like 2025-10')
            .optional()
            .meta({ description: 'Only of this month, e.g. 2025-10.' }),
          submitter: z
            .string()
            .min(1)
            .max(200)
            .optional()
            .meta({ description: 'Only what this person or source brought, or this curator picked.' }),
          sort,
          ...page,
        }),
      },
      responses: { 200: json(z.array(dailyPaperSchema), 'The papers'), ...plainFailures },
    }),
    async (c) => {
      const { date, week, month, submitter, sort: by, limit, p } = c.req.valid('query');
      const [first, second] = Object.entries({ date, week, month }).filter(([, value]) => value !== undefined);
      if (second) throw new ApiError(400, `${second[0]}: give either ${first[0]} or ${second[0]}`, second[0]);
      const span = week ? spanOfWeek(week) : month ? spanOfMonth(month) : undefined;
      const { papers, total } = await dailyPapers(site, {
        ...(date !== undefined && { day: date }),
        ...(span && { span }),
        ...(submitter !== undefined && { submitter }),
        ...(by && { sort: by }),
        limit,
        offset: p * limit,
      });
      tellPage(c, site, { limit, p, total });
      const said = (paper: (typeof papers)[number]) => ({
        ...(paper.pick && date !== undefined && { day: date }),
        ...(by === 'trending' && { score: scoreOf(site, paper) }),
      });
      return c.json(await dailyAnswers(site, papers, said), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/papers/search',
      tags: [tags.original],
      operationId: 'searchPapers',
      summary: 'Searches papers by meaning and by words',
      description: 'Words in quotes must stand as they are. Without q the newest papers are listed.',
      middleware: limited(site, 'search'),
      request: {
        query: z.object({
          q: z.string().max(400).default('').meta({ description: 'What is looked for.' }),
          from: day.optional().meta({ description: 'Ours: not before this day.' }),
          to: day.optional().meta({ description: 'Ours: not after this day.' }),
          topic: z.string().max(80).optional().meta({ description: 'Ours: only of this topic.' }),
          implemented: z.enum(['true']).optional().meta({ description: 'Ours: only those that can be run here.' }),
          hasCode: z.enum(['true']).optional().meta({ description: 'Ours: only those that link to code.' }),
          limit: z.coerce.number().int().min(1).max(120).default(20).meta({ description: 'Papers on a page.' }),
          p: page.p,
        }),
      },
      responses: { 200: json(z.array(dailyPaperSchema), 'The papers, the best first'), ...plainFailures },
    }),
    async (c) => {
      const { q, from, to, topic, implemented, hasCode, limit, p } = c.req.valid('query');
      const found = await search(site, {
        q,
        ...(from && { from }),
        ...(to && { to }),
        ...(topic && { topic }),
        ...(implemented && { implemented: true }),
        ...(hasCode && { hasCode: true }),
        limit,
        offset: p * limit,
      });
      tellPage(c, site, { limit, p, total: found.total });
      const snippets = new Map(found.papers.map(({ id, snippet }) => [id, snippetText(snippet)]));
      return c.json(await dailyAnswers(site, found.papers, ({ id }) => ({ snippet: snippets.get(id) })), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/papers',
      tags: [tags.original],
      operationId: 'listPapers',
      summary: 'All papers, newest first or trending; or a search',
      middleware: limitedSearch(site),
      request: {
        query: z.object({
          search: z.string().max(400).optional().meta({ description: 'What is looked for, as in /api/papers/search.' }),
          sort,
          ...page,
        }),
      },
      responses: { 200: json(z.array(paperSchema), 'The papers'), ...plainFailures },
    }),
    async (c) => {
      const { search: q, sort: by, limit, p } = c.req.valid('query');
      const asked = { limit, offset: p * limit };
      const { papers, total } = q
        ? await search(site, { q, ...asked })
        : by === 'trending'
          ? await trending(site, asked)
          : await newest(site, asked);
      tellPage(c, site, { limit, p, total });
      return c.json(await paperAnswers(site, papers), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/papers/{id}',
      tags: [tags.original],
      operationId: 'readPaper',
      summary: 'One paper',
      request: {
        params: z.object({
          id: z.string().max(300).meta({ description: 'arXiv id (a version may stand behind it), or this site’s' }),
        }),
      },
      responses: { 200: json(fullPaperSchema, 'The paper'), ...plainFailures, ...plainNotFound },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const paper = await paperById(site, id);
      if (!paper) throw new ApiError(404, `Paper not found: there is no "${id}".`, 'id');
      return c.json(await fullAnswer(site, paper), 200);
    },
  );
}
