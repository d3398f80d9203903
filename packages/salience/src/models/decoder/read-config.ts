/**
 * @file A decoder's config.json, as Hugging Face publishes it for Llama, Mistral, Mixtral, Qwen2, Qwen3 and Qwen3-MoE, read into the
 * field's words and written back. A config is untrusted: every number is checked before anything is sized by it.
 */

import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../../core/errors.ts';
import type { Rotary, RotaryScaling } from '../../nn/rotary.ts';
import type { DecoderConfig, Experts } from './config.ts';

type Family = DecoderConfig['family'];

/** What a family fixes, and the published defaults of what its configs may leave out. */
interface FamilyFacts {
  readonly architecture: string;
  readonly positions: number;
  readonly normEpsilon: number;
  readonly base: number;
  /** Where the config names no head size: this, or width / heads. */
  readonly headSize?: number;
  /** Biases of query, key and value, and of the output: fixed, or as `attention_bias` says. */
  readonly bias: 'none' | 'query, key, value' | 'configured';
  readonly mlpBias: boolean;
  readonly queryKeyNorm: boolean;
  readonly windows: 'none' | 'every layer' | 'when used' | 'when used, upper layers';
  /** `sliding_window` where the config has no such key. */
  readonly window?: number;
}

const families: Readonly<Record<Family, FamilyFacts>> = {
  llama: {
    architecture: 'LlamaForCausalLM',
    positions: 2048,
    normEpsilon: 1e-6,
    base: 1e4,
    bias: 'configured',
    mlpBias: true,
    queryKeyNorm: false,
    windows: 'none',
  },
  mistral: {
    architecture: 'MistralForCausalLM',
    positions: 131072,
    normEpsilon: 1e-6,
    base: 1e4,
    bias: 'none',
    mlpBias: false,
    queryKeyNorm: false,
    windows: 'every layer',
    window: 4096,
  },
  mixtral: {
    architecture: 'MixtralForCausalLM',
    positions: 131072,
    normEpsilon: 1e-5,
    base: 1e6,
    bias: 'none',
    mlpBias: false,
    queryKeyNorm: false,
    windows: 'every layer',
  },
  qwen2: {
    architecture: 'Qwen2ForCausalLM',
    positions: 32768,
    normEpsilon: 1e-6,
    base: 1e4,
    bias: 'query, key, value',
    mlpBias: false,
    queryKeyNorm: false,
    windows: 'when used, upper layers',
    window: 4096,
  },
  qwen3: {
    architecture: 'Qwen3ForCausalLM',
    positions: 32768,
    normEpsilon: 1e-6,
    base: 1e4,
    headSize: 128,
    bias: 'configured',
    mlpBias: false,
    queryKeyNorm: true,
    windows: 'when used, upper layers',
    window: 4096,
  },
  qwen3_moe: {
    architecture: 'Qwen3MoeForCausalLM',
    positions: 32768,
    normEpsilon: 1e-6,
    base: 1e4,
    bias: 'configured',
    mlpBias: false,
    queryKeyNorm: true,
    windows: 'when used',
    window: 4096,
  },
};

/** Greatest sizes taken for real: several times those of any published decoder. */
const bounds = {
  vocabulary: 2 ** 24,
  width: 2 ** 18,
  layers: 2 ** 11,
  heads: 2 ** 12,
  headSize: 2 ** 12,
  hidden: 2 ** 20,
  positions: 2 ** 30,
  experts: 2 ** 14,
  /** Layers times experts. */
  expertLayers: 2 ** 18,
};

type Json = Readonly<Record<string, unknown>>;

/** Typed reading of the own keys of a JSON object; null counts as absent. */
function keysOf(json: Json, where: string) {
  const at = (key: string): unknown => (Object.hasOwn(json, key) ? (json[key] ?? undefined) : undefined);
  const refuse = (key: string, what: string): never => {
    const value = at(key);
    const shown = value === undefined ? 'is missing' : `is ${short(value)}`;
    throw new InputError(`${where}: "${key}" ${shown}; it should be ${what}`);
  };
  return {
    at,
    refuse,
    has: (key: string) => Object.hasOwn(json, key),
    whole(key: string, most: number, otherwise?: number, least = 1): number {
      const value = at(key) ?? otherwise;
      if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
        return value as number;
      return refuse(key, `a whole number from ${least} to ${most.toLocaleString('en-US')}`);
    },
    positive(key: string, otherwise?: number): number {
      const value = at(key) ?? otherwise;
      if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
      return refuse(key, 'a number above 0');
    },
    flag(key: string, otherwise: boolean): boolean {
      const value = at(key) ?? otherwise;
      return typeof value === 'boolean' ? value : refuse(key, 'true or false');
    },
  };
}

type Keys = ReturnType<typeof keysOf>;

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/**
 * Reads a published config.json.
 * @param json its content, parsed.
 * @param where the file's name, for errors.
 * @throws InputError naming the key that is missing, ill-typed, out of range or contradicts another, and what it should be.
 */
export function readConfig(json: unknown, where: string): DecoderConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new InputError(`${where}: holds no JSON object`);
  }
  const keys = keysOf(json as Json, where);
  const family = familyOf(keys);
  const facts = families[family];
  if (keys.at('quantization_config') !== undefined) {
    throw new InputError(
      `${where}: has a "quantization_config"; weights that are quantised in the file cannot be read`,
    );
  }
  if ((keys.at('hidden_act') ?? 'silu') !== 'silu') keys.refuse('hidden_act', '"silu"');
  if ((keys.at('partial_rotary_factor') ?? 1) !== 1) keys.refuse('partial_rotary_factor', '1');

  const vocabulary = keys.whole('vocab_size', bounds.vocabulary);
  const width = keys.whole('hidden_size', bounds.width);
  const layers = keys.whole('num_hidden_layers', bounds.layers);
  const heads = keys.whole('num_attention_heads', bounds.heads);
  const keyValueHeads = keys.whole('num_key_value_heads', heads, heads);
  if (heads % keyValueHeads !== 0) {
    keys.refuse('num_key_value_heads', `a divisor of "num_attention_heads", which is ${heads}`);
  }
  const headSize = keys.whole('head_dim', bounds.headSize, facts.headSize ?? Math.floor(width / heads), 2);
  if (keys.at('head_dim') === undefined && facts.headSize === undefined && width % heads !== 0) {
    keys.refuse('head_dim', `given, since "hidden_size" ${width} is no multiple of "num_attention_heads" ${heads}`);
  }
  if (headSize % 2 !== 0)
    keys.refuse('head_dim', `even, for rotary positions turn pairs; the head size is ${headSize}`);
  const positions = keys.whole('max_position_embeddings', bounds.positions, facts.positions);
  const attentionBias = facts.bias === 'configured' && keys.flag('attention_bias', false);
  const experts = readExperts(keys, family, layers);
  return {
    family,
    vocabulary,
    width,
    layers,
    heads,
    keyValueHeads,
    headSize,
    hidden: keys.whole('intermediate_size', bounds.hidden),
    positions,
    normEpsilon: keys.positive('rms_norm_eps', facts.normEpsilon),
    rotary: readRotary(keys, facts.base, positions, where),
    tied: keys.flag('tie_word_embeddings', false),
    queryKeyValueBias: facts.bias === 'query, key, value' || attentionBias,
    outputBias: attentionBias,
    mlpBias: facts.mlpBias && keys.flag('mlp_bias', false),
    queryKeyNorm: facts.queryKeyNorm,
    windows: readWindows(keys, facts, layers),
    sparse: readSparse(keys, family, layers, experts),
    ...(experts && { experts }),
    ...readEnds(keys, vocabulary),
  };
}

function familyOf(keys: Keys): Family {
  const type = keys.at('model_type');
  if (typeof type === 'string' && Object.hasOwn(families, type)) return type as Family;
  return keys.refuse('model_type', `one of the known decoders: ${Object.keys(families).join(', ')}`);
}

function readExperts(keys: Keys, family: Family, layers: number): Experts | undefined {
  if (family !== 'mixtral' && family !== 'qwen3_moe') return undefined;
  const mixtral = family === 'mixtral';
  // Newer Qwen3-MoE configs name the count as Mixtral's do.
  const countKey = mixtral || keys.at('num_experts') === undefined ? 'num_local_experts' : 'num_experts';
  const count = keys.whole(countKey, bounds.experts, mixtral ? 8 : 128, mixtral ? 1 : 0);
  if (count === 0) return undefined;
  if (count * layers > bounds.expertLayers) {
    keys.refuse(countKey, `at most ${Math.floor(bounds.expertLayers / layers)} with ${layers} layers`);
  }
  return {
    count,
    perToken: keys.whole('num_experts_per_tok', count, mixtral ? 2 : 8),
    hidden: mixtral
      ? keys.whole('intermediate_size', bounds.hidden)
      : keys.whole('moe_intermediate_size', bounds.hidden, 768),
    normalised: mixtral || keys.flag('norm_topk_prob', false),
    naming: mixtral ? 'mixtral' : 'qwen',
  };
}

function readSparse(keys: Keys, family: Family, layers: number, experts?: Experts): boolean[] {
  if (!experts || family === 'mixtral') return Array(layers).fill(experts !== undefined);
  const step = keys.whole('decoder_sparse_step', bounds.layers, 1);
  const dense = keys.at('mlp_only_layers') ?? [];
  if (!Array.isArray(dense) || !dense.every((layer) => Number.isSafeInteger(layer) && layer >= 0)) {
    return keys.refuse('mlp_only_layers', 'a list of layers, counted from 0');
  }
  const named = new Set(dense);
  return Array.from({ length: layers }, (_, layer) => !named.has(layer) && (layer + 1) % step === 0);
}

function readWindows(keys: Keys, facts: FamilyFacts, layers: number): (number | undefined)[] {
  const none = Array<number | undefined>(layers).fill(undefined);
  if (facts.windows === 'none') return none;
  if (facts.windows !== 'every layer' && !keys.flag('use_sliding_window', false)) return none;
  // A null says that there is no window; an absent key leaves the family's.
  const otherwise = keys.has('sliding_window') ? undefined : facts.window;
  if ((keys.at('sliding_window') ?? otherwise) === undefined) return none;
  const window = keys.whole('sliding_window', bounds.positions, otherwise);
  const types = keys.at('layer_types');
  if (types !== undefined) {
    const known = (type: unknown) => type === 'full_attention' || type === 'sliding_attention';
    if (!Array.isArray(types) || types.length !== layers || !types.every(known)) {
      return keys.refuse('layer_types', `"full_attention" or "sliding_attention" for each of the ${layers} layers`);
    }
    return types.map((type) => (type === 'sliding_attention' ? window : undefined));
  }
  if (facts.windows !== 'when used, upper layers') return none.fill(window);
  const first = keys.whole('max_window_layers', bounds.positions, 28, 0);
  return none.map((_, layer) => (layer >= first ? window : undefined));
}

function readRotary(keys: Keys, base: number, positions: number, where: string): Rotary {
  const name = ['rope_parameters', 'rope_scaling'].find((key) => keys.at(key) !== undefined);
  if (name === undefined) return { base: keys.positive('rope_theta', base) };
  const value = keys.at(name);
  if (typeof value !== 'object' || Array.isArray(value)) return keys.refuse(name, 'an object or null');
  const rope = keysOf(value as Json, `${where}: ${name}`);
  const theta = rope.at('rope_theta') === undefined ? keys.positive('rope_theta', base) : rope.positive('rope_theta');
  if ((rope.at('partial_rotary_factor') ?? 1) !== 1) rope.refuse('partial_rotary_factor', '1');
  const scaling = readScaling(rope, positions);
  return { base: theta, ...(scaling && { scaling }) };
}

function readScaling(rope: Keys, positions: number): RotaryScaling | undefined {
  const key = rope.at('rope_type') === undefined && rope.at('type') !== undefined ? 'type' : 'rope_type';
  const kind = (rope.at(key) ?? 'default') as string;
  const original = (otherwise?: number) => rope.whole('original_max_position_embeddings', bounds.positions, otherwise);
  switch (kind) {
    case 'default':
      return undefined;
    case 'linear':
      return { kind, factor: rope.positive('factor') };
    case 'llama3': {
      const lowFrequencyFactor = rope.positive('low_freq_factor');
      const highFrequencyFactor = rope.positive('high_freq_factor');
      if (highFrequencyFactor <= lowFrequencyFactor) {
        return rope.refuse('high_freq_factor', `above "low_freq_factor", which is ${lowFrequencyFactor}`);
      }
      const factor = rope.positive('factor');
      return { kind, factor, lowFrequencyFactor, highFrequencyFactor, originalPositions: original() };
    }
    case 'yarn': {
      if (!rope.flag('truncate', true)) return rope.refuse('truncate', 'true');
      const factor = rope.positive('factor');
      return {
        kind,
        factor,
        originalPositions: original(positions),
        betaFast: rope.positive('beta_fast', 32),
        betaSlow: rope.positive('beta_slow', 1),
        attentionFactor: rope.positive('attention_factor', yarnAttention(rope, factor)),
      };
    }
    default:
      return rope.refuse(key, '"default", "linear", "llama3" or "yarn"');
  }
}

/** The factor on cos and sin that the paper recommends (YaRN, arXiv:2309.00071, equation 22): 0.1 ln(factor) + 1. */
function yarnAttention(rope: Keys, factor: number): number {
  const of = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (rope.at('mscale') === undefined || rope.at('mscale_all_dim') === undefined) return of(1);
  return of(rope.positive('mscale')) / of(rope.positive('mscale_all_dim'));
}

function readEnds(keys: Keys, vocabulary: number): Pick<DecoderConfig, 'beginToken' | 'endTokens'> {
  const begin = keys.at('bos_token_id');
  const beginToken = begin === undefined ? undefined : keys.whole('bos_token_id', vocabulary - 1, undefined, 0);
  return { ...(beginToken !== undefined && { beginToken }), endTokens: tokenList(keys, 'eos_token_id', vocabulary) };
}

function tokenList(keys: Keys, key: string, vocabulary: number): number[] {
  const value = keys.at(key) ?? [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const isToken = (id: unknown): id is number =>
    Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < vocabulary;
  return list.every(isToken)
    ? list
    : keys.refuse(key, `a token or a list of tokens, each below "vocab_size" ${vocabulary}`);
}

/**
 * A config as config.json publishes it, so that other tools open what was trained here; `readConfig` gives the same config back.
 * @throws InputError if the family has no key for something in it.
 */
export function writeConfig(config: DecoderConfig): Record<string, unknown> {
  const { family, rotary, experts } = config;
  const facts = families[family];
  const json: Record<string, unknown> = {
    architectures: [facts.architecture],
    model_type: family,
    vocab_size: config.vocabulary,
    hidden_size: config.width,
    intermediate_size: config.hidden,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    hidden_act: 'silu',
    max_position_embeddings: config.positions,
    rms_norm_eps: config.normEpsilon,
    rope_theta: rotary.base,
    rope_scaling: rotary.scaling ? writeScaling(rotary.scaling) : null,
    tie_word_embeddings: config.tied,
    bos_token_id: config.beginToken ?? null,
    eos_token_id:
      config.endTokens.length === 1 ? config.endTokens[0] : config.endTokens.length ? config.endTokens : null,
  };
  if (facts.bias === 'configured') json.attention_bias = config.queryKeyValueBias;
  if (facts.mlpBias) json.mlp_bias = config.mlpBias;
  Object.assign(json, writeWindows(config, facts));
  if (family === 'mixtral' && experts) {
    json.num_local_experts = experts.count;
    json.num_experts_per_tok = experts.perToken;
  } else if (family === 'qwen3_moe') {
    json.num_experts = experts?.count ?? 0;
    if (experts) {
      json.num_experts_per_tok = experts.perToken;
      json.moe_intermediate_size = experts.hidden;
      json.norm_topk_prob = experts.normalised;
      json.decoder_sparse_step = 1;
      json.mlp_only_layers = config.sparse.flatMap((sparse, layer) => (sparse ? [] : [layer]));
    }
  }
  const back = readConfig(json, `a ${family} config`);
  for (const key of Object.keys({ ...config, ...back }) as (keyof DecoderConfig)[]) {
    if (!isDeepStrictEqual(plain(back[key]), plain(config[key]))) {
      throw new InputError(
        `a ${family} config cannot say ${key} ${short(config[key] ?? null)}; it would read as ${short(back[key] ?? null)}`,
      );
    }
  }
  return json;
}

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

function writeWindows({ windows }: DecoderConfig, facts: FamilyFacts): Record<string, unknown> {
  if (facts.windows === 'none') return {};
  const window = windows.find((size) => size !== undefined);
  const json: Record<string, unknown> = { sliding_window: window ?? null };
  if (facts.windows !== 'every layer') json.use_sliding_window = window !== undefined;
  if (window === undefined) return json;
  if (facts.windows === 'when used, upper layers') json.max_window_layers = windows.indexOf(window);
  if (facts.windows === 'when used, upper layers' || windows.includes(undefined)) {
    json.layer_types = windows.map((size) => (size === undefined ? 'full_attention' : 'sliding_attention'));
  }
  return json;
}

function writeScaling(scaling: RotaryScaling): Record<string, unknown> {
  switch (scaling.kind) {
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'llama3':
      return {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFrequencyFactor,
        high_freq_factor: scaling.highFrequencyFactor,
        original_max_position_embeddings: scaling.originalPositions,
      };
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        original_max_position_embeddings: scaling.originalPositions,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
      };
  }
}
