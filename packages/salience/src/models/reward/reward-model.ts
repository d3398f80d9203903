/** @file A reward model trained on preferences: r(prompt, answer), larger for what is preferred (Bradley & Terry 1952). */

import { InputError } from '../../core/errors.ts';
import type { Run } from '../../core/run.ts';
import { adam } from '../../nn/optimisers/adam.ts';
import { constant } from '../../nn/optimisers/schedules.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { initialPerceptron, perceptron } from '../../nn/perceptron.ts';
import { preferenceLosses } from '../../nn/preference-losses.ts';
import { train } from '../../nn/training/train.ts';
import { compile, float32, type JaxArray, type Tensor } from '../../runtime/index.ts';

/** Prompt and preferred answer, and prompt and other answer, of these pairs: row-major, shape [indices · width] each. */
type PairRows = (indices: ArrayLike<number>) => { readonly winners: Float32Array; readonly losers: Float32Array };

/** Vectors of a prompt and an answer, one after the other, of pairs that need not all be in memory. */
export interface PreferenceVectors {
  readonly pairs: number;
  /** Numbers of a prompt and an answer together. */
  readonly width: number;
  /** Reads these pairs, their numbers ascending; only of them rows are asked for. */
  read(indices: Uint32Array): Promise<PairRows>;
}

export interface RewardOptions {
  /** Units of the hidden layer; default 64. */
  readonly hidden?: number;
  /** Adam steps; default 1200. */
  readonly steps?: number;
  /** Pairs of a step; default 128, or all where there are fewer. */
  readonly batch?: number;
  /** Learning rate; default 0.003. */
  readonly rate?: number;
}

interface Batch<Leaf> {
  readonly winners: Leaf;
  readonly losers: Leaf;
}

/**
 * Trains r(c, x), a perceptron, by minimising −log σ(r(c, winner) − r(c, loser)), and gives its margin r(c, winner) − r(c, loser) for
 * every pair. At most the steps' batches of pairs are held at once.
 * @returns shape [pairs].
 * @throws InputError for no pair; SalienceError if the training is not finite; CancelledError.
 */
export async function rewardMargins(
  vectors: PreferenceVectors,
  { hidden = 64, steps = 1200, batch = 128, rate = 0.003 }: RewardOptions,
  run: Run,
): Promise<Float64Array> {
  const { pairs, width } = vectors;
  if (pairs === 0) throw new InputError('there is no preference pair to learn a reward from');
  const size = Math.min(batch, pairs);
  const random = run.random('reward model');
  const drawn = Array.from({ length: steps }, (_, step) => {
    const stream = random.stream(`step ${step}`);
    return Uint32Array.from({ length: size }, () => stream.integer(pairs));
  });
  const tensorsOf = (rows: PairRows, indices: ArrayLike<number>): Batch<Tensor<'float32'>> => {
    const { winners, losers } = rows(indices);
    return { winners: float32([indices.length, width], winners), losers: float32([indices.length, width], losers) };
  };
  const margins = (p: Parameters, { winners, losers }: Batch<JaxArray>) =>
    perceptron(p, winners, 2)
      .sub(perceptron(p, losers, 2))
      .reshape([winners.shape[0]]);
  const seen = new Set<number>();
  for (const batch of drawn) for (const pair of batch) seen.add(pair);
  const rows = await vectors.read(Uint32Array.from(seen).sort());
  const { parameters } = await train<Batch<JaxArray>>({
    name: 'reward model',
    log: false,
    run,
    steps,
    parameters: initialPerceptron([width, hidden, 1], random.stream('weights')),
    loss: (p: Parameters, of: Batch<JaxArray>) => preferenceLosses(margins(p, of)).mean(),
    optimiser: adam(),
    schedule: constant(rate),
    batches: (step) => tensorsOf(rows, drawn[step]),
  });
  const program = compile(margins);
  const found = new Float64Array(pairs);
  try {
    const atOnce = Math.min(1024, pairs);
    for (let start = 0; start < pairs; start += atOnce) {
      run.progress('margins', start, pairs);
      await run.breathe();
      const length = Math.min(atOnce, pairs - start);
      const own = await vectors.read(Uint32Array.from({ length }, (_, i) => start + i));
      // The last batch is filled up with the last pair, so that one program serves all.
      const indices = Uint32Array.from({ length: atOnce }, (_, i) => start + Math.min(length - 1, i));
      const { data } = await program(parameters, tensorsOf(own, indices));
      found.set(data.subarray(0, length), start);
    }
  } finally {
    await program.dispose();
  }
  return found;
}
