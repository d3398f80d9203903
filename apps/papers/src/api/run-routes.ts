/** @file Runs: started, read and cancelled by programs. */

import { createRoute, z } from '@hono/zod-openapi';
import type { Asked, Person } from '../pages/context.ts';
import { cardOf } from '../runs/cards.ts';
import { commandLine } from '../runs/command-line.ts';
import { cancelRun, type RunRow, runOf, waitingBefore, whoRuns } from '../runs/queue.ts';
import { limited } from '../security/rate-limit.ts';
import type { Site } from '../site.ts';
import { type Api, failures, json, keyNeeded, notFound, tags, withKey } from './api.ts';
import { ApiError, errorSchema } from './api-error.ts';
import { newRunSchema, startRun } from './start-run.ts';

const runSchema = z
  .object({
    id: z.string(),
    url: z.string().meta({ description: 'Permalink of the result' }),
    method: z.string(),
    params: z.record(z.string(), z.unknown()).meta({ description: 'Where they differ from the defaults' }),
    options: z.record(z.string(), z.unknown()),
    budget: z.string().nullable(),
    seed: z.int(),
    input: z.object({
      kind: z.enum(['sample', 'file']),
      name: z.string().optional(),
      sha256: z.string().optional(),
      bytes: z.int().optional(),
    }),
    state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
    waitingBefore: z.int().optional().meta({ description: 'Runs that are taken before this one, while it is queued' }),
    progress: z
      .object({ what: z.string(), done: z.number(), total: z.number().optional() })
      .optional()
      .meta({ description: 'While it runs' }),
    report: z
      .object({ title: z.string(), blocks: z.array(z.looseObject({ kind: z.string() })), remarks: z.array(z.string()) })
      .optional()
      .meta({ description: 'What came of it: texts, tables, passages, charts as data' }),
    error: z.string().optional().meta({ description: 'Why it failed' }),
    command: z.string().meta({ description: 'The same on the command line' }),
    made: z.iso.datetime(),
    started: z.iso.datetime().optional(),
    finished: z.iso.datetime().optional(),
  })
  .openapi('Run');

/** What the API tells of a run. */
async function toldRun(site: Site, row: RunRow): Promise<z.infer<typeof runSchema>> {
  const { id, method, params, options, budget, seed, input, state, progress, report, error } = row;
  const card = await cardOf(method);
  const waiting = state === 'queued' ? await waitingBefore(site, row) : undefined;
  return {
    id,
    url: `${site.config.url}/runs/${id}`,
    method,
    params,
    options,
    budget,
    seed,
    input,
    state,
    ...(waiting !== undefined && { waitingBefore: waiting }),
    ...(state === 'running' && progress && { progress }),
    ...(state === 'done' && { report: report as z.infer<typeof runSchema>['report'] }),
    ...(error && { error }),
    command: card ? commandLine(card, row) : `salience keep ${method}`,
    made: row.made.toISOString(),
    ...(row.started && { started: row.started.toISOString() }),
    ...(row.finished && { finished: row.finished.toISOString() }),
  };
}

/** Who asks, by key or by a page of ours. @throws ApiError 401. */
export function caller(c: Asked): Person {
  const person = c.get('keyOwner') ?? c.get('person');
  if (!person) {
    throw new ApiError(401, 'This needs an API key: send "Authorization: Bearer …" with one that you make at /you.');
  }
  return person;
}

const runId = z.object({ id: z.string().max(64).meta({ description: 'Id of a run' }) });

/** Registers /api/runs. */
export function runRoutes(app: Api, site: Site): void {
  const found = async (id: string): Promise<RunRow> => {
    const row = await runOf(site, id);
    if (!row) throw new ApiError(404, `There is no run "${id}".`, 'id');
    return row;
  };

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/runs',
      tags: [tags.runs],
      operationId: 'startRun',
      summary: 'Runs a method on its sample or on a text',
      description: 'The run is queued, fairly by person. Read it at its address until it is over.',
      security: withKey,
      middleware: limited(site, 'run'),
      request: { body: { required: true, content: { 'application/json': { schema: newRunSchema } } } },
      responses: {
        202: json(runSchema, 'The run, queued'),
        ...failures,
        ...keyNeeded,
        413: json(errorSchema, 'The text is too long'),
        415: json(errorSchema, 'The body is not JSON'),
      },
    }),
    async (c) => {
      caller(c);
      const id = await startRun(site, whoRuns(c, site), c.req.valid('json'));
      c.header('Location', `/api/runs/${id}`);
      return c.json(await toldRun(site, await found(id)), 202);
    },
  );

  app.openapi(
    createRoute({
      method: 'get',
      path: '/api/runs/{id}',
      tags: [tags.runs],
      operationId: 'readRun',
      summary: 'A run: its state, progress and report',
      request: { params: runId },
      responses: { 200: json(runSchema, 'The run'), ...failures, ...notFound },
    }),
    async (c) => {
      const row = await found(c.req.valid('param').id);
      c.header('Cache-Control', 'no-store');
      return c.json(await toldRun(site, row), 200);
    },
  );

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/api/runs/{id}',
      tags: [tags.runs],
      operationId: 'cancelRun',
      summary: 'Cancels a run that is not over',
      security: withKey,
      request: { params: runId },
      responses: {
        200: json(runSchema, 'The run, cancelled'),
        ...failures,
        ...keyNeeded,
        403: json(errorSchema, 'It is somebody else’s'),
        ...notFound,
        409: json(errorSchema, 'It was over already'),
      },
    }),
    async (c) => {
      const person = caller(c);
      const { id } = c.req.valid('param');
      const row = await found(id);
      if (row.by !== person.id && person.role !== 'admin') {
        throw new ApiError(403, 'Only who started a run, and administrators, may cancel it.');
      }
      if (!(await cancelRun(site, id))) throw new ApiError(409, `The run is over already: ${row.state}.`);
      return c.json(await toldRun(site, await found(id)), 200);
    },
  );
}
