/** @file What a vision transformer is made of, read from a published config.json. */

import { z } from 'zod';
import { InputError } from '../../core/errors.ts';

export interface VitConfig {
  /** Height and width of images. */
  readonly image: number;
  /** Height and width of patches. */
  readonly patch: number;
  readonly channels: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width inside the MLP. */
  readonly hidden: number;
  readonly classes: number;
  readonly normEpsilon: number;
  /** Biases of the query, key and value projections. */
  readonly queryKeyValueBias: boolean;
}

const count = (largest: number) => z.number().int().min(1).max(largest);

const published = z.object({
  model_type: z.literal('vit'),
  image_size: count(65_536).default(224),
  patch_size: count(65_536).default(16),
  num_channels: count(65_536).default(3),
  hidden_size: count(1e6).default(768),
  num_hidden_layers: count(10_000).default(12),
  num_attention_heads: count(1e6).default(12),
  intermediate_size: count(1e7).default(3072),
  layer_norm_eps: z.number().positive().default(1e-12),
  qkv_bias: z.boolean().default(true),
  hidden_act: z.literal('gelu').default('gelu'),
  id2label: z.record(z.string(), z.unknown()).optional(),
  num_labels: count(1e7).optional(),
});

/**
 * Reads a parsed config.json of `ViTForImageClassification`; what it leaves out has the published defaults. `file` is for messages.
 * @throws InputError naming the key that is wrong, and what would be right.
 */
export function readVitConfig(json: unknown, file = 'config.json'): VitConfig {
  const parsed = published.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new InputError(`${file}: ${path.join('.') || 'the whole'}: ${message}`);
  }
  const of = parsed.data;
  const config: VitConfig = {
    image: of.image_size,
    patch: of.patch_size,
    channels: of.num_channels,
    width: of.hidden_size,
    layers: of.num_hidden_layers,
    heads: of.num_attention_heads,
    hidden: of.intermediate_size,
    classes: of.num_labels ?? (of.id2label ? Math.max(1, Object.keys(of.id2label).length) : 2),
    normEpsilon: of.layer_norm_eps,
    queryKeyValueBias: of.qkv_bias,
  };
  if (config.image % config.patch !== 0) {
    throw new InputError(`${file}: image_size ${config.image} is not a multiple of patch_size ${config.patch}`);
  }
  if (config.width % config.heads !== 0) {
    throw new InputError(
      `${file}: hidden_size ${config.width} is not a multiple of num_attention_heads ${config.heads}`,
    );
  }
  return config;
}
