/**
 * @file Clusters as the arms of a bandit, as Quad plays them (arXiv:2409.16986): a pull pays what a probe of the cluster's next block
 * is worth, neighbours share it, and a block that pays is taken whole.
 */

import { InputError, ParameterError } from '../../core/errors.ts';

export interface ClusterBanditOptions {
  /** Documents of each cluster, shape [J]. */
  readonly sizes: ArrayLike<number>;
  /** Documents of a block; what is left at the end of a cluster is a block of its own. */
  readonly block: number;
  /** Documents of a probe. */
  readonly probe: number;
  /** α: weight of the bonus for clusters that were seldom pulled. */
  readonly exploration: number;
  /** τ: what the mean score of a probe must exceed for its block to be taken; default 0. */
  readonly threshold?: number;
  /** ρ: centroids that are nearer than this share rewards; without it a cluster shares with none. */
  readonly radius?: number;
  /** d(i, j), shape [J · J], with a radius. */
  readonly distances?: ArrayLike<number>;
  /** Arms pulled in a round; default 1. */
  readonly arms?: number;
  /** The arms in the order in which those of equal score are pulled, as all are at first; default by number. */
  readonly order?: ArrayLike<number>;
}

/** A block that was taken: documents `start` to `start + length` of a cluster. */
export interface TakenBlock {
  readonly arm: number;
  readonly start: number;
  readonly length: number;
}

/** The bandit between two pulls. */
export class ClusterBandit {
  /** R: what each cluster was paid, its neighbours' shares included, shape [J]. */
  readonly rewards: Float64Array;
  /** n: how often, shape [J]. */
  readonly counts: Float64Array;
  /** Documents taken of each cluster, shape [J]. */
  readonly taken: Float64Array;
  /** Blocks in the order they were taken. */
  readonly blocks: TakenBlock[] = [];
  /** N: the sum of the counts. */
  total = 0;
  rounds = 0;
  readonly #options: Required<Omit<ClusterBanditOptions, 'radius' | 'distances' | 'order'>>;
  readonly #neighbours: readonly (readonly { readonly arm: number; readonly share: number }[])[];
  readonly #order: readonly number[];

  /**
   * @throws ParameterError for a block below the probe, a probe or a number of arms below 1, a negative α, a radius of 0 or less;
   * InputError for no cluster, or distances of another number of clusters.
   */
  constructor(options: ClusterBanditOptions) {
    const { sizes, block, probe, exploration, threshold = 0, radius, distances, arms = 1, order } = options;
    const clusters = sizes.length;
    if (clusters === 0) throw new InputError('a bandit needs a cluster');
    if (!(probe >= 1)) throw new ParameterError(`a probe of ${probe} documents is none; 1 or more`);
    if (!(block >= probe))
      throw new ParameterError(`a block of ${block} documents is smaller than its probe of ${probe}`);
    if (!(exploration >= 0)) throw new ParameterError(`exploration = ${exploration} is not 0 or more`);
    if (!(arms >= 1 && arms <= clusters)) throw new ParameterError(`${arms} arms a round are not 1 to ${clusters}`);
    if (Number.isNaN(threshold)) throw new ParameterError('the threshold is no number');
    if (radius !== undefined) {
      if (!(radius > 0)) throw new ParameterError(`radius = ${radius} is not above 0`);
      if (distances?.length !== clusters ** 2)
        throw new InputError(
          `${clusters} clusters with a radius need ${clusters ** 2} distances, not ${distances?.length}`,
        );
    }
    this.#options = { sizes, block, probe, exploration, threshold, arms };
    this.#order = Array.from({ length: clusters }, (_, i) => (order ? order[i] : i));
    this.rewards = new Float64Array(clusters);
    this.counts = new Float64Array(clusters);
    this.taken = new Float64Array(clusters);
    this.#neighbours = Array.from({ length: clusters }, (_, i) => {
      if (radius === undefined || !distances) return [{ arm: i, share: 1 }];
      return Array.from({ length: clusters }, (_, j) => ({
        arm: j,
        share: i === j ? 1 : 1 - distances[i * clusters + j] / radius,
      })).filter(({ share }) => share > 0);
    });
  }

  /** Documents taken of all clusters. */
  get accepted(): number {
    return this.taken.reduce((sum, n) => sum + n, 0);
  }

  /**
   * CS_i = R_i / n_i + α √(2 ln N / (n_i + 1)), the first term 0 where n_i = 0 and the second where N < 2; −∞ for a cluster that is
   * used up. Shape [J].
   */
  scores(): Float64Array {
    const { sizes, exploration } = this.#options;
    const logarithm = this.total >= 2 ? 2 * Math.log(this.total) : 0;
    return this.rewards.map((reward, i) => {
      if (this.taken[i] >= sizes[i]) return -Infinity;
      const n = this.counts[i];
      return (n > 0 ? reward / n : 0) + exploration * Math.sqrt(logarithm / (n + 1));
    });
  }

  /** The next round's arms, the greatest score first, of equal ones the first in order; none when all are used up. */
  round(): { readonly arm: number; readonly block: TakenBlock; readonly probe: number }[] {
    const { sizes, arms, block, probe } = this.#options;
    const scores = this.scores();
    this.rounds++;
    return this.#order
      .filter((i) => scores[i] > -Infinity)
      .sort((i, j) => scores[j] - scores[i])
      .slice(0, arms)
      .map((arm) => {
        const start = this.taken[arm];
        const length = Math.min(block, sizes[arm] - start);
        return { arm, block: { arm, start, length }, probe: Math.min(probe, length) };
      });
  }

  /**
   * Pays a pull: r = mean − τ; each cluster j nearer than ρ gets r (1 − d(i, j) / ρ), and the arm's next block is taken if r > 0.
   * @param mean mean score of the probe.
   * @returns whether the block was taken.
   * @throws InputError for a mean that is not finite.
   */
  pay(block: TakenBlock, mean: number): boolean {
    if (!Number.isFinite(mean)) throw new InputError(`the probe of cluster ${block.arm} scores ${mean}`);
    const reward = mean - this.#options.threshold;
    for (const { arm, share } of this.#neighbours[block.arm]) {
      this.rewards[arm] += reward * share;
      this.counts[arm]++;
      this.total++;
    }
    if (!(reward > 0)) return false;
    this.taken[block.arm] += block.length;
    this.blocks.push(block);
    return true;
  }
}
