import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { factsOf } from '../papers/facts.ts';
import { titleKey } from '../papers/identity.ts';
import { newest, paperById } from '../papers/lists.ts';
import { readArxivAnswer } from './arxiv.ts';
import { dailyAddress, readDailyPapers } from './daily-papers.ts';
import { readFeed } from './feed.ts';
import { ingestJobs, ingestSource } from './ingest.ts';
import { fromLatex } from './latex.ts';
import { politely } from './polite-fetch.ts';
import { type Fetch, FetchError } from './safe-fetch.ts';
import { submitPaper } from './submit.ts';
import { readXml } from './xml.ts';

const entry = (id: string, { comment = '', published = '2025-12-08', title = `Paper ${id}` } = {}) => `<entry>
  <id>http://arxiv.org/abs/${id}</id><updated>2025-12-09T10:00:00Z</updated><published>${published}T09:00:00Z</published>
  <title>${title}</title><summary>  Words of ${id} &amp; more,
  x &lt; y. </summary>
  <author><name>Ada Lovelace</name></author><author><name>Charles Babbage</name></author>
  ${comment && `<arxiv:comment xmlns:arxiv="http://arxiv.org/schemas/atom">${comment}</arxiv:comment>`}
  <arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="cs.LG"/><category term="cs.LG"/><category term="cs.CL"/>
</entry>`;
const atom = (entries: string[], total = entries.length) => `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><opensearch:totalResults xmlns:opensearch="x">${total}</opensearch:totalResults>${entries.join('')}</feed>`;

const answer = (text: string, status = 200, headers: Record<string, string> = {}) => ({
  status,
  headers,
  url: '',
  body: Buffer.from(text),
  text: () => text,
});

describe('an answer of the arXiv API', () => {
  it('gives ids with versions, both dates, names, categories', () => {
    const { items, total } = readArxivAnswer(atom([entry('2512.00001v2')], 5));
    expect(total).toBe(5);
    expect(items).toEqual([
      {
        line: 1,
        input: {
          title: 'Paper 2512.00001v2',
          abstract: expect.stringMatching(/^Words of 2512.00001v2 & more,\s+x < y\.$/),
          arxiv: '2512.00001',
          version: 2,
          authors: ['Ada Lovelace', 'Charles Babbage'],
          posted: '2025-12-08',
          versionDate: '2025-12-09',
          categories: ['cs.LG', 'cs.LG', 'cs.CL'],
          withdrawn: false,
        },
      },
    ]);
  });
  it('gives titles with the formulas that a bibliography has', () => {
    const title = 'Sparse $\\ell_1$ -- in $O(n\\log n)$';
    const { items } = readArxivAnswer(atom([entry('2512.00001v1', { title })]));
    expect(items[0]).toMatchObject({ input: { title: 'Sparse ℓ₁ -- in O(n log n)' } });
    expect(titleKey('Sparse ℓ₁ -- in O(n log n)')).toBe(titleKey(fromLatex(title)));
  });
  it('marks withdrawn papers by their comment', () => {
    const { items } = readArxivAnswer(
      atom([entry('2512.00001v3', { comment: 'This paper has been withdrawn by the author' })]),
    );
    expect(items[0]).toMatchObject({ input: { withdrawn: true, note: expect.stringContaining('withdrawn') } });
  });
  it('that is an error, or no feed, is named', () => {
    const error = atom(['<entry><id>http://arxiv.org/api/errors#x</id><summary>incorrect id format</summary></entry>']);
    expect(() => readArxivAnswer(error)).toThrow(/arXiv says: incorrect id format/);
    expect(() => readArxivAnswer('<html></html>')).toThrow(/no <feed>/);
    expect(() => readArxivAnswer('<feed>')).toThrow(/not XML/);
  });
});

describe('XML', () => {
  it('with entities of its own is refused', () => {
    const bomb =
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss><channel><title>&b;</title></channel></rss>';
    expect(() => readXml(bomb)).toThrow(/document type/);
    expect(() => readXml(`<a>${'x'.repeat(100)}</a>`, 50)).toThrow(/over 50 characters/);
  });
});

describe('a feed', () => {
  it('of RSS 2.0 gives papers, those of arXiv by their ids', () => {
    const items = readFeed(
      `<rss version="2.0" xmlns:dc="d"><channel><title>c</title>
      <item><title>One &amp; two</title><link>https://arxiv.org/abs/2512.00002</link>
        <description>arXiv:2512.00002v1 Announce Type: new Abstract: Words &amp;amp; &lt;b&gt;more&lt;/b&gt;.</description>
        <dc:creator>Ada Lovelace, Charles Babbage</dc:creator><pubDate>Mon, 08 Dec 2025 00:00:00 -0500</pubDate><category>cs.LG</category></item>
      <item><title><![CDATA[A <i>blog</i>]]></title><link>https://example.org/post</link><author>a@b.c (Ada Lovelace)</author>
        <description><![CDATA[<p>Hello<script>alert(1)</script></p><p>you</p>]]></description></item>
      <item><link>https://example.org/none</link></item></channel></rss>`,
      '2025-12-10',
    );
    expect(items).toMatchObject([
      {
        input: {
          title: 'One & two',
          abstract: 'Words & more.',
          arxiv: 'https://arxiv.org/abs/2512.00002',
          authors: ['Ada Lovelace', 'Charles Babbage'],
          posted: '2025-12-08',
          categories: ['cs.LG'],
        },
      },
      {
        input: {
          title: 'A blog',
          abstract: 'Hello you',
          authors: ['Ada Lovelace'],
          posted: '2025-12-10',
          links: ['https://example.org/post'],
        },
      },
      { line: 3, problem: 'the entry has no title' },
    ]);
    for (const item of items) if ('input' in item) factsOf(item.input, 'feed');
  });
  it('of Atom gives papers', () => {
    const items = readFeed(
      `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="html">T &amp;lt;x&amp;gt;</title><id>tag:x</id>
      <link rel="self" href="https://example.org/self"/><link href="https://doi.org/10.1000/182"/><author><name>Ada</name></author>
      <updated>2025-12-09T00:00:00Z</updated><content type="html">&lt;p&gt;Words.&lt;/p&gt;</content></entry></feed>`,
      '2025-12-10',
    );
    expect(items).toMatchObject([
      { input: { title: 'T <x>', doi: '10.1000/182', abstract: 'Words.', posted: '2025-12-09' } },
    ]);
  });
  it('is not what has no entries of one', () => {
    expect(() => readFeed('<html/>', '2025-12-10')).toThrow(/neither RSS nor Atom/);
  });
});

describe('the JSON of a daily list', () => {
  it('gives papers with their votes and comments', () => {
    const day = [
      {
        paper: {
          id: '2512.00003',
          authors: [{ name: 'Ada', _id: 'x', hidden: false }],
          title: 'T',
          summary: 'S',
          publishedAt: '2025-12-08T18:00:00.000Z',
          upvotes: 12,
          discussionId: 'd',
          githubRepo: 'https://github.com/a/b',
        },
        publishedAt: '2025-12-09T02:00:00.000Z',
        title: 'T',
        numComments: 4,
        submittedBy: { fullname: 'A' },
        thumbnail: 'https://example.org/t.png',
      },
      { paper: { id: 'x' } },
    ];
    expect(readDailyPapers(JSON.stringify(day))).toEqual([
      {
        line: 1,
        input: {
          title: 'T',
          abstract: 'S',
          arxiv: '2512.00003',
          authors: ['Ada'],
          authorCount: 1,
          posted: '2025-12-08',
          importedComments: 4,
          importedVotes: 12,
          codeUrl: 'https://github.com/a/b',
        },
      },
      { line: 2, problem: expect.stringContaining('paper.title') },
    ]);
    expect(() => readDailyPapers('{"error":"x"}')).toThrow(/not an array/);
    expect(dailyAddress('https://example.org/', '2025-12-09')).toBe(
      'https://example.org/api/daily_papers?date=2025-12-09',
    );
  });
});

describe('sources', () => {
  let site: TestSite;
  beforeAll(async () => {
    site = await testSite();
  }, 60_000);
  beforeEach(async () => {
    await site.database.db.execute(sql`DELETE FROM papers`);
    await site.database.db.execute(sql`DELETE FROM ingests`);
    site.now = new Date('2025-12-10T12:00:00Z');
  });
  afterAll(() => site.close());

  /** Time passes by sleeping alone. */
  const slept: number[] = [];
  const sleep = async (ms: number) => {
    slept.push(ms);
    site.now = new Date(site.now.getTime() + ms);
  };

  it('are asked again after a refusal, later each time, and no oftener than they allow', async () => {
    slept.length = 0;
    const statuses = [503, 503, 429, 200, 200, 404];
    const ask = politely(site, {
      pauseMs: 3_000,
      sleep,
      fetch: async () => answer('ok', statuses.shift()!, statuses.length === 3 ? { 'retry-after': '60' } : {}),
    });
    expect(await ask('https://example.org')).toBe('ok');
    expect(slept).toEqual([6_000, 12_000, 60_000]);
    await ask('https://example.org');
    expect(slept.at(-1)).toBe(3_000);
    await expect(ask('https://example.org')).rejects.toThrow(FetchError);
  });

  /** arXiv with 450 papers on each of two days; a page has at most 200. */
  const arxiv: Fetch = async (address) => {
    const query = new URL(address).searchParams;
    const day = /\[(\d{8})0000 TO \d{8}2359\]/.exec(query.get('search_query')!)![1];
    const start = Number(query.get('start'));
    const total = day === '20251208' || day === '20251209' ? 450 : 0;
    const size = Math.max(0, Math.min(Number(query.get('max_results')), total - start));
    const number = (i: number) => String((day === '20251208' ? 10_000 : 20_000) + start + i);
    return answer(
      atom(
        Array.from({ length: size }, (_, i) => entry(`2512.${number(i)}v1`)),
        total,
      ),
    );
  };

  it('are walked day by day and page by page, and go on where they were stopped', async () => {
    let requests = 0;
    const failing: Fetch = async (address) => {
      if (++requests === 9) throw new FetchError('the line is cut');
      return arxiv(address);
    };
    await expect(ingestSource(site, 'arxiv:cs.LG', { fetch: failing, sleep })).rejects.toThrow(/cut/);
    const before = (await newest(site, { limit: 1, offset: 0 })).total;
    expect(before).toBeGreaterThan(200);
    const again: string[] = [];
    const watching: Fetch = async (address) => {
      again.push(address);
      return arxiv(address);
    };
    const result = await ingestSource(site, 'arxiv:cs.LG', { fetch: watching, sleep });
    expect(result).toMatchObject({ added: 900, changed: 0, same: 0, refused: 0, resumed: true, read: 900 - before });
    expect(again.length).toBeLessThan(8);
    // An hour later only the last days are read again, and nothing is new.
    again.length = 0;
    expect(await ingestSource(site, 'arxiv:cs.LG', { fetch: watching, sleep })).toMatchObject({ added: 0, same: 900 });
    expect(new URL(again[0]).searchParams.get('search_query')).toContain('20251208');
  });

  it('that are configured are read by the job, and one that fails does not keep the others', async () => {
    const [job] = ingestJobs(
      { ...site, config: { ...site.config, sources: ['nonsense', 'feed:https://example.org/feed.xml'] } },
      {
        sleep,
        fetch: async () =>
          answer(`<rss><channel><item><title>New</title><link>https://example.org/1</link></item></channel></rss>`),
      },
    );
    await job.work({}, new AbortController().signal);
    expect((await newest(site, { limit: 9, offset: 0 })).papers.map(({ title }) => title)).toEqual(['New']);
    expect(site.logged.at(-2)).toMatchObject({
      level: 'error',
      facts: { reason: expect.stringContaining('"nonsense" is not a source') },
    });
    expect(site.logged.at(-1)).toMatchObject({ level: 'info', facts: { added: 1 } });
  });

  it('tell what a person submits, by arXiv id or DOI', async () => {
    const asked: string[] = [];
    const fetch: Fetch = async (address) => {
      asked.push(address);
      if (address.includes('export.arxiv.org'))
        return answer(address.includes('2512.00009') ? atom([entry('2512.00009v1')]) : atom([]));
      if (!address.includes('10.1000%2F182')) return answer('Resource not found.', 404);
      return answer(
        JSON.stringify({
          status: 'ok',
          message: {
            DOI: '10.1000/182',
            title: ['A &amp; B'],
            abstract: '<jats:title>Abstract</jats:title><jats:p>Words.</jats:p>',
            author: [{ given: 'Ada', family: 'Lovelace' }, { name: 'A Group' }],
            issued: { 'date-parts': [[2024, 5]] },
          },
        }),
      );
    };
    const by = 'u1';
    expect(await submitPaper(site, 'https://arxiv.org/abs/2512.00009v1', { by, fetch })).toEqual({
      id: '2512.00009',
      added: true,
    });
    expect(await submitPaper(site, 'arXiv:2512.00009', { by, fetch })).toEqual({ id: '2512.00009', added: false });
    expect(await submitPaper(site, 'doi:10.1000/182', { by, fetch })).toEqual({ id: 'doi-10.1000~182', added: true });
    expect(await paperById(site, 'doi-10.1000~182')).toMatchObject({
      title: 'A & B',
      abstract: 'Words.',
      authors: [{ name: 'Ada Lovelace' }, { name: 'A Group' }],
      posted: '2024-05-01',
      yearInferred: true,
    });
    await expect(submitPaper(site, '2512.00010', { by, fetch })).rejects.toThrow(/arXiv has no paper 2512\.00010/);
    await expect(submitPaper(site, '10.1000/none', { by, fetch })).rejects.toThrow(/Crossref knows no DOI/);
    await expect(submitPaper(site, 'http://localhost/', { by, fetch })).rejects.toThrow(/neither an arXiv id/);
    expect(asked.every((address) => /^https:\/\/(export\.arxiv\.org|api\.crossref\.org)\//.test(address))).toBe(true);
  });
});
