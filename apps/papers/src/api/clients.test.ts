import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiSite, apiSite, fullPaper } from '../../test/api-site.ts';
import { upsertPapers } from '../papers/records.ts';

// What clients of the original service take out of its answers, in our own words. No code of theirs stands here.

type Fields = Record<string, unknown>;

/** As huggingface_hub 2.0's PaperInfo reads an item: the inner paper first, then the item, each field under a Python name. */
function asPaperInfo(item: Fields) {
  const paper = (item.paper ?? {}) as Fields;
  const inner = (name: string) => paper[name] ?? item[name];
  // Its dates must be "2022-08-19T07:19:38.123Z" to the letter.
  const moment = (value: unknown) => {
    if (value === undefined) return undefined;
    expect(value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return new Date(value as string);
  };
  const by = (item.submittedBy ?? item.submittedOnDailyBy) as Fields | undefined;
  return {
    id: (item.id ?? paper.id) as string,
    authors: (inner('authors') as Fields[]).map(({ name, hidden }) => ({ name, hidden })),
    publishedAt: moment(inner('publishedAt')),
    title: item.title,
    summary: inner('summary'),
    upvotes: inner('upvotes'),
    discussionId: inner('discussionId'),
    comments: item.numComments ?? 0,
    // The date of the item where the inner paper has one of its own.
    submittedAt: moment(paper.publishedAt ? item.publishedAt : item.submittedOnDailyAt),
    submittedBy: by && { username: by.user, fullname: by.fullname, avatarUrl: by.avatarUrl },
    aiSummary: item.ai_summary,
    aiKeywords: item.ai_keywords,
    projectPage: item.projectPage,
    githubRepo: item.githubRepo,
  };
}

/** As RSSHub's route of daily papers makes entries of a feed: enough votes, most first. */
function asFeed(items: { title: string; publishedAt: string; paper: Fields }[], leastVotes: number) {
  return items
    .filter(({ paper }) => (paper.upvotes as number) >= leastVotes)
    .map(({ title, publishedAt, paper }) => ({
      title,
      link: `https://arxiv.org/abs/${paper.id}`,
      description: (paper.summary as string).replaceAll('\n', ' '),
      date: new Date(publishedAt),
      author: (paper.authors as { name: string }[]).map(({ name }) => name).join(', '),
      upvotes: paper.upvotes as number,
    }))
    .sort((a, b) => b.upvotes - a.upvotes);
}

/** What the Swift client's DailyPaper cannot do without, by type. */
const neededBySwift = {
  paper: 'object',
  publishedAt: 'string',
  title: 'string',
  summary: 'string',
  thumbnail: 'string',
  numComments: 'number',
  submittedBy: 'object',
  isAuthorParticipating: 'boolean',
};

describe('clients of the original service', () => {
  let at: ApiSite;
  beforeAll(async () => {
    at = await apiSite();
  }, 60_000);
  afterAll(() => at.site.close());

  const list = async (path: string) => (await at.get<Fields[]>(path)).json;
  const ids = (items: Fields[]) => items.map((item) => asPaperInfo(item).id);

  it('huggingface_hub reads every field of the daily papers', async () => {
    const items = await list('/api/daily_papers?date=2025-11-20');
    const [info] = items.map(asPaperInfo);
    expect(info).toMatchObject({
      id: fullPaper,
      title: 'A paper with everything: importance scores of everything',
      authors: [
        { name: 'Ada Lovelace', hidden: false },
        { name: 'Grace Hopper', hidden: false },
      ],
      publishedAt: new Date('2025-11-20'),
      submittedAt: new Date('2025-11-20'),
      upvotes: 41,
      comments: 4,
      discussionId: fullPaper,
      submittedBy: { username: 'Ada', fullname: 'Ada', avatarUrl: 'http://papers.test/icon.svg' },
    });
    expect(info.summary).toContain('We score everything.');
  });

  it('huggingface_hub reads one paper, with its code and project page', async () => {
    const { json } = await at.get<Fields>(`/api/papers/${fullPaper}`);
    expect(asPaperInfo(json)).toMatchObject({
      id: fullPaper,
      publishedAt: new Date('2025-11-20'),
      submittedAt: new Date('2025-11-20'),
      githubRepo: 'https://github.com/example/everything',
      projectPage: 'https://example.org/everything',
      submittedBy: { username: 'Ada' },
    });
    expect(ids([(await at.get<Fields>(`/api/papers/${fullPaper}v1`)).json])).toEqual([fullPaper]);
  });

  it('huggingface_hub searches papers and keeps to its limit', async () => {
    const items = await list('/api/papers/search?q=importance+scores&limit=5');
    expect(items).toHaveLength(5);
    for (const info of items.map(asPaperInfo)) {
      expect(info.id).toBeTruthy();
      expect(typeof info.title).toBe('string');
      expect(typeof info.summary).toBe('string');
    }
    expect(ids(await list('/api/papers/search?q=everything&limit=1'))).toEqual([fullPaper]);
  });

  it('RSSHub makes a feed of a day, a week and a month, by votes', async () => {
    for (const query of ['date=2025-11-21', 'week=2025-W47', 'month=2025-11']) {
      const items = (await list(`/api/daily_papers?${query}`)) as Parameters<typeof asFeed>[0];
      const all = asFeed(items, 0);
      expect(all.map(({ link }) => link)).toEqual([
        `https://arxiv.org/abs/${fullPaper}`,
        'https://arxiv.org/abs/2511.00002',
      ]);
      for (const { date, author } of all) {
        expect(date.getTime()).not.toBeNaN();
        expect(author).toContain('Grace Hopper');
      }
      expect(asFeed(items, 40)).toHaveLength(1);
    }
  });

  it('the Swift client finds everything it cannot do without', async () => {
    for (const item of [...(await list('/api/daily_papers')), ...(await list('/api/papers/search?q=scores'))]) {
      for (const [name, type] of Object.entries(neededBySwift)) expect(typeof item[name], name).toBe(type);
    }
    for (const paper of await list('/api/papers?search=importance&sort=trending&limit=3')) {
      expect(paper).toMatchObject({
        id: expect.any(String),
        title: expect.any(String),
        publishedAt: expect.any(String),
      });
    }
  });

  it('errors are a text, as those clients read them', async () => {
    const { response, json } = await at.get<Fields>('/api/papers/9999.99999');
    expect(response.status).toBe(404);
    expect(json.error).toContain('Paper not found');
    expect(response.headers.get('x-error-message')).toBe(json.error);
  });

  it('a day is listed as its curator ordered it, under the date of the list', async () => {
    const items = await list('/api/daily_papers?date=2025-11-21');
    expect(ids(items)).toEqual([fullPaper, '2511.00002']);
    expect(items[0]).toMatchObject({
      paper: { submittedOnDailyAt: '2025-11-21T00:00:00.000Z', publishedAt: '2025-11-20T00:00:00.000Z' },
    });
    expect(items[1]).toMatchObject({ paper: { withdrawnAt: expect.any(String), salience: { withdrawn: true } } });
    expect(await list('/api/daily_papers?date=1999-01-01')).toEqual([]);
  });

  it('without a date the latest come first, page by page, and Link leads through all of them', async () => {
    let path: string | undefined = '/api/daily_papers?limit=25';
    const seen: string[] = [];
    let total = 0;
    while (path) {
      const { response, json }: { response: Response; json: Fields[] } = await at.get<Fields[]>(path);
      seen.push(...ids(json));
      total = Number(response.headers.get('x-total-count'));
      const next: string | undefined = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
      path = next && new URL(next).pathname + new URL(next).search;
    }
    expect(seen.slice(1, 3)).toEqual(['2511.00002', fullPaper]);
    expect(seen).toHaveLength(total);
    expect(new Set(seen).size).toBe(total);
    expect(total).toBeGreaterThan(50);
  });

  it('submitters are people, sources and curators', async () => {
    expect(ids(await list('/api/daily_papers?submitter=ada'))).toEqual([fullPaper]);
    expect(ids(await list('/api/daily_papers?submitter=Grace&date=2025-11-20'))).toEqual([fullPaper]);
    expect(ids(await list('/api/daily_papers?submitter=test'))).toEqual(['2511.00002']);
    expect(await list('/api/daily_papers?submitter=nobody')).toEqual([]);
  });

  it('trending falls from the first to the last, everywhere the same', async () => {
    const scores = (papers: Fields[]) => papers.map((paper) => (paper.salience as { score: number }).score);
    const own = scores(await list('/api/trending?limit=100'));
    expect(own).toEqual(own.toSorted((a, b) => b - a));
    const daily = await list('/api/daily_papers?sort=trending&limit=100');
    expect(scores(daily.map(({ paper }) => paper as Fields))).toEqual(own);
    const within = await list('/api/daily_papers?sort=trending&month=2025-11');
    expect(ids(within)).toEqual([fullPaper, '2511.00002']);
  });

  it('one date, week or month is asked for at a time', async () => {
    const { response, json } = await at.get<Fields>('/api/daily_papers?date=2025-11-21&week=2025-W47');
    expect(response.status).toBe(400);
    expect(json).toMatchObject({ field: 'week', error: 'week: give either date or week' });
  });

  it('a script that only knew the original works with another base URL', async () => {
    // Base URL, a day's papers, the best of them, its details, its text.
    const base = 'http://papers.test';
    const ask = (path: string) => at.app.request(`${base}${path}`, { headers: { 'user-agent': 'a-script/1.0' } });
    const daily = (await (await ask('/api/daily_papers?date=2025-11-21&limit=50')).json()) as { paper: Fields }[];
    const best = daily.toSorted((a, b) => (b.paper.upvotes as number) - (a.paper.upvotes as number))[0].paper;
    const info = (await (await ask(`/api/papers/${best.id}`)).json()) as Fields;
    expect(info.title).toBe(best.title);
    const text = await ask(`/papers/${best.id}.md`);
    expect(text.headers.get('content-type')).toContain('text/markdown');
    expect(await text.text()).toContain(`# ${best.title}`);
    expect((await ask('/papers/9999.99999.md')).status).toBe(404);
  });

  it('comments are a tree of sanitised HTML', async () => {
    const [comment] = await list(`/api/papers/${fullPaper}/comments`);
    expect(comment).toMatchObject({ name: 'Ada', replies: [{ name: 'Grace' }] });
    expect(comment.html).toContain('<strong>true</strong>');
  });

  it('a paper that came out of a file was submitted by nobody, is listed by the site, and its file has no name here', async () => {
    const paper = {
      title: 'A paper out of a bibliography',
      abstract: 'Somebody had it in a file.',
      authors: ['Mary Somerville'],
      posted: '2025-11-19',
      arxiv: '2511.00003',
    };
    await upsertPapers(at.site, [paper], 'file:for-my-eyes.bib');
    const site = { user: 'Daily Papers', fullname: 'Daily Papers', type: 'org' };
    const { json } = await at.get<Fields>('/api/papers/2511.00003');
    expect(json).not.toHaveProperty('submittedOnDailyBy');
    const [item] = await list('/api/daily_papers?date=2025-11-19');
    expect(item).toMatchObject({ submittedBy: site, paper: { id: '2511.00003' } });
    expect(item.paper).not.toHaveProperty('submittedOnDailyBy');
    for (const [field, type] of Object.entries(neededBySwift))
      expect([field, typeof item[field]]).toEqual([field, type]);
    expect(asPaperInfo(item).submittedBy).toMatchObject({ username: 'Daily Papers' });
    expect(JSON.stringify([json, item])).not.toContain('for-my-eyes');
    expect(ids(await list('/api/daily_papers?submitter=daily%20papers'))).toEqual(['2511.00003']);
    expect(await list('/api/daily_papers?submitter=file:for-my-eyes.bib')).toEqual([]);
    expect(ids(await list('/api/daily_papers?submitter=test'))).toEqual(['2511.00002']);
  });
});
