/** @file Search over the seed page: the worked figures, known items under the rule that was set, and its papers among others. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Random } from 'salience/core';
import { bm25, InvertedIndex, knownItems, precisionAtK } from 'salience/numerics';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestSite, testSite } from '../../test/site.ts';
import { readSeedPage } from '../ingest/seed-page.ts';
import { type PaperInput, upsertPapers } from '../papers/records.ts';
import { searchJobs } from './embedding-jobs.ts';
import { search } from './search.ts';
import { openSearch, refreshSearch } from './site-search.ts';

const page = fileURLToPath(new URL('../../../../../shared/seeds/daily-papers-importance-scores.txt', import.meta.url));
const there = existsSync(page);
const skipped = there ? '' : ' (skipped: ../shared/seeds is not beside the repository)';

const tokens = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? [];
const sentences = (text: string) => text.split(/(?<=[.!?])\s+/);

/** BM25 of each query over the texts, shape [queries][texts]. */
function bm25Scores(texts: readonly string[], queries: readonly string[]): Float64Array[] {
  const numbers = new Map<string, number>();
  const index = new InvertedIndex();
  for (const text of texts) {
    index.add(
      tokens(text).map((word) => {
        const number = numbers.get(word) ?? numbers.size;
        numbers.set(word, number);
        return number;
      }),
    );
  }
  return queries.map((query) =>
    bm25(
      index,
      tokens(query).flatMap((word) => numbers.get(word) ?? []),
    ),
  );
}

const rounded = (value: number) => Number(value.toFixed(4));

describe.skipIf(!there)(`the seed page${skipped}`, () => {
  const papers: PaperInput[] = there
    ? [...readSeedPage(readFileSync(page, 'utf8'))].flatMap((item) => ('input' in item ? [item.input] : []))
    : [];
  const whole = papers.map(({ title, abstract }) => `${title} ${abstract}`);

  it('has abstracts of 182 to 274 words, and 2,712 different tokens', () => {
    const lengths = papers.map(({ abstract }) => abstract.split(/\s+/).length).toSorted((a, b) => a - b);
    expect([lengths[0], lengths[57]]).toEqual([182, 274]);
    expect((lengths[28] + lengths[29]) / 2).toBe(217);
    const all = whole.map(tokens);
    expect(new Set(all.flat()).size).toBe(2712);
    expect(all.flat().length / 58).toBeCloseTo(247.05, 2);
  });

  it('for "importance scores" gives the worked figures', () => {
    const [scores] = bm25Scores(whole, ['importance scores']);
    const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, 6);
    expect(best.map((i) => rounded(scores[i]))).toEqual([0.4597, 0.4379, 0.4362, 0.4352, 0.4333, 0.4297]);
    const named = ['ProxyAttn', 'Once for Both', 'RSQ', 'EMS', 'latent space', 'GraphXAIN'];
    best.forEach((i, place) => {
      expect(whole[i].toLowerCase()).toContain(named[place].toLowerCase());
    });
    expect(scores.filter((score) => score === 0)).toHaveLength(1);
  });

  it('has each paper found by its title among abstracts: 57 of 58 first', () => {
    const found = knownItems(
      bm25Scores(
        papers.map(({ abstract }) => abstract),
        papers.map(({ title }) => title),
      ),
    );
    expect(found.first).toBe(57);
    expect(rounded(found.meanReciprocalRank)).toBe(0.9852);
  });

  it('has each paper found by its second sentence in the rest, by BM25 more often than by shared words', () => {
    const queries = papers.map(({ abstract }) => sentences(abstract)[1]);
    const rest = papers.map(({ title, abstract }) => `${title} ${sentences(abstract).slice(2).join(' ')}`);
    const byBm25 = knownItems(bm25Scores(rest, queries));
    expect(byBm25.first).toBe(36);
    expect(rounded(byBm25.meanReciprocalRank)).toBe(0.734);
    const shared = knownItems(
      queries.map((query) => {
        const asked = new Set(tokens(query));
        return rest.map((text) => new Set(tokens(text).filter((word) => asked.has(word))).size);
      }),
    );
    expect(shared.first).toBe(25);
    expect(rounded(shared.meanReciprocalRank)).toBe(0.5679);
    // The rule: at least .68, and .10 above shared words; else it is not reproduced.
    expect(byBm25.meanReciprocalRank).toBeGreaterThanOrEqual(0.68);
    expect(byBm25.meanReciprocalRank - shared.meanReciprocalRank).toBeGreaterThanOrEqual(0.1);
  });

  describe('among 2,000 made-up papers', () => {
    let site: TestSite;
    const titles = new Set(papers.map(({ title }) => title));
    beforeAll(async () => {
      site = await testSite();
      await upsertPapers(site, papers, 'page');
      await upsertPapers(site, distractors(2000), 'made up');
      await openSearch(site);
      await site.drain(searchJobs(site));
      await refreshSearch(site);
    }, 600_000);
    afterAll(() => site?.close());
    const first = async (q: string, limit: number) =>
      (await search(site, { q, limit, offset: 0 })).papers.map(({ title }) => title);

    it('"importance scores" finds 20 of the page in the first 20', async () => {
      const found = await first('importance scores', 20);
      expect(precisionAtK(found, titles, 20)).toBe(1);
    });

    it('each is found first by its title, with a letter lost as well', async () => {
      let right = 0;
      let typed = 0;
      for (const { title } of papers) {
        right += Number((await first(title, 1))[0] === title);
        const words = title.split(' ');
        const longest = words.reduce((a, b) => (b.length > a.length ? b : a));
        typed += Number((await first(title.replace(longest, longest.slice(0, 2) + longest.slice(3)), 1))[0] === title);
      }
      expect(right).toBe(58);
      expect(typed).toBeGreaterThanOrEqual(57);
    });
  });
});

/** Papers about other things: half of them hold "importance" or "score" by the way. */
function distractors(n: number): PaperInput[] {
  const random = new Random(0, 'distractors');
  const nouns =
    'galaxy protein traffic soil enzyme turbine glacier vaccine market crystal neutron reef orbit battery canal antenna pigment bridge harvest tremor'.split(
      ' ',
    );
  const verbs = 'measure observe simulate estimate compare describe model predict map monitor'.split(' ');
  const others =
    'field survey season temperature pressure rate density region sample instrument period signal growth yield flow error cost risk supply range'.split(
      ' ',
    );
  return Array.from({ length: n }, (_, i) => {
    const pick = (list: readonly string[]) => random.choice(list);
    const subject = pick(nouns);
    const sentence = () =>
      `We ${pick(verbs)} the ${pick(others)} of each ${pick([subject, pick(nouns)])} over a ${pick(others)} and ${pick(verbs)} its ${pick(others)}.`;
    const aside = ['The importance of this is plain.', 'A score is given for each.', '', ''][i % 4];
    return {
      title: `${pick(verbs)} ${subject} ${pick(others)} ${i}`,
      abstract: [...Array.from({ length: 7 }, sentence), aside].join(' ').trim(),
      posted: '2024-06-01',
      authorCount: 3,
    };
  });
}
