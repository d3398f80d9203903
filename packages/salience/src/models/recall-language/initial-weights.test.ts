import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { valueAt } from '../../nn/observation.ts';
import { int32 } from '../../runtime/index.ts';
import type { DecoderConfig } from '../decoder/config.ts';
import { inspect } from '../decoder/inspect.ts';
import { weightShapes } from '../decoder/weights.ts';
import { document, initialRecallWeights, vocabulary } from './index.ts';

const config: DecoderConfig = {
  family: 'llama',
  vocabulary: vocabulary.length,
  width: 128,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 32,
  hidden: 64,
  positions: 256,
  normEpsilon: 1e-5,
  rotary: { base: 1e6 },
  tied: true,
  queryKeyValueBias: false,
  outputBias: false,
  mlpBias: false,
  queryKeyNorm: false,
  windows: [undefined, undefined],
  sparse: [false, false],
  endTokens: [],
};

describe('initial weights for recall', () => {
  const weights = initialRecallWeights(config, new Random(1));

  it('are all tensors of the decoder, finite', () => {
    expect(Object.keys(weights)).toEqual([...weightShapes(config).keys()]);
    for (const { data } of Object.values(weights)) expect(data.every(Number.isFinite)).toBe(true);
  });

  it('hold a head that attends to the token before, and one that finds what followed an earlier mention, before any training', async () => {
    const { tokens, questions } = document(new Random(2), { length: 128, facts: 6, questions: 6, mention: 0 });
    const observe = { before: valueAt('layers.0.attention.weights'), match: valueAt('layers.1.attention.weights') };
    const { observed } = await inspect(config, { observe }).run(weights, int32([1, 128], tokens));
    const at = (name: 'before' | 'match', query: number, key: number) =>
      (observed[name][0] as { data: Float32Array }).data[query * 128 + key];
    let before = 0;
    for (let t = 1; t < 128; t++) before += at('before', t, t - 1) / 127;
    expect(before).toBeGreaterThan(0.8);
    const found = questions.map(({ position, factPosition }) => at('match', position - 1, factPosition));
    expect(found.reduce((sum, share) => sum + share, 0) / found.length).toBeGreaterThan(0.3);
  });

  it('are refused for a decoder in which those heads have no room', () => {
    expect(() => initialRecallWeights({ ...config, layers: 1 }, new Random(0))).toThrow('2 layers');
    expect(() => initialRecallWeights({ ...config, tied: false }, new Random(0))).toThrow('tied');
  });
});
