/** @file How well a decoder looks facts up: the share of questions whose answer is its likeliest next word. */

import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { compile, int32, type JaxArray, numpy as np, type Tensor } from '../../runtime/index.ts';
import { decoder } from '../decoder/decoder.ts';
import type { DecoderModel } from '../generation/cached-decoder.ts';
import { type DocumentOptions, document, type Question } from './document.ts';

/** A question and whether it was answered exactly. */
export interface Answered extends Question {
  readonly right: boolean;
}

/**
 * Reads documents drawn anew, whole and without a cache, and tells of each question whether the likeliest token is its answer.
 * @param documents how many; they are read 4 at a time.
 */
export async function retrieval(
  { config, weights }: DecoderModel,
  random: Random,
  options: DocumentOptions,
  documents: number,
  run?: Run,
): Promise<Answered[]> {
  const likeliest = compile((parameters: Parameters, tokens: JaxArray) =>
    np.argmax(decoder(parameters, config, tokens), -1),
  );
  const answered: Answered[] = [];
  try {
    for (let d = 0; d < documents; d += 4) {
      const made = Array.from({ length: Math.min(4, documents - d) }, () => document(random, options));
      const tokens = new Int32Array(made.length * options.length);
      for (const [i, one] of made.entries()) tokens.set(one.tokens, i * options.length);
      const { data } = (await likeliest(weights as never, int32([made.length, options.length], tokens))) as Tensor;
      for (const [i, { questions, tokens: own }] of made.entries()) {
        for (const question of questions) {
          const { position } = question;
          answered.push({ ...question, right: data[i * options.length + position - 1] === own[position] });
        }
      }
      run?.progress('answering questions', d + made.length, documents);
      await run?.breathe();
    }
    return answered;
  } finally {
    await likeliest.dispose();
  }
}
