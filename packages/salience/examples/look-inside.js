/** @file Looks inside a decoder and changes it: `node packages/salience/examples/look-inside.js`. */

import { Random } from 'salience/core';
import { initialWeights, inspect, nextToken, readConfig } from 'salience/models';
import { accumulatedAttention, sumOfSquares, valueAt, valuesAt } from 'salience/nn';
import { float32, int32, numpy as np } from 'salience/runtime';

// 1. model
// Fresh weights, made large enough to matter; of a published model they are `await loadWeights(await openPretrained(folder), run)`.
const json = { model_type: 'llama', vocab_size: 32, hidden_size: 16, intermediate_size: 24 };
const sizes = { num_hidden_layers: 2, num_attention_heads: 4, num_key_value_heads: 2 };
const config = readConfig({ ...json, ...sizes }, 'config.json');
const weights = initialWeights(config, new Random(0));
for (const { shape, data } of Object.values(weights)) if (shape.length > 1) data.set(data.map((w) => 20 * w));
const tokens = int32([1, 8], [3, 14, 15, 9, 26, 5, 3, 5]);

// 2. observe
const looking = inspect(config, { observe: { weights: valuesAt('attention.weights'), logits: valueAt('logits') } });
const seen = await looking.run(weights, tokens);
for (const [layer, { shape, data }] of seen.observed.weights.entries()) {
  const last = Array.from(data.slice(-8), (weight) => weight.toFixed(2));
  console.log(`layer ${layer}: weights [${shape}]; the last token's last head attends ${last.join(' ')}`);
}
console.log(`logits [${seen.observed.logits[0].shape}]`);

// 3. change
const masking = inspect(config, {
  change: [{ point: 'layers.*.attention.heads', apply: (heads, { inputs }) => heads.mul(inputs.mask.reshape([4, 1])) }],
  loss: nextToken,
});
for (const mask of [
  [1, 1, 1, 1],
  [0, 1, 1, 1],
  [0, 0, 0, 0],
]) {
  const { loss } = await masking.run(weights, tokens, { mask: float32([4], mask) });
  console.log(`with heads ${mask.join(' ')} the loss is ${loss.toFixed(3)}`);
}

// 4. gradients
const differentiating = inspect(config, {
  loss: nextToken,
  gradients: { points: ['layers.1.attention.heads'], weights: (name) => name.endsWith('o_proj.weight') },
  observe: { heads: valueAt('layers.1.attention.heads') },
});
const slopes = await differentiating.run(weights, tokens);
const taylor = [0, 0, 0, 0]; // how much the loss would fall, to first order, without each head of layer 1
slopes.pointGradients['layers.1.attention.heads'].data.forEach((slope, i) => {
  taylor[Math.floor(i / config.headSize) % 4] += slope * slopes.observed.heads[0].data[i];
});
console.log(`heads of layer 1, to first order: ${taylor.map((fall) => fall.toFixed(3)).join(' ')}`);
console.log(`gradients of ${Object.keys(slopes.weightGradients).join(', ')}`);

// 5. reductions
const random = new Random(1);
const texts = Array.from({ length: 6 }, () =>
  int32(
    [4, 8],
    Array.from({ length: 32 }, () => random.integer(32)),
  ),
);
const entropy = {
  scope: 'layer',
  reduce: (see) =>
    see('attention.weights')
      .mul(np.log(see('attention.weights').add(1e-20)))
      .sum([0, 2, 3])
      .mul(-1),
};
const reducing = inspect(config, {
  observe: { squares: sumOfSquares('mlp.hidden'), received: accumulatedAttention, entropy },
});
const { observed } = await reducing.runAll(weights, texts);
for (const [layer, { shape, data }] of observed.entropy.entries()) {
  const mean = Array.from(data, (sum) => (sum / (6 * 4 * 8)).toFixed(2)).join(' ');
  const [squares, received] = [observed.squares[layer].shape, observed.received[layer].shape];
  console.log(`layer ${layer}: entropy [${shape}] ${mean}; squares [${squares}], attention received [${received}]`);
}
