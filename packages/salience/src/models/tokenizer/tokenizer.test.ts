import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, writeFiles } from '../../../test/made-safetensors.ts';
import { CancelledError, InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { checkVocabulary, openTokenizer, type Tokenizer, tokenizerFrom, wordLevelTokenizerJson } from './tokenizer.ts';

const root = temporaryFolder();
let made = 0;
function folderWith(files: Readonly<Record<string, Uint8Array | string | object>>): string {
  const folder = join(root, String(made++));
  mkdirSync(folder);
  writeFiles(folder, files);
  return folder;
}

const words = ['<unk>', 'key', 'value', 'constructor', '__proto__', '7'];

describe('a word-level tokenizer', () => {
  const json = () => JSON.parse(JSON.stringify(wordLevelTokenizerJson(words, { unknown: '<unk>' })));

  it('gives each word its place in the list, and words back with a space between them', async () => {
    const tokenizer = await openTokenizer(folderWith({ 'tokenizer.json': json() }));
    expect(tokenizer.vocabularySize).toBe(6);
    expect([...(await tokenizer.encode('value  key\n7 constructor __proto__'))]).toEqual([2, 1, 5, 3, 4]);
    expect(tokenizer.decode([2, 1, 5])).toBe('value key 7');
    expect([tokenizer.idOf('value'), tokenizer.tokenOf(2), tokenizer.idOf('no'), tokenizer.tokenOf(6)]).toEqual([
      2,
      'value',
      undefined,
      undefined,
    ]);
  });

  it('gives other words the unknown one, and nothing for nothing', async () => {
    const tokenizer = tokenizerFrom(json(), {}, 't');
    expect([...(await tokenizer.encode('key hasOwnProperty value'))]).toEqual([1, 0, 2]);
    expect((await tokenizer.encode('')).length).toBe(0);
    expect(tokenizer.decode([])).toBe('');
  });

  it('splits words from signs where the file says Whitespace', async () => {
    const tokenizer = tokenizerFrom({ ...json(), pre_tokenizer: { type: 'Whitespace' } }, {}, 't');
    expect([...(await tokenizer.encode('key,value'))]).toEqual([1, 0, 2]);
  });

  it('names the word where there is no unknown one', async () => {
    const { unk_token, ...model } = json().model;
    const tokenizer = tokenizerFrom({ ...json(), model }, {}, 't.json');
    await expect(tokenizer.encode('key door')).rejects.toThrow(/t\.json: has no token for "door"/);
  });

  it('gives back any sequence of its words, also in pieces', async () => {
    const tokenizer = tokenizerFrom(json(), {}, 't');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(words.length - 1)), async (ids) => {
        expect([...(await tokenizer.encode(tokenizer.decode(ids)))]).toEqual(ids);
      }),
    );
    const many = Array.from({ length: 60_000 }, (_, i) => (i * i) % words.length);
    expect([...(await tokenizer.encode(tokenizer.decode(many)))]).toEqual(many);
  });

  it('is made of words that are all different, not empty, without white space, with the unknown one among them', () => {
    const make = (list: string[]) => () => wordLevelTokenizerJson(list, { unknown: 'a' });
    expect(make(['a', 'b', 'a'])).toThrow(ParameterError);
    expect(make(['a', ''])).toThrow(/"" is no word/);
    expect(make(['a', 'b c'])).toThrow(/"b c" is no word/);
    expect(make(['b'])).toThrow(/unknown word "a" is not among/);
  });
});

/** Byte-level, a token a byte, with "th" and "the" merged, and two special tokens around a text. */
function bytes(change: object = {}): Record<string, unknown> {
  const alphabet = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const vocab = Object.fromEntries([...alphabet, 'Ġ', 'Ċ', 'Ã', '©', 'th', 'the'].map((token, id) => [token, id]));
  return {
    added_tokens: [
      { id: 100, content: '<s>', special: true },
      { id: 101, content: '</s>', special: true },
    ],
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }, { SpecialToken: { id: '</s>' } }],
      pair: [],
      special_tokens: {
        '<s>': { id: '<s>', ids: [100], tokens: ['<s>'] },
        '</s>': { id: '</s>', ids: [101], tokens: ['</s>'] },
      },
    },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: ['t h', 'th e'] },
    ...change,
  };
}

describe('a byte-level tokenizer', () => {
  const tokenizer = tokenizerFrom(bytes(), {}, 't');

  it('merges by rank, and puts special tokens around a text only when asked', async () => {
    expect([...(await tokenizer.encode('the that'))]).toEqual([99, 94, 98, 64, 83]);
    expect([...(await tokenizer.encode('th', new Run(), { special: true }))]).toEqual([100, 98, 101]);
    expect([...(await tokenizer.encode('a<s>a'))]).toEqual([64, 100, 64]);
  });

  it('gives text back just as it was, spaces before signs too', async () => {
    for (const text of ['é', " n't , . ! ", '\n\n the\n', '<s>x</s>']) {
      expect(tokenizer.decode(await tokenizer.encode(text))).toBe(text);
    }
  });

  it('reads ids that have no token as nothing, and refuses what is no id', () => {
    expect(tokenizer.decode([99, 5000, 64])).toBe('thea');
    for (const id of [-1, 0.5, Number.NaN]) expect(() => tokenizer.decode([id])).toThrow(ParameterError);
  });

  it('reads a long text in pieces as it would at once', async () => {
    const atOnce = tokenizerFrom(
      bytes({ normalizer: { type: 'Replace', pattern: { String: '~~~' }, content: '' } }),
      {},
      't',
    );
    const parts = ['the', ' ', '\n', '  ', 'x.', "n't", '<s>', '\n\n \n', 'the ', '9', ' <', ' é'];
    let seed = 7;
    const next = () => {
      seed = (seed * 16807) % 2147483647;
      return seed;
    };
    const text = Array.from({ length: 150_000 }, () => parts[next() % parts.length]).join('');
    const seen: number[] = [];
    const ids = await tokenizer.encode(text, new Run({ onProgress: ({ done }) => seen.push(done) }));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen[seen.length - 1]).toBe(text.length);
    expect(ids).toEqual(await atOnce.encode(text));
    expect(tokenizer.decode(ids)).toBe(text);
  });

  it.each([
    ['GPT-2', String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`],
    [
      'Llama 3',
      String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
    [
      'Qwen',
      String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
    ],
  ])('with the pattern of %s reads a text in pieces as it would at once', async (_, Regex) => {
    const split = { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false };
    const pretokenizers = [split, { type: 'ByteLevel', add_prefix_space: false, use_regex: false }];
    // Merges of white space show where a run of it was cut.
    const { vocab, merges } = bytes().model as { vocab: Record<string, number>; merges: string[] };
    const spaces = ['ĠĠ', 'ĊĊ', 'ĠĊ', 'Ġt', 'eĠ', 'eĊ', 'Ċt'];
    const model = {
      type: 'BPE',
      vocab: { ...vocab, ...Object.fromEntries(spaces.map((token, i) => [token, 110 + i])) },
      merges: [...spaces.map((token) => `${token[0]} ${token[1]}`), ...merges],
    };
    const json = bytes({ model, pre_tokenizer: { type: 'Sequence', pretokenizers } });
    const cut = tokenizerFrom(json, {}, 't');
    const whole = tokenizerFrom({ ...json, normalizer: { type: 'Sequence', normalizers: [] } }, {}, 't');
    const parts = ['the', ' ', '\n', '  ', 'x.', "n't", "'S", '\n\n \n', 'the ', '1234', ' <', ' é'];
    const text = Array.from({ length: 60_000 }, (_, i) => parts[(i * i * 31 + (i >> 3)) % parts.length]).join('');
    const seen: number[] = [];
    const ids = await cut.encode(text, new Run({ onProgress: ({ done }) => seen.push(done) }));
    expect(seen.length).toBeGreaterThan(1);
    expect(ids).toEqual(await whole.encode(text));
  });

  it('can be cancelled between pieces', async () => {
    const controller = new AbortController();
    const run = new Run({ signal: controller.signal, onProgress: () => controller.abort() });
    await expect(tokenizer.encode('the '.repeat(50_000), run)).rejects.toThrow(CancelledError);
  });
});

/** A token a character or byte, and merges over the whole text, which nothing divides: as Llama 2 has it. */
function undivided(
  change: object = {},
  merges = ['▁ ▁', '▁▁ ▁▁', 't h', 'th e', '▁ the', 'x .', '▁t h', '▁ t', '\n ▁'],
) {
  const byte = (_: unknown, b: number) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>`;
  const characters = [...'▁\n.abcdefghijklmnopqrstuvwxyz'];
  const made = merges.map((merge) => merge.replace(' ', ''));
  const vocab = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, byte), ...new Set([...characters, ...made])];
  return {
    added_tokens: vocab.slice(0, 3).map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
      merges,
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
    },
    ...change,
  };
}

describe('a tokenizer that merges over the whole text', () => {
  const parts = ['the', ' ', '\n', '  ', ' the', 'x.', '<s>', '</s> a', ' ü', 'the ', ' t', 'h', '9', '      ', '漢 b'];
  const text = Array.from({ length: 60_000 }, (_, i) => parts[(i * i * 31 + (i >> 3)) % parts.length]).join('');
  const encoded = async (json: object, of = text) => {
    const seen: number[] = [];
    const run = new Run({ onProgress: ({ done, total }) => seen.push(done / total!) });
    const tokenizer = tokenizerFrom(json as Record<string, unknown>, {}, 't');
    return { ids: await tokenizer.encode(of, run), seen, tokenizer };
  };
  /** The same tokenizer, but with a step that changes nothing and is not known to change nothing. */
  const atOnce = (json: ReturnType<typeof undivided>) => ({
    ...json,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(json.normalizer?.normalizers ?? []),
        { type: 'Replace', pattern: { String: '~~~' }, content: '' },
      ],
    },
  });
  const plain = { normalizer: null };
  const meta = (prepend_scheme: string) => ({
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme, split: false },
  });

  it.each([
    ['a space put before each text', undivided()],
    ['that put there by Metaspace', undivided(meta('always'))],
    ['that put there by Metaspace before the first part', undivided(meta('first'))],
    ['no space put there', undivided(meta('never'))],
    ['spaces as they are', undivided(plain)],
    ['merges that join letters with the space after them', undivided({}, ['▁ t', 'e ▁', 'e▁ ▁t', 'h e', 'a ▁'])],
  ])('reads a long text in pieces as it would at once: %s', async (_, json) => {
    const { ids, seen, tokenizer } = await encoded(json);
    const whole = await encoded(atOnce(json as never));
    expect(seen.length).toBeGreaterThan(2);
    expect(seen[seen.length - 1]).toBe(1);
    expect(whole.seen).toEqual([]);
    expect(ids).toEqual(whole.ids);
    expect(tokenizer.decode(ids)).toBe(whole.tokenizer.decode(ids));
  });

  it.each([
    [
      'a merge joins every letter with the space after it',
      undivided(
        {},
        [...'abcdefghijklmnopqrstuvwxyz'].flatMap((c) => [`${c} ▁`, `${c.toUpperCase()} ▁`]),
      ),
    ],
    ['a special token ends in a letter', undivided({ added_tokens: [{ id: 1, content: '@s', special: true }] })],
    [
      'unknown characters are joined to one token',
      undivided({ model: { ...undivided().model, byte_fallback: false } }),
    ],
  ])('reads it in one go where a cut might change it: %s', async (_, json) => {
    expect((await encoded(json)).seen).toEqual([]);
  });

  it('can be cancelled between pieces', async () => {
    const controller = new AbortController();
    const run = new Run({ signal: controller.signal, onProgress: () => controller.abort() });
    const tokenizer = tokenizerFrom(undivided(), {}, 't');
    await expect(tokenizer.encode('the '.repeat(50_000), run)).rejects.toThrow(CancelledError);
  });
});

describe('a tokenizer beside a model', () => {
  const tokenizer = tokenizerFrom(bytes(), {}, 't.json');

  it('may have fewer tokens than the model, whose embedding may be padded, not more', () => {
    expect(tokenizer.vocabularySize).toBe(102);
    expect(() => checkVocabulary(tokenizer, { vocabulary: 102 })).not.toThrow();
    expect(() => checkVocabulary(tokenizer, { vocabulary: 128 })).not.toThrow();
    expect(() => checkVocabulary(tokenizer, { vocabulary: 101 })).toThrow(
      /t\.json: has tokens up to 101, a vocabulary of 102; the model's has 101/,
    );
  });
});

describe('a tokenizer that is wrong', () => {
  const model = (vocab: unknown) => bytes({ model: { type: 'BPE', vocab, merges: [] } });
  it.each<[string, string | object, RegExp]>([
    ['is not JSON', '{"model":', /not valid JSON/],
    ['is no object', '[]', /no JSON object/],
    ['is nested too deeply', '['.repeat(200_000), /JSON/],
    ['has no model', {}, /has no "model" object/],
    ['has no vocabulary', model(undefined), /the model has no "vocab"/],
    ['has an empty vocabulary', { model: { type: 'BPE', vocab: {}, merges: [] } }, /the vocabulary is empty/],
    [
      'has a huge id',
      model({ a: 4294967294 }),
      /token "a" has id 4294967294; ids are whole numbers from 0 to 16777215/,
    ],
    ['has an id that is a text', model({ a: '0' }), /token "a" has id "0"/],
    ['has a negative id', model({ a: -1 }), /token "a" has id -1/],
    ['has an id twice', model({ a: 0, b: 0 }), /tokens "a" and "b" both have id 0/],
    ['has an added token with a huge id', bytes({ added_tokens: [{ id: 1e300, content: 'x' }] }), /"added_tokens"/],
    ['has an added token that is null', bytes({ added_tokens: [null] }), /"added_tokens"/],
    ['has an unknown splitter', bytes({ pre_tokenizer: { type: 'Magic' } }), /Unknown PreTokenizer type: Magic/],
    ['has no merges', bytes({ model: { type: 'BPE', vocab: { a: 0 } } }), /is no tokenizer that can be run/],
    [
      'has a unigram that is no pair',
      { model: { type: 'Unigram', vocab: [['a', 0], ['b']] } },
      /piece 1 of the vocabulary/,
    ],
  ])('%s', async (_, content, message) => {
    const folder = folderWith({ 'tokenizer.json': content });
    const opened = openTokenizer(folder);
    await expect(opened).rejects.toThrow(InputError);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(join(folder, 'tokenizer.json'));
  });

  it('is missing, a folder, or larger than any', async () => {
    await expect(openTokenizer(folderWith({}))).rejects.toThrow(/has no tokenizer\.json/);
    const folder = folderWith({});
    mkdirSync(join(folder, 'tokenizer.json'));
    await expect(openTokenizer(folder)).rejects.toThrow(/is no file/);
    const large = folderWith({ 'tokenizer.json': '{}' });
    truncateSync(join(large, 'tokenizer.json'), 2 ** 28 + 1);
    await expect(openTokenizer(large)).rejects.toThrow(/has 268,435,457 bytes; a tokenizer has at most 268,435,456/);
  });

  it('has a tokenizer_config.json that is not JSON', async () => {
    const folder = folderWith({ 'tokenizer.json': bytes(), 'tokenizer_config.json': '{' });
    await expect(openTokenizer(folder)).rejects.toThrow(/tokenizer_config\.json: is not valid JSON/);
    writeFileSync(join(folder, 'tokenizer_config.json'), '{"clean_up_tokenization_spaces": true}');
    expect((await openTokenizer(folder)).decode([64, 94, 13])).toBe('a .');
  });
});

const shared = (path: string) => fileURLToPath(new URL(`../../../../../../shared/${path}`, import.meta.url));
const bard = shared('models/bard');
const text = shared('data/text/tiny-shakespeare.txt');

describe.skipIf(!existsSync(bard) || !existsSync(text))(
  'bard’s tokenizer (needs shared/models and shared/data)',
  () => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await openTokenizer(bard);
    });

    it('gives the ids of the reference', async () => {
      const { prompts } = JSON.parse(readFileSync(join(bard, 'reference.json'), 'utf8'));
      expect(prompts.length).toBeGreaterThan(0);
      for (const { text, ids } of prompts) {
        expect([...(await tokenizer.encode(text))]).toEqual(ids);
        expect(tokenizer.decode(ids)).toBe(text);
      }
      expect(tokenizer.vocabularySize).toBe(1024);
    });

    it('gives 1.1 MB of Shakespeare back as it was, in pieces as at once', async () => {
      const shakespeare = readFileSync(text, 'utf8');
      const ids = await tokenizer.encode(shakespeare);
      expect(tokenizer.decode(ids)).toBe(shakespeare);
      const json = JSON.parse(readFileSync(join(bard, 'tokenizer.json'), 'utf8'));
      const atOnce = tokenizerFrom({ ...json, normalizer: { type: 'Sequence', normalizers: [] } }, {}, 'bard');
      expect(ids).toEqual(await atOnce.encode(shakespeare));
    });

    it('gives the last 5% of Shakespeare the ids of the reference’s perplexity', async () => {
      const { perplexity } = JSON.parse(readFileSync(join(bard, 'reference.json'), 'utf8'));
      const shakespeare = readFileSync(text, 'utf8');
      const ids = await tokenizer.encode(shakespeare.slice(Math.floor(0.95 * shakespeare.length)));
      expect([...ids.subarray(0, perplexity.first_ids.length)]).toEqual(perplexity.first_ids);
      expect(ids.length).toBe(perplexity.ids);
    });
  },
);
