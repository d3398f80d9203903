/** @file A decoder that reads a text once: each step attends to the cache, and a policy decides what the cache keeps. */

import { InputError, ParameterError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import type { CachedKeysAndValues } from '../../nn/attention.ts';
import type { Parameters, ParameterTensors } from '../../nn/parameters.ts';
import type { Tap } from '../../nn/tap.ts';
import { compile, float32, int32, type JaxArray, type Tensor } from '../../runtime/index.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { decoder } from '../decoder/decoder.ts';
import { checkAttentionRows } from '../decoder/memory.ts';
import { LayerCache } from './cache.ts';
import { type CacheMoment, type CachePolicy, fullCache } from './cache-policy.ts';

/** A decoder with its weights. */
export interface DecoderModel {
  readonly config: DecoderConfig;
  readonly weights: ParameterTensors;
}

type Step = ReturnType<typeof compileStep>;

/** Programs of different block lengths and capacities kept for each config. */
const programsKept = 32;

/** Programs of a config, with and without attention rows; they hold no weights. */
const steps = new WeakMap<DecoderConfig, Map<boolean, Step>>();

function stepOf(config: DecoderConfig, withAttention: boolean): Step {
  const made = steps.get(config) ?? new Map<boolean, Step>();
  steps.set(config, made);
  if (!made.has(withAttention)) made.set(withAttention, compileStep(config, withAttention));
  return made.get(withAttention)!;
}

function compileStep(config: DecoderConfig, withAttention: boolean) {
  const { heads, keyValueHeads, layers } = config;
  return compile(
    (
      weights: Parameters,
      tokens: JaxArray,
      positions: JaxArray,
      only: JaxArray,
      caches: readonly CachedKeysAndValues[],
    ) => {
      const seen = new Map<string, JaxArray>();
      const tap: Tap = (point, value) => {
        seen.set(point, value);
        return value;
      };
      const logits = decoder(weights, config, tokens, {
        tap,
        positions,
        only,
        ...(caches.length > 0 && { caches }),
      });
      const ofLayers = (point: string) => Array.from({ length: layers }, (_, n) => seen.get(`layers.${n}.${point}`)!);
      const received = (w: JaxArray) => {
        const [batch, , rows, columns] = w.shape;
        return w.reshape([batch, keyValueHeads, heads / keyValueHeads, rows, columns]).mean(2);
      };
      return {
        logits,
        keys: ofLayers('attention.keys'),
        values: ofLayers('attention.values'),
        attention: withAttention ? ofLayers('attention.weights').map(received) : [],
      };
    },
    { programs: programsKept },
  );
}

export interface DecodingOptions {
  /** Sequences decoded side by side, all of one length; default 1. */
  readonly batch?: number;
  readonly policy?: CachePolicy;
  /** Tokens that places are made for from the start, so that one program serves many steps; by default those of the prompt. */
  readonly reserve?: number;
  /** Tokens of the prompt fed at a time; default 256. 1 lets the policy decide after every token of the prompt too, and keeps its bound there. */
  readonly block?: number;
}

/** Blocks are padded to a multiple of this, so that prompts of many lengths share programs. */
const padding = 32;

/** The state of reading some texts of one length side by side. */
export class CachedDecoder {
  readonly caches: readonly LayerCache[];
  readonly #model: DecoderModel;
  readonly #batch: number;
  readonly #policy: CachePolicy;
  readonly #block: number;
  #reserve: number;
  #fed = 0;

  constructor(model: DecoderModel, { batch = 1, policy = fullCache, reserve = 0, block = 256 }: DecodingOptions = {}) {
    const { layers, keyValueHeads, headSize } = model.config;
    for (const [name, value] of Object.entries({ batch, block })) {
      if (!(Number.isSafeInteger(value) && value >= 1))
        throw new ParameterError(`${name} = ${value} is not a whole number of 1 or more`);
    }
    const lanes = batch * keyValueHeads;
    this.#model = model;
    this.#batch = batch;
    this.#policy = policy;
    this.#reserve = reserve;
    this.#block = block;
    this.caches = Array.from(
      { length: layers },
      (_, layer) =>
        new LayerCache(
          { layer, lanes, headSize, capacity: 0 },
          policy.layer(layer, { layers, lanes, headSize }),
          policy.needsAttention,
        ),
    );
  }

  /** Tokens of each text read so far. */
  get fed(): number {
    return this.#fed;
  }

  /** Bytes of all keys and values the caches have places for. */
  get bytes(): number {
    return this.caches.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Reads the prompts, shape [batch, length], densely in blocks, then lets the policy decide what stays.
   * @returns logits of the next token, shape [batch, vocabulary].
   * @throws InputError for an empty prompt, one longer than the model's positions, tokens outside the vocabulary, or attention that
   * the policy needs and memory has no room for.
   */
  async prompt(tokens: Int32Array, run?: Run): Promise<Float32Array> {
    const length = this.#lengthOf(tokens);
    this.#reserve = Math.max(this.#reserve, this.#fed + length);
    if (this.#policy.needsAttention) {
      const places = this.#fed > 0 || length > this.#block ? this.#reserve : 0;
      checkAttentionRows(this.#model.config, { batch: this.#batch, tokens: this.#padded(length), places });
    }
    let logits: Float32Array = new Float32Array(0);
    for (let at = 0; at < length; at += this.#block) {
      const count = Math.min(this.#block, length - at);
      const last = at + count === length;
      const each: CacheMoment[] = this.#block === 1 ? ['token'] : [];
      logits = await this.#feed(
        this.#columns(tokens, length, at, count),
        count,
        last ? [...each, 'prompt'] : each,
        run,
      );
      run?.progress('reading the prompt', at + count, length);
      await run?.breathe();
    }
    return logits;
  }

  /** Reads one more token of each text, shape [batch]; returns logits as `prompt` does. */
  async next(tokens: Int32Array, run?: Run): Promise<Float32Array> {
    this.#lengthOf(tokens);
    return this.#feed(tokens, 1, ['token'], run);
  }

  #lengthOf(tokens: Int32Array): number {
    const { positions, vocabulary } = this.#model.config;
    const length = tokens.length / this.#batch;
    if (!Number.isInteger(length) || length === 0) {
      throw new InputError(`${tokens.length} tokens cannot be ${this.#batch} texts of one length of 1 or more`);
    }
    if (this.#fed + length > positions) {
      throw new InputError(
        `a text of ${this.#fed + length} tokens is longer than the ${positions} positions of the model`,
      );
    }
    const bad = tokens.findIndex((token) => token < 0 || token >= vocabulary);
    if (bad >= 0) throw new InputError(`token ${tokens[bad]} at ${bad} is outside the vocabulary of ${vocabulary}`);
    return length;
  }

  /** Tokens of the program that reads so many. */
  #padded(count: number): number {
    return count === 1 ? 1 : Math.min(this.#block, Math.ceil(count / padding) * padding);
  }

  #columns(tokens: Int32Array, length: number, at: number, count: number): Int32Array {
    const columns = new Int32Array(this.#batch * count);
    for (let b = 0; b < this.#batch; b++)
      columns.set(tokens.subarray(b * length + at, b * length + at + count), b * count);
    return columns;
  }

  async #feed(tokens: Int32Array, count: number, moments: readonly CacheMoment[], run?: Run): Promise<Float32Array> {
    run?.check();
    const { config, weights } = this.#model;
    const padded = this.#padded(count);
    const batch = this.#batch;
    const ids = new Int32Array(batch * padded);
    for (let b = 0; b < batch; b++) ids.set(tokens.subarray(b * count, (b + 1) * count), b * padded);
    const step = stepOf(config, this.#policy.needsAttention);
    const made = await step(
      weights as never,
      int32([batch, padded], ids),
      int32(
        [padded],
        Int32Array.from({ length: padded }, (_, t) => this.#fed + t),
      ),
      int32([1], [count - 1]),
      this.#fed === 0 ? [] : (this.caches.map((cache) => this.#arraysOf(cache)) as never),
    );
    const end = this.#fed + count;
    if (end > this.#reserve) this.#reserve = Math.min(config.positions, Math.ceil((1.5 * end) / 64) * 64);
    const { logits, keys, values, attention } = made as unknown as {
      logits: Tensor<'float32'>;
      keys: Tensor<'float32'>[];
      values: Tensor<'float32'>[];
      attention: Tensor<'float32'>[];
    };
    for (const [n, cache] of this.caches.entries()) {
      const most = this.#policy.capacity(n, this.caches.length);
      // Until the policy is first asked, all is kept.
      const bounded = most !== Infinity && moments.length > 0;
      cache.append(
        {
          keys: keys[n].data,
          values: values[n].data,
          tokens: padded,
          count,
          ...(attention.length > 0 && { attention: attention[n].data }),
        },
        moments,
        bounded ? { places: most } : { spare: this.#reserve - end },
      );
    }
    this.#fed = end;
    return logits.data;
  }

  #arraysOf({ capacity, keys, values, positions }: LayerCache) {
    const { keyValueHeads, headSize } = this.#model.config;
    const shape = [this.#batch, keyValueHeads, capacity];
    return {
      keys: float32([...shape, headSize], keys),
      values: float32([...shape, headSize], values),
      positions: int32(shape, positions),
    };
  }
}
