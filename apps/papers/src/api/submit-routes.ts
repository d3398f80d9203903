/** @file Papers submitted by programs, by arXiv id or DOI. */

import { createRoute, z } from '@hono/zod-openapi';
import type { Fetch } from '../ingest/safe-fetch.ts';
import { SubmissionError, submitPaper } from '../ingest/submit.ts';
import { paperById } from '../papers/lists.ts';
import { count } from '../security/rate-limit.ts';
import type { Site } from '../site.ts';
import { type Api, json, plainFailures, tags, withKey } from './api.ts';
import { ApiError, plainErrorSchema } from './api-error.ts';
import { fullAnswer } from './original-answers.ts';
import { fullPaperSchema } from './original-schemas.ts';
import { caller } from './run-routes.ts';

const submissionSchema = z
  .object({
    id: z
      .string()
      .min(1)
      .max(300)
      .meta({ description: 'arXiv id ("2410.11772"), DOI, or an address at arxiv.org or doi.org' }),
  })
  .strict()
  .openapi('Submission');

/** Registers POST /api/papers; `fetch` asks arXiv and Crossref. */
export function submitRoutes(app: Api, site: Site, fetch: Fetch): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/papers',
      tags: [tags.reading],
      operationId: 'submitPaper',
      summary: 'Submits a paper by its arXiv id or DOI',
      description: 'What the paper is comes from arXiv or from Crossref, so this waits for their answer.',
      security: withKey,
      request: { body: { required: true, content: { 'application/json': { schema: submissionSchema } } } },
      responses: {
        200: json(fullPaperSchema, 'The paper, which was here already'),
        201: json(fullPaperSchema, 'The paper, new'),
        ...plainFailures,
        401: json(plainErrorSchema, 'The key is missing or not known'),
        415: json(plainErrorSchema, 'The body is not JSON'),
      },
    }),
    async (c) => {
      const { id: by } = caller(c);
      await count(site, 'submit', by);
      const { id, added } = await submitPaper(site, c.req.valid('json').id, {
        by,
        fetch,
        signal: c.req.raw.signal,
      }).catch((error: unknown) => {
        if (error instanceof SubmissionError) throw new ApiError(400, `id: ${error.message}`, 'id');
        throw error;
      });
      const paper = await paperById(site, id);
      if (!paper) throw new Error(`the paper ${id} was taken and is not there`);
      c.header('Location', `/api/papers/${encodeURIComponent(paper.id)}`);
      return c.json(await fullAnswer(site, paper), added ? 201 : 200);
    },
  );
}
