/** @file The tensors of a vision transformer: published names and shapes, and fresh ones to train. */

import type { Random } from '../../core/random.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import { float32 } from '../../runtime/index.ts';
import type { VitConfig } from './config.ts';

/** Every tensor by its published name, in the order data flows through them; linear weights are [out, in]. */
export function vitShapes(config: VitConfig): ReadonlyMap<string, readonly number[]> {
  const { width, hidden, patch, channels } = config;
  const shapes = new Map<string, readonly number[]>();
  const linear = (name: string, out: number, into: number, bias = true) => {
    shapes.set(`${name}.weight`, [out, into]);
    if (bias) shapes.set(`${name}.bias`, [out]);
  };
  const norm = (name: string) => {
    shapes.set(`${name}.weight`, [width]);
    shapes.set(`${name}.bias`, [width]);
  };
  shapes.set('vit.embeddings.cls_token', [1, 1, width]);
  shapes.set('vit.embeddings.position_embeddings', [1, (config.image / patch) ** 2 + 1, width]);
  shapes.set('vit.embeddings.patch_embeddings.projection.weight', [width, channels, patch, patch]);
  shapes.set('vit.embeddings.patch_embeddings.projection.bias', [width]);
  for (let n = 0; n < config.layers; n++) {
    const at = `vit.encoder.layer.${n}`;
    norm(`${at}.layernorm_before`);
    for (const part of ['query', 'key', 'value']) {
      linear(`${at}.attention.attention.${part}`, width, width, config.queryKeyValueBias);
    }
    linear(`${at}.attention.output.dense`, width, width);
    norm(`${at}.layernorm_after`);
    linear(`${at}.intermediate.dense`, hidden, width);
    linear(`${at}.output.dense`, width, hidden);
  }
  norm('vit.layernorm');
  linear('classifier', config.classes, width);
  return shapes;
}

/** Fresh tensors: normal with deviation 0.02, norms 1, biases 0. */
export function initialVit(config: VitConfig, random: Random): ParameterTensors {
  const made: Record<string, ReturnType<typeof float32>> = {};
  for (const [name, shape] of vitShapes(config)) {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
    const draws = random.stream(name);
    if (/layernorm\w*\.weight$/.test(name)) data.fill(1);
    else if (!name.endsWith('.bias')) for (let i = 0; i < data.length; i++) data[i] = 0.02 * draws.normal();
    made[name] = float32(shape, data);
  }
  return made;
}
