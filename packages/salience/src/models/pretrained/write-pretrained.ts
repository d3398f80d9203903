/** @file Writing a decoder as it is published, so that other tools open it. */

import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import type { FloatType } from '../checkpoint/dtype.ts';
import { type ShardOptions, writeShards } from '../checkpoint/write-safetensors.ts';
import { readConfig } from '../decoder/read-config.ts';
import { checkShapes, weightShapes } from '../decoder/weights.ts';

/** A decoder to be written. */
export interface PretrainedFiles extends ShardOptions {
  /** Content of config.json, as `writeConfig` or a published folder gives it; `torch_dtype` is set to the format written. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: ParameterTensors;
  /** Format of the weights on disk; default F32. */
  readonly dtype?: FloatType;
  /** Content of generation_config.json, if there is to be one. */
  readonly generation?: Readonly<Record<string, unknown>>;
  /** Content of a tokenizer.json made here. */
  readonly tokenizer?: Readonly<Record<string, unknown>>;
  /** Files to be copied as they are, such as `tokenizerFiles` names. */
  readonly copies?: readonly string[];
}

const torchNames: Readonly<Record<FloatType, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

const tokenizerNames = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'vocab.txt',
  'tokenizer.model',
  'chat_template.jinja',
]);

/** Paths of a folder's files that belong to its tokenizer. */
export async function tokenizerFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => tokenizerNames.has(name))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Writes a decoder into a new folder: config.json, the weights in one file or shards, and what else is given.
 * @param folder does not exist yet; a caller puts it in place once all of it is written.
 * @throws InputError if the weights are not those the config calls for, or a file would be written twice.
 */
export async function writePretrained(folder: string, files: PretrainedFiles, run: Run): Promise<void> {
  const { config: json, weights, dtype = 'F32', generation, tokenizer, copies = [], maxShard } = files;
  const config = readConfig(json, 'the config');
  checkShapes(new Map(Object.entries(weights).map(([name, { shape }]) => [name, shape])), config, 'the weights');
  const small = new Map<string, unknown>([['config.json', { ...json, torch_dtype: torchNames[dtype] }]]);
  if (generation) small.set('generation_config.json', generation);
  if (tokenizer) small.set('tokenizer.json', tokenizer);
  for (const path of copies) {
    const name = basename(path);
    if (small.has(name) || name.endsWith('.safetensors') || name.endsWith('.safetensors.index.json')) {
      throw new InputError(`${path}: cannot be copied, for "${name}" is written anew`);
    }
  }
  await mkdir(folder);
  for (const [name, content] of small)
    await writeFile(join(folder, name), `${JSON.stringify(content, undefined, 2)}\n`);
  for (const path of copies) {
    run.check();
    await copyFile(path, join(folder, basename(path)));
  }
  const tensors = [...weightShapes(config)].map(([name, shape]) => ({
    name,
    shape,
    dtype,
    values: () => weights[name].data,
  }));
  await writeShards(folder, tensors, { ...(maxShard !== undefined && { maxShard }) }, run);
}
