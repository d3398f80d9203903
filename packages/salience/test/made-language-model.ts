/** @file A small made-up language model as a folder, with a text in its words. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../src/core/random.ts';
import { Run } from '../src/core/run.ts';
import type { FloatType } from '../src/models/checkpoint/dtype.ts';
import { writePretrained } from '../src/models/pretrained/write-pretrained.ts';
import { wordLevelTokenizerJson } from '../src/models/tokenizer/tokenizer.ts';
import type { Tensor } from '../src/runtime/index.ts';
import { madeDecoder } from './made-decoders.ts';

const words = ['<unk>', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k'];

/** What config.json says; 2 layers of width 16. */
export const madeConfig = {
  model_type: 'llama',
  vocab_size: words.length,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 32,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};

export interface MadeLanguageModel {
  /** The model. */
  readonly path: string;
  /** A text of 200 words. */
  readonly text: string;
}

/** Writes the model and the text into a folder, which is made. */
export async function madeLanguageModel(
  folder: string,
  {
    dtype = 'F32',
    config = madeConfig,
    alter,
  }: {
    dtype?: FloatType;
    config?: Record<string, unknown>;
    alter?: (weights: Record<string, Tensor<'float32'>>) => void;
  } = {},
): Promise<MadeLanguageModel> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'model');
  const weights = { ...madeDecoder(config).weights };
  alter?.(weights);
  const tokenizer = wordLevelTokenizerJson(words, { unknown: '<unk>' });
  await writePretrained(path, { config, weights, tokenizer, dtype }, new Run());
  const text = join(folder, 'text.txt');
  const random = new Random(2);
  writeFileSync(text, Array.from({ length: 200 }, () => words[1 + random.integer(words.length - 1)]).join(' '));
  return { path, text };
}
