import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf, isDay, linksIn, merge, type PaperInput } from './facts.ts';

const base: PaperInput = { title: 'A title', abstract: 'Some words.', authorCount: 2, posted: '2024-02-29' };
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const days = fc.constantFrom('2024-01-31', '2024-02-29', '2025-03-01');
const inputs: fc.Arbitrary<PaperInput> = fc.record({
  title: fc.constantFrom('A title', 'a  Title!', 'Another title'),
  abstract: fc.constantFrom(
    '',
    'Some words.',
    'Some other words: https://github.com/a/b',
    'More https://github.com/c/d words',
  ),
  abstractKind: fc.constantFrom('abstract', 'summary'),
  arxiv: optional(fc.constant('2401.00001')),
  doi: optional(fc.constant('10.1000/182')),
  version: fc.integer({ min: 1, max: 3 }),
  authors: fc.constantFrom([], ['Ada Lovelace'], ['A. Lovelace', 'C. Babbage']),
  authorCount: fc.integer({ min: 1, max: 4 }),
  posted: days,
  yearInferred: fc.boolean(),
  categories: fc.constantFrom([], ['cs.LG'], ['cs.CL', 'cs.LG']),
  links: fc.constantFrom([], ['https://example.org/x']),
  codeUrl: optional(fc.constantFrom('https://github.com/e/f', 'https://github.com/a/a')),
  system: optional(fc.constant('lexrank')),
  implemented: fc.boolean(),
  importedComments: fc.nat(5),
  importedVotes: fc.nat(5),
  withdrawn: fc.boolean(),
  note: optional(fc.constantFrom('12 pages', 'withdrawn')),
  versionDate: optional(days),
  submittedBy: optional(fc.constantFrom('p1', 'p2')),
});
const facts = fc.tuple(inputs, fc.constantFrom('arxiv', 'daily')).map(([input, source]) => factsOf(input, source));

describe('merging what sources say', () => {
  it('does not depend on the order', () => {
    fc.assert(
      fc.property(facts, facts, (a, b) => {
        expect(merge(a, b)).toEqual(merge(b, a));
      }),
    );
  });
  it('does not depend on the grouping', () => {
    fc.assert(
      fc.property(facts, facts, facts, (a, b, c) => {
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      }),
    );
  });
  it('changes nothing when the same is said again', () => {
    fc.assert(
      fc.property(facts, facts, (a, b) => {
        expect(merge(merge(a, b), b)).toEqual(merge(a, b));
      }),
    );
  });

  it('takes the newer text and keeps the older among the versions', () => {
    const older = factsOf({ ...base, abstract: 'Old words that are longer.', version: 1 }, 's');
    const newer = factsOf({ ...base, abstract: 'New words.', version: 2, versionDate: '2024-05-01' }, 's');
    const both = merge(older, newer);
    expect(both.abstract).toBe('New words.');
    expect(both.versions.map(({ version, abstract }) => [version, abstract])).toEqual([
      [1, 'Old words that are longer.'],
      [2, 'New words.'],
    ]);
  });
  it('never puts our summary in the place of an abstract', () => {
    const theirs = factsOf({ ...base, abstract: 'Theirs.' }, 's');
    const ours = factsOf({ ...base, abstract: 'Ours is longer and newer.', abstractKind: 'summary', version: 9 }, 's');
    expect(merge(theirs, ours)).toMatchObject({ abstract: 'Theirs.', abstractKind: 'abstract', version: 9 });
  });
  it('lets the latest version say whether it is withdrawn', () => {
    const withdrawn = factsOf({ ...base, version: 2, withdrawn: true }, 's');
    expect(merge(factsOf(base, 's'), withdrawn).withdrawn).toBe(true);
    expect(merge(withdrawn, factsOf({ ...base, version: 3 }, 's')).withdrawn).toBe(false);
  });
  it('prefers a date with its year, then the earlier one', () => {
    const inferred = factsOf({ ...base, posted: '2023-02-01', yearInferred: true }, 's');
    expect(merge(inferred, factsOf(base, 's'))).toMatchObject({ posted: '2024-02-29', yearInferred: false });
  });
});

describe('a record', () => {
  it.each([
    ['an empty title', { title: ' ' }, /title is empty/],
    ['a title over 500 characters', { title: 'x'.repeat(501) }, /501 characters; at most 500/],
    ['an abstract over 20,000 characters', { abstract: 'x'.repeat(20_001) }, /20001 characters; at most 20000/],
    ['a day that the calendar has not', { posted: '2023-02-29' }, /posted "2023-02-29" is not a day/],
    ['no authors at all', { authorCount: undefined }, /author count 0/],
    ['an arXiv id that is none', { arxiv: '24.1' }, /"24.1" is not an arXiv id/],
    ['code at an address of a script', { codeUrl: 'javascript:alert(1)' }, /is not an http/],
    ['negative comments', { importedComments: -1 }, /importedComments -1/],
  ])('is refused for %s', (_, over, reason) => {
    expect(() => factsOf({ ...base, ...over }, 's')).toThrow(reason);
  });

  it('is known by its arXiv id where its DOI is arXiv’s', () => {
    expect(factsOf({ ...base, doi: 'https://doi.org/10.48550/arXiv.2410.11772' }, 's')).toMatchObject({
      arxiv: '2410.11772',
      doi: null,
    });
  });
  it('loses control characters and broken surrogates, which no database takes', () => {
    expect(factsOf({ ...base, title: 'A\u0000 ti\ud800tle' }, 's').title).toBe('A title');
  });
});

describe('links in a text', () => {
  it('lose the punctuation after them and the macro around them', () => {
    expect(linksIn('See https://a.org/x., (https://b.org/y) and \\url{https://c.org/z}.')).toEqual([
      'https://a.org/x',
      'https://b.org/y',
      'https://c.org/z',
    ]);
  });
});

describe('days', () => {
  it('are those of the calendar', () => {
    expect(['2024-02-29', '2023-02-29', '2024-13-01', '2024-1-1', '0000-00-00'].map(isDay)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
