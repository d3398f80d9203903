/** @file Shapley values by all coalitions. */

import { InputError } from '../../core/errors.ts';
import type { CoalitionValues, ShapleyValues } from './value-function.ts';

/** Players up to which all coalitions are asked: 2¹⁶ of them. */
const most = 16;

/**
 * Shapley values by their definition, φ_i = Σ over S without i of |S|! (M − |S| − 1)! / M! · (v(S ∪ i) − v(S)); 2^M values are asked.
 * @throws InputError for no player, or more than 16.
 */
export async function exactShapley(value: CoalitionValues, players: number): Promise<ShapleyValues> {
  if (players < 1 || players > most) {
    throw new InputError(`all coalitions can be asked of 1 to ${most} players, not ${players}`);
  }
  const count = 2 ** players;
  const members = new Uint8Array(count * players);
  const size = new Uint8Array(count);
  for (let s = 0; s < count; s++) {
    for (let i = 0; i < players; i++) {
      const isIn = (s >> i) & 1;
      members[s * players + i] = isIn;
      size[s] += isIn;
    }
  }
  const v = await value(members);
  const weight = marginalWeights(players);
  const values = new Float64Array(players);
  for (let i = 0; i < players; i++) {
    for (let s = 0; s < count; s++) {
      if (((s >> i) & 1) === 0) values[i] += weight[size[s]] * (v[s | (1 << i)] - v[s]);
    }
  }
  return { values, empty: v[0], full: v[count - 1] };
}

/** |S|! (M − |S| − 1)! / M! for sizes 0 to M − 1: how likely each coalition is to be the one before a player in a random order. */
export function marginalWeights(players: number): Float64Array {
  const weight = new Float64Array(players);
  weight[0] = 1 / players;
  for (let s = 1; s < players; s++) weight[s] = (weight[s - 1] * s) / (players - s);
  return weight;
}
