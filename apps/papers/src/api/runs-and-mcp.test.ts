import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ApiSite, apiSite, fullPaper } from '../../test/api-site.ts';
import { cancelRun, finishRun, holdRun, mostAtOnce, takeRun } from '../runs/queue.ts';

interface Told {
  readonly id: string;
  readonly state: string;
  readonly error: { readonly message: string; readonly field?: string };
  readonly report?: { readonly title: string };
  readonly [name: string]: unknown;
}

describe('what needs a key, and what agents do', () => {
  let at: ApiSite;
  let server: Server;
  let client: Client;
  let endpoint: URL;

  beforeAll(async () => {
    at = await apiSite();
    server = serve({ fetch: at.app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    if (!server.listening) await once(server, 'listening');
    endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
    client = new Client({ name: 'tests', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(endpoint));
  }, 60_000);
  afterAll(async () => {
    await client.close();
    server.close();
    await at.site.close();
  });
  afterEach(async () => {
    const { rows } = await at.site.database.execute("SELECT id FROM runs WHERE state IN ('queued', 'running')");
    for (const { id } of rows) await cancelRun(at.site, id as string);
  });

  async function send(method: string, path: string, body?: unknown, key?: string) {
    const response = await at.app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { response, json: (await response.json()) as Told };
  }

  /** Does the next run in the queue's place, as a worker would. */
  async function work(title: string): Promise<void> {
    const row = await takeRun(at.site);
    if (!row) throw new Error('nothing waits');
    await holdRun(at.site, row, { what: 'walk', done: 1, total: 2 });
    const text = { kind: 'text' as const, text: `did ${row.method}` };
    await finishRun(at.site, row, { result: { title, blocks: [text], remarks: [] } });
  }

  /** Waits until something is in the queue. */
  async function queued(): Promise<void> {
    for (;;) {
      const { rows } = await at.site.database.execute("SELECT 1 FROM runs WHERE state = 'queued'");
      if (rows.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('runs need a key', async () => {
    const { response, json } = await send('POST', '/api/runs', { method: 'lexrank' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(json.error.message).toContain('API key');
    expect((await send('DELETE', '/api/runs/x')).response.status).toBe(401);
  });

  it('a run is started, read until it is over, and says how to repeat it', async () => {
    const text = 'One sentence stands here. Another one stands there.';
    const asked = {
      method: 'lexrank',
      params: { threshold: 0.2 },
      budget: '1',
      seed: 3,
      input: { kind: 'text', text },
    };
    const { response, json } = await send('POST', '/api/runs', asked, at.key);
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/api/runs/${json.id}`);
    expect(json).toMatchObject({ state: 'queued', params: { threshold: 0.2 }, budget: '1', seed: 3, waitingBefore: 0 });
    expect(json.input).toMatchObject({ kind: 'file', bytes: text.length });
    await work('LexRank of a text');
    const { response: read, json: done } = await send('GET', `/api/runs/${json.id}`);
    expect(done).toMatchObject({ state: 'done', report: { title: 'LexRank of a text' } });
    expect(done.command).toContain('salience keep');
    expect(done.url).toBe(`http://papers.test/runs/${json.id}`);
    expect(read.headers.get('cache-control')).toBe('no-store');
  });

  it('a prompt is a text, and so is what a model is calibrated on', async () => {
    for (const [method, options, words] of [
      ['h2o', { tokens: 4 }, '--prompt pasted.txt --tokens 4'],
      ['wanda', { length: 4 }, '--calibrate pasted.txt --length 4'],
    ] as const) {
      const asked = { method, options, input: { kind: 'text', text: 'note : pipe black .' } };
      const { response, json } = await send('POST', '/api/runs', asked, at.key);
      expect(response.status).toBe(202);
      expect(json).toMatchObject({ options, command: expect.stringContaining(words) });
    }
  });

  it('a run is cancelled by whoever started it, once', async () => {
    const { json } = await send('POST', '/api/runs', { method: 'lexrank' }, at.key);
    expect((await send('DELETE', `/api/runs/${json.id}`, undefined, at.otherKey)).response.status).toBe(403);
    expect((await send('DELETE', `/api/runs/${json.id}`, undefined, at.key)).json.state).toBe('cancelled');
    expect((await send('DELETE', `/api/runs/${json.id}`, undefined, at.key)).response.status).toBe(409);
  });

  it.each([
    [{ method: 'nothing' }, 'method'],
    [{}, 'method'],
    [{ method: 'lexrank', params: { threshold: 'high' } }, 'params.threshold'],
    [{ method: 'lexrank', params: { nothing: 1 } }, 'params.nothing'],
    [{ method: 'lexrank', budget: 'much' }, 'budget'],
    [{ method: 'lexrank', seed: -1 }, 'seed'],
    [{ method: 'lexrank', input: { kind: 'text', text: ' ' } }, 'input.text'],
    [{ method: 'global-mp', input: { kind: 'text', text: 'words' } }, 'input.kind'],
    [{ method: 'wanda', input: { kind: 'text', text: 'words' } }, 'input.text'],
    [{ method: 'h2o', input: { kind: 'text', text: 'gulls '.repeat(1200) } }, 'input.text'],
    [{ method: 'wanda', options: { length: 4096 }, input: { kind: 'text', text: 'words' } }, 'options.length'],
    [{ method: 'h2o', options: { prompt: '/etc/passwd' } }, 'options.prompt'],
    [{ method: 'semre-rank', params: { seeds: '@/etc/passwd' } }, 'params.seeds'],
  ])('a run that cannot be is refused with the field: %j', async (body, field) => {
    const { response, json } = await send('POST', '/api/runs', body, at.key);
    expect(response.status).toBe(400);
    expect(json.error.field).toBe(field);
    expect(json.error.message).toContain(field);
  });

  it('a paper is submitted by its DOI, and known the second time', async () => {
    expect((await send('POST', '/api/papers', { id: '10.1234/made-up' })).response.status).toBe(401);
    const { response, json } = await send('POST', '/api/papers', { id: 'https://doi.org/10.1234/made-up' }, at.key);
    expect(response.status).toBe(201);
    expect(json).toMatchObject({
      title: 'A made-up article',
      submittedOnDailyBy: { user: 'Ada' },
      salience: { doi: '10.1234/made-up' },
    });
    const place = response.headers.get('location')!;
    expect((await send('GET', place)).json.title).toBe('A made-up article');
    expect((await send('POST', '/api/papers', { id: '10.1234/made-up' }, at.otherKey)).response.status).toBe(200);
    for (const id of ['10.1234/unknown', 'nonsense']) {
      const refused = await send('POST', '/api/papers', { id }, at.key);
      expect(refused.response.status).toBe(400);
      expect(refused.json).toMatchObject({ field: 'id', error: expect.stringMatching(/^id: /) });
    }
  });

  it('what is no JSON is refused', async () => {
    const { response, json } = await send('POST', '/api/runs', '{"method": ', at.key);
    expect(response.status).toBe(400);
    expect(json.error.field).toBe('body');
    const form = await at.app.request('/api/runs', {
      method: 'POST',
      headers: { authorization: `Bearer ${at.key}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: 'method=lexrank',
    });
    expect(form.status).toBe(415);
  });

  it('more runs at once than a person may have are refused with 429', async () => {
    for (let i = 0; i < mostAtOnce; i++) {
      expect((await send('POST', '/api/runs', { method: 'lexrank' }, at.key)).response.status).toBe(202);
    }
    const { response, json } = await send('POST', '/api/runs', { method: 'lexrank' }, at.key);
    expect(response.status).toBe(429);
    expect(json.error.message).toContain('at once');
  });

  it('agents see four tools with schemas', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(['list_methods', 'read_paper', 'run_method', 'search_papers']);
    for (const { description, inputSchema } of tools) {
      expect(description).toBeTruthy();
      expect(inputSchema.type).toBe('object');
    }
  });

  const textOf = ({ content }: Awaited<ReturnType<Client['callTool']>>) =>
    (content as { text: string }[]).map(({ text }) => text).join('\n');

  it('agents search papers, read one and list methods', async () => {
    const found = await client.callTool({ name: 'search_papers', arguments: { query: 'everything', limit: 3 } });
    expect(textOf(found)).toContain(`${fullPaper}: A paper with everything`);
    expect(found.structuredContent).toMatchObject({ total: 2, papers: [{ id: fullPaper }, {}] });
    const paper = textOf(await client.callTool({ name: 'read_paper', arguments: { id: fullPaper } }));
    expect(paper).toContain('Ada Lovelace');
    expect(paper).toContain('https://github.com/example/everything');
    expect(textOf(await client.callTool({ name: 'list_methods', arguments: {} }))).toContain('- lexrank (text');
    const method = textOf(await client.callTool({ name: 'list_methods', arguments: { id: 'lexrank' } }));
    expect(JSON.parse(method).params.properties).toHaveProperty('threshold');
  });

  it('agents run a method, hear of its progress and get the report', async () => {
    const heard: string[] = [];
    const running = client.callTool(
      { name: 'run_method', arguments: { method: 'lexrank', text: 'One sentence. Another sentence.', budget: '1' } },
      undefined,
      { onprogress: ({ message }) => heard.push(message ?? '') },
    );
    await queued();
    await work('LexRank for an agent');
    const result = await running;
    expect(textOf(result)).toContain('# LexRank for an agent');
    expect(textOf(result)).toMatch(/Permalink: http:\/\/papers\.test\/runs\/[\w-]+/);
    expect(result.structuredContent).toMatchObject({ state: 'done' });
    expect(heard[0]).toMatch(/^queued: /);
  });

  it('agents give the bundled model a text, with options of how it is read', async () => {
    const running = client.callTool({
      name: 'run_method',
      arguments: { method: 'wanda', text: 'note : pipe black .', options: { length: 4 } },
    });
    await queued();
    await work('Wanda by a text');
    expect(textOf(await running)).toContain('# Wanda by a text');
    const short = await client.callTool({ name: 'run_method', arguments: { method: 'wanda', text: 'note : pipe' } });
    expect(short.isError).toBe(true);
    expect(textOf(short)).toContain('input.text: has 3 tokens, fewer than one block of 1,024');
  });

  it('agents are told what was wrong', async () => {
    const strange = await client.callTool({ name: 'read_paper', arguments: { id: '9999.99999' } });
    expect(strange.isError).toBe(true);
    expect(textOf(strange)).toContain('There is no paper');
    const bad = await client.callTool({ name: 'run_method', arguments: { method: 'lexrank', budget: 'much' } });
    expect(bad.isError).toBe(true);
    expect(textOf(bad)).toContain('budget');
  });

  it('other host names and other origins do not reach the endpoint for agents', async () => {
    const post = (headers: Record<string, string>) =>
      at.app.request('/mcp', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
      });
    expect((await post({ host: 'rebound.example:3000' })).status).toBe(403);
    expect((await post({ host: 'papers.test', origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await post({ host: '127.0.0.1:3000', origin: 'http://localhost:9000' })).status).toBe(403);
    expect((await post({ host: 'papers.test', origin: 'http://papers.test' })).status).toBe(200);
    expect((await post({ host: 'localhost:3000', origin: 'http://localhost:3000' })).status).toBe(200);
    expect((await at.app.request('/mcp', { headers: { host: 'papers.test' } })).status).toBe(405);
  });

  it('calls are limited, and the answer says when to come back', async () => {
    const statuses = new Set<number>();
    let last: Response | undefined;
    for (let i = 0; i < 260 && last?.status !== 429; i++) {
      last = await at.app.request('/api/nothing');
      statuses.add(last.status);
    }
    expect([...statuses].sort()).toEqual([404, 429]);
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(last?.headers.get('ratelimit')).toMatch(/^"api";r=0;t=\d+$/);
    expect(await last?.json()).toMatchObject({ error: { message: expect.stringContaining('calls of the API') } });
    const { response } = await send('GET', '/api/claims', undefined, at.key);
    expect(response.status).toBe(200);
  });

  it('each call of an agent counts, also where one request holds many', async () => {
    const calls = Array.from({ length: 100 }, (_, id) => ({
      jsonrpc: '2.0',
      id,
      method: 'tools/call',
      params: { name: 'read_paper', arguments: { id: fullPaper } },
    }));
    let refused = 0;
    for (let i = 0; i < 3; i++) {
      const answer = await at.app.request('/mcp', {
        method: 'POST',
        headers: {
          host: 'papers.test',
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${at.otherKey}`,
        },
        body: JSON.stringify(calls),
      });
      refused += (await answer.text()).split('Too many calls of the API').length - 1;
    }
    expect(refused).toBeGreaterThan(50);
  });
});
