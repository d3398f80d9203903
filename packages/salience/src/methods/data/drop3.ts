/** @file DROP3 (Wilson & Martinez 2000): instances go whose removal does their neighbours no harm. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Steps } from '../../core/steps.ts';
import { editedNearest, voteOf } from '../../numerics/neighbours/edited-nearest.ts';
import { nearestSteps } from '../../numerics/neighbours/nearest.ts';
import { labelledFeatures, type OwnSet, scoresOfOwnSet } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/** Neighbours that are found ahead of need. */
const foreseen = 64;

/**
 * Noise goes first (ENN). Then, from the instance farthest from its nearest enemy to the closest, each goes if as many of its
 * associates (those that have it among their k + 1 nearest of the set) get their class without it as with it; associates stay such
 * when they have gone themselves.
 * @param x shape [n · columns].
 * @param labels shape [n].
 * @returns survivors first, those that do their associates most good first; then the removed, the last removed first; noise last.
 */
export function* drop3(x: Float32Array, columns: number, labels: ArrayLike<number>, k: number): Steps<OwnSet> {
  const n = labels.length;
  const clean = yield* editedNearest(x, columns, labels, k);
  let members = Array.from({ length: n }, (_, i) => i).filter((i) => clean[i] === 1);
  const noise = Array.from({ length: n }, (_, i) => i).filter((i) => clean[i] === 0);
  // Where all are noise to one another there is nothing to filter by.
  if (members.length < 2) members = [...members, ...noise.splice(0)];
  const m = members.length;
  const rows = new Float32Array(m * columns);
  members.forEach((i, at) => {
    rows.set(x.subarray(i * columns, (i + 1) * columns), at * columns);
  });
  const of = members.map((i) => labels[i]);
  const near = yield* nearestSteps(rows, rows, columns, { k: Math.max(foreseen, k + 1), exceptSelf: true });
  const enemy = yield* enemyDistances(rows, columns, of);
  const order = Array.from({ length: m }, (_, a) => a).sort((a, b) => enemy[b] - enemy[a] || a - b);

  const alive = new Uint8Array(m).fill(1);
  const associates = Array.from({ length: m }, () => new Set<number>());
  const next = new Uint32Array(m);
  const lists = Array.from({ length: m }, (): number[] => []);
  /** The nearest of the set that a does not list yet; −1 where there is none. */
  const further = (a: number): number => {
    for (; next[a] < near.k; next[a]++) {
      const b = near.indices[a * near.k + next[a]];
      if (alive[b] && !lists[a].includes(b)) return b;
    }
    let best = -1;
    let least = Infinity;
    for (let b = 0; b < m; b++) {
      if (b === a || !alive[b] || lists[a].includes(b)) continue;
      const square = squareBetween(rows, columns, a, b);
      if (square < least) [least, best] = [square, b];
    }
    return best;
  };
  const fill = (a: number) => {
    while (lists[a].length < k + 1) {
      const b = further(a);
      if (b < 0) return;
      lists[a].push(b);
      associates[b].add(a);
    }
  };
  for (let a = 0; a < m; a++) fill(a);

  /** How many more associates get their class with p than without. */
  const benefit = (p: number): number => {
    let sum = 0;
    for (const a of associates[p]) {
      const withP = lists[a].slice(0, k);
      const withoutP = lists[a].filter((b) => b !== p).slice(0, k);
      sum += Number(voteOf(withP, of) === of[a]) - Number(voteOf(withoutP, of) === of[a]);
    }
    return sum;
  };
  const removed: number[] = [];
  let left = m;
  for (const p of order) {
    if (left > 1 && benefit(p) <= 0) {
      alive[p] = 0;
      left--;
      removed.push(p);
      for (const a of associates[p]) {
        lists[a].splice(lists[a].indexOf(p), 1);
        fill(a);
      }
      associates[p].clear();
    }
    yield { done: m - left, total: m };
  }
  const good = Int32Array.from({ length: m }, (_, a) => (alive[a] ? benefit(a) : 0));
  const survivors = Array.from({ length: m }, (_, a) => a)
    .filter((a) => alive[a])
    .sort((a, b) => good[b] - good[a] || a - b);
  const ranked = [...survivors, ...removed.reverse()].map((a) => members[a]);
  return { order: Uint32Array.from([...ranked, ...noise]), own: left };
}

function squareBetween(rows: Float32Array, columns: number, a: number, b: number): number {
  let sum = 0;
  for (let c = 0, p = a * columns, q = b * columns; c < columns; c++) {
    const difference = rows[p + c] - rows[q + c];
    sum += difference * difference;
  }
  return sum;
}

/** Squared distance of each row to the nearest of another class, Infinity where there is none; shape [n]. */
function* enemyDistances(rows: Float32Array, columns: number, of: ArrayLike<number>): Steps<Float64Array> {
  const least = new Float64Array(of.length).fill(Infinity);
  for (let a = 0; a < of.length; a++) {
    for (let b = a + 1; b < of.length; b++) {
      if (of[a] === of[b]) continue;
      const square = squareBetween(rows, columns, a, b);
      if (square < least[a]) least[a] = square;
      if (square < least[b]) least[b] = square;
    }
    if (a % 64 === 0) yield { done: a, total: of.length };
  }
  return least;
}

export const dropThree = method({
  id: 'drop3',
  name: 'DROP3',
  source: 'doi:10.1023/A:1007626913721',
  summary: 'Keeps the instances without which their neighbours would be taken for another class.',
  unit: 'instance',
  subject: dataset,
  formula: 's = n − place in: survivors by the good they do, then the removed, the last removed first, noise last',
  cost: 'O(n² d)',
  params: z.object({
    k: z.number().int().min(1).default(3).describe('neighbours that vote'),
  }),
  async score(data, { k }, run) {
    const { x, columns, labels } = await labelledFeatures(data);
    return scoresOfOwnSet(labels, await run.drive('DROP3', drop3(x, columns, labels.of, k)), 'DROP3');
  },
});
