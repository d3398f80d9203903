import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { attentionRowsNeeded, availableMemory, checkAttentionRows, checkMemory, memoryNeeded } from './memory.ts';
import { readConfig } from './read-config.ts';
import { checkWeights, initialWeights, parameterCount, weightShapes } from './weights.ts';

const read = (json: object) =>
  readConfig(
    {
      model_type: 'llama',
      vocab_size: 100,
      hidden_size: 16,
      intermediate_size: 24,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      ...json,
    },
    'config.json',
  );
const llama = read({});

describe('the tensors of a decoder', () => {
  it('have their published names and shapes, linear ones [out, in]', () => {
    const layer = (n: number): [string, number[]][] => [
      [`model.layers.${n}.input_layernorm.weight`, [16]],
      [`model.layers.${n}.self_attn.q_proj.weight`, [16, 16]],
      [`model.layers.${n}.self_attn.k_proj.weight`, [8, 16]],
      [`model.layers.${n}.self_attn.v_proj.weight`, [8, 16]],
      [`model.layers.${n}.self_attn.o_proj.weight`, [16, 16]],
      [`model.layers.${n}.post_attention_layernorm.weight`, [16]],
      [`model.layers.${n}.mlp.gate_proj.weight`, [24, 16]],
      [`model.layers.${n}.mlp.up_proj.weight`, [24, 16]],
      [`model.layers.${n}.mlp.down_proj.weight`, [16, 24]],
    ];
    expect([...weightShapes(llama)]).toEqual([
      ['model.embed_tokens.weight', [100, 16]],
      ...layer(0),
      ...layer(1),
      ['model.norm.weight', [16]],
      ['lm_head.weight', [100, 16]],
    ]);
  });

  it('have biases, norms of queries and keys, and a head of their own as the config says', () => {
    const names = (json: object) => [...weightShapes(read(json)).keys()];
    const biases = names({ model_type: 'qwen2' }).filter((name) => name.endsWith('.bias') && name.includes('.0.'));
    expect(biases.map((name) => name.split('.')[4])).toEqual(['q_proj', 'k_proj', 'v_proj']);
    const all = weightShapes(read({ attention_bias: true, mlp_bias: true }));
    expect(all.get('model.layers.1.self_attn.o_proj.bias')).toEqual([16]);
    expect(all.get('model.layers.1.mlp.gate_proj.bias')).toEqual([24]);
    expect(all.get('model.layers.1.mlp.down_proj.bias')).toEqual([16]);
    const qwen3 = weightShapes(read({ model_type: 'qwen3' }));
    expect(qwen3.get('model.layers.0.self_attn.q_norm.weight')).toEqual([128]);
    expect(qwen3.get('model.layers.0.self_attn.o_proj.weight')).toEqual([16, 512]);
    expect(names({ tie_word_embeddings: true })).not.toContain('lm_head.weight');
  });

  it('of experts are named as Mixtral or as Qwen names them', () => {
    const mixtral = weightShapes(read({ model_type: 'mixtral', num_local_experts: 3 }));
    expect(mixtral.get('model.layers.1.block_sparse_moe.gate.weight')).toEqual([3, 16]);
    expect(mixtral.get('model.layers.1.block_sparse_moe.experts.2.w1.weight')).toEqual([24, 16]);
    expect(mixtral.get('model.layers.1.block_sparse_moe.experts.2.w3.weight')).toEqual([24, 16]);
    expect(mixtral.get('model.layers.1.block_sparse_moe.experts.2.w2.weight')).toEqual([16, 24]);
    const moe = { model_type: 'qwen3_moe', num_experts: 3, num_experts_per_tok: 1, moe_intermediate_size: 5 };
    const qwen = weightShapes(read({ ...moe, mlp_only_layers: [0] }));
    expect(qwen.get('model.layers.0.mlp.gate_proj.weight')).toEqual([24, 16]);
    expect(qwen.get('model.layers.1.mlp.gate.weight')).toEqual([3, 16]);
    expect(qwen.get('model.layers.1.mlp.experts.2.down_proj.weight')).toEqual([16, 5]);
    expect(qwen.has('model.layers.1.mlp.gate_proj.weight')).toBe(false);
  });

  it.each<[string, number, object]>([
    [
      'Llama 3.2 1B',
      1_235_814_400,
      {
        vocab_size: 128256,
        hidden_size: 2048,
        intermediate_size: 8192,
        num_hidden_layers: 16,
        num_attention_heads: 32,
      },
    ],
    [
      'Mistral 7B',
      7_241_732_096,
      {
        model_type: 'mistral',
        vocab_size: 32000,
        hidden_size: 4096,
        intermediate_size: 14336,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        tie_word_embeddings: false,
      },
    ],
    [
      'Mixtral 8x7B',
      46_702_792_704,
      {
        model_type: 'mixtral',
        vocab_size: 32000,
        hidden_size: 4096,
        intermediate_size: 14336,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        tie_word_embeddings: false,
      },
    ],
    [
      'Qwen2 0.5B',
      494_032_768,
      {
        model_type: 'qwen2',
        vocab_size: 151936,
        hidden_size: 896,
        intermediate_size: 4864,
        num_hidden_layers: 24,
        num_attention_heads: 14,
        num_key_value_heads: 2,
      },
    ],
    [
      'Qwen3 0.6B',
      596_049_920,
      {
        model_type: 'qwen3',
        vocab_size: 151936,
        hidden_size: 1024,
        intermediate_size: 3072,
        num_hidden_layers: 28,
        num_attention_heads: 16,
      },
    ],
    [
      'Qwen3 30B-A3B',
      30_532_122_624,
      {
        model_type: 'qwen3_moe',
        vocab_size: 151936,
        hidden_size: 2048,
        intermediate_size: 6144,
        moe_intermediate_size: 768,
        num_hidden_layers: 48,
        num_attention_heads: 32,
        num_key_value_heads: 4,
        head_dim: 128,
        num_experts: 128,
        num_experts_per_tok: 8,
        tie_word_embeddings: false,
      },
    ],
  ])('of %s are %i numbers, as published', (_, count, json) => {
    expect(parameterCount(read({ tie_word_embeddings: true, num_key_value_heads: 8, ...json }))).toBe(count);
  });
});

describe('a checkpoint beside its config', () => {
  const tensors = (config = llama) =>
    [...weightShapes(config)].map(([name, shape]) => ({ name, shape, dtype: 'F32', offset: 0, bytes: 0, path: 'm' }));
  const check =
    (list: ReturnType<typeof tensors>, config = llama) =>
    () =>
      checkWeights({ path: 'm', tensors: list }, config);

  it('passes when it holds just the tensors called for, in any order and any float format', () => {
    expect(check(tensors().reverse())).not.toThrow();
    expect(check(tensors().map((tensor) => ({ ...tensor, dtype: 'BF16' })))).not.toThrow();
  });

  it('may hold rotary frequencies, and a head beside a tied embedding', () => {
    const rotary = { ...tensors()[0], name: 'model.layers.0.self_attn.rotary_emb.inv_freq', shape: [2], dtype: 'I64' };
    expect(check([...tensors(), rotary])).not.toThrow();
    expect(check(tensors(), read({ tie_word_embeddings: true }))).not.toThrow();
  });

  it('is refused for a tensor missing, of another shape, of no floats, or not expected', () => {
    const without = (name: string) => tensors().filter((tensor) => tensor.name !== name);
    expect(check(without('model.norm.weight'))).toThrow(/m: lacks tensor "model.norm.weight" of shape \[16\]/);
    expect(check(without('lm_head.weight'))).toThrow(/"tie_word_embeddings" should be true/);
    const changed = (change: object) => tensors().map((tensor, i) => (i === 3 ? { ...tensor, ...change } : tensor));
    expect(check(changed({ shape: [16, 16] }))).toThrow(
      /"model.layers.0.self_attn.k_proj.weight" has shape \[16, 16\]; by the config it should be \[8, 16\]/,
    );
    expect(check(changed({ shape: [128] }))).toThrow(/has shape \[128\]/);
    expect(check(changed({ dtype: 'I8' }))).toThrow(/is of I8; a decoder's weights are F32, F16 or BF16/);
    const extra = { ...tensors()[0], name: 'model.layers.2.mlp.up_proj.weight' };
    expect(check([...tensors(), extra])).toThrow(/holds tensor "model.layers.2.mlp.up_proj.weight", which a llama/);
    expect(check([])).toThrow(InputError);
  });

  it('is refused when any one tensor is left out', () => {
    const all = tensors(read({ model_type: 'qwen3_moe', num_experts: 2, num_experts_per_tok: 1 }));
    const config = read({ model_type: 'qwen3_moe', num_experts: 2, num_experts_per_tok: 1 });
    fc.assert(
      fc.property(fc.nat(all.length - 1), (gone) => {
        expect(check(all.toSpliced(gone, 1), config)).toThrow(JSON.stringify(all[gone].name));
      }),
    );
  });
});

describe('fresh weights', () => {
  const config = read({ model_type: 'qwen2', hidden_size: 64, intermediate_size: 128, num_hidden_layers: 8 });
  const weights = initialWeights(config, new Random(1, 'weights'));
  const deviation = (name: string) => {
    const { data } = weights[name];
    return Math.sqrt(data.reduce((sum, w) => sum + w * w, 0) / data.length);
  };

  it('have the names and shapes called for', () => {
    expect(Object.entries(weights).map(([name, { shape }]) => [name, shape])).toEqual([...weightShapes(config)]);
  });

  it('are normal with deviation 0.02, outputs to the stream with 0.02 / √(2 · layers), norms 1 and biases 0', () => {
    expect(deviation('model.embed_tokens.weight')).toBeCloseTo(0.02, 3);
    expect(deviation('model.layers.3.mlp.gate_proj.weight')).toBeCloseTo(0.02, 3);
    expect(deviation('model.layers.3.mlp.down_proj.weight')).toBeCloseTo(0.02 / 4, 4);
    expect(deviation('model.layers.3.self_attn.o_proj.weight')).toBeCloseTo(0.02 / 4, 4);
    expect(new Set(weights['model.layers.3.input_layernorm.weight'].data)).toEqual(new Set([1]));
    expect(new Set(weights['model.norm.weight'].data)).toEqual(new Set([1]));
    expect(new Set(weights['model.layers.3.self_attn.q_proj.bias'].data)).toEqual(new Set([0]));
  });

  it('are the same for the same seed, and a deeper model begins with the same embedding', () => {
    expect(initialWeights(config, new Random(1, 'weights'))).toEqual(weights);
    const deeper = initialWeights({ ...llama, width: 64 }, new Random(1, 'weights'));
    expect(deeper['model.embed_tokens.weight']).toEqual(weights['model.embed_tokens.weight']);
    expect(initialWeights(config, new Random(2, 'weights'))['lm_head.weight']).not.toEqual(weights['lm_head.weight']);
  });
});

describe('the memory needed', () => {
  it('is four bytes a weight to read, and seven times that to train, besides activations', () => {
    const none = { batch: 0, tokens: 0 };
    expect(memoryNeeded(llama, { purpose: 'forward', ...none })).toBe(4 * parameterCount(llama));
    expect(memoryNeeded(llama, { purpose: 'gradient', ...none })).toBe(8 * parameterCount(llama));
    expect(memoryNeeded(llama, { purpose: 'train', ...none, cacheBytes: 5 })).toBe(28 * parameterCount(llama) + 5);
    // Of the layers one is held at a time, so more layers of one kind need no more.
    const layers = (count: number) => ({
      ...llama,
      layers: count,
      windows: Array(count).fill(undefined),
      sparse: Array(count).fill(false),
    });
    const walk = { purpose: 'layers', batch: 16, tokens: 64 } as const;
    expect(memoryNeeded(layers(40), walk)).toBe(memoryNeeded(layers(2), walk));
  });

  it('for activations of 1 × 3 tokens is that of the formula', () => {
    const layer = 3 * (6 * 16 + 2 * (4 + 4) * 4 + 3 * 24) + 2 * 4 * 9;
    const at = { batch: 1, tokens: 3 };
    const none = { batch: 0, tokens: 0 };
    const more = (purpose: 'forward' | 'train') =>
      memoryNeeded(llama, { purpose, ...at }) - memoryNeeded(llama, { purpose, ...none });
    expect(more('forward')).toBe(4 * (layer + 2 * 3 * 100));
    expect(more('train')).toBe(4 * (2 * layer + 3 * 3 * 100));
  });

  it('is refused beyond what is available, with both figures', () => {
    const large = read({ hidden_size: 4096, intermediate_size: 11008, num_hidden_layers: 32, vocab_size: 32000 });
    expect(() => checkMemory(large, { purpose: 'train', batch: 2, tokens: 64 }, 16e9)).toThrow(
      /to train this llama decoder of [\d,]+ parameters on 2 × 64 tokens needs about \d+\.\d GB of memory; 16\.0 GB are available/,
    );
    expect(() => checkMemory(llama, { purpose: 'forward' }, 1)).toThrow(InputError);
    expect(() => checkMemory(llama, { purpose: 'forward' }, 1e6)).not.toThrow();
    expect(availableMemory()).toBeGreaterThan(0);
    expect(() => checkMemory(llama, { purpose: 'forward' })).not.toThrow();
  });

  it('for the attention that a policy sees is refused with the largest block that would do', () => {
    const reading = { batch: 2, tokens: 256, places: 4096 };
    expect(attentionRowsNeeded({ layers: 32, keyValueHeads: 8 }, reading)).toBe(16 * 32 * 2 * 8 * 256 * 4352);
    fc.assert(
      fc.property(
        fc.record({ layers: fc.integer({ min: 1, max: 99 }), keyValueHeads: fc.integer({ min: 1, max: 64 }) }),
        fc.record({ tokens: fc.integer({ min: 1, max: 999 }), places: fc.integer({ min: 0, max: 99_999 }) }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (config, own, share) => {
          const available = Math.floor(share * attentionRowsNeeded(config, own));
          let message = '';
          try {
            checkAttentionRows(config, own, available);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            message = (error as Error).message;
          }
          expect(message).toMatch(
            /takes about \d+\.\d [GM]B of memory; \d+\.\d [GM]B are available: read .*a shorter text$/,
          );
          const fitting = Number(/block = (\d+)/.exec(message)?.[1] ?? 0);
          expect(attentionRowsNeeded(config, { ...own, tokens: fitting })).toBeLessThanOrEqual(available);
          expect(attentionRowsNeeded(config, { ...own, tokens: fitting + 1 })).toBeGreaterThan(available);
          checkAttentionRows(config, own, attentionRowsNeeded(config, own));
        },
      ),
    );
  });
});
