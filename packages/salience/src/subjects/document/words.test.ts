import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParameterError } from '../../core/errors.ts';
import { stopWordsOf } from './stop-words.ts';
import { wordsOf } from './words.ts';

describe('wordsOf', () => {
  it.each([
    ['en', 'The lamp, the lens & the log.', ['the', 'lamp', 'the', 'lens', 'the', 'log']],
    ['en', "Don't touch the keeper's lamp", ["don't", 'touch', 'the', "keeper's", 'lamp']],
    ['en', 'Don’t', ["don't"]],
    ['en', "'quoted' --dashed-- well-known state‑of‑the‑art", ['quoted', 'dashed', 'well-known', 'state‐of‐the‐art']],
    ['en', '3.14 and 1,000,000 but 5, 6. 7', ['3.14', 'and', '1,000,000', 'but', '5', '6', '7']],
    ['en', 'end.Next x.1', ['end', 'next', 'x', '1']],
    ['en', 'ﬁne Ｗｉｄｅ x² light\u00adhouse', ['fine', 'wide', 'x2', 'lighthouse']],
    ['en', 'cafe\u0301 naïve 20th', ['café', 'naïve', '20th']],
    ['de', 'Die Straße, GRÖßE', ['die', 'straße', 'größe']],
    ['fr', "L'eau d’ici, peut-être", ['l', 'eau', 'd', 'ici', 'peut-être']],
    ['it', "dell'acqua", ['dell', 'acqua']],
    ['tr', 'Işık İstanbul', ['ışık', 'istanbul']],
    ['el', 'ΟΔΟΣ', ['οδος']],
    ['hi', 'प्रकाश स्तंभ।', ['प्रकाश', 'स्तंभ']],
    ['zh', '灯塔指引船只。', ['灯塔', '指引', '船只']],
    ['ja', '灯台は船を導く。', ['灯台', 'は', '船', 'を', '導く']],
    ['th', 'แสงสว่าง', ['แสง', 'สว่าง']],
    ['en', '', []],
    ['en', '— … !', []],
  ])('in %s, %j has the words %j', (language, text, words) => {
    expect(wordsOf(text, language)).toEqual(words.map((word) => word.replace(/[ς]$/u, 'ς')));
  });

  it('never depends on how many texts were read before', () => {
    expect(wordsOf('one two', 'en')).toEqual(wordsOf('one two', 'en'));
  });

  it('reads a long text as it reads its parts', () => {
    const part = 'The well-known lamp of the keeper’s tower cost 1,000.50 francs.\n';
    const expected = Array.from({ length: 3000 }, () => wordsOf(part, 'en')).flat();
    expect(wordsOf(part.repeat(3000), 'en')).toEqual(expected);
  });

  it('reads a long text without spaces as it reads its clauses', () => {
    const clause = '灯塔是位于海岸的航标，';
    const expected = Array.from({ length: 300 }, () => wordsOf(clause, 'zh')).flat();
    expect(wordsOf(clause.repeat(300), 'zh')).toEqual(expected);
  });

  it('survives a word of ten million letters', () => {
    expect(wordsOf('ā'.repeat(1e7), 'en').join('')).toHaveLength(1e7);
  });

  it('gives words of letters and digits in lower case, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const word of wordsOf(text, 'en')) {
          expect(word).toMatch(/^[\p{L}\p{N}]/u);
          expect(word).not.toMatch(/\s/);
          expect(word).toBe(word.toLowerCase());
        }
      }),
    );
  });

  it('refuses what is no language tag', () => {
    expect(() => wordsOf('a', 'not a language')).toThrow(ParameterError);
    expect(() => wordsOf('a', 'not a language')).toThrow('"not a language" is not a language tag');
  });
});

describe('stopWordsOf', () => {
  it('has the little words of a language, as wordsOf writes them', () => {
    const english = stopWordsOf('en');
    for (const word of wordsOf('The and of is it was don’t', 'en')) expect(english.has(word)).toBe(true);
    expect(english.has('lighthouse')).toBe(false);
    expect(stopWordsOf('de').has('und')).toBe(true);
    expect(stopWordsOf('fr').has('l')).toBe(true);
  });

  it('looks past region and script, and at Norwegian under either name', () => {
    expect(stopWordsOf('en-GB')).toBe(stopWordsOf('en'));
    expect(stopWordsOf('zh-Hant')).toBe(stopWordsOf('zh'));
    expect(stopWordsOf('nb').has('ikke')).toBe(true);
  });

  it('is empty for a language without a list', () => {
    expect(stopWordsOf('is').size).toBe(0);
  });
});
