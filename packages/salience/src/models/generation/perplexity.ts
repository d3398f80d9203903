/** @file Likelihood and perplexity of a text. */

import { InputError, ParameterError } from '../../core/errors.ts';
import { Run } from '../../core/run.ts';
import { crossEntropy } from '../../nn/losses.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { compile, int32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { decoder } from '../decoder/decoder.ts';
import type { DecoderModel } from './cached-decoder.ts';
import { refuseNotFinite } from './not-finite.ts';

export interface PerplexityOptions {
  /** Tokens the model sees at once; by default all its positions. */
  readonly window?: number;
  /** How far each window starts after the one before; by default the window's length: no overlap. */
  readonly stride?: number;
  readonly run?: Run;
}

export interface Perplexity {
  /** Tokens that were predicted; the first of the text never is, and with no overlap the first of each window is not either. */
  readonly predicted: number;
  readonly windows: number;
  /** Mean negative log-likelihood of a predicted token, in nats. */
  readonly meanNll: number;
  readonly perplexity: number;
}

const programs = new WeakMap<DecoderConfig, ReturnType<typeof compileNll>>();

function compileNll(config: DecoderConfig) {
  // Windows of a text have three shapes at the most: a full batch of them, the rest of a batch, and the last.
  return compile(
    (weights: Parameters, tokens: JaxArray) =>
      crossEntropy(decoder(weights, config, tokens).slice([], [0, -1]), tokens.slice([], [1]), { reduction: 'none' }),
    { programs: 4 },
  );
}

/**
 * Negative log-likelihood of each token after the first, in nats.
 * @param tokens int32, shape [batch, tokens].
 * @returns shape [batch, tokens − 1].
 */
export async function negativeLogLikelihood(
  { config, weights }: DecoderModel,
  tokens: Tensor<'int32'>,
): Promise<Tensor<'float32'>> {
  if (!programs.has(config)) programs.set(config, compileNll(config));
  return (await programs.get(config)!(weights as never, tokens)) as Tensor<'float32'>;
}

/**
 * Perplexity over a text (token ids) in windows. With a stride shorter than the window each token is predicted once, from as much of
 * the text before it as its window holds.
 * @throws InputError for a text of fewer than 2 tokens; ParameterError for a window or a stride that cannot be; SalienceError where
 *   the model's numbers are not finite.
 */
export async function perplexity(
  model: DecoderModel,
  text: Int32Array,
  { window = model.config.positions, stride = window, run = new Run() }: PerplexityOptions = {},
): Promise<Perplexity> {
  const { positions } = model.config;
  if (!(Number.isSafeInteger(window) && window >= 2 && window <= positions))
    throw new ParameterError(`a window of ${window} tokens is not between 2 and the model's ${positions} positions`);
  if (!(Number.isSafeInteger(stride) && stride >= 1 && stride <= window))
    throw new ParameterError(`a stride of ${stride} is not between 1 and the window's ${window} tokens`);
  if (text.length < 2) throw new InputError(`a text of ${text.length} tokens has none to predict; it needs 2 or more`);
  const spans: { start: number; end: number; from: number }[] = [];
  for (let start = 0, done = 0; ; start += stride) {
    const end = Math.min(start + window, text.length);
    // Tokens up to `done` have been predicted; the first of a window has nothing before it.
    const from = Math.max(done, start + 1);
    if (end > from) spans.push({ start, end, from });
    done = end;
    if (end === text.length) break;
  }
  let nll = 0;
  let predicted = 0;
  let done = 0;
  // Windows of one length go side by side, in batches of about 4,096 tokens.
  const side = Math.max(1, Math.floor(4096 / window));
  while (done < spans.length) {
    const size = spans[done].end - spans[done].start;
    let count = 1;
    while (count < side && spans[done + count] && spans[done + count].end - spans[done + count].start === size) count++;
    const batch = spans.slice(done, done + count);
    const ids = new Int32Array(count * size);
    for (const [b, { start, end }] of batch.entries()) ids.set(text.subarray(start, end), b * size);
    const { data } = await negativeLogLikelihood(model, int32([count, size], ids));
    const row = Math.max(0, Math.floor(data.findIndex((value) => !Number.isFinite(value)) / (size - 1)));
    await refuseNotFinite(model, data, ids.subarray(row * size, (row + 1) * size));
    batch.forEach(({ start, end, from }, b) => {
      for (let t = from; t < end; t++) nll += data[b * (size - 1) + t - start - 1];
      predicted += end - from;
    });
    done += count;
    run.progress('reading windows', done, spans.length);
    await run.breathe();
  }
  const meanNll = nll / predicted;
  return { predicted, windows: spans.length, meanNll, perplexity: Math.exp(meanNll) };
}
