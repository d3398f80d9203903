import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { factsOf } from '../papers/facts.ts';
import { readPageDate, readSeedPage } from './seed-page.ts';

const page = fileURLToPath(new URL('../../../../../shared/seeds/daily-papers-importance-scores.txt', import.meta.url));
const there = existsSync(page);

const header =
  'new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nDaily Papers\n\nbyAK and the research community\n\nDec 10\n';
const entry = (title = 'A title', authors = '  • 2 authors', date = 'Mar 3 3') =>
  `\n${title}\n\nSome words.\n\n${authors}\n·\n${date}\n`;
const inputs = (text: string) => [...readSeedPage(text)].flatMap((item) => ('input' in item ? [item.input] : []));
const problems = (text: string) =>
  [...readSeedPage(text)].flatMap((item) => ('problem' in item ? [`${item.line}: ${item.problem}`] : []));

describe.skipIf(!there)(
  `the seed page${there ? '' : ' (skipped: ../shared/seeds is not beside the repository)'}`,
  () => {
    const papers = there ? inputs(readFileSync(page, 'utf8')) : [];
    const facts = papers.map((paper) => factsOf(paper, 'page'));

    it('has 58 papers by 328 authors, from 1 to 13', () => {
      const counts = papers.map((paper) => paper.authorCount!);
      expect(papers).toHaveLength(58);
      expect(counts.reduce((sum, count) => sum + count)).toBe(328);
      expect([Math.min(...counts), Math.max(...counts)]).toEqual([1, 13]);
      expect(papers.find((paper) => paper.authorCount === 13)?.title).toMatch(/Harnessing Diversity|Quad/i);
      expect(problems(readFileSync(page, 'utf8'))).toEqual([]);
    });

    it('has 21 comments on 7 of them', () => {
      const discussed = papers.filter((paper) => paper.importedComments! > 0);
      const of = (word: string) =>
        discussed.find((paper) => paper.title.toLowerCase().includes(word.toLowerCase()))?.importedComments;
      expect(['QuoTA', 'NeuralGS', 'latent space', 'LISA', 'OmniEdit', 'Judging the Judges', 'RSQ'].map(of)).toEqual([
        2, 2, 3, 1, 5, 5, 3,
      ]);
      expect(discussed).toHaveLength(7);
      expect(discussed.reduce((sum, paper) => sum + paper.importedComments!, 0)).toBe(21);
    });

    it('has 12 without a year, which is then 2025, and runs from 2011 to 2025', () => {
      expect(papers.filter((paper) => paper.yearInferred)).toHaveLength(12);
      const years: Record<string, number> = {};
      for (const { posted } of papers) years[posted.slice(0, 4)] = (years[posted.slice(0, 4)] ?? 0) + 1;
      expect(years).toEqual({ 2025: 12, 2024: 23, 2023: 13, 2022: 4, 2021: 3, 2020: 1, 2017: 1, 2011: 1 });
      const days = papers.map(({ posted }) => posted);
      expect([days.toSorted()[0], days.toSorted().at(-1)]).toEqual(['2011-09-09', '2025-10-28']);
      expect(days).not.toEqual(days.toSorted());
      expect(papers.find(({ posted }) => posted === '2011-09-09')?.title).toMatch(/LexRank/);
    });

    it('links to GitHub in 14 abstracts and anywhere in 18', () => {
      expect(facts.filter(({ links }) => links.some((link) => link.includes('github.com')))).toHaveLength(14);
      expect(facts.filter(({ links }) => links.length > 0)).toHaveLength(18);
    });

    it('speaks of importance in every entry', () => {
      const texts = papers.map(({ title, abstract }) => `${title} ${abstract}`.toLowerCase());
      expect(texts.filter((text) => text.includes('importan'))).toHaveLength(58);
      expect(texts.filter((text) => text.includes('score'))).toHaveLength(56);
      expect(texts.filter((text) => text.includes('importance score'))).toHaveLength(29);
    });

    it('has abstracts of 182 to 274 words, and a vocabulary of 2,712', () => {
      const words = papers.map(({ abstract }) => abstract.split(/\s+/).length).sort((a, b) => a - b);
      expect([words[0], (words[28] + words[29]) / 2, words[57]]).toEqual([182, 217, 274]);
      const tokens = papers.map(
        ({ title, abstract }) =>
          `${title} ${abstract}`
            .normalize('NFKC')
            .toLowerCase()
            .match(/[a-z0-9]+/g)!,
      );
      expect(new Set(tokens.flat()).size).toBe(2712);
      expect(tokens.flat().length / 58).toBeCloseTo(247.05, 2);
    });
  },
);

describe('a date on the page', () => {
  const on = (text: string) => readPageDate(text, '2025-12-10');
  it.each([
    ['Mar 3 3', { day: '2025-03-03', yearInferred: true, comments: 3 }],
    ['Nov 11, 2024 5', { day: '2024-11-11', yearInferred: false, comments: 5 }],
    ['Dec 11', { day: '2024-12-11', yearInferred: true, comments: 0 }],
    ['Dec 10', { day: '2025-12-10', yearInferred: true, comments: 0 }],
    ['Feb 29, 2024', { day: '2024-02-29', yearInferred: false, comments: 0 }],
    ['Feb 29', { day: '2024-02-29', yearInferred: true, comments: 0 }],
  ])('%s is read', (text, date) => {
    expect(on(text)).toEqual(date);
  });
  it.each([
    ['Feb 29, 2023', /no Feb 29, 2023/],
    ['Feb 30', /no Feb 30/],
    ['Foo 3, 2024', /"Foo" is not a month/],
    ['3 Mar', /is not a date/],
  ])('%s is refused', (text, problem) => {
    expect((on(text) as { problem: string }).problem).toMatch(problem);
  });
});

describe('a page', () => {
  it('may have a header only', () => {
    expect(inputs(header)).toEqual([]);
  });
  it('is the same with CRLF, without a newline at its end, and with an abstract over several lines', () => {
    const one = inputs(header + entry());
    expect(one).toEqual([
      {
        title: 'A title',
        abstract: 'Some words.',
        authorCount: 2,
        posted: '2025-03-03',
        yearInferred: true,
        importedComments: 3,
      },
    ]);
    expect(inputs((header + entry()).replaceAll('\n', '\r\n').trimEnd())).toEqual(one);
    expect(inputs(header + entry().replace('Some words.', 'Some\n\nwords.'))).toEqual(one);
  });
  it('may say "1 authors"', () => {
    expect(inputs(header + entry('T', '• 1 authors'))[0].authorCount).toBe(1);
  });
  it('is refused where its own date is missing', () => {
    expect(() => inputs(entry())).toThrow(/page’s date/);
    expect(() => [...readSeedPage(header, { pageYear: 1990 })]).toThrow(/from 1991/);
  });
  it('with a title twice keeps the first and reports the second', () => {
    expect(inputs(header + entry() + entry('a TITLE'))).toHaveLength(1);
    expect(problems(header + entry() + entry('a TITLE'))).toEqual([
      '21: the title "a TITLE" is on the page twice; the first is kept',
    ]);
  });
  it.each([
    ['no author line', entry('T', ''), /^13: entry "T": the line "• 3 authors" is missing/],
    ['no authors', entry('T', '• 0 authors'), /^17: entry "T": "• 0 authors" is not a number of authors/],
    ['a word for their number', entry('T', '• many authors'), /"• many authors" is not a number/],
    ['no date', entry('T', '• 2 authors', ''), /^17: entry "T": a date such as/],
    ['a day that there is not', entry('T', '• 2 authors', 'Feb 30, 2024'), /^19: .*no Feb 30, 2024/],
    ['a month that there is not', entry('T', '• 2 authors', 'Foo 3'), /^19: .*"Foo" is not a month/],
    ['a title over 500 characters', entry('x'.repeat(501)), /^13: .*title has over 500/],
    [
      'an abstract over 20,000',
      entry('T').replace('Some words.', 'x'.repeat(20_001)),
      /^15: .*abstract has over 20000/,
    ],
  ])('names the line of an entry with %s, and reads the next', (_, wrong, problem) => {
    const text = header + wrong + entry('Next');
    expect(problems(text)).toHaveLength(1);
    expect(problems(text)[0]).toMatch(problem);
    expect(inputs(text).map(({ title }) => title)).toEqual(['Next']);
  });
});
