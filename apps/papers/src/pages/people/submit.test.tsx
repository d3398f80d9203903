import { Hono } from 'hono';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../../test/site.ts';
import { user } from '../../database/schema.ts';
import type { Fetch } from '../../ingest/safe-fetch.ts';
import { paperById } from '../../papers/lists.ts';
import type { AppEnv, Person } from '../context.ts';
import { submitPageRoutes } from './submit.tsx';

const ada: Person = { id: 'ada', name: 'Ada', email: 'ada@example.org', role: 'reader' };
const work = {
  message: {
    DOI: '10.1000/182',
    title: ['Scores of things'],
    author: [{ given: 'Ada', family: 'Lovelace' }],
    issued: { 'date-parts': [[2024, 5, 6]] },
  },
};
const fetch: Fetch = async (address) => {
  const known = address.includes('10.1000%2F182');
  const text = known ? JSON.stringify(work) : 'Resource not found.';
  return { status: known ? 200 : 404, headers: {}, url: address, body: Buffer.from(text), text: () => text };
};

describe('the form that submits a paper', () => {
  let site: TestSite;
  let app: Hono<AppEnv>;
  let person: Person | undefined;
  beforeAll(async () => {
    site = await testSite();
    await site.database.db.insert(user).values({ id: 'ada', name: 'Ada', email: 'ada@example.org' });
    app = new Hono<AppEnv>();
    app.use(async (c, next) => {
      c.set('address', '192.0.2.1');
      c.set('csrf', 'the-token');
      c.set('person', person);
      await next();
    });
    app.route('/', submitPageRoutes(site, fetch));
  });
  afterAll(() => site.close());

  const submit = (id: string) => app.request('/submit', { method: 'POST', body: new URLSearchParams({ id }) });

  it('is for who is signed in', async () => {
    person = undefined;
    expect((await app.request('/submit')).headers.get('location')).toBe('/sign-in?next=%2Fsubmit');
    expect((await submit('10.1000/182')).status).toBe(403);
    expect(await paperById(site, 'doi-10.1000~182')).toBeUndefined();
  });

  it('leads to the paper, new or known', async () => {
    person = ada;
    const { document } = parseHTML(await (await app.request('/submit')).text());
    expect(document.querySelector('form input[name=csrf]')?.getAttribute('value')).toBe('the-token');
    for (const typed of [' 10.1000/182 ', 'https://doi.org/10.1000/182']) {
      const response = await submit(typed);
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toBe('/papers/doi-10.1000~182');
    }
    expect(await paperById(site, 'doi-10.1000~182')).toMatchObject({ title: 'Scores of things', posted: '2024-05-06' });
  });

  it('says what is wrong beside what was typed', async () => {
    person = ada;
    for (const [typed, says] of [
      ['"><script>', 'This is neither an arXiv id such as 2410.11772 nor a DOI such as'],
      ['10.1000/none', 'Crossref knows no DOI 10.1000/none.'],
    ]) {
      const response = await submit(typed);
      expect(response.status).toBe(400);
      const { document } = parseHTML(await response.text());
      expect(document.querySelector('#id')?.getAttribute('value')).toBe(typed);
      expect(document.querySelector('[role=alert]')?.textContent).toContain(says);
    }
  });
});
