/** @file How a published model wants its next tokens drawn: generation_config.json, or what config.json says where there is none. */

import { InputError } from '../../core/errors.ts';
import type { DecoderConfig } from '../decoder/config.ts';

/** Defaults of generation. */
export interface Generation {
  readonly beginToken?: number;
  readonly endTokens: readonly number[];
  /** 0: always the likeliest token, as where the file does not say that tokens are drawn. */
  readonly temperature: number;
  /** Only the k likeliest tokens may be drawn; undefined: all. */
  readonly topK?: number;
  /** Only the likeliest tokens that together reach this probability may be drawn; undefined: all. */
  readonly topP?: number;
}

/** What published generation configs mean where they draw tokens and name no top_k. */
const usualTopK = 50;

/**
 * Reads a published generation_config.json.
 * @param json its content, parsed; {} where there is none.
 * @param config the model's own, for tokens that it does not name.
 * @param where the file's name, for errors.
 * @throws InputError naming the key that is ill-typed or out of range, and what it should be.
 */
export function readGeneration(
  json: Readonly<Record<string, unknown>>,
  config: DecoderConfig,
  where: string,
): Generation {
  const at = (key: string) => (Object.hasOwn(json, key) ? (json[key] ?? undefined) : undefined);
  const refuse = (key: string, what: string): never => {
    throw new InputError(`${where}: "${key}" is ${JSON.stringify(at(key))}; it should be ${what}`);
  };
  const isToken = (id: unknown): id is number =>
    Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < config.vocabulary;
  const tokens = `a token below ${config.vocabulary}`;

  const begin = at('bos_token_id') ?? config.beginToken;
  if (begin !== undefined && !isToken(begin)) return refuse('bos_token_id', tokens);
  const end = at('eos_token_id') ?? config.endTokens;
  const ends: unknown[] = Array.isArray(end) ? end : [end];
  if (!ends.every(isToken)) return refuse('eos_token_id', `${tokens}, or a list of such`);
  const sample = at('do_sample') ?? false;
  if (typeof sample !== 'boolean') return refuse('do_sample', 'true or false');
  const temperature = at('temperature') ?? 1;
  if (typeof temperature !== 'number' || !Number.isFinite(temperature) || temperature < 0) {
    return refuse('temperature', 'a number of 0 or more');
  }
  const topK = at('top_k') ?? usualTopK;
  if (!Number.isSafeInteger(topK) || (topK as number) < 0) return refuse('top_k', 'a whole number, 0 for all tokens');
  const topP = at('top_p') ?? 1;
  if (typeof topP !== 'number' || !(topP > 0 && topP <= 1)) return refuse('top_p', 'a number above 0, up to 1');
  return {
    ...(begin !== undefined && { beginToken: begin }),
    endTokens: ends,
    temperature: sample ? temperature : 0,
    ...(sample && topK !== 0 && { topK: topK as number }),
    ...(sample && topP !== 1 && { topP }),
  };
}
