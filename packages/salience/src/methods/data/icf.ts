/** @file Iterative case filtering (Brighton & Mellish 2002): instances go that reach more others than others reach them. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Steps } from '../../core/steps.ts';
import { editedNearest } from '../../numerics/neighbours/edited-nearest.ts';
import { labelledFeatures, type OwnSet, scoresOfOwnSet } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * Noise goes first (ENN). Then, pass after pass until none goes: reachable(i) are those of i's class that are nearer to i than its
 * nearest enemy, coverage(i) those that reach i; all with |reachable| > |coverage| go together.
 * @param x shape [n · columns].
 * @param labels shape [n].
 * @returns survivors first, the widest coverage first; then the removed of the last pass to the first, those with the least surplus of
 *   reachable first; noise last.
 */
export function* iterativeCaseFiltering(
  x: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  k: number,
): Steps<OwnSet> {
  const n = labels.length;
  const clean = yield* editedNearest(x, columns, labels, k);
  const every = Array.from({ length: n }, (_, i) => i);
  const noise = every.filter((i) => clean[i] === 0);
  let members = every.filter((i) => clean[i] === 1);
  // Where all are noise to one another there is nothing to filter by.
  if (members.length < 2) members = [...members, ...noise.splice(0)].sort((a, b) => a - b);
  const removed: number[][] = [];
  for (;;) {
    const { reachable, coverage } = yield* localSets(x, columns, labels, members);
    const surplus = new Map(members.map((i, a) => [i, reachable[a] - coverage[a]]));
    const covers = new Map(members.map((i, a) => [i, coverage[a]]));
    const gone = members.filter((i) => surplus.get(i)! > 0);
    members = members.filter((i) => surplus.get(i)! <= 0);
    if (gone.length === 0) {
      members.sort((a, b) => covers.get(b)! - covers.get(a)! || a - b);
      break;
    }
    removed.push(gone.sort((a, b) => surplus.get(a)! - surplus.get(b)! || a - b));
  }
  return { order: Uint32Array.from([...members, ...removed.reverse().flat(), ...noise]), own: members.length };
}

/** How many members each reaches, and how many reach it; shape [members] each. */
function* localSets(
  x: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  members: readonly number[],
): Steps<{ reachable: Uint32Array; coverage: Uint32Array }> {
  const m = members.length;
  const reachable = new Uint32Array(m);
  const coverage = new Uint32Array(m);
  const squares = new Float64Array(m);
  for (let a = 0; a < m; a++) {
    let enemy = Infinity;
    for (let b = 0; b < m; b++) {
      let sum = 0;
      for (let c = 0, p = members[a] * columns, q = members[b] * columns; c < columns; c++) {
        const difference = x[p + c] - x[q + c];
        sum += difference * difference;
      }
      squares[b] = sum;
      if (labels[members[b]] !== labels[members[a]] && sum < enemy) enemy = sum;
    }
    for (let b = 0; b < m; b++) {
      if (b === a || labels[members[b]] !== labels[members[a]] || !(squares[b] < enemy)) continue;
      reachable[a]++;
      coverage[b]++;
    }
    if (a % 64 === 0) yield { done: a, total: m };
  }
  return { reachable, coverage };
}

export const icf = method({
  id: 'icf',
  name: 'ICF',
  source: 'doi:10.1023/A:1014043630878',
  summary: 'Keeps the instances that more others can stand in for than they can stand in for others.',
  unit: 'instance',
  subject: dataset,
  formula: 's = n − place in: survivors by coverage, then the removed, the last pass first, noise last',
  cost: 'O(n² d) a pass',
  params: z.object({
    k: z.number().int().min(1).default(3).describe('neighbours that vote when noise is taken out'),
  }),
  async score(data, { k }, run) {
    const { x, columns, labels } = await labelledFeatures(data);
    return scoresOfOwnSet(labels, await run.drive('ICF', iterativeCaseFiltering(x, columns, labels.of, k)), 'ICF');
  },
});
