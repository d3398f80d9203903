/** @file Choosing the next token from its logits. */

import { ParameterError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';

export interface Sampling {
  /** 0: always the likeliest token; else logits are divided by it. Default 0. */
  readonly temperature?: number;
  /** Only the k likeliest tokens may be drawn. */
  readonly topK?: number;
  /** Only the likeliest tokens that together reach this probability may be drawn. */
  readonly topP?: number;
}

/** @throws ParameterError for a temperature below 0, a topK below 1, or a topP outside 0 to 1. */
export function checkSampling({ temperature = 0, topK, topP }: Sampling): void {
  if (!(temperature >= 0 && temperature < Infinity))
    throw new ParameterError(`a temperature of ${temperature} is not 0 or more`);
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 1))
    throw new ParameterError(`top-k ${topK} is not a whole number of 1 or more`);
  if (topP !== undefined && !(topP > 0 && topP <= 1))
    throw new ParameterError(`top-p ${topP} is not above 0 and up to 1`);
}

/** The likeliest token, the lower one among equals; logits have shape [vocabulary]. */
export function greedy(logits: Float32Array): number {
  let best = 0;
  for (let v = 1; v < logits.length; v++) if (logits[v] > logits[best]) best = v;
  return best;
}

/** Draws a token: top-k first, then top-p of what is left, as is usual. */
export function sample(logits: Float32Array, { temperature = 0, topK, topP }: Sampling, random: Random): number {
  if (temperature === 0) return greedy(logits);
  let order = Array.from(logits, (_, v) => v).sort((a, b) => logits[b] - logits[a] || a - b);
  if (topK !== undefined) order = order.slice(0, topK);
  const top = logits[order[0]];
  const weights = order.map((v) => Math.exp((logits[v] - top) / temperature));
  const total = weights.reduce((sum, w) => sum + w, 0);
  let count = order.length;
  if (topP !== undefined) {
    let mass = 0;
    for (count = 0; count < order.length && mass < topP * total; count++) mass += weights[count];
  }
  const kept = weights.slice(0, count);
  let draw = random.uniform() * kept.reduce((sum, w) => sum + w, 0);
  for (let i = 0; i < count; i++) {
    draw -= kept[i];
    if (draw < 0) return order[i];
  }
  return order[count - 1];
}
