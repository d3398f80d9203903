/** @file Losses of predictions against what was to be predicted. */

import { InputError } from '../core/errors.ts';
import { type JaxArray, lax, numpy as np } from '../runtime/index.ts';

export interface CrossEntropyOptions {
  /** Which targets count, 0 or 1 (or any weight of 0 or more), of the targets' shape; default all. */
  readonly weights?: JaxArray;
  /** `mean` (Σ weight · loss / Σ weight), `sum` (Σ weight · loss), or `none`, a loss for each target; default `mean`. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

/**
 * Negative log-likelihood of the targets under softmax(logits): log Σⱼ exp(zⱼ) − z_target, in nats.
 * @param logits shape [..., classes].
 * @param targets int32, shape [...], each at least 0 and below classes.
 * @returns shape [], or of the targets for `none`. A mean over weights that are all 0 is 0.
 * @throws InputError if the shapes do not fit.
 */
export function crossEntropy(
  logits: JaxArray,
  targets: JaxArray,
  { weights, reduction = 'mean' }: CrossEntropyOptions = {},
): JaxArray {
  const lead = logits.shape.slice(0, -1);
  for (const [name, { shape }] of Object.entries({ targets, ...(weights && { weights }) })) {
    if (shape.length !== lead.length || shape.some((length, i) => length !== lead[i])) {
      throw new InputError(
        `logits [${logits.shape.join(', ')}] want ${name} of shape [${lead.join(', ')}], not [${shape.join(', ')}]`,
      );
    }
  }
  const losses = logSumExp(logits).sub(takeLast(logits, targets));
  const weighted = weights ? losses.mul(weights) : losses;
  if (reduction === 'none') return weighted;
  const sum = weighted.sum();
  if (reduction === 'sum') return sum;
  return weights ? sum.div(np.maximum(weights.sum(), 1e-30)) : sum.mul(1 / Math.max(1, losses.size));
}

/** log Σ exp along the last axis: [..., n] → [...]. */
function logSumExp(x: JaxArray): JaxArray {
  const largest = lax.stopGradient(x.max(-1, { keepdims: true }));
  const sums = np.exp(x.sub(largest)).sum(-1);
  return np.log(sums).add(largest.reshape(sums.shape));
}

/** x[..., at]: x [..., n], int32 places [...] → [...]. */
function takeLast(x: JaxArray, at: JaxArray): JaxArray {
  const n = x.shape[x.shape.length - 1];
  const rows = at.size;
  return x
    .reshape([rows, n])
    .slice(np.arange(rows), at.reshape([rows]))
    .reshape(at.shape);
}
