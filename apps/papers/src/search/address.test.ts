import { describe, expect, it } from 'vitest';
import { readSearch, searchQuery } from './address.ts';

const topics = [{ id: 'pruning' }];

describe('a search in an address', () => {
  it('is read back as it was written', () => {
    const search = {
      q: '"kv cache" & more',
      from: '2024-01-01',
      to: '2024-12-31',
      topic: 'pruning',
      implemented: true,
      hasCode: true,
      minAuthors: 3,
    };
    const read = readSearch(Object.fromEntries(new URLSearchParams(searchQuery(search))), topics);
    expect(read).toEqual({ search, wrong: [] });
  });

  it('names what is not understood, and leaves it out', () => {
    const { search, wrong } = readSearch(
      { q: ' x ', from: '2025-02-30', topic: 'none', code: 'perhaps', authors: '-1' },
      topics,
    );
    expect(search).toEqual({ q: 'x' });
    expect(wrong).toHaveLength(4);
    expect(wrong[0]).toContain('“2025-02-30” is no day of the calendar');
  });

  it('empty fields ask for nothing', () => {
    expect(readSearch({ q: '', from: '', to: '', topic: '', authors: '' }, topics)).toEqual({
      search: { q: '' },
      wrong: [],
    });
  });
});
