/** @file A published decoder as a folder: config, weights, tokenizer and generation defaults, opened and checked against each other. */

import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { type Checkpoint, openCheckpoint } from '../checkpoint/checkpoint-files.ts';
import { readTensors } from '../checkpoint/read-tensors.ts';
import { parseObject } from '../checkpoint/safetensors.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { checkMemory, type MemoryPurpose } from '../decoder/memory.ts';
import { readConfig } from '../decoder/read-config.ts';
import { checkWeights, weightShapes } from '../decoder/weights.ts';
import { checkVocabulary, openTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { type Generation, readGeneration } from './generation.ts';

/** An opened decoder; no weight has been read yet. */
export interface Pretrained {
  /** The folder. */
  readonly path: string;
  readonly config: DecoderConfig;
  /** config.json as it is on disk, with what the config does not hold. */
  readonly configJson: Readonly<Record<string, unknown>>;
  readonly checkpoint: Checkpoint;
  readonly generation: Generation;
  /** Whether there is a tokenizer.json. */
  readonly hasTokenizer: boolean;
  /**
   * The tokenizer, read when first asked for.
   * @throws InputError if there is none, it is malformed, or it has more tokens than the model.
   */
  tokenizer(): Promise<Tokenizer>;
}

const maxConfig = 16 * 2 ** 20;

/**
 * Opens a folder with config.json, safetensors, and where they are there tokenizer.json and generation_config.json.
 * @throws InputError for what is missing, malformed, of an unknown architecture, or where config and tensors disagree.
 */
export async function openPretrained(folder: string): Promise<Pretrained> {
  const stats = await stat(folder).catch(() => undefined);
  if (!stats) throw new InputError(`${folder}: no such folder`);
  if (!stats.isDirectory()) {
    throw new InputError(`${folder}: is a file; a model is a folder with config.json and model.safetensors`);
  }
  const where = join(folder, 'config.json');
  const configJson = await readSmall(where);
  if (!configJson) throw new InputError(`${folder}: has no config.json, which says how the model is built`);
  const config = readConfig(configJson, where);
  const checkpoint = await openCheckpoint(folder);
  checkWeights(checkpoint, config);
  const generationPath = join(folder, 'generation_config.json');
  const generation = readGeneration((await readSmall(generationPath)) ?? {}, config, generationPath);
  let tokenizer: Promise<Tokenizer> | undefined;
  return {
    path: folder,
    config,
    configJson,
    checkpoint,
    generation,
    hasTokenizer: checkpoint.companions.includes('tokenizer.json'),
    tokenizer() {
      tokenizer ??= openTokenizer(folder).then((opened) => {
        checkVocabulary(opened, config);
        return opened;
      });
      return tokenizer;
    },
  };
}

/**
 * Reads the weights of a decoder as float32, by their published names; a tied head is not among them.
 * @param memory what they are read for, and the bytes available, so that what would not fit is refused first.
 * @throws InputError if they would not fit into memory, or a file ends early.
 */
export async function loadWeights(
  { config, checkpoint }: Pick<Pretrained, 'config' | 'checkpoint'>,
  run: Run,
  { available, ...purpose }: MemoryPurpose & { readonly available?: number } = { purpose: 'forward' },
): Promise<ParameterTensors> {
  checkMemory(config, purpose, available);
  return readTensors(checkpoint, weightShapes(config).keys(), run);
}

/** A small JSON file, or undefined where there is none. */
async function readSmall(path: string): Promise<Record<string, unknown> | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InputError(`${path}: cannot be opened: ${error.message}`);
  });
  if (!file) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new InputError(`${path}: is no file`);
    if (stats.size > maxConfig) {
      throw new InputError(`${path}: has ${stats.size.toLocaleString('en-US')} bytes, too many for a config`);
    }
    return parseObject(await file.readFile(), path);
  } finally {
    await file.close();
  }
}
