/** @file Continuing a text token by token. */

import { ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import type { CachePolicy } from './cache-policy.ts';
import { CachedDecoder, type DecoderModel } from './cached-decoder.ts';
import { refuseNotFinite } from './not-finite.ts';
import { checkSampling, type Sampling, sample } from './sampling.ts';

export interface GenerateOptions extends Sampling {
  /** New tokens at the most; default 64. */
  readonly maxTokens?: number;
  /** Tokens that end the text (not part of it); by default the model's own. */
  readonly endTokens?: readonly number[];
  /** Sequences of tokens that end the text, and are cut off it. */
  readonly stop?: readonly (readonly number[])[];
  readonly policy?: CachePolicy;
  /** Tokens of the prompt fed at a time; 1 lets a policy decide after each. */
  readonly block?: number;
  readonly run?: Run;
  /** Called with each new token. */
  readonly onToken?: (token: number) => void;
}

export interface Generated {
  /** New tokens, without what ended them. */
  readonly tokens: number[];
  readonly ended: 'end token' | 'stop sequence' | 'length';
  /** Bytes of the cache at the end. */
  readonly cacheBytes: number;
}

/**
 * Continues a prompt (token ids). Stops at an end token, a stop sequence, the length asked for, or the last position of the model.
 * @throws InputError for a prompt that is empty or longer than the model's positions; SalienceError where logits are not finite.
 */
export async function generate(
  model: DecoderModel,
  prompt: Int32Array,
  options: GenerateOptions = {},
): Promise<Generated> {
  const { maxTokens = 64, endTokens = model.config.endTokens, stop = [], policy, block, onToken } = options;
  const run = options.run ?? new Run();
  checkSampling(options);
  if (!(Number.isSafeInteger(maxTokens) && maxTokens >= 0))
    throw new ParameterError(`${maxTokens} new tokens is not a whole number of 0 or more`);
  if (stop.some((sequence) => sequence.length === 0)) throw new ParameterError('a stop sequence is empty');
  const random = run.random('sampling');
  const reserve = Math.min(model.config.positions, prompt.length + maxTokens);
  const decoder = new CachedDecoder(model, { policy, reserve, block });
  let logits = await decoder.prompt(prompt, run);
  const tokens: number[] = [];
  const result = (ended: Generated['ended']): Generated => ({ tokens, ended, cacheBytes: decoder.bytes });
  while (tokens.length < maxTokens) {
    await refuseNotFinite(model, logits, prompt, tokens);
    const token = sample(logits, options, random);
    if (endTokens.includes(token)) return result('end token');
    tokens.push(token);
    onToken?.(token);
    const stopped = stop.find((sequence) =>
      sequence.every((t, i) => tokens[tokens.length - sequence.length + i] === t),
    );
    if (stopped) {
      tokens.length -= stopped.length;
      return result('stop sequence');
    }
    run.progress('writing tokens', tokens.length, maxTokens);
    if (tokens.length === maxTokens || decoder.fed === model.config.positions) break;
    logits = await decoder.next(Int32Array.of(token), run);
    await run.breathe();
  }
  return result('length');
}
