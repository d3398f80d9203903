import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { ClusterBandit, type ClusterBanditOptions } from './ucb.ts';

const near = (values: ArrayLike<number>, expected: readonly number[], digits = 4) =>
  expected.forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, digits);
  });

/** Plays until nothing is left or `rounds` are over; `worth` is the mean score of a probe. */
function play(options: ClusterBanditOptions, worth: (arm: number) => number, rounds: number) {
  const bandit = new ClusterBandit(options);
  const pulls: number[] = [];
  for (let r = 0; r < rounds; r++) {
    const round = bandit.round();
    if (round.length === 0) break;
    for (const { arm, block } of round) {
      pulls.push(arm);
      bandit.pay(block, worth(arm));
    }
  }
  return { bandit, pulls };
}

describe('the bandit over clusters', () => {
  it('pays as the worked example: a neighbour at half the radius gets half, a refused block pays its loss', () => {
    const bandit = new ClusterBandit({
      sizes: [100, 100, 100],
      block: 20,
      probe: 10,
      exploration: 0.01,
      threshold: 0.002,
      radius: 0.2,
      distances: [0, 0.1, 0.5, 0.1, 0, 0.5, 0.5, 0.5, 0],
    });
    expect(bandit.pay({ arm: 0, start: 0, length: 20 }, 0.01)).toBe(true);
    near(bandit.rewards, [0.008, 0.004, 0], 15);
    expect([...bandit.counts, bandit.total]).toEqual([1, 1, 0, 2]);
    near(bandit.scores(), [0.0163, 0.0123, 0.0118]);
    expect(bandit.pay({ arm: 2, start: 0, length: 20 }, -0.004)).toBe(false);
    near(bandit.rewards, [0.008, 0.004, -0.006], 15);
    expect([...bandit.counts, bandit.total]).toEqual([1, 1, 1, 3]);
    near(bandit.scores(), [0.0185, 0.0145, 0.0045]);
    expect([...bandit.taken]).toEqual([20, 0, 0]);
  });

  it('has no bonus while N is 1', () => {
    const bandit = new ClusterBandit({ sizes: [10, 10], block: 5, probe: 1, exploration: 1 });
    bandit.pay({ arm: 0, start: 0, length: 5 }, 3);
    expect([...bandit.scores()]).toEqual([3, 0]);
  });

  it('with one cluster takes every block that passes', () => {
    const { bandit } = play({ sizes: [25], block: 10, probe: 4, exploration: 1 }, () => 1, 10);
    expect(bandit.blocks).toEqual([
      { arm: 0, start: 0, length: 10 },
      { arm: 0, start: 10, length: 10 },
      { arm: 0, start: 20, length: 5 },
    ]);
    expect(bandit.accepted).toBe(25);
  });

  it('without exploration and neighbours is greedy: the best arm that is known pays until it is used up', () => {
    const { pulls } = play({ sizes: [20, 20, 20], block: 10, probe: 2, exploration: 0 }, (arm) => [-1, 2, 1][arm], 5);
    expect(pulls).toEqual([0, 1, 1, 2, 2]);
  });

  it('permuting the clusters permutes the result', () => {
    const worth = [0.3, -0.2, 0.7, 0.1, 0.5];
    const sizes = [30, 20, 17, 40, 25];
    const distances = sizes.flatMap((_, i) => sizes.map((_, j) => 0.06 * Math.abs(i - j)));
    const order = new Random(5, 'order').permutation(5);
    const options = { block: 10, probe: 3, exploration: 0.05, radius: 0.1 };
    const tieOrder = [3, 1, 4, 0, 2];
    const plain = play({ ...options, sizes, distances, order: tieOrder }, (arm) => worth[arm], 30);
    const permuted = play(
      {
        ...options,
        sizes: Array.from(order, (i) => sizes[i]),
        distances: Array.from(order).flatMap((i) => Array.from(order, (j) => distances[i * 5 + j])),
        order: tieOrder.map((arm) => order.indexOf(arm)),
      },
      (arm) => worth[order[arm]],
      30,
    );
    expect(permuted.pulls.map((arm) => order[arm])).toEqual(plain.pulls);
    near(
      permuted.bandit.taken,
      Array.from(order, (i) => plain.bandit.taken[i]),
      10,
    );
  });

  it('takes nothing where every probe loses, and the clusters stay pullable', () => {
    const { bandit, pulls } = play({ sizes: [10, 10], block: 5, probe: 2, exploration: 0.1, arms: 2 }, () => -1, 4);
    expect(bandit.blocks).toEqual([]);
    expect(pulls.length).toBe(8);
  });

  it('draws no more of a small cluster than it has', () => {
    const bandit = new ClusterBandit({ sizes: [3], block: 10, probe: 8, exploration: 0 });
    expect(bandit.round()).toEqual([{ arm: 0, block: { arm: 0, start: 0, length: 3 }, probe: 3 }]);
  });

  it('refuses a block below its probe, a radius of 0, distances of another size, and scores that are no numbers', () => {
    const base = { sizes: [10, 10], block: 5, probe: 2, exploration: 0 };
    expect(() => new ClusterBandit({ ...base, block: 1 })).toThrow(
      'a block of 1 documents is smaller than its probe of 2',
    );
    expect(() => new ClusterBandit({ ...base, radius: 0, distances: [0, 1, 1, 0] })).toThrow('radius = 0');
    expect(() => new ClusterBandit({ ...base, radius: 1, distances: [0] })).toThrow('need 4 distances, not 1');
    expect(() => new ClusterBandit({ ...base, arms: 3 })).toThrow('3 arms a round');
    expect(() => new ClusterBandit({ ...base, sizes: [] })).toThrow('needs a cluster');
    expect(() => new ClusterBandit(base).pay({ arm: 0, start: 0, length: 5 }, NaN)).toThrow('cluster 0 scores NaN');
  });
});
