import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import {
  batch,
  beginToken,
  document,
  domains,
  keys,
  prepositions,
  sentence,
  textOf,
  tokenizerJson,
  tokenOf,
  tokensOf,
  unknownToken,
  values,
  vocabulary,
} from './index.ts';

const asked = { length: 512, facts: 12, questions: 8 };

/** The sentences of a text, without their full stops. */
const sentencesOf = (text: string) =>
  text
    .replace('<s> ', '')
    .split(' .')
    .map((s) => s.trim().split(' '))
    .filter(([first]) => first !== '');

const options = fc
  .record({ facts: fc.integer({ min: 0, max: 20 }), questions: fc.nat(20), extra: fc.integer({ min: 4, max: 900 }) })
  .map(({ facts, questions, extra }) => {
    const asks = Math.min(facts, questions);
    return { facts, questions: asks, length: 1 + 5 * (facts + asks) + extra };
  });
const seeds = fc.nat(1e6);

describe('the vocabulary', () => {
  it('has 309 words, each once, with the begin and the unknown token first', () => {
    expect(vocabulary.length).toBe(309);
    expect(new Set(vocabulary).size).toBe(309);
    expect(vocabulary.slice(0, 2)).toEqual(['<s>', '<unk>']);
    expect([keys.length, values.length, domains.length]).toEqual([64, 64, 3]);
  });

  it('has words of one kind only: no key is a value, no word belongs to two domains', () => {
    const own = domains.map(({ name, ...classes }) => Object.values(classes).flat() as string[]);
    const all = [...keys, ...values, ...own.flat(), ...prepositions];
    expect(new Set(all).size).toBe(all.length);
  });

  it('has as many plural forms as singular ones', () => {
    for (const { nouns, pluralNouns, verbs, pluralVerbs } of domains) {
      expect(pluralNouns.length).toBe(nouns.length);
      expect(pluralVerbs.length).toBe(verbs.length);
      expect([...pluralNouns, ...pluralVerbs]).not.toContain(undefined);
    }
  });

  it('is a word-level tokenizer split at white space', () => {
    const { model, pre_tokenizer, added_tokens } = tokenizerJson();
    expect(model.type).toBe('WordLevel');
    expect(model.unk_token).toBe('<unk>');
    expect(pre_tokenizer).toEqual({ type: 'WhitespaceSplit' });
    expect(added_tokens.map(({ id, content }) => [id, content])).toEqual([
      [beginToken, '<s>'],
      [unknownToken, '<unk>'],
    ]);
    vocabulary.forEach((word, id) => {
      expect(model.vocab[word]).toBe(id);
    });
  });

  it('gives words it lacks the unknown token', () => {
    expect(textOf(tokensOf('the  zeppelin and\namber'))).toBe('the <unk> and amber');
  });
});

describe('a sentence', () => {
  it('has a verb that agrees with its subject, also across a place, and takes the plural after `and`', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 2 }), (seed, d) => {
        const { nouns, pluralNouns, verbs, pluralVerbs, adjectives, places, adverbs } = domains[d];
        const words = sentence(new Random(seed), domains[d], 0.3);
        let at = 0;
        const nounPhrase = () => {
          const article = words[at++];
          if (adjectives.includes(words[at]) || values.includes(words[at])) at++;
          const noun = words[at++];
          const plural = pluralNouns.includes(noun);
          expect(plural || nouns.includes(noun)).toBe(true);
          expect(plural ? ['the'] : ['the', 'every']).toContain(article);
          return plural;
        };
        let plural = nounPhrase();
        if (words[at] === 'and') {
          at++;
          nounPhrase();
          plural = true;
        } else if (prepositions.includes(words[at])) {
          expect(words[at + 1]).toBe('the');
          expect(places).toContain(words[at + 2]);
          at += 3;
        }
        expect(plural ? pluralVerbs : verbs).toContain(words[at++]);
        if (keys.includes(words[at + 1])) at += 2;
        else if (['the', 'every'].includes(words[at])) nounPhrase();
        if (adverbs.includes(words[at])) at++;
        expect(words.slice(at)).toEqual(['.']);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a document', () => {
  it('is as long as asked, begins with the begin token, and is its text', () => {
    fc.assert(
      fc.property(seeds, options, (seed, given) => {
        const { tokens, text } = document(new Random(seed), given);
        expect(tokens.length).toBe(given.length);
        expect(tokens.filter((token) => token === beginToken)).toEqual(Int32Array.of(beginToken));
        expect(tokens[0]).toBe(beginToken);
        expect(text.endsWith(' .') || given.length === 1).toBe(true);
        expect(tokensOf(text)).toEqual(tokens);
        expect(tokens).not.toContain(unknownToken);
      }),
    );
  });

  it('states each key it asks for exactly once, before, with the value it answers', () => {
    fc.assert(
      fc.property(seeds, options, (seed, given) => {
        const { tokens, text, questions } = document(new Random(seed), given);
        const sentences = sentencesOf(text);
        const notes = sentences.filter(([first]) => first === 'note');
        expect(notes.length).toBe(given.facts);
        expect(new Set(notes.map((words) => words[2])).size).toBe(given.facts);
        expect(sentences.filter(([first]) => first === 'ask').map((words) => words[2])).toEqual(
          questions.map(({ key }) => key),
        );
        expect(questions.length).toBe(given.questions);
        expect(new Set(questions.map(({ key }) => key)).size).toBe(given.questions);
        for (const { position, key, value, factPosition, distance } of questions) {
          expect(textOf(tokens.subarray(position - 3, position + 2))).toBe(`ask : ${key} ${value} .`);
          expect(textOf(tokens.subarray(factPosition - 3, factPosition + 2))).toBe(`note : ${key} ${value} .`);
          expect(distance).toBe(position - factPosition);
          expect(distance).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('has its facts in the first 40% and its questions in the last 25%, to within a sentence', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { tokens, questions } = document(new Random(seed), asked);
      expect(tokens.lastIndexOf(tokenOf('note'))).toBeLessThan(0.4 * asked.length);
      expect(tokens.indexOf(tokenOf('ask'))).toBeGreaterThan(0.75 * asked.length - 20);
      expect(Math.min(...questions.map(({ distance }) => distance))).toBeGreaterThan(0.3 * asked.length);
    }
  });

  it('mentions keys in its filler as often as asked, and never gives one a property there', () => {
    const keyTokens = new Set(keys.map(tokenOf));
    const count = (mention: number) => {
      const { text } = document(new Random(7), { length: 4096, facts: 0, questions: 0, mention });
      expect(text).not.toContain(' is ');
      return tokensOf(text).filter((token) => keyTokens.has(token)).length;
    };
    expect(count(0)).toBe(0);
    expect(count(0.1)).toBeGreaterThan(0);
    expect(count(1)).toBeGreaterThan(5 * count(0.1));
  });

  it('has a domain that the counts of its words tell', () => {
    const own = domains.map(({ name, ...classes }) => new Set(Object.values(classes).flat() as string[]));
    for (let seed = 0; seed < 100; seed++) {
      const { text, domain } = document(new Random(seed), { length: 128, facts: 4, questions: 4 });
      const counts = own.map((words) => text.split(' ').filter((word) => words.has(word)).length);
      expect(counts[domain]).toBeGreaterThan(10);
      expect(counts.filter((_, d) => d !== domain)).toEqual([0, 0]);
    }
  });

  it('pairs keys and values anew each time: over many documents no value is likelier for a key', () => {
    const random = new Random(3);
    const firstHalf = new Set(values.slice(0, 32));
    let [n, first] = [0, 0];
    for (let i = 0; i < 400; i++) {
      for (const { key, value } of document(random, { length: 200, facts: 12, questions: 12 }).questions) {
        n++;
        if (keys.indexOf(key) < 32 === firstHalf.has(value)) first++;
      }
    }
    expect(n).toBe(4800);
    expect(Math.abs(first / n - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / n));
  });

  it('is the same for the same seed and another for another', () => {
    const of = (seed: number) => document(new Random(seed), asked).text;
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });

  it('can be without filler', () => {
    const { text } = document(new Random(0), { length: 11, facts: 1, questions: 1 });
    expect(text).toMatch(/^<s> note : (\w+) (\w+) \. ask : \1 \2 \.$/);
  });

  it('refuses more questions than facts, more facts than keys, and lengths that leave no room', () => {
    const make = (length: number, facts: number, questions: number) => () =>
      document(new Random(0), { length, facts, questions });
    expect(make(128, 2, 3)).toThrow('3 questions about 2 facts');
    expect(make(1024, 65, 1)).toThrow('0 to 64 facts, not 65');
    expect(make(1024, Number.NaN, 1)).toThrow('not NaN');
    expect(make(14, 1, 1)).toThrow('need a length of 11, or 15 and more, not 14');
    expect(make(10, 1, 1)).toThrow('not 10');
  });
});

describe('a batch', () => {
  it('has documents of one token more than its length, and weights the targets that answer', () => {
    const rows = { batch: 3, length: 128, facts: 5, questions: 4, answerWeight: 6 };
    const { tokens, weights, documents } = batch(new Random(5), rows);
    expect([tokens.length, weights.length]).toEqual([3 * 129, 3 * 128]);
    documents.forEach((made, row) => {
      expect(tokens.subarray(row * 129, (row + 1) * 129)).toEqual(made.tokens);
      const weighted = made.questions.map(({ position }) => row * 128 + position - 1);
      expect(weighted.every((at) => weights[at] === 6)).toBe(true);
    });
    expect(weights.reduce((sum, w) => sum + w, 0)).toBe(3 * (128 + 4 * 5));
  });
});
