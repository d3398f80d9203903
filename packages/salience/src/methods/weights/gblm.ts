/**
 * @file GBLM-Pruner (arXiv:2311.04902): Wanda's score and beside it the weight times the norm of its gradients, taken once on the
 * dense model, text by text.
 */

import { z } from 'zod';
import { InputError, ParameterError } from '../../core/errors.ts';
import { method } from '../../core/method.ts';
import type { Run } from '../../core/run.ts';
import { inspect, nextToken } from '../../models/decoder/inspect.ts';
import { inputSquares, linearMaps } from '../../models/decoder/linear-maps.ts';
import {
  addGradient,
  balancedAlpha,
  gblmScores,
  gradientInverseScores,
  gradientNorm,
  gradientScores,
  gradientSum,
} from '../../numerics/pruning/gradient-norm.ts';
import { inputNorm, wandaScores } from '../../numerics/pruning/wanda.ts';
import { int32, type Tensor } from '../../runtime/index.ts';
import { refuseNotFinite } from '../../subjects/language-model/finite.ts';
import { type LanguageModel, languageModel } from '../../subjects/language-model/language-model.ts';
import { compareWithin, pruneLayers } from '../../subjects/language-model/prune-layers.ts';

/** What the dense model gives of a matrix. */
interface DenseStatistics {
  /** H, shape [rows, columns]. */
  readonly h: Float32Array;
  /** Norm of its inputs, shape [columns]. */
  readonly x: Float32Array;
}

const params = z.object({
  compare: compareWithin('row'),
  norm: z.enum(['l2', 'l1']).default('l2').describe('norm of a weight’s gradients over the texts'),
  alpha: z
    .number()
    .min(0)
    .default(100)
    .describe('weight of the gradients; the paper’s value goes with 128 texts of 2048 tokens'),
  alphaMode: z
    .enum(['fixed', 'balanced'])
    .default('fixed')
    .describe('balanced: alpha is the one at which the gradients weigh as much as the inputs in the mean'),
  score: z
    .enum(['full', 'gradient', 'inverse'])
    .default('full')
    .describe('the method, or an ablation: gradients alone, or Wanda’s score divided by them'),
  small: z.number().positive().default(1e-8).describe('added to what the inverse score is divided by'),
});

export const gblm = method({
  id: 'gblm',
  name: 'GBLM-Pruner',
  source: 'arXiv:2311.04902',
  summary:
    'Keeps the weights that are largest in their output row when weighed with the norms of their inputs and of their gradients.',
  unit: 'weight',
  subject: languageModel,
  formula: 's_ij = |W_ij| · x_j + |W_ij| · ‖α G_ij‖, G over N calibration texts, x as Wanda has it',
  cost: 'a forward and a backward pass a text with the whole model in memory, then as Wanda',
  params,
  async score(model, { compare, norm, alpha, alphaMode, score, small }, run) {
    const balanced = alphaMode === 'balanced';
    if (score !== 'full' && alpha === 0 && !balanced)
      throw new ParameterError(
        `score = ${score} takes gradients, and alpha = 0 leaves them out; give an alpha above 0, or score full, which then is Wanda's`,
      );
    const dense = await denseStatistics(model, norm, balanced ? 1 : alpha, run);
    const factor = balanced ? balancedAlpha(dense.values()) : 1;
    if (balanced) run.log(`alpha ${factor.toPrecision(4)} balances gradients and inputs`);
    return pruneLayers(
      model,
      {
        about: `gblm ${JSON.stringify({ compare, norm, alpha: balanced ? 'balanced' : alpha, score, small })}`,
        observe: ({ source }, n) => inputSquares(source.config, n),
        prune({ tensor, weight, rows, columns, input }, choose) {
          const { h } = dense.get(tensor)!;
          const x = inputNorm(input!, model.blocks().shape[0]);
          const scores = !h.some((value) => value > 0)
            ? wandaScores(weight, rows, columns, x)
            : score === 'gradient'
              ? gradientScores(weight, h)
              : score === 'inverse'
                ? gradientInverseScores(weight, rows, columns, x, h, small)
                : gblmScores(weight, rows, columns, x, h, factor);
          return { scores, kept: choose(scores, [rows, columns], compare) };
        },
      },
      run,
    );
  },
});

/**
 * H and x of every matrix of the dense model, by its tensor's name: one backward pass a text, for the norm is over texts and signs
 * must not cancel between them.
 * @throws InputError where a gradient is missing or not finite, naming the matrix.
 */
async function denseStatistics(
  model: LanguageModel,
  norm: 'l1' | 'l2',
  alpha: number,
  run: Run,
): Promise<Map<string, DenseStatistics>> {
  const blocks = model.blocks();
  const [texts, length] = blocks.shape;
  if (length < 2)
    throw new InputError(`texts of ${length} token have no next token to be predicted; they need 2 or more`);
  const { config, weights } = await model.whole();
  const maps = Array.from({ length: config.layers }, (_, n) =>
    linearMaps(config, n).map((map) => ({ ...map, n, tensor: `model.layers.${n}.${map.name}` })),
  ).flat();
  for (const { tensor } of maps) refuseNotFinite(weights[tensor].data, tensor);
  const sums = new Map(maps.map(({ tensor, rows, columns }) => [tensor, gradientSum(rows * columns, norm, alpha)]));
  const squares = new Map(maps.map(({ n, input, columns }) => [`${n} ${input}`, new Float64Array(columns)]));
  const inspection = inspect(config, {
    loss: nextToken,
    gradients: { weights: (name) => sums.has(name) },
    observe: {
      inputs: { scope: 'layer', reduce: (see, n, inputs) => inputSquares(config, n).reduce(see, n, inputs) },
    },
  });
  try {
    for (let t = 0; t < texts; t++) {
      run.check();
      const tokens = int32([1, length], blocks.data.slice(t * length, (t + 1) * length));
      const { weightGradients, observed } = await inspection.run(weights, tokens);
      for (const [tensor, sum] of sums) {
        const gradient = weightGradients[tensor];
        if (!gradient) throw new InputError(`${tensor} has no gradient`);
        try {
          addGradient(sum, gradient.data);
        } catch (error) {
          throw new InputError(`${tensor}: ${(error as Error).message}`, { cause: error });
        }
      }
      for (const [key, sum] of squares) {
        const [n, input] = key.split(' ');
        const { data } = (observed.inputs[Number(n)] as Record<string, Tensor<'float32'>>)[input];
        for (let j = 0; j < sum.length; j++) sum[j] += data[j];
      }
      run.progress('gradients', t + 1, texts);
      await run.breathe();
    }
  } finally {
    await inspection.dispose();
  }
  const flat: string[] = [];
  const dense = maps.map(({ tensor, n, input }) => {
    const h = gradientNorm(sums.get(tensor)!);
    // Each sum is let go of as soon as its norm is there.
    sums.delete(tensor);
    if (alpha > 0 && !h.some((value) => value > 0)) flat.push(tensor);
    return [tensor, { h, x: inputNorm(squares.get(`${n} ${input}`)!, texts) }] as const;
  });
  for (const tensor of flat) run.log(`${tensor}: all gradients are 0; it is pruned by its inputs alone, as Wanda does`);
  return new Map(dense);
}
