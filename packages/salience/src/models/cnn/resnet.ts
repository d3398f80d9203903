/** @file Residual networks of basic blocks (arXiv:1512.03385), under torchvision's tensor names. */

import { batchNorm, batchNormTraining, convolution, globalAveragePool, linear, maxPool } from '../../nn/layers.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { noTap, type Tap } from '../../nn/tap.ts';
import { type JaxArray, nn } from '../../runtime/index.ts';

export interface ResnetConfig {
  /** Channels of images. */
  readonly channels: number;
  readonly classes: number;
  readonly stem: {
    /** Height and width of the first kernel. */
    readonly kernel: number;
    readonly stride: number;
    /** Whether a 3 × 3 maximum with stride 2 follows. */
    readonly pool: boolean;
  };
  /** Each stage but the first halves height and width. */
  readonly stages: readonly { readonly width: number; readonly blocks: number }[];
}

/** ResNet-18 as for ImageNet. */
export function resnet18({ classes = 1000, channels = 3 } = {}): ResnetConfig {
  const stages = [64, 128, 256, 512].map((width) => ({ width, blocks: 2 }));
  return { channels, classes, stem: { kernel: 7, stride: 2, pool: true }, stages };
}

/** ResNet-20 as for CIFAR, but with 1 × 1 convolutions where a shortcut changes its shape (the paper's option B). */
export function resnet20({ classes = 10, channels = 3 } = {}): ResnetConfig {
  const stages = [16, 32, 64].map((width) => ({ width, blocks: 3 }));
  return { channels, classes, stem: { kernel: 3, stride: 1, pool: false }, stages };
}

/**
 * Logits, shape [batch, classes], of images [batch, channels, height, width], by running statistics. Widths are those of the weights, so
 * that a network with fewer filters needs no other config. Points: `stem`, `stages.S.blocks.B.input`, `.hidden` (after the first
 * convolution, norm and ReLU), `.output` [batch, width, height, width], `pooled` [batch, width], `logits`.
 */
export function resnet(weights: Parameters, config: ResnetConfig, images: JaxArray, tap: Tap = noTap): JaxArray {
  return forward(weights, config, images, tap, (x, name) => batchNorm(x, statistics(weights, name)));
}

/**
 * The same by each batch's own statistics, for training.
 * @returns logits, and under their names the new running statistics, which replace the old ones after the step.
 */
export function resnetTraining(
  weights: Parameters,
  config: ResnetConfig,
  images: JaxArray,
  tap: Tap = noTap,
): { readonly logits: JaxArray; readonly buffers: Parameters } {
  const buffers: Record<string, JaxArray> = {};
  const logits = forward(weights, config, images, tap, (x, name) => {
    const made = batchNormTraining(x, statistics(weights, name));
    buffers[`${name}.running_mean`] = made.runningMean;
    buffers[`${name}.running_var`] = made.runningVariance;
    return made.values;
  });
  return { logits, buffers };
}

function statistics(weights: Parameters, name: string) {
  return {
    weight: weights[`${name}.weight`],
    bias: weights[`${name}.bias`],
    runningMean: weights[`${name}.running_mean`],
    runningVariance: weights[`${name}.running_var`],
  };
}

function forward(
  weights: Parameters,
  { stem, stages }: ResnetConfig,
  images: JaxArray,
  tap: Tap,
  norm: (x: JaxArray, name: string) => JaxArray,
): JaxArray {
  const padding = (stem.kernel - 1) / 2;
  let x = nn.relu(
    norm(convolution(images, weights['conv1.weight'], undefined, { stride: stem.stride, padding }), 'bn1'),
  );
  if (stem.pool) x = maxPool(x, { size: 3, stride: 2, padding: 1 });
  x = tap('stem', x);
  stages.forEach(({ blocks }, s) => {
    for (let b = 0; b < blocks; b++) {
      const name = `layer${s + 1}.${b}`;
      const point = `stages.${s}.blocks.${b}`;
      const stride = b === 0 && s > 0 ? 2 : 1;
      const input = tap(`${point}.input`, x);
      const first = convolution(input, weights[`${name}.conv1.weight`], undefined, { stride, padding: 1 });
      const hidden = tap(`${point}.hidden`, nn.relu(norm(first, `${name}.bn1`)));
      const second = convolution(hidden, weights[`${name}.conv2.weight`], undefined, { padding: 1 });
      const projection = weights[`${name}.downsample.0.weight`];
      const shortcut = projection
        ? norm(convolution(input, projection, undefined, { stride }), `${name}.downsample.1`)
        : input;
      x = tap(`${point}.output`, nn.relu(norm(second, `${name}.bn2`).add(shortcut)));
    }
  });
  const pooled = tap('pooled', globalAveragePool(x));
  return tap('logits', linear(pooled, weights['fc.weight'], weights['fc.bias']));
}
