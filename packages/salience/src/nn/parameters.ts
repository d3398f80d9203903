/** @file Parameters of networks: one flat record from published tensor names to arrays. */

import type { JaxArray, Tensor } from '../runtime/index.ts';

/** Inside a program: published tensor name → array. Linear weights are [out, in], as in published checkpoints. */
export type Parameters = Readonly<Record<string, JaxArray>>;

/** Outside of programs: published tensor name → float32 tensor. */
export type ParameterTensors = Readonly<Record<string, Tensor<'float32'>>>;

/** The parameters whose name starts with a prefix, without it. */
export function under<Leaf>(parameters: Readonly<Record<string, Leaf>>, prefix: string): Record<string, Leaf> {
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, leaf]) => [name.slice(prefix.length), leaf]),
  );
}
