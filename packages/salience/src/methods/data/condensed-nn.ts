/** @file Condensed nearest neighbours (Hart 1968): a set that gives each instance its own class by the nearest of the set. */

import { z } from 'zod';
import { method } from '../../core/method.ts';
import type { Random } from '../../core/random.ts';
import type { Steps } from '../../core/steps.ts';
import { labelledFeatures, type OwnSet, scoresOfOwnSet } from '../../subjects/dataset/labelled-features.ts';
import { dataset } from '../../subjects/dataset/subject.ts';

/**
 * Goes over the instances in random order again and again, beginning with one of each class, and takes in each whose nearest in the
 * set so far is of another class, until a pass takes in none.
 * @param x shape [n · columns].
 * @param labels below `classes`, shape [n].
 * @returns the set in the order in which it was taken in, then the others in the order of the pass. Equal instances of different
 *   classes are both taken in; the set is then not consistent for one of them.
 */
export function* condense(
  x: Float32Array,
  columns: number,
  labels: ArrayLike<number>,
  classes: number,
  random: Random,
): Steps<OwnSet> {
  const n = labels.length;
  const pass = random.permutation(n);
  const square = new Float64Array(n).fill(Infinity);
  const predicted = new Int32Array(n).fill(-1);
  const taken = new Uint8Array(n);
  const own: number[] = [];
  const take = (i: number) => {
    taken[i] = 1;
    own.push(i);
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let c = 0, p = i * columns, q = j * columns; c < columns; c++) {
        const difference = x[p + c] - x[q + c];
        sum += difference * difference;
      }
      if (sum < square[j]) {
        square[j] = sum;
        predicted[j] = labels[i];
      }
    }
  };
  const begun = new Uint8Array(classes);
  for (const i of pass) {
    if (begun[labels[i]]) continue;
    begun[labels[i]] = 1;
    take(i);
  }
  for (let before = -1; before !== own.length; ) {
    before = own.length;
    for (const i of pass) {
      if (taken[i] || predicted[i] === labels[i]) continue;
      take(i);
      yield { done: own.length };
    }
  }
  return { order: Uint32Array.from([...own, ...pass.filter((i) => !taken[i])]), own: own.length };
}

export const condensedNn = method({
  id: 'condensed-nn',
  name: 'Condensed nearest neighbours',
  source: 'doi:10.1109/TIT.1968.1054155',
  summary: 'Keeps a set by whose nearest member every instance gets its own class.',
  unit: 'instance',
  subject: dataset,
  formula: 's = n − place in the order in which instances are taken in; the others after them',
  cost: 'O(n d) for each instance of the set',
  params: z.object({}),
  async score(data, _, run) {
    const { x, columns, labels } = await labelledFeatures(data);
    const steps = condense(x, columns, labels.of, labels.classes.length, run.random('condensed-nn'));
    return scoresOfOwnSet(labels, await run.drive('condensing', steps), 'condensed nearest neighbours');
  },
});
