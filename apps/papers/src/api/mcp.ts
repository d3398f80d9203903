/**
 * @file The Model Context Protocol endpoint: agents search papers, read one, list methods and run one. Streamable HTTP
 * without sessions: every request has a server of its own, so any instance can answer.
 */

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { SalienceError } from 'salience';
import { z } from 'zod';
import type { Asked } from '../pages/context.ts';
import { isDay } from '../papers/facts.ts';
import { paperById } from '../papers/lists.ts';
import { whoRuns } from '../runs/queue.ts';
import type { RunResult } from '../runs/result.ts';
import { search } from '../search/search.ts';
import { network } from '../security/address.ts';
import { count, limited } from '../security/rate-limit.ts';
import { Refused } from '../security/refused.ts';
import type { Site } from '../site.ts';
import type { Api } from './api.ts';
import { ApiError } from './api-error.ts';
import { mcpGuard } from './mcp-guard.ts';
import { listedMethods, toldMethod } from './method-routes.ts';
import { snippetText } from './paper-routes.ts';
import { paperMarkdown } from './paper-text.ts';
import { reportMarkdown } from './report-text.ts';
import { newRunSchema, startRun, waitForRun } from './start-run.ts';

/** Milliseconds that run_method waits for a result before it gives the permalink. */
const patience = 30_000;

/** Characters of a text that run_method takes. */
const longestText = 1_000_000;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const said = (text: string, structuredContent?: Record<string, unknown>): CallToolResult => ({
  content: [{ type: 'text', text }],
  ...(structuredContent && { structuredContent }),
});

/** A tool, which counts its calls itself, since one request may hold a hundred; its refusals are told to the agent, and whose accidents are not. */
function told<Input>(site: Site, name: string, work: (input: Input, extra: Extra) => Promise<CallToolResult>) {
  return async (input: Input, extra: Extra): Promise<CallToolResult> => {
    try {
      return await work(input, extra);
    } catch (error) {
      const known = error instanceof ApiError || error instanceof Refused || error instanceof SalienceError;
      if (!known) site.log.error('mcp', { tool: name, error: String(error) });
      const text = known ? error.message : 'Something went wrong here; it has been written down.';
      return { ...said(text), isError: true };
    }
  };
}

/** Tells the client of progress, where it asked for that; the count only ever grows, as the protocol wants it. */
function teller({ _meta, sendNotification }: Extra) {
  const progressToken = _meta?.progressToken;
  let progress = 0;
  return (message: string) => {
    if (progressToken === undefined) return;
    progress += 1;
    void sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress, message },
    }).catch(() => {});
  };
}

const day = z.string().refine(isDay, 'write a day of the calendar like 2025-10-28');

function searchTool(server: McpServer, site: Site, who: string): void {
  server.registerTool(
    'search_papers',
    {
      title: 'Search papers',
      description:
        'Finds papers by meaning and by words, the best first. Words in quotes must stand as they are; an empty query lists the newest.',
      inputSchema: {
        query: z.string().max(400).describe('What is looked for'),
        limit: z.int().min(1).max(50).default(10).describe('How many papers'),
        from: day.optional().describe('Not before this day, e.g. 2025-01-31'),
        to: day.optional().describe('Not after this day'),
        topic: z.string().max(80).optional().describe('Id of a topic, e.g. "pruning"'),
        implemented: z.literal(true).optional().describe('Only papers whose method can be run here'),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    told(site, 'search_papers', async ({ query, limit, from, to, topic, implemented }) => {
      await count(site, 'search', who);
      const found = await search(site, {
        q: query,
        limit,
        offset: 0,
        ...(from && { from }),
        ...(to && { to }),
        ...(topic && { topic }),
        ...(implemented && { implemented }),
      });
      const papers = found.papers.map(({ id, title, posted, votes, comments, implemented: runs, system, snippet }) => ({
        id,
        title,
        posted,
        votes,
        comments,
        ...(runs && system && { method: system }),
        snippet: snippetText(snippet),
        url: `${site.config.url}/papers/${id}`,
      }));
      const lines = papers.map(
        ({ id, title, posted, snippet, method }) =>
          `- ${id}: ${title} (${posted}${method ? `, runs here as ${method}` : ''})\n  ${snippet}`,
      );
      const head = [`${found.total} found.`, found.corrected && `Searched for: ${found.corrected}`, found.message];
      return said([...head.filter(Boolean), ...lines].join('\n'), { total: found.total, papers });
    }),
  );
}

function readTool(server: McpServer, site: Site, who: string): void {
  server.registerTool(
    'read_paper',
    {
      title: 'Read a paper',
      description: 'Title, authors, abstract, digest, keyphrases and links of a paper, by its id or arXiv id.',
      inputSchema: { id: z.string().min(1).max(300).describe('e.g. "1109.2128"') },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    told(site, 'read_paper', async ({ id }) => {
      await count(site, 'api', who);
      const paper = await paperById(site, id);
      if (!paper) throw new ApiError(404, `There is no paper "${id}"; search_papers finds ids.`);
      return said(paperMarkdown(site, paper));
    }),
  );
}

function methodsTool(server: McpServer, site: Site, who: string): void {
  server.registerTool(
    'list_methods',
    {
      title: 'List methods',
      description:
        'The importance scores that can be run here. With an id: that method with its formula, its parameters as JSON Schema and what was found of its claim.',
      inputSchema: { id: z.string().max(80).optional().describe('Only this method, in full; e.g. "lexrank"') },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    told(site, 'list_methods', async ({ id }) => {
      await count(site, 'api', who);
      if (id !== undefined) {
        const method = await toldMethod(id, site.config.url);
        if (!method) throw new ApiError(404, `There is no method "${id}" that runs; call list_methods without an id.`);
        return said(JSON.stringify(method, null, 2));
      }
      const methods = (await listedMethods()).filter(({ implemented }) => implemented);
      return said(
        methods
          .map(
            ({ id: one, family, summary, verdict }) =>
              `- ${one} (${family}${verdict ? `; ${verdict}` : ''}): ${summary}`,
          )
          .join('\n'),
      );
    }),
  );
}

function runTool(server: McpServer, site: Site, c: Asked, who: string): void {
  const { method, params, options, budget, seed } = newRunSchema.shape;
  server.registerTool(
    'run_method',
    {
      title: 'Run a method',
      description:
        'Runs a method on a text, or on its sample where none is given, waits up to 30 seconds and gives the report; ' +
        'after that the permalink under which the result will be.',
      inputSchema: {
        method: method.describe('Id from list_methods, e.g. "lexrank"'),
        text: z
          .string()
          .min(1)
          .max(longestText)
          .optional()
          .describe('The document; or the prompt or the calibration text that the bundled model reads'),
        params: params.describe('Parameters as list_methods describes them'),
        options: options.describe('How the text is read, as list_methods describes it'),
        budget: budget.describe('How much is kept: a count like "5", a share like "30%"'),
        seed: seed.describe('Rules all randomness; default 0'),
      },
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    told(site, 'run_method', async ({ text, ...asked }, extra) => {
      await count(site, 'run', who);
      const id = await startRun(site, whoRuns(c, site), {
        ...asked,
        input: text === undefined ? { kind: 'sample' } : { kind: 'text', text },
      });
      const url = `${site.config.url}/runs/${id}`;
      const tell = teller(extra);
      tell(`queued: ${url}`);
      const row = await waitForRun(
        site,
        id,
        AbortSignal.any([extra.signal, c.req.raw.signal, AbortSignal.timeout(patience)]),
        ({ what, done, total }) => tell(total === undefined ? `${what}: ${done}` : `${what}: ${done} of ${total}`),
      );
      const structured = { id, url, state: row?.state ?? 'unknown' };
      if (row?.state === 'done') {
        return said(`${reportMarkdown(row.report as RunResult)}\n\nPermalink: ${url}`, structured);
      }
      if (row?.state === 'failed' || row?.state === 'cancelled') {
        return {
          ...said(`The run ${row.state}: ${row.error ?? 'no reason was given'} (${url})`, structured),
          isError: true,
        };
      }
      return said(`The run is ${row?.state ?? 'under way'}; its result will be at ${url}`, structured);
    }),
  );
}

function serverFor(site: Site, c: Asked): McpServer {
  const server = new McpServer(
    { name: 'daily-papers', title: 'Daily Papers', version: '1.0.0' },
    {
      instructions:
        'Papers by day, found by meaning; importance scores that can be run on a text. Start with search_papers or list_methods.',
    },
  );
  const who = c.get('keyOwner')?.id ?? network(c.get('address'));
  searchTool(server, site, who);
  readTool(server, site, who);
  methodsTool(server, site, who);
  runTool(server, site, c, who);
  return server;
}

/** Registers /mcp. */
export function mcpRoutes(app: Api, site: Site): void {
  app.use('/mcp', mcpGuard(site), limited(site, 'api'));
  app.post('/mcp', async (c) => {
    const server = serverFor(site, c);
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    c.req.raw.signal.addEventListener('abort', () => void transport.close(), { once: true });
    return transport.handleRequest(c.req.raw);
  });
  // Nothing is told outside of an answer, and there is no session to end.
  app.all('/mcp', (c) =>
    c.json(
      { jsonrpc: '2.0', error: { code: -32_000, message: 'Only POST: there are no sessions here.' }, id: null },
      405,
      {
        Allow: 'POST',
      },
    ),
  );
}
