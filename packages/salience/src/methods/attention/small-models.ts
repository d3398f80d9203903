/** @file The two small models on which the claims of cache eviction are checked, and their trainings. */

import type { Random } from '../../core/random.ts';
import type { Run } from '../../core/run.ts';
import type { DecoderConfig } from '../../models/decoder/config.ts';
import { decoder } from '../../models/decoder/decoder.ts';
import { initialWeights } from '../../models/decoder/weights.ts';
import type { DecoderModel } from '../../models/generation/cached-decoder.ts';
import { pairBatch, pairTask, ruleBatch, ruleTask, type TaskBatch } from '../../models/recall-language/tasks.ts';
import { crossEntropy } from '../../nn/losses.ts';
import { adamw } from '../../nn/optimisers/adam.ts';
import { chain } from '../../nn/optimisers/chain.ts';
import { cosine, linearWarmup } from '../../nn/optimisers/schedules.ts';
import { clipByGlobalNorm } from '../../nn/optimisers/sgd.ts';
import type { ParameterTensors } from '../../nn/parameters.ts';
import type { Tap } from '../../nn/tap.ts';
import { train } from '../../nn/training/train.ts';
import { float32, int32, type JaxArray, numpy as np } from '../../runtime/index.ts';

export interface SmallTask {
  readonly config: DecoderConfig;
  /** Factor on the usual initial weights, whose deviation of 0.02 is for much wider models; task N needs it to be learnt in time. */
  readonly spread: number;
  /** 1 for the tokens that heads are taught to look at: −0.1 log of the attention they get is added to the loss. */
  readonly looksAt?: (tokens: JaxArray) => JaxArray;
  readonly steps: number;
  batch(random: Random, rows: number): TaskBatch;
}

const common: Omit<
  DecoderConfig,
  'vocabulary' | 'layers' | 'heads' | 'keyValueHeads' | 'headSize' | 'windows' | 'sparse'
> = {
  family: 'llama',
  width: 64,
  hidden: 128,
  positions: 96,
  normEpsilon: 1e-5,
  rotary: { base: 10000 },
  tied: false,
  queryKeyValueBias: false,
  outputBias: false,
  mlpBias: false,
  queryKeyNorm: false,
  endTokens: [],
};

/**
 * Task P: one token is needed at every later step.
 * @param sharpened whether every head is also taught to look at it from every later row.
 */
export function persistentTask({ sharpened = false } = {}): SmallTask {
  const heads = 2;
  return {
    config: {
      ...common,
      vocabulary: ruleTask.vocabulary,
      layers: 1,
      heads,
      keyValueHeads: heads,
      headSize: 64 / heads,
      windows: [undefined],
      sparse: [false],
    },
    steps: 700,
    spread: 1,
    ...(sharpened && { looksAt: (tokens: JaxArray) => np.greaterEqual(tokens, ruleTask.symbols) }),
    batch: ruleBatch,
  };
}

/** Task N: another token each time; queries are for a row's two hot keys with probability `hot`. */
export function pairsTask(hot: number): SmallTask {
  return {
    config: {
      ...common,
      vocabulary: pairTask.vocabulary,
      layers: 2,
      heads: 4,
      keyValueHeads: 4,
      headSize: 16,
      windows: [undefined, undefined],
      sparse: [false, false],
    },
    steps: 700,
    spread: 4,
    batch: (random, rows) => pairBatch(random, rows, { hot }),
  };
}

/** The same with all but norms multiplied. */
function spreadBy(factor: number, weights: ParameterTensors): ParameterTensors {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { shape, data }]) => [
      name,
      float32(shape, name.endsWith('norm.weight') ? data : data.map((w) => factor * w)),
    ]),
  );
}

/** A model trained densely from scratch, rows of 32; answers are the tokens 0 to 7. */
export async function trained(
  { config, steps, spread, looksAt, batch }: SmallTask,
  run: Run,
  name: string,
): Promise<DecoderModel> {
  const rows = 32;
  const { parameters } = await train({
    name,
    run,
    steps,
    parameters: spreadBy(spread, initialWeights(config, run.random(`${name}/weights`))),
    loss(weights, { tokens, targets, asked }: Record<'tokens' | 'targets' | 'asked', JaxArray>) {
      let extra: JaxArray | undefined;
      const tap: Tap = (point, value) => {
        if (!looksAt || !point.endsWith('attention.weights')) return value;
        const [batch, , rows, keys] = value.shape;
        const seen = looksAt(tokens).astype(np.float32).reshape([batch, 1, 1, keys]);
        const received = np.log(value.mul(seen).sum(-1).add(1e-6));
        extra = received
          .mul(asked.reshape([batch, 1, rows]))
          .mean()
          .mul(-0.1);
        return value;
      };
      const answers = crossEntropy(decoder(weights, config, tokens, { tap }), targets, { weights: asked });
      return extra ? answers.add(extra) : answers;
    },
    optimiser: chain(clipByGlobalNorm(1), adamw({ beta2: 0.98, decay: 0.01 })),
    schedule: linearWarmup(3e-3, 50, cosine({ rate: 3e-3, steps: steps - 50, end: 1e-4 })),
    batches(step) {
      const made = batch(run.random(`${name}/batch ${step}`), rows);
      const shape = [rows, made.length];
      return {
        tokens: int32(shape, made.tokens),
        targets: int32(shape, made.targets),
        asked: float32(shape, made.weights),
      };
    },
  });
  return { config, weights: parameters };
}
