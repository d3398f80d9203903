import { Hono } from 'hono';
import { parseHTML } from 'linkedom';
import { catalogue, papers } from 'salience';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { madeParquet, numbers } from '../../../test/made-parquet.ts';
import { type TestSite, testSite } from '../../../test/site.ts';
import { runs } from '../../database/schema.ts';
import { claimsByMethod } from '../../runs/cards.ts';
import { mostAtOnce, runOf } from '../../runs/queue.ts';
import type { RunResult } from '../../runs/result.ts';
import { type Runner, startRuns } from '../../runs/runner.ts';
import { Refused } from '../../security/refused.ts';
import type { AppEnv } from '../context.ts';
import { runRoutes } from './routes.ts';

let site: TestSite;
let app: Hono<AppEnv>;
let runner: Runner | undefined;
/** Whose requests the tests send. */
let address = '192.0.2.1';

beforeAll(async () => {
  site = await testSite();
  app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    c.set('csrf', 'token');
    c.set('address', address);
    await next();
  });
  app.route('/', runRoutes(site));
  app.onError((error) => {
    if (error instanceof Refused) return error.getResponse();
    throw error;
  });
}, 60_000);
afterEach(async () => {
  await runner?.stop();
  runner = undefined;
  await site.database.db.delete(runs);
  address = '192.0.2.1';
}, 60_000);
afterAll(() => site.close());

async function read(path: string): Promise<{ status: number; html: string; document: Document }> {
  const response = await app.request(path);
  const html = await response.text();
  return { status: response.status, html, document: parseHTML(html).document as unknown as Document };
}

function form(fields: Record<string, string | File>): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return { method: 'POST', body };
}

/** What no page may hold: the policy forbids it. */
function expectNothingInline(html: string): void {
  expect(html).not.toMatch(/ style=| on[a-z]+=|<style|<script(?![^>]* src=)/);
}

/** A run that is done, with this result. */
async function done(report: RunResult): Promise<string> {
  const id = 'a'.repeat(22);
  await site.database.db.insert(runs).values({
    id,
    method: 'shap',
    params: { rows: 7 },
    options: {},
    budget: '5',
    seed: 3,
    input: { kind: 'sample' },
    state: 'done',
    report,
    by: 'somebody',
    made: site.now,
    started: site.now,
    finished: site.now,
  });
  return id;
}

describe('the pages of methods', () => {
  it('list every method that runs and every one that is planned', async () => {
    const { document, html } = await read('/methods');
    expectNothingInline(html);
    for (const { id } of catalogue) expect(document.querySelector(`a[href="/methods/${id}"]`), id).toBeTruthy();
    const planned = papers.filter(({ id, family }) => family !== 'feed' && !catalogue.some((entry) => entry.id === id));
    expect([...document.querySelectorAll('.tag')].filter(({ textContent }) => textContent === 'planned')).toHaveLength(
      planned.length,
    );
  });

  it.each(catalogue.map(({ id }) => id))(
    '%s has a page with its card and a form whose inputs all have labels',
    async (id) => {
      const { status, document, html } = await read(`/methods/${id}`);
      expect(status).toBe(200);
      expectNothingInline(html);
      const inputs = [...document.querySelectorAll('run-panel :is(input:not([type=hidden]), select, textarea)')];
      expect(inputs.length).toBeGreaterThan(1);
      for (const input of inputs) {
        expect(document.querySelectorAll(`label[for="${input.id}"]`), input.id).toHaveLength(1);
        for (const other of (input.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean)) {
          expect(document.getElementById(other), other).toBeTruthy();
        }
      }
      const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(document.querySelector('form[method=post] input[name=csrf]')?.getAttribute('value')).toBe('token');
    },
  );

  it('fill the form in from the address', async () => {
    const { document } = await read('/methods/lexrank?p.threshold=0.25&budget=3&csrf=x&constructor=1');
    expect(document.querySelector('[name="p.threshold"]')?.getAttribute('value')).toBe('0.25');
    expect(document.querySelector('[name="budget"]')?.getAttribute('value')).toBe('3');
  });

  it.each([
    ['scissorhands', 'Prompt', 'ask : '],
    ['gblm', 'Calibration text', 'note : '],
  ])('of %s take a text for the bundled model, and offer one that it understands', async (id, label, part) => {
    const { document } = await read(`/methods/${id}`);
    const field = document.querySelector('textarea')!;
    expect(document.querySelector(`label[for="${field.id}"]`)?.textContent).toBe(label);
    expect(field.textContent).toBe('');
    expect(document.getElementById(field.getAttribute('aria-describedby')!)?.textContent).toContain('309 words');
    const offer = document.querySelector(`a[href="/methods/${id}?example#run"]`)!;
    const there = await read(offer.getAttribute('href')!.replace(/#.*/, ''));
    expect(there.document.querySelector('textarea')?.textContent).toContain(part);
    // Of a method of texts of any kind there is none.
    expect((await read('/methods/lexrank?example')).document.querySelector('textarea')?.textContent).toBe('');
  });

  it('are 404 for what is planned and for what there is not', async () => {
    for (const path of ['/methods/adalora', '/methods/nothing', '/runs/nothing', '/claims/nothing']) {
      expect((await read(path)).status, path).toBe(404);
    }
  });
});

describe('a run by form', () => {
  it('leads to its page, which shows the shaded sentences of the pasted text when it is done', async () => {
    const text =
      'The tower of the town fell in the storm at night. The old tower of the town fell in the night. ' +
      'A cat slept by the fire and saw nothing. People of the town heard the tower fall in the night.';
    const posted = await app.request(
      '/methods/lexrank/runs',
      form({ csrf: 'token', text, budget: '2', 'p.variant': 'continuous' }),
    );
    expect(posted.status).toBe(303);
    const path = posted.headers.get('location')!;
    const waiting = await read(path);
    expect(waiting.document.querySelector('run-progress noscript meta[http-equiv=refresh]')).toBeTruthy();
    expect(waiting.document.querySelector(`form[action="${path}/cancel"] input[name=csrf]`)).toBeTruthy();

    runner = startRuns(site, { slots: 1 });
    const events = await (await app.request(`${path}/events`)).text();
    expect(events).toMatch(/event: over\ndata: \{[^\n]*"state":"done"/);

    const { document, html } = await read(path);
    expectNothingInline(html);
    expect(document.querySelectorAll('.passages li')).toHaveLength(2);
    expect(document.querySelectorAll('.strip-text span')).toHaveLength(4);
    expect(document.querySelector('.strip-text .heat-10')).toBeTruthy();
    expect(document.querySelector('pre.command')?.textContent).toBe(
      'npx salience keep pasted.txt --by lexrank --budget 2 --set variant=continuous',
    );
    const result = await (await app.request(`${path}/result.json`)).json();
    expect(result).toMatchObject({ state: 'done', report: { title: expect.stringMatching(/^2 of 4 sentences/) } });
  });

  it('answers a script with JSON', async () => {
    const headers = { accept: 'application/json' };
    const good = await app.request('/methods/tf-idf/runs', { ...form({ budget: '3' }), headers });
    expect(good.status).toBe(201);
    const { id, url } = await good.json();
    expect(url).toBe(`/runs/${id}`);
    const bad = await app.request('/methods/tf-idf/runs', { ...form({ budget: 'x', 'p.maxWords': '0' }), headers });
    expect(bad.status).toBe(400);
    expect(Object.keys((await bad.json()).errors)).toEqual(['p.maxWords', 'budget']);
  });

  it('shows what was wrong beside the field, and keeps what was filled in', async () => {
    const response = await app.request(
      '/methods/semre-rank/runs',
      form({ 'p.z': '-4', 'p.seeds': '@/etc/passwd', text: 'Mine.' }),
    );
    expect(response.status).toBe(400);
    const { document } = parseHTML(await response.text());
    expect(document.getElementById('run-p.z')?.getAttribute('aria-invalid')).toBe('true');
    expect(document.getElementById('run-p.z-wrong')?.textContent).toMatch(/./);
    expect(document.getElementById('run-p.seeds-wrong')?.textContent).toMatch(/names a file/);
    expect(document.getElementById('run-text')?.textContent).toContain('Mine.');
    expect(await site.database.db.select().from(runs)).toEqual([]);
  });

  it('of a prompt shows what it was given, and its line for the terminal', async () => {
    const text = '<s> note : wallet umber . note : pipe black . the gulls moor . ask : pipe';
    const fields = { text, budget: '50%', 'o.tokens': '2', 'p.window': '4' };
    const posted = await app.request('/methods/snapkv/runs', form(fields));
    expect(posted.status).toBe(303);
    runner = startRuns(site, { slots: 1 });
    const path = posted.headers.get('location')!;
    await (await app.request(`${path}/events`)).text();
    const { document, html } = await read(path);
    expectNothingInline(html);
    expect(document.querySelector('article > .meta')?.textContent).toContain(
      'on pasted.txt, read by a language model of a million weights, trained by us',
    );
    expect([...document.querySelectorAll('.strip-text span')].map(({ textContent }) => textContent).join('')).toBe(
      text,
    );
    expect(document.querySelector('pre.command')?.textContent).toBe(
      'npx salience keep packages/salience/examples/recall --by snapkv --budget 50% --prompt pasted.txt --tokens 2 --set window=4',
    );
  });

  it('of a prompt that the model cannot take says so beside it', async () => {
    const posted = await app.request('/methods/snapkv/runs', form({ text: 'the gulls moor . '.repeat(300) }));
    expect(posted.status).toBe(400);
    const { document } = parseHTML(await posted.text());
    expect(document.getElementById('run-text-wrong')?.textContent).toBe(
      'has 1,200 tokens, with 48 new ones 1,248; the model has 1,024 positions',
    );
  });

  it('fails with a word on the file where that is hostile, and the site goes on', async () => {
    runner = startRuns(site, { slots: 2 });
    const safetensors = (length: bigint, header: string) => {
      const bytes = Buffer.alloc(8 + header.length + 32);
      bytes.writeBigUInt64LE(length);
      bytes.write(header, 8);
      return new File([bytes], 'mine.safetensors');
    };
    const holding = (...offsets: number[][]) => {
      const tensors = offsets.map((data_offsets, i) => [`w${i}`, { dtype: 'F32', shape: [2, 2], data_offsets }]);
      const header = JSON.stringify(Object.fromEntries(tensors));
      return safetensors(BigInt(header.length), header);
    };
    const page = { ...numbers([1, 2, 3, 4]), unpacked: 2 ** 31 - 1 };
    const parquet = madeParquet(4n, [{ name: 'x', type: 'int32', codec: 'snappy', pages: [page] }]);
    for (const [method, file, error] of [
      ['global-mp', safetensors(2n ** 60n, '{}'), /mine\.safetensors: .*header/],
      ['global-mp', holding([0, 16], [4096, 4112]), /mine\.safetensors: .*"w1".*ends at/],
      ['global-mp', holding([0, 16], [8, 24]), /mine\.safetensors: .*overlap/],
      ['lasso', new File([parquet as Uint8Array<ArrayBuffer>], 'mine.parquet'), /mine\.parquet: column x: a page/],
    ] as const) {
      const posted = await app.request(`/methods/${method}/runs`, form({ file }));
      const path = posted.headers.get('location')!;
      await (await app.request(`${path}/events`)).text();
      const { document, status } = await read(path);
      expect(status).toBe(200);
      expect(document.querySelector('.error')?.textContent).toMatch(error);
    }
  });

  it('is refused before it is read where it says that it is 100 MB', async () => {
    const response = await app.request('/methods/lexrank/runs', {
      method: 'POST',
      headers: { 'content-length': '100000000', 'content-type': 'multipart/form-data; boundary=x' },
      body: '--x--',
    });
    expect(response.status).toBe(413);
    const large = new File([new Uint8Array(6_000_000)], 'a.txt');
    expect((await app.request('/methods/lexrank/runs', form({ file: large }))).status).toBe(413);
  });

  it('is refused where a person has enough of them', async () => {
    address = '192.0.2.7';
    for (let i = 0; i < mostAtOnce; i++) {
      expect((await app.request('/methods/basic/runs', form({ budget: '3' }))).status).toBe(303);
    }
    const response = await app.request('/methods/basic/runs', form({ budget: '3' }));
    expect(response.status).toBe(429);
    expect(await response.text()).toMatch(/5 of your runs are waiting or running/);
  });

  it('is cancelled by whoever began it, and by nobody else', async () => {
    const posted = await app.request('/methods/lexrank/runs', form({ budget: '2' }));
    const path = posted.headers.get('location')!;
    address = '192.0.2.2';
    expect((await read(path)).document.querySelector('form[action$="/cancel"]')).toBeNull();
    expect((await app.request(`${path}/cancel`, form({}))).status).toBe(403);
    address = '192.0.2.1';
    expect((await app.request(`${path}/cancel`, form({}))).status).toBe(303);
    expect(await runOf(site, path.slice('/runs/'.length))).toMatchObject({ state: 'cancelled' });
    expect((await read(path)).html).toContain('It was cancelled');
  });
});

describe('the page of a result', () => {
  it('renders every kind of block, texts as texts, charts as files with words for them', async () => {
    const evil = '<img src=x onerror=alert(1)> & "so on"';
    const id = await done({
      title: evil,
      blocks: [
        { kind: 'text', text: `${evil}\nsecond` },
        {
          kind: 'table',
          columns: ['name', 'score'],
          rows: [
            [evil, 0.123456],
            ['b', 1234],
          ],
        },
        {
          kind: 'table',
          columns: ['layer', 'share', 'growth'],
          rows: [
            ['first', '12.50%', '120%'],
            ['second', '100%', '4%'],
          ],
        },
        { kind: 'bars', unit: 's', bars: [{ label: evil, value: 2 }] },
        {
          kind: 'passages',
          passages: [
            { text: evil, score: 0.5, source: evil },
            { text: 'b', score: 1 },
          ],
        },
        {
          kind: 'strip',
          of: 'x',
          parts: [
            { text: evil, share: 0 },
            { text: 'b', share: 1 },
          ],
        },
        {
          kind: 'chart',
          title: 'Swarm',
          chart: {
            type: 'swarm',
            x: 'value',
            rows: [
              {
                label: evil,
                points: [
                  { x: 1, shade: 1 },
                  { x: 2, shade: 2 },
                ],
              },
            ],
          },
        },
      ],
      remarks: [evil],
    });
    const { document, html } = await read(`/runs/${id}`);
    expectNothingInline(html.replaceAll('onerror=alert(1)', ''));
    expect(document.querySelector('img[src=x]')).toBeNull();
    expect(document.querySelector('.report h2')?.textContent).toBe(evil);
    expect([...document.querySelectorAll('.report td')].map(({ textContent }) => textContent)).toContain('0.1235');
    const meters = [...document.querySelectorAll('meter')].map((meter) => meter.getAttribute('value'));
    expect(meters, 'shares of a whole, and bars').toEqual(['0.125', '1', '2']);
    expect(document.querySelectorAll('.strip-text span')).toHaveLength(2);
    const image = document.querySelector('.chart img')!;
    expect(image.getAttribute('alt')).toMatch(/^Swarm: a row of dots over value for each of/);
    expect(Number(image.getAttribute('width')) * Number(image.getAttribute('height'))).toBeGreaterThan(0);
    const chart = await app.request(image.getAttribute('src')!);
    expect(chart.headers.get('content-type')).toMatch(/svg/);
    expect(chart.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    const svg = await chart.text();
    expect(svg).toContain('<svg');
    expect(svg).not.toContain('<img');
    expect((await app.request(`/runs/${id}/charts/0.svg`)).status).toBe(404);
    expect((await app.request(`/runs/${id}/charts/99.svg`)).status).toBe(404);
  });

  it('leads back to the form as it was filled in', async () => {
    const id = await done({ title: 't', blocks: [], remarks: [] });
    const { document } = await read(`/runs/${id}`);
    const again = document.querySelector('a[href^="/methods/shap?"]')!.getAttribute('href')!;
    const there = await read(again.replace(/#.*/, ''));
    expect(there.document.querySelector('[name="p.rows"]')?.getAttribute('value')).toBe('7');
    expect(there.document.querySelector('[name="seed"]')?.getAttribute('value')).toBe('3');
  });
});

describe('the ledger', () => {
  it('has every claim with our number beside what it must be, its verdict, and how to repeat it', async () => {
    const claims = await claimsByMethod();
    expect(claims.size).toBeGreaterThan(3);
    const { document, html } = await read('/claims');
    expectNothingInline(html);
    const cells = [...document.querySelectorAll('#lexrank ~ * tr')].map((row) =>
      [...row.children].map(({ textContent }) => textContent?.trim()),
    );
    expect(cells).toContainEqual([
      'LexRank beats degree centrality where both use t = 0.1.',
      '≥ 0.005',
      'none found',
      expect.stringMatching(/^−0\.\d+$/),
      expect.stringMatching(/^−?0\.\d+ to −?0\.\d+$/),
      'not reproduced',
      'noise 0: LexRank 0.1 − noise 0: degree 0.1',
    ]);
    for (const [id, claim] of claims) {
      expect(document.getElementById(id), id).toBeTruthy();
      const one = await read(`/claims/${id}`);
      expectNothingInline(one.html);
      expect(one.html).toContain(`npx salience verify ${id}`);
      const rows = [...one.document.querySelectorAll('tbody tr')].map(({ textContent }) => textContent);
      for (const { says, verdict, reported } of claim.parts) {
        const beside = reported ? [reported.figure, reported.setting, reported.source] : [];
        expect(
          rows.some((row) => [says, verdict, ...beside].every((text) => row?.includes(text))),
          says,
        ).toBe(true);
      }
    }
  });

  it('draws the curves of a claim that has some, baselines among them', async () => {
    const { document } = await read('/claims/gblm');
    const image = document.querySelector('.chart img')!;
    expect(image.getAttribute('src')).toBe('/claims/gblm/chart.svg');
    const svg = await (await app.request('/claims/gblm/chart.svg')).text();
    expect(svg).toContain('<path');
    expect((await app.request('/claims/global-mp/chart.svg')).status).toBe(404);
  });
});
