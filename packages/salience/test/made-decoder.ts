/** @file Small made-up decoders for tests: attention far from even, so that what a cache forgets shows. */

import { Random } from '../src/core/random.ts';
import type { DecoderConfig } from '../src/models/decoder/config.ts';
import { weightShapes } from '../src/models/decoder/weights.ts';
import type { DecoderModel } from '../src/models/generation/cached-decoder.ts';
import { float32 } from '../src/runtime/index.ts';

/** A decoder of 2 layers and grouped queries, changed as asked. */
export function madeDecoder(change: Partial<DecoderConfig> = {}, seed = 11): DecoderModel {
  const config: DecoderConfig = {
    family: 'llama',
    vocabulary: 31,
    width: 24,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    headSize: 8,
    hidden: 32,
    positions: 96,
    normEpsilon: 1e-5,
    rotary: { base: 10000 },
    tied: false,
    queryKeyValueBias: false,
    outputBias: false,
    mlpBias: false,
    queryKeyNorm: false,
    windows: [undefined, undefined],
    sparse: [false, false],
    endTokens: [],
    ...change,
  };
  const draw = new Random(seed, 'weights');
  const weights = Object.fromEntries(
    [...weightShapes(config)].map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const scale = /[qk]_proj/.test(name) ? 0.6 : 0.25;
      const value = () => (name.endsWith('norm.weight') ? 1 : scale * draw.normal());
      return [name, float32([...shape], Float32Array.from({ length: size }, value))];
    }),
  );
  return { config, weights };
}
