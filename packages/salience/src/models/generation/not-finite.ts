/** @file Where numbers stopped being finite: the first point of the pass that holds a NaN or an infinity. */

import { SalienceError } from '../../core/errors.ts';
import type { Observation } from '../../nn/observation.ts';
import { int32, numpy as np } from '../../runtime/index.ts';
import { inspect } from '../decoder/inspect.ts';
import { layerPoints } from '../decoder/points.ts';
import type { DecoderModel } from './cached-decoder.ts';

/** Points of a layer that every layer has, in the order of the pass. */
const checked = layerPoints
  .map(({ name }) => name)
  .filter((name) => !/^mlp\.(gate|up|hidden|router|experts)/.test(name));

/** The first point whose value is not finite when the model reads these tokens, if there is one. */
async function firstNotFinite(model: DecoderModel, tokens: Int32Array): Promise<string | undefined> {
  // A sum is finite where all its terms are, but for overflow, which is found at the same place.
  const counts: Observation = {
    scope: 'layer',
    reduce: (see) => checked.map((point) => np.sum(see(point).mul(0))),
  };
  const inspection = inspect(model.config, { observe: { counts } });
  try {
    const { observed } = await inspection.run(model.weights, int32([1, tokens.length], tokens));
    for (const [n, layer] of observed.counts.entries()) {
      const sums = (layer as unknown as { data: Float32Array }[]).map(({ data }) => data[0]);
      const at = sums.findIndex((sum) => !Number.isFinite(sum));
      if (at >= 0) return `layers.${n}.${checked[at]}`;
    }
    return undefined;
  } finally {
    await inspection.dispose();
  }
}

/** @throws SalienceError naming the first point that is not finite, if a logit is not. */
export async function refuseNotFinite(
  model: DecoderModel,
  values: Float32Array,
  prompt: Int32Array,
  since: readonly number[] = [],
): Promise<void> {
  if (values.every(Number.isFinite)) return;
  const point = await firstNotFinite(model, Int32Array.of(...prompt, ...since));
  throw new SalienceError(
    `the model gives numbers that are not finite${point ? `, first at ${point}` : ', first at its head'}; are its weights whole?`,
  );
}
