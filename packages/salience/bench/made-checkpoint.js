/** @file A made-up checkpoint of Llama shapes in shards, for benches. */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../dist/core/random.js';

/** Writes some 2.1 GB of normal F32 weights: 9 layers of width 2048, in 4 shards with an index. */
export function makeCheckpoint(
  folder,
  { layers = 9, width = 2048, inner = 5632, keys = 256, words = 32000, shards = 4 } = {},
) {
  mkdirSync(folder, { recursive: true });
  const tensors = [['model.embed_tokens.weight', [words, width], 0.02]];
  for (let l = 0; l < layers; l++) {
    const at = `model.layers.${l}`;
    tensors.push(
      [`${at}.input_layernorm.weight`, [width], 1],
      [`${at}.self_attn.q_proj.weight`, [width, width], 0.02],
      [`${at}.self_attn.k_proj.weight`, [keys, width], 0.03],
      [`${at}.self_attn.v_proj.weight`, [keys, width], 0.01],
      [`${at}.self_attn.o_proj.weight`, [width, width], 0.01],
      [`${at}.post_attention_layernorm.weight`, [width], 1],
      [`${at}.mlp.gate_proj.weight`, [inner, width], 0.02],
      [`${at}.mlp.up_proj.weight`, [inner, width], 0.015],
      [`${at}.mlp.down_proj.weight`, [width, inner], 0.012],
    );
  }
  tensors.push(['model.norm.weight', [width], 1], ['lm_head.weight', [words, width], 0.02]);
  const random = new Random(0, 'made-checkpoint');
  const block = Float32Array.from({ length: 2 ** 20 }, () => random.normal());
  const out = new Float32Array(block.length);
  const map = {};
  let total = 0;
  for (let s = 0; s < shards; s++) {
    const own = tensors.filter((_, t) => Math.floor((t * shards) / tensors.length) === s);
    const name = `model-0000${s + 1}-of-0000${shards}.safetensors`;
    const header = {};
    let end = 0;
    for (const [tensor, shape] of own) {
      const bytes = 4 * shape.reduce((a, b) => a * b);
      header[tensor] = { dtype: 'F32', shape, data_offsets: [end, end + bytes] };
      map[tensor] = name;
      end += bytes;
    }
    total += end;
    let json = JSON.stringify(header);
    json += ' '.repeat((8 - (json.length % 8)) % 8);
    const file = openSync(join(folder, name), 'w');
    writeSync(file, new BigUint64Array([BigInt(json.length)]));
    writeSync(file, json);
    for (const [, shape, scale] of own) {
      for (let left = shape.reduce((a, b) => a * b); left > 0; left -= block.length) {
        const s = scale * (0.5 + random.uniform());
        const n = Math.min(left, block.length);
        for (let i = 0; i < n; i++) out[i] = s * block[i];
        writeSync(file, out.subarray(0, n));
      }
    }
    closeSync(file);
  }
  writeFileSync(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: total }, weight_map: map }),
  );
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ architectures: ['LlamaForCausalLM'], model_type: 'llama', hidden_size: width }),
  );
  return total;
}
