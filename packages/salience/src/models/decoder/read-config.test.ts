import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { readConfig, writeConfig } from './read-config.ts';

const sizes = {
  vocab_size: 100,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 4,
  num_attention_heads: 4,
};
const read = (json: object) => readConfig({ model_type: 'llama', ...sizes, ...json }, 'config.json');
const full = Array(4).fill(undefined);

describe('a published config', () => {
  it('of Llama has as many key-value heads as heads, no bias, an untied head and base 10,000 unless it says so', () => {
    expect(read({})).toEqual({
      family: 'llama',
      vocabulary: 100,
      width: 16,
      layers: 4,
      heads: 4,
      keyValueHeads: 4,
      headSize: 4,
      hidden: 24,
      positions: 2048,
      normEpsilon: 1e-6,
      rotary: { base: 10000 },
      tied: false,
      queryKeyValueBias: false,
      outputBias: false,
      mlpBias: false,
      queryKeyNorm: false,
      windows: full,
      sparse: Array(4).fill(false),
      endTokens: [],
    });
    const said = read({
      num_key_value_heads: 2,
      head_dim: 6,
      attention_bias: true,
      mlp_bias: true,
      tie_word_embeddings: true,
      rope_theta: 500000,
      bos_token_id: 1,
      eos_token_id: [2, 3],
      sliding_window: 8,
    });
    expect(said).toMatchObject({
      keyValueHeads: 2,
      headSize: 6,
      queryKeyValueBias: true,
      outputBias: true,
      mlpBias: true,
      tied: true,
      rotary: { base: 500000 },
      beginToken: 1,
      endTokens: [2, 3],
      windows: full,
    });
  });

  it('of Mistral has a window of 4,096 in every layer, unless it has another or null', () => {
    const windows = (json: object) => read({ model_type: 'mistral', ...json }).windows;
    expect(windows({})).toEqual(Array(4).fill(4096));
    expect(windows({ sliding_window: 7 })).toEqual(Array(4).fill(7));
    expect(windows({ sliding_window: null })).toEqual(full);
  });

  it('of Mixtral has 8 experts, 2 a token, their gates normalised, in every layer', () => {
    const config = read({ model_type: 'mixtral' });
    expect(config.experts).toEqual({ count: 8, perToken: 2, hidden: 24, normalised: true, naming: 'mixtral' });
    expect(config).toMatchObject({
      sparse: Array(4).fill(true),
      windows: full,
      rotary: { base: 1e6 },
      normEpsilon: 1e-5,
    });
  });

  it('of Qwen2 has biases of query, key and value, not of the output, and windows where used, from a layer on', () => {
    const config = read({ model_type: 'qwen2', attention_bias: false });
    expect(config).toMatchObject({ queryKeyValueBias: true, outputBias: false, windows: full });
    const windows = (json: object) => read({ model_type: 'qwen2', sliding_window: 9, ...json }).windows;
    expect(windows({ max_window_layers: 0 })).toEqual(full);
    expect(windows({ use_sliding_window: true, max_window_layers: 3 })).toEqual([undefined, undefined, undefined, 9]);
    expect(windows({ use_sliding_window: true })).toEqual(full);
    const types = ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'];
    expect(windows({ use_sliding_window: true, layer_types: types })).toEqual([9, undefined, 9, undefined]);
  });

  it('of Qwen3 norms queries and keys and has heads of 128', () => {
    expect(read({ model_type: 'qwen3' })).toMatchObject({
      queryKeyNorm: true,
      headSize: 128,
      queryKeyValueBias: false,
    });
    const biased = read({ model_type: 'qwen3', attention_bias: true });
    expect(biased).toMatchObject({ queryKeyValueBias: true, outputBias: true });
  });

  it('of Qwen3-MoE has experts in every step-th layer but those named dense', () => {
    const moe = { model_type: 'qwen3_moe', num_experts: 6, moe_intermediate_size: 10, num_experts_per_tok: 3 };
    const config = read(moe);
    expect(config.experts).toEqual({ count: 6, perToken: 3, hidden: 10, normalised: false, naming: 'qwen' });
    expect(config.sparse).toEqual([true, true, true, true]);
    expect(read({ ...moe, norm_topk_prob: true, decoder_sparse_step: 2 }).sparse).toEqual([false, true, false, true]);
    expect(read({ ...moe, mlp_only_layers: [0, 3] }).sparse).toEqual([false, true, true, false]);
    const none = read({ ...moe, num_experts: 0 });
    expect([none.experts, none.sparse]).toEqual([undefined, Array(4).fill(false)]);
    const { num_experts, ...newer } = moe;
    expect(read({ ...newer, num_local_experts: num_experts }).experts).toEqual(config.experts);
  });

  it('names its rotary scaling by `type` or `rope_type`, in `rope_scaling` or `rope_parameters`', () => {
    const rotary = (json: object) => read(json).rotary;
    expect(rotary({ rope_scaling: null })).toEqual({ base: 10000 });
    expect(rotary({ rope_scaling: { rope_type: 'default' } })).toEqual({ base: 10000 });
    expect(rotary({ rope_scaling: { type: 'linear', factor: 4 } })).toEqual({
      base: 10000,
      scaling: { kind: 'linear', factor: 4 },
    });
    const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
    expect(rotary({ rope_theta: 5e5, rope_scaling: { ...llama3, original_max_position_embeddings: 8192 } })).toEqual({
      base: 5e5,
      scaling: { kind: 'llama3', factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 8192 },
    });
    expect(rotary({ rope_parameters: { rope_type: 'default', rope_theta: 1e6 } })).toEqual({ base: 1e6 });
  });

  it('scales attention by 0.1 ln(factor) + 1 for YaRN, or as it says', () => {
    const yarn = (json: object) =>
      read({ max_position_embeddings: 64, rope_scaling: { rope_type: 'yarn', factor: 4, ...json } }).rotary.scaling;
    expect(yarn({})).toEqual({
      kind: 'yarn',
      factor: 4,
      originalPositions: 64,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: 0.1 * Math.log(4) + 1,
    });
    const said = { original_max_position_embeddings: 16, beta_fast: 16, beta_slow: 2, attention_factor: 1.5 };
    expect(yarn(said)).toMatchObject({ originalPositions: 16, betaFast: 16, betaSlow: 2, attentionFactor: 1.5 });
    expect(yarn({ mscale: 1, mscale_all_dim: 1 })).toMatchObject({ attentionFactor: 1 });
  });
});

describe('a config written back', () => {
  it('reads as the same', () => {
    const scaling = fc.oneof(
      fc.constant(undefined),
      fc.record({ rope_type: fc.constant('linear'), factor: fc.constantFrom(2, 4.5) }),
      fc.record({ rope_type: fc.constant('yarn'), factor: fc.constantFrom(1, 4), beta_fast: fc.constantFrom(16, 32) }),
      fc.constant({
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      }),
    );
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
    const config = fc.record({
      model_type: fc.constantFrom('llama', 'mistral', 'mixtral', 'qwen2', 'qwen3', 'qwen3_moe'),
      num_key_value_heads: optional(fc.constantFrom(1, 2, 4)),
      head_dim: optional(fc.constantFrom(2, 8)),
      attention_bias: optional(fc.boolean()),
      mlp_bias: optional(fc.boolean()),
      tie_word_embeddings: optional(fc.boolean()),
      rope_theta: optional(fc.constantFrom(1e4, 1e6)),
      rope_scaling: scaling,
      sliding_window: fc.option(fc.constantFrom(3, 5)),
      use_sliding_window: optional(fc.boolean()),
      max_window_layers: optional(fc.nat(5)),
      layer_types: optional(
        fc.array(fc.constantFrom('sliding_attention', 'full_attention'), { minLength: 4, maxLength: 4 }),
      ),
      num_experts: fc.constantFrom(0, 8),
      norm_topk_prob: optional(fc.boolean()),
      decoder_sparse_step: optional(fc.constantFrom(1, 2)),
      mlp_only_layers: optional(fc.constantFrom([], [1, 2])),
      bos_token_id: fc.option(fc.nat(99)),
      eos_token_id: fc.option(fc.oneof(fc.nat(99), fc.array(fc.nat(99)))),
    });
    fc.assert(
      fc.property(config, (json) => {
        const once = read(json);
        expect(readConfig(JSON.parse(JSON.stringify(writeConfig(once))), 'again')).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused where the family has no key for what it says', () => {
    expect(() => writeConfig({ ...read({}), queryKeyNorm: true })).toThrow(
      /a llama config cannot say queryKeyNorm true/,
    );
    expect(() => writeConfig({ ...read({}), outputBias: true })).toThrow(/cannot say outputBias true/);
    expect(() => writeConfig({ ...read({ model_type: 'mistral' }), windows: [1, 2, 3, 4] })).toThrow(
      /cannot say windows/,
    );
  });

  const bard = fileURLToPath(new URL('../../../../../../shared/models/bard/config.json', import.meta.url));
  it.skipIf(!existsSync(bard))('holds what bard’s config says (needs shared/models)', () => {
    const json = JSON.parse(readFileSync(bard, 'utf8'));
    const { torch_dtype, ...said } = json;
    expect(writeConfig(readConfig(json, 'bard'))).toMatchObject(said);
  });
});

describe('a config that is wrong', () => {
  it.each<[string, object, RegExp]>([
    [
      'has an unknown architecture',
      { model_type: 'gpt2' },
      /"model_type" is "gpt2"; .* llama, mistral, mixtral, qwen2/,
    ],
    ['names a family from a prototype', { model_type: 'constructor' }, /"model_type" is "constructor"/],
    ['has no architecture', { model_type: undefined }, /"model_type" is missing/],
    [
      'lacks a size',
      { vocab_size: undefined },
      /"vocab_size" is missing; it should be a whole number from 1 to 16,777,216/,
    ],
    ['has a size as a text', { hidden_size: '16' }, /"hidden_size" is "16"/],
    ['has a size that is no whole number', { num_hidden_layers: 1.5 }, /"num_hidden_layers" is 1.5/],
    ['has no layers', { num_hidden_layers: 0 }, /from 1 to/],
    ['has 10³⁰⁰ layers', { num_hidden_layers: 1e300 }, /"num_hidden_layers" is 1e\+300/],
    ['has an endless vocabulary', { vocab_size: 2 ** 40 }, /"vocab_size"/],
    [
      'has heads that key-value heads do not share',
      { num_key_value_heads: 3 },
      /a divisor of "num_attention_heads", which is 4/,
    ],
    ['has more key-value heads than heads', { num_key_value_heads: 8 }, /from 1 to 4/],
    ['has a head of odd size', { head_dim: 5 }, /even, for rotary positions turn pairs; the head size is 5/],
    ['has a width that heads do not share', { hidden_size: 18 }, /"head_dim" is missing; .* no multiple/],
    ['has another activation', { hidden_act: 'gelu' }, /"hidden_act" is "gelu"; it should be "silu"/],
    ['has a flag as a number', { tie_word_embeddings: 1 }, /"tie_word_embeddings" is 1; it should be true or false/],
    ['has an epsilon of 0', { rms_norm_eps: 0 }, /"rms_norm_eps" is 0; it should be a number above 0/],
    ['has an unknown scaling', { rope_scaling: { rope_type: 'longrope' } }, /rope_scaling: "rope_type" is "longrope"/],
    ['scales by no factor', { rope_scaling: { type: 'linear' } }, /rope_scaling: "factor" is missing/],
    ['has a scaling that is a list', { rope_scaling: [1] }, /"rope_scaling" is \[1\]/],
    [
      'has frequency factors in the wrong order',
      { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
      /"high_freq_factor" is 4; it should be above/,
    ],
    [
      'ends on a token it has not',
      { eos_token_id: [2, 100] },
      /"eos_token_id" is \[2,100\]; .* below "vocab_size" 100/,
    ],
    ['begins with a token it has not', { bos_token_id: -1 }, /"bos_token_id" is -1/],
    ['is quantised', { quantization_config: { bits: 4 } }, /quantised/],
    ['turns part of each head', { partial_rotary_factor: 0.5 }, /"partial_rotary_factor" is 0.5/],
    ['sends tokens to more experts than there are', { model_type: 'mixtral', num_experts_per_tok: 9 }, /from 1 to 8/],
    [
      'has too many experts in all',
      { model_type: 'mixtral', num_local_experts: 2 ** 14, num_hidden_layers: 100 },
      /at most 2621/,
    ],
    ['names dense layers badly', { model_type: 'qwen3_moe', mlp_only_layers: ['0'] }, /"mlp_only_layers"/],
    ['has no window of positive size', { model_type: 'mistral', sliding_window: 0 }, /"sliding_window" is 0/],
    [
      'tells the type of too few layers',
      { model_type: 'qwen2', use_sliding_window: true, layer_types: ['full_attention'] },
      /each of the 4 layers/,
    ],
  ])('%s', (_, json, message) => {
    expect(() => read(json)).toThrow(InputError);
    expect(() => read(json)).toThrow(message);
  });

  it('is no object', () => {
    for (const json of [null, [], 3, 'llama']) expect(() => readConfig(json, 'config.json')).toThrow(/no JSON object/);
  });

  it('cannot get a value from its prototype', () => {
    const json = JSON.parse('{"__proto__": {"vocab_size": 5, "model_type": "llama"}}');
    expect(() => readConfig(json, 'c')).toThrow(/"model_type" is missing/);
    const { vocab_size, ...rest } = { model_type: 'llama', ...sizes };
    expect(() => readConfig(Object.assign(Object.create({ vocab_size }), rest), 'c')).toThrow(
      /"vocab_size" is missing/,
    );
  });

  it('never is anything but refused by an InputError or read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...Object.keys(sizes),
          'rope_scaling',
          'head_dim',
          'eos_token_id',
          'layer_types',
          'sliding_window',
        ),
        fc.constantFrom('llama', 'mistral', 'mixtral', 'qwen2', 'qwen3', 'qwen3_moe'),
        fc.jsonValue(),
        (key, model_type, value) => {
          try {
            read({ model_type, use_sliding_window: true, [key]: value });
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
