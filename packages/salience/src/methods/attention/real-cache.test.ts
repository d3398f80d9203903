import { describe, expect, it } from 'vitest';
import { cachedConfig, madeDecoder } from '../../../test/made-decoders.ts';
import { Random } from '../../core/random.ts';
import { inspect } from '../../models/decoder/inspect.ts';
import { type CachePolicy, fullCache } from '../../models/generation/cache-policy.ts';
import { CachedDecoder } from '../../models/generation/cached-decoder.ts';
import { type Change, valueAt } from '../../nn/observation.ts';
import { simulate } from '../../numerics/attention/simulate.ts';
import { int32, numpy as np, type Tensor } from '../../runtime/index.ts';
import { h2oPolicy } from './h2o.ts';
import { randomEvictionPolicy } from './random-eviction.ts';
import { scissorhandsPolicy } from './scissorhands.ts';
import { snapkvPolicy } from './snapkv.ts';
import { streamingLlmPolicy } from './streaming-llm.ts';

const length = 40;
const { config, weights } = madeDecoder(cachedConfig);
const draw = new Random(12, 'tokens');
const tokens = Int32Array.from({ length }, () => draw.integer(config.vocabulary));

/** Hides what a layer's queries do not attend to. */
const masked = (layer: number): Change => ({
  point: `layers.${layer}.attention.scores`,
  apply: (scores, { inputs }) => np.where(np.greater(inputs[`mask${layer}`], 0), scores, -1e30),
});

/**
 * Logits of every position, [length, vocabulary], by masks alone: the layers are simulated from the lowest up, each on the queries, keys
 * and values of a dense pass in which the layers below it are masked.
 */
async function byMasks(policy: CachePolicy, prompt: number): Promise<Float32Array> {
  const { heads, keyValueHeads, headSize, layers } = config;
  const masks: Record<string, Tensor> = {};
  const change: Change[] = [];
  for (let layer = 0; layer <= layers; layer++) {
    const names =
      layer < layers ? ['queries', 'keys', 'values'].map((name) => `layers.${layer}.attention.${name}`) : ['logits'];
    const observe = Object.fromEntries(names.map((name) => [name, valueAt(name)]));
    const { observed } = await inspect(config, { observe, change }).run(weights, int32([1, length], tokens), masks);
    const [queries, keys, values] = names.map((name) => (observed[name][0] as Tensor<'float32'>).data);
    if (layer === layers) return queries;
    const { attended } = simulate(
      { queries, keys, values, heads, keyValueHeads, headSize },
      policy.layer(layer, { layers, lanes: keyValueHeads, headSize }),
      { prompt },
    );
    const mask = new Int32Array(heads * length * length);
    for (let head = 0; head < heads; head++) {
      const lane = Math.floor(head / (heads / keyValueHeads));
      mask.set(attended.subarray(lane * length * length, (lane + 1) * length * length), head * length * length);
    }
    masks[`mask${layer}`] = int32([1, heads, length, length], mask);
    change.push(masked(layer));
  }
  throw new Error('no layer');
}

const policies: Record<string, CachePolicy> = {
  scissorhands: scissorhandsPolicy({ entries: 12, window: 10, recent: 2 }),
  'scissorhands with a funnel, by age': scissorhandsPolicy({
    entries: 12,
    window: 10,
    recent: 2,
    funnel: true,
    ageNormalised: true,
  }),
  h2o: h2oPolicy({ entries: 12 }),
  'streaming-llm': streamingLlmPolicy({ entries: 12 }),
  snapkv: snapkvPolicy({ entries: 12, window: 4 }),
  'random-eviction': randomEvictionPolicy({ entries: 12, recent: 2, random: new Random(0, 'r') }),
};

const dense = byMasks(fullCache, 0);

describe('a decoder with a real cache', () => {
  it.each(Object.entries(policies))('and %s gives the logits of a dense pass with masks', async (_, policy) => {
    for (const prompt of [1, 25]) {
      const expected = await byMasks(policy, prompt);
      const reader = new CachedDecoder({ config, weights }, { policy, block: 16 });
      const check = (logits: Float32Array, t: number) => {
        let worst = 0;
        logits.forEach((x, v) => {
          worst = Math.max(worst, Math.abs(x - expected[t * config.vocabulary + v]));
        });
        expect(worst).toBeLessThan(1e-4);
      };
      if (prompt > 1) expect(Math.abs(expected.at(-1)! - (await dense).at(-1)!)).toBeGreaterThan(1e-3);
      check(await reader.prompt(tokens.subarray(0, prompt)), prompt - 1);
      for (let t = prompt; t < length; t++) check(await reader.next(tokens.subarray(t, t + 1)), t);
    }
  });
});
