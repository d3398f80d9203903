/** @file The layers that networks are made of, as pure functions. Images are [batch, channels, height, width]. */

import { InputError } from '../core/errors.ts';
import { type JaxArray, lax, numpy as np } from '../runtime/index.ts';

/** x Wᵀ + b: x [..., in], weight [out, in], bias [out] → [..., out]. */
export function linear(x: JaxArray, weight: JaxArray, bias?: JaxArray): JaxArray {
  const y = np.matmul(x, np.moveaxis(weight, -1, -2));
  return bias ? y.add(bias) : y;
}

/** Rows of a table [entries, width] by int32 ids [...] → [..., width]. */
export function embedding(ids: JaxArray, table: JaxArray): JaxArray {
  return np.take(table, ids, 0);
}

/** Steps of a window along height and width, zeros around the image, and groups of channels that do not see each other. */
export interface ConvolutionOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
}

/**
 * Cross-correlation as networks call convolution: x [batch, in, height, width], weight [out, in / groups, kh, kw], bias [out]
 * → [batch, out, ⌊(height + 2 padding − kh) / stride⌋ + 1, …].
 * @throws InputError if the channels do not fit the weight and the groups.
 */
export function convolution(
  x: JaxArray,
  weight: JaxArray,
  bias?: JaxArray,
  { stride = 1, padding = 0, groups = 1 }: ConvolutionOptions = {},
): JaxArray {
  const [, channels] = x.shape;
  const [out, each] = weight.shape;
  if (channels !== each * groups || out % groups !== 0) {
    throw new InputError(
      `a convolution with weight [${weight.shape.join(', ')}] in ${groups} groups sees ${each * groups} channels, and the image has ${channels}`,
    );
  }
  const around: [number, number] = [padding, padding];
  const y = lax.convGeneralDilated(x, weight, [stride, stride], [around, around], { featureGroupCount: groups });
  return bias ? y.add(bias.reshape([out, 1, 1])) : y;
}

/** The five tensors of a batch norm, each of shape [channels]. */
export interface BatchNormTensors {
  readonly weight: JaxArray;
  readonly bias: JaxArray;
  readonly runningMean: JaxArray;
  readonly runningVariance: JaxArray;
}

const acrossImages = [0, 2, 3];
const ofChannels = (x: JaxArray) => x.reshape([x.size, 1, 1]);

/** Batch norm as it is used (arXiv:1502.03167): (x − mean) / √(variance + epsilon) · weight + bias by the running statistics. */
export function batchNorm(x: JaxArray, norm: BatchNormTensors, epsilon = 1e-5): JaxArray {
  const scale = norm.weight.div(np.sqrt(norm.runningVariance.add(epsilon)));
  const shift = norm.bias.sub(norm.runningMean.mul(scale));
  return x.mul(ofChannels(scale)).add(ofChannels(shift));
}

/**
 * Batch norm as it is trained: by the batch's own mean and variance over images and places.
 * @returns the values and the new running statistics, (1 − momentum) · old + momentum · the batch's, the variance there with
 * n − 1 below the line; no gradient goes through them.
 */
export function batchNormTraining(
  x: JaxArray,
  norm: BatchNormTensors,
  { epsilon = 1e-5, momentum = 0.1 }: { readonly epsilon?: number; readonly momentum?: number } = {},
): { readonly values: JaxArray; readonly runningMean: JaxArray; readonly runningVariance: JaxArray } {
  const count = x.size / x.shape[1];
  const mean = x.mean(acrossImages, { keepdims: true });
  const centred = x.sub(mean);
  const variance = centred.mul(centred).mean(acrossImages, { keepdims: true });
  const values = centred
    .mul(np.reciprocal(np.sqrt(variance.add(epsilon))))
    .mul(ofChannels(norm.weight))
    .add(ofChannels(norm.bias));
  const renewed = (old: JaxArray, now: JaxArray) =>
    lax.stopGradient(old.mul(1 - momentum).add(now.reshape(old.shape).mul(momentum)));
  return {
    values,
    runningMean: renewed(norm.runningMean, mean),
    runningVariance: renewed(norm.runningVariance, variance.mul(count / Math.max(1, count - 1))),
  };
}

interface PoolOptions {
  readonly size: number;
  /** Default: the window's size. */
  readonly stride?: number;
  readonly padding?: number;
}

/** Largest value of each window: [batch, channels, height, width] → [batch, channels, …]; what pads is below everything. */
export function maxPool(x: JaxArray, { size, stride = size, padding = 0 }: PoolOptions): JaxArray {
  const padded = padding === 0 ? x : surrounded(x, padding, -3.4e38);
  return lax.reduceWindow(padded, (window) => window.max(), [size, size], [stride, stride]);
}

/** Mean of each window: [batch, channels, height, width] → [batch, channels, …]; zeros that pad count as values. */
export function averagePool(x: JaxArray, { size, stride = size, padding = 0 }: PoolOptions): JaxArray {
  const padded = padding === 0 ? x : surrounded(x, padding, 0);
  return lax.reduceWindow(padded, (window) => window.mean(), [size, size], [stride, stride]);
}

function surrounded(x: JaxArray, padding: number, value: number): JaxArray {
  const [batch, channels, height, width] = x.shape;
  const rows = np.full([batch, channels, padding, width], value);
  const tall = np.concatenate([rows, x, rows], 2);
  const columns = np.full([batch, channels, height + 2 * padding, padding], value);
  return np.concatenate([columns, tall, columns], 3);
}

/** Mean over height and width: [batch, channels, height, width] → [batch, channels]. */
export function globalAveragePool(x: JaxArray): JaxArray {
  return x.mean([2, 3]);
}

/**
 * Cuts images into square patches and maps each by one linear map, as a convolution with stride of the patch: images
 * [batch, channels, height, width], weight [width, channels, patch, patch] → [batch, patches in rows, width].
 * @throws InputError if the image is not a whole number of patches high and wide.
 */
export function patchEmbedding(images: JaxArray, weight: JaxArray, bias?: JaxArray): JaxArray {
  const [batch, channels, height, width] = images.shape;
  const [out, , patch] = weight.shape;
  if (height % patch !== 0 || width % patch !== 0) {
    throw new InputError(`an image of ${height} × ${width} is not a whole number of ${patch} × ${patch} patches`);
  }
  const [rows, columns] = [height / patch, width / patch];
  const patches = images
    .reshape([batch, channels, rows, patch, columns, patch])
    .transpose([0, 2, 4, 1, 3, 5])
    .reshape([batch, rows * columns, channels * patch * patch]);
  return linear(patches, weight.reshape([out, channels * patch * patch]), bias);
}
