/** @file Tokenizers as published in tokenizer.json: text to token ids and back. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as Engine } from '@huggingface/tokenizers';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { parseObject } from '../checkpoint/safetensors.ts';
import type { DecoderConfig } from '../decoder/config.ts';

/** An opened tokenizer. */
export interface Tokenizer {
  /** The file it was read from. */
  readonly path: string;
  /** One more than the highest id. */
  readonly vocabularySize: number;
  /**
   * Ids of a text; with `special`, the tokens that its post-processor puts around a text too. Texts are read in pieces where
   * that is known to change nothing, with progress and cancel at each; else in one go.
   * @throws InputError for a word that is not in the vocabulary, where there is no token for unknown ones.
   */
  encode(text: string, run?: Run, options?: { readonly special?: boolean }): Promise<Int32Array>;
  /**
   * The text of ids; just as it was, where the tokenizer loses nothing: special tokens are kept and spaces are not tidied. An id
   * below `vocabularySize` or above without a token, as the padding of an embedding has, reads as nothing.
   * @throws ParameterError for what is no whole number of 0 or more.
   */
  decode(ids: ArrayLike<number>): string;
  /** The id of a token as the vocabulary writes it. */
  idOf(token: string): number | undefined;
  /** The token of an id as the vocabulary writes it. */
  tokenOf(id: number): string | undefined;
}

/** Larger than any published one by far: the largest vocabularies take 35 MB. */
const maxFile = 256 * 2 ** 20;
const maxId = 2 ** 24;
/** Characters encoded at a time where a text may be cut. */
const piece = 2 ** 16;

/**
 * Opens `tokenizer.json` of a folder, and `tokenizer_config.json` where there is one.
 * @throws InputError if it is missing, too large, not JSON, or not a tokenizer that can be run.
 */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const path = join(folder, 'tokenizer.json');
  const json = await readJson(path);
  if (!json) throw new InputError(`${folder}: has no tokenizer.json`);
  const config = (await readJson(join(folder, 'tokenizer_config.json'))) ?? {};
  return tokenizerFrom(json, config, path);
}

/**
 * A tokenizer from the content of its files.
 * @param json tokenizer.json, parsed; `config` tokenizer_config.json, or {}.
 * @param path the file's name, for errors.
 * @throws InputError as openTokenizer does.
 */
export function tokenizerFrom(
  json: Readonly<Record<string, unknown>>,
  config: Readonly<Record<string, unknown>>,
  path: string,
): Tokenizer {
  const model = objectOf(json.model);
  if (!model) throw new InputError(`${path}: has no "model" object`);
  const added = addedTokens(json.added_tokens, path);
  const vocabularySize = 1 + highestId(model.vocab, added, path);
  // Unknown words of a word-level model go by the config's key in this engine, by the model's in the format.
  const unknown = typeof model.unk_token === 'string' ? { unk_token: model.unk_token } : {};
  const absent = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  let engine: Engine;
  try {
    engine = new Engine({ ...absent, ...json, added_tokens: added }, { ...config, ...unknown });
  } catch (error) {
    throw new InputError(`${path}: is no tokenizer that can be run: ${(error as Error).message}`, { cause: error });
  }
  const cut = cutOf(json, config, added);

  const encodePiece = (text: string, special: boolean): readonly number[] => {
    const { ids, tokens } = engine.encode(text, { add_special_tokens: special });
    const lost = (ids as (number | undefined)[]).indexOf(undefined);
    if (lost >= 0) {
      throw new InputError(
        `${path}: has no token for ${JSON.stringify(tokens[lost])} and none for unknown words; the text needs another tokenizer`,
      );
    }
    return ids;
  };

  return {
    path,
    vocabularySize,
    async encode(text, run = new Run(), { special = false } = {}) {
      if (special || !cut || text.length <= piece) {
        run.check();
        return Int32Array.from(encodePiece(text, special));
      }
      const parts: Int32Array[] = [];
      let length = 0;
      for (let from = 0; from < text.length; ) {
        const to = cutAfter(text, from + piece, cut);
        const ids = Int32Array.from(encodePiece(text.slice(from, to), false));
        parts.push(ids);
        length += ids.length;
        run.progress('reading tokens', to, text.length);
        await run.breathe();
        from = to === text.length ? to : to + cut.left;
      }
      const all = new Int32Array(length);
      let at = 0;
      for (const ids of parts) {
        all.set(ids, at);
        at += ids.length;
      }
      return all;
    },
    decode(ids) {
      const known: number[] = [];
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i];
        if (!Number.isInteger(id) || id < 0)
          throw new ParameterError(`${id} is no token; tokens are whole numbers from 0`);
        if (engine.id_to_token(id) !== undefined) known.push(id);
      }
      return known.length === 0 ? '' : engine.decode(known, { clean_up_tokenization_spaces: false });
    },
    idOf: (token) => engine.token_to_id(token),
    tokenOf: (id) => engine.id_to_token(id),
  };
}

/**
 * Checks that a model has an embedding for every token. A model may have more: vocabularies are padded to round sizes.
 * @throws InputError with both sizes.
 */
export function checkVocabulary(tokenizer: Tokenizer, { vocabulary }: Pick<DecoderConfig, 'vocabulary'>): void {
  if (tokenizer.vocabularySize <= vocabulary) return;
  throw new InputError(
    `${tokenizer.path}: has tokens up to ${tokenizer.vocabularySize - 1}, a vocabulary of ${tokenizer.vocabularySize}; the model's has ${vocabulary}`,
  );
}

/**
 * The content of a tokenizer.json that takes each word, set off by white space, for a token; ids are places in `words`.
 * @param words all different, without white space; `unknown` is among them and stands for all others.
 * @throws ParameterError if they are not.
 */
export function wordLevelTokenizerJson(
  words: readonly string[],
  { unknown }: { readonly unknown: string },
): Record<string, unknown> {
  const wrong = words.find((word) => word === '' || /\s/.test(word));
  if (wrong !== undefined) {
    throw new ParameterError(`${JSON.stringify(wrong)} is no word; words are not empty and hold no white space`);
  }
  if (new Set(words).size !== words.length) throw new ParameterError('the words are not all different');
  if (!words.includes(unknown))
    throw new ParameterError(`the unknown word ${JSON.stringify(unknown)} is not among the words`);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(words.map((word, id) => [word, id])),
      unk_token: unknown,
    },
  };
}

async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be opened: ${error.message}`);
  });
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new InputError(`${path}: is no file`);
    const { size } = stats;
    if (size > maxFile) {
      throw new InputError(
        `${path}: has ${size.toLocaleString('en-US')} bytes; a tokenizer has at most ${maxFile.toLocaleString('en-US')}`,
      );
    }
    return parseObject(await file.readFile(), path);
  } finally {
    await file.close();
  }
}

type Json = Readonly<Record<string, unknown>>;

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

function addedTokens(value: unknown, path: string): readonly AddedToken[] {
  const list = value ?? [];
  const isToken = (token: unknown) => {
    const { id, content } = objectOf(token) ?? {};
    return isId(id) && typeof content === 'string' && content !== '';
  };
  if (!Array.isArray(list) || !list.every(isToken)) {
    throw new InputError(`${path}: "added_tokens" should be a list of tokens, each with an "id" and a "content"`);
  }
  return list;
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < maxId;
}

/** The highest id of a vocabulary, which is an object of ids by token or, for unigrams, a list of tokens with their scores. */
function highestId(vocabulary: unknown, added: readonly AddedToken[], path: string): number {
  let highest = -1;
  if (Array.isArray(vocabulary)) {
    const isPiece = (entry: unknown) =>
      Array.isArray(entry) && typeof entry[0] === 'string' && Number.isFinite(entry[1]);
    const wrong = vocabulary.findIndex((entry) => !isPiece(entry));
    if (wrong >= 0) throw new InputError(`${path}: piece ${wrong} of the vocabulary should be a text and a number`);
    highest = vocabulary.length - 1;
  } else {
    const ids = objectOf(vocabulary);
    if (!ids) throw new InputError(`${path}: the model has no "vocab"`);
    const taken = new Map<number, string>();
    for (const [token, id] of Object.entries(ids)) {
      if (!isId(id)) {
        throw new InputError(
          `${path}: token ${JSON.stringify(token)} has id ${JSON.stringify(id)}; ids are whole numbers from 0 to ${maxId - 1}`,
        );
      }
      const other = taken.get(id);
      if (other !== undefined) {
        throw new InputError(
          `${path}: tokens ${JSON.stringify(other)} and ${JSON.stringify(token)} both have id ${id}`,
        );
      }
      taken.set(id, token);
      highest = Math.max(highest, id);
    }
  }
  for (const { id } of added) highest = Math.max(highest, id);
  if (highest < 0) throw new InputError(`${path}: the vocabulary is empty`);
  return highest;
}

/**
 * Patterns of published byte-level tokenizers (GPT-2; Llama 3 and Qwen 2 and 3, which differ in their digits), and of those we train.
 * In each, white space never ends up in one piece with a letter before it, and nothing looks behind.
 */
const dividing: readonly RegExp[] = [
  /^'\(\?:\[sdmt\]\|ll\|ve\|re\)\| \?\[A-Za-z\]\+\| \?\[0-9\]\+\| \?\[\^\\sA-Za-z0-9\]\+\|\\s\+\(\?!\\S\)\|\\s\+$/,
  /^'s\|'t\|'re\|'ve\|'m\|'ll\|'d\| \?\\p\{L\}\+\| \?\\p\{N\}\+\| \?\[\^\\s\\p\{L\}\\p\{N\}\]\+\|\\s\+\(\?!\\S\)\|\\s\+$/,
  /^\(\?i:'s\|'t\|'re\|'ve\|'m\|'ll\|'d\)\|\[\^\\r\\n\\p\{L\}\\p\{N\}\]\?\\p\{L\}\+\|\\p\{N\}(\{1,3\})?\| \?\[\^\\s\\p\{L\}\\p\{N\}\]\+\[\\r\\n\]\*\|\\s\*\[\\r\\n\]\+\|\\s\+\(\?!\\S\)\|\\s\+$/,
];

/** Where a text may be cut so that its pieces give the tokens of the whole. */
interface Cut {
  /** The last character of a piece, and what must follow it; global. */
  readonly boundary: RegExp;
  /** Characters after a piece that belong to none, because the next one begins with them anyway. */
  readonly left: number;
}

/** Where texts may be cut, if that is known of such a tokenizer. */
function cutOf(json: Json, config: Json, added: readonly AddedToken[]): Cut | undefined {
  if (added.some(({ content, lstrip, rstrip }) => lstrip || rstrip || /\s/.test(content))) return undefined;
  if (config.remove_space || config.do_lowercase_and_remove_accent) return undefined;
  const model = objectOf(json.model);
  if (model?.type === 'BPE') {
    const space = spaceOf(json);
    if (space)
      return added.some(({ content }) => /^[A-Za-z]|[A-Za-z]$/.test(content)) ? undefined : cutOfMerges(model, space);
  }
  const normalizer = objectOf(json.normalizer);
  if (normalizer && normalizer.type !== 'NFC') return undefined;
  if (model?.fuse_unk) return undefined;
  return divides(objectOf(json.pre_tokenizer)) ? { boundary: /[A-Za-z](?=[ \n])/g, left: 0 } : undefined;
}

/** What a space becomes before merges, and whether a text without one in front gets one. */
interface Space {
  readonly written: string;
  readonly prepended: boolean;
}

/** That of a tokenizer that merges over the whole text and does nothing to it before but mark its spaces; else undefined. */
function spaceOf({ normalizer, pre_tokenizer: splitter }: Json): Space | undefined {
  const [marks, meta] = [objectOf(normalizer), objectOf(splitter)];
  if (!marks && !meta) return { written: ' ', prepended: false };
  if (!marks && meta?.type === 'Metaspace') {
    const { replacement = '▁', str_rep: other = replacement, prepend_scheme: scheme = 'always' } = meta;
    if (typeof replacement !== 'string' || other !== replacement) return undefined;
    return { written: replacement, prepended: scheme !== 'never' };
  }
  if (meta || marks?.type !== 'Sequence' || !Array.isArray(marks.normalizers)) return undefined;
  const [first, second, ...more] = marks.normalizers.map(objectOf);
  if (first?.type !== 'Prepend' || second?.type !== 'Replace' || more.length > 0) return undefined;
  const { content } = second;
  if (objectOf(second.pattern)?.String !== ' ' || typeof content !== 'string' || first.prepend !== content)
    return undefined;
  return { written: content, prepended: true };
}

/**
 * Merges over a whole text never cross a place at which no token has its two characters side by side: here a letter and the space
 * before a word. Where a text gets a space in front, that stands for the one at the cut.
 */
function cutOfMerges(model: Json, { written, prepended }: Space): Cut | undefined {
  const { merges, vocab, fuse_unk: fused, byte_fallback: bytes } = model;
  if (model.ignore_merges || model.end_of_word_suffix || model.continuing_subword_suffix) return undefined;
  // Where every byte is a token nothing is unknown; elsewhere unknown characters on both sides would be joined.
  const known = objectOf(vocab) ?? {};
  const isByte = (_: unknown, b: number) => `<0x${b.toString(16).toUpperCase().padStart(2, '0')}>` in known;
  if (fused && !(bytes && Array.from({ length: 256 }, isByte).every(Boolean))) return undefined;
  const letters = new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
  for (const merge of merges as readonly (string | readonly string[])[]) {
    const token = (typeof merge === 'string' ? merge.split(' ', 2) : merge).join('');
    for (let at = token.indexOf(written, 1); at > 0; at = token.indexOf(written, at + 1)) letters.delete(token[at - 1]);
  }
  if (letters.size === 0) return undefined;
  return { boundary: new RegExp(`[${[...letters].join('')}](?= [A-Za-z])`, 'g'), left: prepended ? 1 : 0 };
}

function divides(splitter: Json | undefined): boolean {
  switch (splitter?.type) {
    case 'WhitespaceSplit':
    case 'Whitespace':
      return true;
    case 'ByteLevel':
      return splitter.use_regex !== false && !splitter.add_prefix_space;
    case 'Split': {
      const pattern = objectOf(splitter.pattern)?.Regex;
      const kept = splitter.behavior === 'Isolated' && !splitter.invert;
      return kept && typeof pattern === 'string' && dividing.some((known) => known.test(pattern));
    }
    case 'Sequence': {
      const [first, ...rest] = Array.isArray(splitter.pretokenizers) ? splitter.pretokenizers.map(objectOf) : [];
      return divides(first) && rest.every((next) => next?.type === 'ByteLevel' && !next.add_prefix_space);
    }
    default:
      return false;
  }
}

/** The first place from `from` on at which a text may be cut, or its end. */
function cutAfter(text: string, from: number, { boundary }: Cut): number {
  if (from >= text.length) return text.length;
  boundary.lastIndex = from - 1;
  const found = boundary.exec(text);
  return found ? found.index + 1 : text.length;
}
