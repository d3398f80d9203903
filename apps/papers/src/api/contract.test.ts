import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiSite, apiSite, fullPaper } from '../../test/api-site.ts';
import { queueRun } from '../runs/queue.ts';
import type { ApiDocument } from './documentation.tsx';
import { operationsOf } from './documentation.tsx';

describe('the contract of the API', () => {
  let at: ApiSite;
  let document: ApiDocument;
  let validator: Ajv2020;
  /** Values of path parameters, by operation. */
  let places: Record<string, Record<string, string>>;

  beforeAll(async () => {
    at = await apiSite();
    ({ json: document } = await at.get<ApiDocument>('/api/openapi.json'));
    validator = new Ajv2020({ strict: false, allErrors: true });
    (formats as unknown as (ajv: Ajv2020) => void)(validator);
    validator.addSchema(document as object, 'api');
    const run = await queueRun(at.site, {
      method: 'lexrank',
      params: {},
      options: {},
      budget: '5',
      seed: 0,
      by: at.person.id,
    });
    places = {
      readPaper: { id: fullPaper },
      listComments: { id: fullPaper },
      readTopic: { id: 'explanations' },
      readAuthor: { key: 'ada-lovelace' },
      readMethod: { id: 'lexrank' },
      readRun: { id: run },
    };
  }, 60_000);
  afterAll(() => at.site.close());

  /** What is wrong with an answer, by the schema that the document has for its status. */
  function wrong(path: string, method: string, status: number, answer: unknown): string | undefined {
    const pointer = [path, method, 'responses', String(status), 'content', 'application/json', 'schema']
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = validator.getSchema(`api#/paths/${pointer}`);
    if (!validate) return `${method} ${path} does not describe the status ${status}`;
    return validate(answer) ? undefined : JSON.stringify(validate.errors, null, 1);
  }

  const filled = (path: string, values: Record<string, string> = {}) =>
    path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'nothing-of-that-name');

  it('is an OpenAPI 3.1 document in which every operation has a name, a tag, a summary and answers', () => {
    expect(document.openapi).toBe('3.1.0');
    const operations = operationsOf(document);
    expect(operations.length).toBeGreaterThanOrEqual(16);
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    const tags = new Set(document.tags?.map(({ name }) => name));
    for (const { path, operation } of operations) {
      expect(operation.summary, path).toBeTruthy();
      expect(
        operation.tags?.every((tag) => tags.has(tag)),
        path,
      ).toBe(true);
      expect(Object.keys(operation.responses ?? {}).length, path).toBeGreaterThan(1);
      for (const parameter of operation.parameters ?? []) {
        expect(
          'description' in parameter && parameter.description,
          `${path} ${JSON.stringify(parameter)}`,
        ).toBeTruthy();
      }
    }
  });

  it('has every $ref it uses', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(refs.length).toBeGreaterThan(5);
    for (const [, name] of refs) expect(document.components?.schemas).toHaveProperty(name);
  });

  it('is kept by every GET', async () => {
    for (const { method, path, operation } of operationsOf(document).filter((one) => one.method === 'GET')) {
      const address = filled(path, places[operation.operationId!]);
      const { response, json } = await at.get<unknown>(address);
      expect(response.status, address).toBe(200);
      expect(wrong(path, method.toLowerCase(), 200, json), address).toBeUndefined();
    }
  });

  it('answers unknown ids with 404 in JSON', async () => {
    for (const { method, path } of operationsOf(document).filter((one) => one.path.includes('{'))) {
      const address = filled(path);
      const response = await at.app.request(address, { method, headers: { authorization: `Bearer ${at.key}` } });
      expect(response.status, address).toBe(404);
      expect(wrong(path, method.toLowerCase(), 404, await response.json()), address).toBeUndefined();
    }
    const { response, json } = await at.get<{ error: { message: string } }>('/api/nothing');
    expect(response.status).toBe(404);
    expect(json.error.message).toContain('/api/nothing');
  });

  it('answers parameters out of their bounds with 400 that names them', async () => {
    let tried = 0;
    for (const { method, path, operation } of operationsOf(document).filter((one) => one.method === 'GET')) {
      for (const parameter of operation.parameters ?? []) {
        if (!('name' in parameter) || parameter.in !== 'query' || !parameter.schema || '$ref' in parameter.schema)
          continue;
        const { type, enum: choices, maxLength } = parameter.schema;
        const bad =
          type === 'integer'
            ? ['0.5', '-1', 'x', '1000000']
            : choices
              ? ['neither']
              : maxLength
                ? ['x'.repeat(maxLength + 1)]
                : ['x'];
        for (const value of bad) {
          const address = `${filled(path, places[operation.operationId!])}?${parameter.name}=${value}`;
          const { response, json } = await at.get<{
            error: string | { message: string; field: string };
            field?: string;
          }>(address);
          expect(response.status, address).toBe(400);
          expect(wrong(path, method.toLowerCase(), 400, json), address).toBeUndefined();
          const field = typeof json.error === 'string' ? json.field : json.error.field;
          expect(field, address).toBe(parameter.name);
          expect(response.headers.get('x-error-message')).toContain(parameter.name);
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(30);
  });

  it('can be read from pages of other sites, and only read', async () => {
    const response = await at.app.request('/api/daily_papers', { headers: { origin: 'https://elsewhere.example' } });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-expose-headers')).toContain('Link');
    const preflight = await at.app.request('/api/runs', {
      method: 'OPTIONS',
      headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-methods')).not.toContain('POST');
  });

  it('tells who has the latest already, and counts every change', async () => {
    const { response } = await at.get('/api/papers?limit=1');
    const etag = response.headers.get('etag')!;
    const again = await at.app.request('/api/papers?limit=1', { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
    expect(again.headers.get('access-control-allow-origin')).toBe('*');
    await at.site.database.execute("SELECT nextval('revision')");
    const changed = await at.app.request('/api/papers?limit=1', { headers: { 'if-none-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  });

  it('has a page that tells every operation, field and parameter without a script of its own', async () => {
    const response = await at.app.request('/api');
    expect(response.headers.get('content-type')).toContain('text/html');
    const html = await response.text();
    for (const { method, path } of operationsOf(document)) expect(html).toContain(`${method} ${path}`);
    for (const name of Object.keys(document.components?.schemas ?? {})) expect(html).toContain(`id="schema-${name}"`);
    for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) expect(html).toContain(`id="${target}"`);
    expect(html).not.toMatch(/style="|onclick|<script(?![^>]*src="\/)/);
    expect(html).not.toMatch(/(src|href)="https?:\/\/(?!papers\.test)/);
  });
});
