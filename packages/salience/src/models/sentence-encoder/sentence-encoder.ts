/** @file Sentence encoders as published: a folder with model.onnx, tokenizer.json and config.json; a text becomes a vector. */

import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import { type BackendOptions, openBackend } from '../../runtime/backend.ts';
import { parseObject } from '../checkpoint/safetensors.ts';
import { statOf } from '../table-files/text-records.ts';
import { openTokenizer } from '../tokenizer/tokenizer.ts';

export interface SentenceEncoder {
  /** Numbers in a vector. */
  readonly width: number;
  /** The vector of each text, of length 1: the mean over its tokens of what the model makes of them; shape [texts][width]. */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  close(): Promise<void>;
}

const mostTokens = 512;
const maxBytes = 2 ** 31;
const batch = 16;

/**
 * Opens the encoder of a folder: model.onnx there or in onnx/, with inputs input_ids, attention_mask and, where it has it,
 * token_type_ids, each [texts, tokens] of int64, and an output [texts, tokens, width]. Texts are cut at as many tokens as
 * sentence_bert_config.json or config.json name, 512 at the most.
 * @throws InputError if a file is missing, too large, or other than that.
 */
export async function openSentenceEncoder(folder: string, backendOptions?: BackendOptions): Promise<SentenceEncoder> {
  const tokenizer = await openTokenizer(folder);
  const config = await settings(join(folder, 'config.json'));
  const own = await settings(join(folder, 'sentence_bert_config.json'));
  const limit = Math.min(...[own.max_seq_length, config.max_position_embeddings, mostTokens].filter(isCount));
  const path = await modelOf(folder);
  const { size } = await statOf(path);
  if (size > maxBytes) throw new InputError(`${path}: is ${size.toLocaleString('en-US')} bytes; 2 GiB are the most`);
  const backend = await openBackend(backendOptions);
  const session = await backend.session(new Uint8Array(await readFile(path))).catch((error: Error) => {
    throw new InputError(`${path}: is no ONNX model that can be run: ${error.message}`);
  });
  const known = ['input_ids', 'attention_mask', 'token_type_ids'];
  const strange = session.inputNames.filter((name) => !known.includes(name));
  if (strange.length > 0 || !session.inputNames.includes('input_ids')) {
    throw new InputError(
      `${path}: has the inputs ${session.inputNames.join(', ')}; an encoder has ${known.join(', ')}`,
    );
  }
  const output =
    ['last_hidden_state', 'token_embeddings'].find((name) => session.outputNames.includes(name)) ??
    session.outputNames[0];
  const padding = BigInt(tokenizer.idOf('[PAD]') ?? tokenizer.idOf('<pad>') ?? 0);

  /** Vectors of token lists that are about equally long. */
  const encode = async (texts: readonly Int32Array[]): Promise<Float32Array[]> => {
    const tokens = Math.max(1, ...texts.map(({ length }) => length));
    const shape = [texts.length, tokens];
    const ids = new BigInt64Array(texts.length * tokens).fill(padding);
    const mask = new BigInt64Array(ids.length);
    texts.forEach((text, t) => {
      text.forEach((id, i) => {
        ids[t * tokens + i] = BigInt(id);
        mask[t * tokens + i] = 1n;
      });
    });
    const all = { input_ids: ids, attention_mask: mask, token_type_ids: new BigInt64Array(ids.length) };
    const feeds = Object.fromEntries(
      Object.entries(all)
        .filter(([name]) => session.inputNames.includes(name))
        .map(([name, values]) => [name, new backend.Tensor('int64', values, shape)]),
    );
    const results = await session.run(feeds, [output]).catch((error: Error) => {
      throw new InputError(`${path}: cannot be run on ${shape[0]} texts of ${shape[1]} tokens: ${error.message}`);
    });
    const { dims, data, type } = results[output];
    if (type !== 'float32' || dims.length !== 3 || dims[0] !== texts.length || dims[1] !== tokens) {
      throw new InputError(
        `${path}: output ${output} is ${type} [${dims.join(', ')}]; it has to be [texts, tokens, width]`,
      );
    }
    const width = dims[2];
    const values = data as Float32Array;
    return texts.map(({ length }, t) => {
      const sum = new Float64Array(width);
      for (let i = 0; i < length; i++) {
        const at = (t * tokens + i) * width;
        for (let k = 0; k < width; k++) sum[k] += values[at + k];
      }
      const norm = Math.sqrt(sum.reduce((total, value) => total + value * value, 0));
      return Float32Array.from(sum, (value) => (norm > 0 ? value / norm : 0));
    });
  };

  const embed = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const tokens: Int32Array[] = [];
    for (const text of texts) {
      const ids = await tokenizer.encode(text, undefined, { special: true });
      // A text that is cut keeps the token that closes it.
      if (ids.length > limit) ids[limit - 1] = ids[ids.length - 1];
      tokens.push(ids.subarray(0, limit));
    }
    const order = [...tokens.keys()].sort((a, b) => tokens[a].length - tokens[b].length);
    const vectors: Float32Array[] = new Array(texts.length);
    for (let from = 0; from < order.length; from += batch) {
      const some = order.slice(from, from + batch);
      const made = await encode(some.map((i) => tokens[i]));
      some.forEach((i, at) => {
        vectors[i] = made[at];
      });
    }
    return vectors;
  };
  // One word says how wide the vectors are.
  const [probe] = await embed(['a']);
  return { width: probe.length, embed, close: () => session.release() };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 2;

async function settings(path: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be read: ${error.message}`);
  });
  return bytes ? parseObject(bytes, path) : {};
}

async function modelOf(folder: string): Promise<string> {
  for (const path of [join(folder, 'model.onnx'), join(folder, 'onnx', 'model.onnx')]) {
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  throw new InputError(`${folder}: has no model.onnx, neither in itself nor in onnx/`);
}
