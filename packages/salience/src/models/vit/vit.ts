/**
 * @file A vision transformer (arXiv:2010.11929) with a [CLS] token, learned positions and norms before each part, under the names of
 * `ViTForImageClassification`.
 */

import { linear, patchEmbedding } from '../../nn/layers.ts';
import { type Parameters, under } from '../../nn/parameters.ts';
import { noTap, type Tap, within } from '../../nn/tap.ts';
import { type JaxArray, layerNorm, nn, numpy as np, softmax } from '../../runtime/index.ts';
import type { VitConfig } from './config.ts';

/**
 * Logits, shape [batch, classes], from images [batch, channels, image, image]. Tokens are [CLS], then patches row by row.
 *
 * Points, named as a decoder's: `embeddings`; in layer N after `layers.N.`: `input`, `attention.input`, `attention.queries`, `.keys`,
 * `.values` [batch, heads, tokens, head size], `.scores` and `.weights` [batch, heads, tokens, tokens], `.heads` [batch, tokens, heads,
 * head size], `.output`, `middle`, `mlp.input`, `mlp.hidden` [batch, tokens, hidden], `mlp.output`, `output`; then `final`, `logits`.
 */
export function vit(weights: Parameters, config: VitConfig, images: JaxArray, tap: Tap = noTap): JaxArray {
  const of = under(weights, 'vit.embeddings.');
  const patches = patchEmbedding(
    images,
    of['patch_embeddings.projection.weight'],
    of['patch_embeddings.projection.bias'],
  );
  const first = np.broadcastTo(of.cls_token, [images.shape[0], 1, config.width]);
  let x = tap('embeddings', np.concatenate([first, patches], 1).add(of.position_embeddings));
  for (let n = 0; n < config.layers; n++) {
    x = vitLayer(under(weights, `vit.encoder.layer.${n}.`), config, x, within(tap, `layers.${n}.`));
  }
  const final = tap('final', normed(weights, 'vit.layernorm', x, config));
  const [cls] = np.split(final, [1], 1);
  const { shape } = cls;
  return tap(
    'logits',
    linear(cls.reshape([shape[0], shape[2]]), weights['classifier.weight'], weights['classifier.bias']),
  );
}

/** One layer: x [batch, tokens, width] → the same shape. The weights' names are without `vit.encoder.layer.N.`. */
function vitLayer(weights: Parameters, config: VitConfig, x: JaxArray, tap: Tap): JaxArray {
  const input = tap('input', x);
  const seen = tap('attention.input', normed(weights, 'layernorm_before', input, config));
  const middle = tap('middle', input.add(attention(weights, config, seen, within(tap, 'attention.'))));
  const read = tap('mlp.input', normed(weights, 'layernorm_after', middle, config));
  const hidden = tap('mlp.hidden', nn.gelu(dense(weights, 'intermediate.dense', read), { approximate: false }));
  return tap('output', middle.add(tap('mlp.output', dense(weights, 'output.dense', hidden))));
}

function attention(weights: Parameters, { heads, width }: VitConfig, x: JaxArray, tap: Tap): JaxArray {
  const [batch, tokens] = x.shape;
  const projected = (name: string) =>
    np.moveaxis(dense(weights, `attention.attention.${name}`, x).reshape([batch, tokens, heads, width / heads]), 1, 2);
  const queries = tap('queries', projected('query'));
  const keys = tap('keys', projected('key'));
  const values = tap('values', projected('value'));
  const scores = tap('scores', np.matmul(queries.mul((width / heads) ** -0.5), np.moveaxis(keys, -1, -2)));
  const mixed = np.matmul(tap('weights', softmax(scores)), values);
  const joined = tap('heads', np.moveaxis(mixed, 1, 2)).reshape([batch, tokens, width]);
  return tap('output', dense(weights, 'attention.output.dense', joined));
}

function dense(weights: Parameters, name: string, x: JaxArray): JaxArray {
  return linear(x, weights[`${name}.weight`], weights[`${name}.bias`]);
}

function normed(weights: Parameters, name: string, x: JaxArray, { normEpsilon }: VitConfig): JaxArray {
  return layerNorm(x, weights[`${name}.weight`], weights[`${name}.bias`], normEpsilon);
}
