/** @file Votes of the nearest rows, and editing by them (ENN, Wilson 1972). */

import type { Steps } from '../../core/steps.ts';
import { nearestSteps, type Rows } from './nearest.ts';

/** The class with the most votes among neighbours, the nearest first; among equals the one that is met first. */
export function voteOf(neighbours: ArrayLike<number>, labels: ArrayLike<number>): number {
  let winner = -1;
  let most = 0;
  for (let a = 0; a < neighbours.length; a++) {
    const candidate = labels[neighbours[a]];
    let votes = 0;
    for (let b = 0; b < neighbours.length; b++) votes += Number(labels[neighbours[b]] === candidate);
    if (votes > most) {
      most = votes;
      winner = candidate;
    }
  }
  return winner;
}

/** Edited nearest neighbours: 1 for rows that their k nearest others vote into their own class, 0 for noise; shape [n]. */
export function* editedNearest(x: Rows, columns: number, labels: ArrayLike<number>, k: number): Steps<Uint8Array> {
  const found = yield* nearestSteps(x, x, columns, { k, exceptSelf: true });
  return Uint8Array.from({ length: labels.length }, (_, i) => {
    const vote = voteOf(found.indices.subarray(i * found.k, (i + 1) * found.k), labels);
    return Number(vote === labels[i] || vote === -1);
  });
}
