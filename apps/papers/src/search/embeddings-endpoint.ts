/** @file Embeddings from an endpoint with OpenAI's interface, which the operator of this server has chosen. */

import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Embedder } from './embedder.ts';

const answer = z.object({
  data: z.array(z.object({ index: z.number().int().min(0), embedding: z.array(z.number()).min(1).max(8192) })),
});

const batch = 64;
const tries = 4;
const timeLimit = 30_000;
const mostBytes = 64 * 2 ** 20;

/** A refusal that will not be another one the next time. */
class Refused extends Error {}

/**
 * The embedder at "https://host/v1#model": POST …/embeddings with { model, input }. Failures of the network, 429 and 5xx are
 * tried again, waiting longer each time. Its address may be a private one: it is the operator's.
 * @throws Error that names the address, if it has no model or does not answer.
 */
export async function endpointEmbedder(kind: string, key: string | undefined): Promise<Embedder> {
  const [base, model] = kind.split('#');
  if (!model || !URL.canParse(base)) {
    throw new Error(`SALIENCE_EMBEDDINGS is "${kind}"; an address is written "https://host/v1#model"`);
  }
  const address = `${base.replace(/\/+$/, '')}/embeddings`;

  const ask = async (input: readonly string[], signal: AbortSignal): Promise<Float32Array[]> => {
    const response = await fetch(address, {
      method: 'POST',
      redirect: 'error',
      signal,
      headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
      body: JSON.stringify({ model, input, encoding_format: 'float' }),
    });
    const text = await bodyOf(response);
    if (!response.ok) {
      const message = `${address} answered ${response.status}: ${text.slice(0, 200)}`;
      throw response.status === 429 || response.status >= 500 ? new Error(message) : new Refused(message);
    }
    let parsed: z.infer<typeof answer>;
    try {
      parsed = answer.parse(JSON.parse(text));
    } catch {
      throw new Refused(`${address} answered with no embeddings: ${text.slice(0, 200)}`);
    }
    const vectors: Float32Array[] = new Array(input.length);
    for (const { index, embedding } of parsed.data) vectors[index] = normalised(embedding);
    const missing = input.findIndex((_, i) => vectors[i] === undefined);
    if (missing >= 0 || parsed.data.length !== input.length) {
      throw new Refused(`${address} gave ${parsed.data.length} embeddings for ${input.length} texts`);
    }
    return vectors;
  };

  const embed = async (texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> => {
    const all: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += batch) {
      for (let attempt = 1; ; attempt++) {
        signal?.throwIfAborted();
        const limits = [AbortSignal.timeout(timeLimit), ...(signal ? [signal] : [])];
        try {
          all.push(...(await ask(texts.slice(from, from + batch), AbortSignal.any(limits))));
          break;
        } catch (error) {
          if (error instanceof Refused || attempt === tries || signal?.aborted) throw error;
          await wait(250 * 2 ** attempt, undefined, { signal });
        }
      }
    }
    const other = all.find(({ length }) => length !== all[0].length);
    if (other) throw new Error(`${address} gave vectors of ${all[0].length} and of ${other.length} numbers`);
    return all;
  };
  const [probe] = await embed(['papers']);
  return { kind, width: probe.length, embed };
}

/** The body as text, up to 64 MiB. */
async function bodyOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > mostBytes) throw new Refused(`${response.url}: an answer of more than ${mostBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function normalised(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => (length > 0 ? value / length : 0));
}
