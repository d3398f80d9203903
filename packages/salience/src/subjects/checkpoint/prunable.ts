/** @file Which tensors of a checkpoint hold weights that may be pruned: matrices and kernels, told apart by name. */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import type { Checkpoint, Tensor } from '../../models/checkpoint/checkpoint-files.ts';
import { type FloatType, isFloatType } from '../../models/checkpoint/dtype.ts';

/** Parameters shared by every method that scores weights. */
export const prunableParams = {
  exclude: z
    .array(z.string())
    .default(['embed*', 'wte', 'wpe', '*norm*', 'ln_*', 'lm_head', 'head', 'classifier'])
    .describe('tensors left alone: patterns, with * for any characters, held against each dotted part of the name'),
  include: z.array(z.string()).default(['*']).describe('only tensors with a part of the name like one of these'),
};

export interface PrunableTensor extends Tensor {
  readonly dtype: FloatType;
}

/** A pattern in which * stands for any characters, held against the dot-separated parts of a name. */
function matcher(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    if (pattern.trim() === '') throw new ParameterError('an empty name pattern matches nothing; leave it out');
    return new RegExp(`^${pattern.trim().split('*').map(literal).join('.*')}$`, 'i');
  });
  return (name) => name.split('.').some((part) => expressions.some((expression) => expression.test(part)));
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/**
 * The tensors that may be pruned: floats of two dimensions or more, included and not excluded by name.
 * @throws InputError if there is none, saying what there was.
 */
export function prunableTensors(
  checkpoint: Checkpoint,
  { include, exclude }: { include: readonly string[]; exclude: readonly string[] },
): PrunableTensor[] {
  const included = matcher(include);
  const excluded = matcher(exclude);
  const prunable = checkpoint.tensors.filter(
    (tensor): tensor is PrunableTensor =>
      isFloatType(tensor.dtype) &&
      tensor.shape.length >= 2 &&
      tensor.bytes > 0 &&
      included(tensor.name) &&
      !excluded(tensor.name),
  );
  if (prunable.length === 0) {
    throw new InputError(
      `${checkpoint.path}: none of its ${checkpoint.tensors.length} tensors is a weight matrix in F32, F16 or BF16 that include=${include.join(',')} and exclude=${exclude.join(',')} leave`,
    );
  }
  return prunable;
}
