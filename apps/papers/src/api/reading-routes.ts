/** @file Our own routes for reading: topics, authors, trending, comments. */

import { createRoute, z } from '@hono/zod-openapi';
import { type PaperSummary, paperById, papersOfAuthor, papersOfTopic, trending } from '../papers/lists.ts';
import { allTopics } from '../papers/topics.ts';
import { type CommentNode, commentsOf } from '../people/comments.ts';
import type { Site } from '../site.ts';
import { type Api, failures, json, notFound, plainFailures, plainNotFound, tags } from './api.ts';
import { ApiError } from './api-error.ts';
import { scoreOf } from './daily-lists.ts';
import { paperAnswers } from './original-answers.ts';
import { paperSchema } from './original-schemas.ts';
import { page, tellPage } from './paper-routes.ts';

const topicSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    says: z.string().meta({ description: 'What belongs here' }),
    papers: z.int().meta({ description: 'How many there are' }),
    url: z.string(),
  })
  .openapi('Topic');

const comment = z.object({
  id: z.string(),
  name: z.string().meta({ description: 'Who wrote it; empty where it was deleted' }),
  html: z.string().optional().meta({ description: 'Sanitised; absent where it was deleted' }),
  at: z.iso.datetime(),
  get replies() {
    return z.array(commentSchema);
  },
});
const commentSchema: z.ZodType<Comment> = comment.openapi('Comment');

interface Comment {
  readonly id: string;
  readonly name: string;
  readonly html?: string;
  readonly at: string;
  readonly replies: readonly Comment[];
}

const listSchema = (name: string) =>
  z
    .object({
      id: z.string(),
      name: z.string(),
      url: z.string(),
      total: z.int().meta({ description: 'Papers of the whole list' }),
      papers: z.array(paperSchema),
    })
    .openapi(name);

function toldComment({ id, name, html, at, replies }: CommentNode): Comment {
  return {
    id,
    name,
    ...(html !== undefined && { html }),
    at: at.toISOString(),
    replies: replies.map(toldComment),
  };
}

/** Registers /api/topics, /api/authors, /api/trending and /api/papers/{id}/comments. */
export function readingRoutes(app: Api, site: Site): void {
  const { url } = site.config;
  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/trending',
      tags: [tags.reading],
      operationId: 'listTrending',
      summary: 'Papers by their trending score',
      description: '(comments + votes + ln(1 + readers) + 1) / (days + 2)^1.5; bots are not counted.',
      request: { query: z.object(page) },
      responses: { 200: json(z.array(paperSchema), 'The papers, with salience.score'), ...failures },
    }),
    async (c) => {
      const { limit, p } = c.req.valid('query');
      const { papers, total } = await trending(site, { limit, offset: p * limit });
      tellPage(c, site, { limit, p, total });
      const score = (paper: PaperSummary) => ({ score: scoreOf(site, paper) });
      return c.json(await paperAnswers(site, papers, score), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/topics',
      tags: [tags.reading],
      operationId: 'listTopics',
      summary: 'All topics',
      responses: { 200: json(z.array(topicSchema), 'By name'), ...failures },
    }),
    async (c) => {
      const topics = await allTopics(site);
      return c.json(
        topics.map(({ id, name, says, papers }) => ({ id, name, says, papers, url: `${url}/topics/${id}` })),
        200,
      );
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/topics/{id}',
      tags: [tags.reading],
      operationId: 'readTopic',
      summary: 'A topic and its papers, newest first',
      request: {
        params: z.object({ id: z.string().max(80).meta({ description: 'Id of a topic, e.g. "pruning"' }) }),
        query: z.object(page),
      },
      responses: { 200: json(listSchema('TopicPapers'), 'The topic'), ...failures, ...notFound },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const { limit, p } = c.req.valid('query');
      const topic = (await allTopics(site)).find((one) => one.id === id);
      if (!topic) throw new ApiError(404, `There is no topic "${id}"; /api/topics lists them.`, 'id');
      const { papers, total } = await papersOfTopic(site, id, { limit, offset: p * limit });
      tellPage(c, site, { limit, p, total });
      const told = await paperAnswers(site, papers);
      return c.json({ id, name: topic.name, url: `${url}/topics/${id}`, total, papers: told }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/authors/{key}',
      tags: [tags.reading],
      operationId: 'readAuthor',
      summary: 'An author and the papers under that name, newest first',
      request: {
        params: z.object({ key: z.string().max(200).meta({ description: 'Key of the name: `_id` of an author' }) }),
        query: z.object(page),
      },
      responses: { 200: json(listSchema('AuthorPapers'), 'The author'), ...failures, ...notFound },
    }),
    async (c) => {
      const { key } = c.req.valid('param');
      const { limit, p } = c.req.valid('query');
      const { papers, total } = await papersOfAuthor(site, key, { limit, offset: p * limit });
      if (total === 0) throw new ApiError(404, `There is no paper by an author with the key "${key}".`, 'key');
      tellPage(c, site, { limit, p, total });
      const name = papers.flatMap(({ authors }) => authors).find((author) => author.key === key)?.name ?? key;
      const told = await paperAnswers(site, papers);
      return c.json({ id: key, name, url: `${url}/authors/${key}`, total, papers: told }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/papers/{id}/comments',
      tags: [tags.reading],
      operationId: 'listComments',
      summary: 'The comments on a paper, as a tree',
      request: { params: z.object({ id: z.string().max(300).meta({ description: 'Id of a paper' }) }) },
      responses: {
        200: json(z.array(commentSchema), 'Oldest first on every level'),
        ...plainFailures,
        ...plainNotFound,
      },
    }),
    async (c) => {
      const { id } = c.req.valid('param');
      const paper = await paperById(site, id);
      if (!paper) throw new ApiError(404, `Paper not found: there is no "${id}".`, 'id');
      return c.json((await commentsOf(site, paper.id)).map(toldComment), 200);
    },
  );
}
