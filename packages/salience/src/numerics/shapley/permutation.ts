/** @file Shapley values as means over random orders, each taken forwards and backwards. */

import { InputError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { CoalitionValues, ShapleyValues } from './value-function.ts';

export interface PermutationOptions {
  /** Orders in which the players join, rounded up to pairs of an order and its reverse. Default 20. */
  orders?: number;
  random: Random;
}

/**
 * The mean over random orders of what each player changes when it joins; its sum is v(all) − v(nobody) in every order. An order and its
 * reverse are a pair, whose errors partly cancel (arXiv:2104.12199); the standard errors are those of the pairs' means. M − 1 values
 * an order are asked.
 * @throws InputError for no player or no order.
 */
export async function permutationShapley(
  value: CoalitionValues,
  players: number,
  { orders = 20, random }: PermutationOptions,
): Promise<ShapleyValues> {
  const m = players;
  if (m < 1) throw new InputError('there is no player');
  if (!(orders >= 1)) throw new InputError(`${orders} orders give no mean; 1 or more are needed`);
  const pairs = m === 1 ? 1 : Math.ceil(orders / 2);
  const drawn = Array.from({ length: pairs }, () => random.permutation(m)).flatMap((order) => [
    order,
    Uint32Array.from(order).reverse(),
  ]);
  const members = new Uint8Array((2 + drawn.length * (m - 1)) * m);
  members.fill(1, m, 2 * m);
  drawn.forEach((order, o) => {
    for (let k = 1; k < m; k++) {
      const at = (2 + o * (m - 1) + k - 1) * m;
      for (let i = 0; i < k; i++) members[at + order[i]] = 1;
    }
  });
  const v = await value(members);
  const [empty, full] = v;
  const sums = new Float64Array(m);
  const squares = new Float64Array(m);
  const ofPair = new Float64Array(m);
  for (let pair = 0; pair < pairs; pair++) {
    ofPair.fill(0);
    for (const o of [2 * pair, 2 * pair + 1]) {
      let before = empty;
      drawn[o].forEach((player, k) => {
        const after = k === m - 1 ? full : v[2 + o * (m - 1) + k];
        ofPair[player] += (after - before) / 2;
        before = after;
      });
    }
    for (let i = 0; i < m; i++) {
      sums[i] += ofPair[i];
      squares[i] += ofPair[i] ** 2;
    }
  }
  const values = sums.map((sum) => sum / pairs);
  // Two players have two orders, one the other's reverse: one pair is everything there is.
  const errors = values.map((mean, i) =>
    m <= 2 ? 0 : Math.sqrt(Math.max(0, squares[i] / pairs - mean ** 2) / (pairs - 1)),
  );
  return { values, empty, full, errors };
}
