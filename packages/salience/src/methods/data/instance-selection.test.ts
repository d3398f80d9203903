import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseParams } from '../../core/method.ts';
import { Random } from '../../core/random.ts';
import { Run } from '../../core/run.ts';
import { select } from '../../core/select.ts';
import { finish } from '../../core/steps.ts';
import { editedNearest, voteOf } from '../../numerics/neighbours/edited-nearest.ts';
import { nearest } from '../../numerics/neighbours/nearest.ts';
import { datasetInMemory } from '../../subjects/dataset/dataset.ts';
import type { OwnSet } from '../../subjects/dataset/labelled-features.ts';
import { condense, condensedNn } from './condensed-nn.ts';
import { drop3, dropThree } from './drop3.ts';
import { icf, iterativeCaseFiltering } from './icf.ts';
import { kMeansInstances, kMeansPrototypes } from './k-means-prototypes.ts';
import { lshInstances, lshSelection } from './lsh-selection.ts';

const ownOf = ({ order, own }: OwnSet) => [...order.subarray(0, own)].sort((a, b) => a - b);
const everyOnce = ({ order }: OwnSet, n: number) =>
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));

/** Two moons, the classes in turn. */
function moons(n: number, noise: number, random: Random) {
  const labels = Uint32Array.from({ length: n }, (_, i) => i % 2);
  const x = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    const t = Math.PI * random.uniform();
    x[2 * i] = (labels[i] ? 1 - Math.cos(t) : Math.cos(t)) + noise * random.normal();
    x[2 * i + 1] = (labels[i] ? 0.5 - Math.sin(t) : Math.sin(t)) + noise * random.normal();
  }
  return { x, labels };
}

/** Share of all instances whose nearest in a set has their class. */
function served(x: Float32Array, columns: number, labels: ArrayLike<number>, set: readonly number[]): number {
  const points = Float32Array.from(set.flatMap((i) => [...x.subarray(i * columns, (i + 1) * columns)]));
  const { indices } = nearest(x, points, columns, { k: 1 });
  let right = 0;
  indices.forEach((at, i) => {
    right += Number(labels[set[at]] === labels[i]);
  });
  return right / labels.length;
}

describe('votes of neighbours', () => {
  it('go to the most frequent class, among equals to that of the nearest', () => {
    expect(voteOf([0, 1, 2], [5, 7, 7])).toBe(7);
    expect(voteOf([0, 1, 2], [5, 7, 6])).toBe(5);
    expect(voteOf([], [])).toBe(-1);
  });

  it('tell noise from the rest', () => {
    const line = Float32Array.of(0, 1, 2, 1.5, 10, 11, 12);
    expect([...finish(editedNearest(line, 1, [0, 0, 0, 1, 1, 1, 1], 3))]).toEqual([1, 1, 1, 0, 1, 1, 1]);
  });
});

describe('condensed nearest neighbours', () => {
  it('give every instance its own class by the nearest of the set', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 80 }), fc.integer(), (n, seed) => {
        const { x, labels } = moons(n, 0.3, new Random(seed));
        const found = finish(condense(x, 2, labels, 2, new Random(seed)));
        everyOnce(found, n);
        expect(served(x, 2, labels, ownOf(found))).toBe(1);
      }),
    );
  });

  it('need one of each class where classes lie apart, and end where equal instances are of different classes', () => {
    const x = Float32Array.of(0, 0.1, 0.2, 10, 10.1);
    expect(finish(condense(x, 1, [0, 0, 0, 1, 1], 2, new Random(0))).own).toBe(2);
    expect(finish(condense(new Float32Array(4), 1, [0, 1, 0, 1], 2, new Random(0))).own).toBeLessThanOrEqual(4);
  });
});

describe('DROP3', () => {
  it('thins out the inside of classes and leaves noise out', () => {
    const line = Float32Array.from({ length: 21 }, (_, i) => i);
    // 0 … 9 are of class 0 and 10 … 20 of class 1, but 4 says it is of class 1.
    const labels = Array.from(line, (x) => Number(x >= 10 || x === 4));
    const found = finish(drop3(line, 1, labels, 3));
    everyOnce(found, 21);
    expect(ownOf(found)).not.toContain(4);
    // So does 10, two of whose three nearest (9, 11, and 8 before 12) are of class 0.
    expect([...found.order.subarray(19)]).toEqual([4, 10]);
    expect(found.own).toBeLessThan(11);
    expect(served(line, 1, labels, ownOf(found))).toBeGreaterThan(0.9);
  });

  it('keeps few instances that serve most others', () => {
    const { x, labels } = moons(300, 0.15, new Random(1));
    const found = finish(drop3(x, 2, labels, 3));
    everyOnce(found, 300);
    expect(found.own).toBeLessThan(90);
    expect(served(x, 2, labels, ownOf(found))).toBeGreaterThan(0.93);
  });

  it('ends where there is one class, one instance of a class, or nothing but duplicates', () => {
    for (const labels of [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0]]) {
      for (const x of [new Float32Array(labels.length), Float32Array.from(labels, (_, i) => i)]) {
        const found = finish(drop3(x, 1, labels, 3));
        everyOnce(found, labels.length);
        expect(found.own).toBeGreaterThan(0);
      }
    }
  });
});

describe('ICF', () => {
  it('removes by reachable and coverage as worked by hand on a line', () => {
    // Class 0 at 0, 1, 2.5 and class 1 at 5, 6, 8 (symmetric but for spacing); no noise with one voter.
    const x = Float32Array.of(0, 1, 2.5, 5, 6, 8);
    const labels = [0, 0, 0, 1, 1, 1];
    // Nearest enemies at 5, 4, 2.5 | 2.5, 3.5, 5.5. Reachable: {1, 2}, {0, 2}, {1}; {4}, {3, 5}, {3, 4}.
    // Coverage: {1}, {0, 2}, {0, 1}; {4, 5}, {3, 5}, {4}: surplus 1, 0, −1; −1, 0, 1, so 0 and 5 go.
    // Then 1 ↔ 2 and 3 ↔ 4 reach each other, and no one goes.
    const found = finish(iterativeCaseFiltering(x, 1, labels, 1));
    expect(ownOf(found)).toEqual([1, 2, 3, 4]);
    expect([...found.order]).toEqual([1, 2, 3, 4, 0, 5]);
  });

  it('keeps few instances, some of every class', () => {
    const { x, labels } = moons(300, 0.15, new Random(2));
    const found = finish(iterativeCaseFiltering(x, 2, labels, 3));
    everyOnce(found, 300);
    expect(found.own).toBeLessThan(150);
    expect(new Set(ownOf(found).map((i) => labels[i])).size).toBe(2);
  });

  it('ends where there is one class or nothing but duplicates', () => {
    for (const labels of [[0, 0, 0], [0, 1, 0, 1], [0]]) {
      const found = finish(iterativeCaseFiltering(new Float32Array(labels.length), 1, labels, 3));
      everyOnce(found, labels.length);
      expect(found.own).toBeGreaterThan(0);
    }
  });
});

describe('selection by hashing', () => {
  it('keeps one of each class of each bucket', () => {
    // Two heaps far apart, in each both classes.
    const x = Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1);
    const labels = [0, 0, 0, 1, 0, 1, 1, 1];
    const found = lshSelection(x, 1, labels, { tables: 1, functions: 3, width: 0.5 }, new Random(0));
    everyOnce(found, 8);
    expect(ownOf(found)).toEqual([0, 3, 4, 5]);
    // Those that stand for three come before those that stand for themselves.
    expect([...found.order.subarray(0, 4)]).toEqual([0, 5, 3, 4]);
  });

  it('keeps more with narrower slabs and with more tables', () => {
    const { x, labels } = moons(400, 0.2, new Random(3));
    const own = (tables: number, width: number) =>
      lshSelection(x, 2, labels, { tables, functions: 4, width }, new Random(5)).own;
    expect(own(1, 0.3)).toBeGreaterThan(own(1, 1));
    expect(own(3, 1)).toBeGreaterThan(own(1, 1));
  });
});

describe('k-means prototypes', () => {
  it('are the instances nearest to the means of the clusters of a class', async () => {
    const x = Float32Array.of(0, 1, 2, 10, 11, 12.5, 100, 101, 102.5);
    const found = await kMeansPrototypes(x, 1, [0, 0, 0, 0, 0, 0, 1, 1, 1], 2, 3, new Run());
    everyOnce(found, 9);
    expect(ownOf(found)).toEqual([1, 4, 7]);
  });

  it('are fewer where fewer instances differ', async () => {
    const found = await kMeansPrototypes(new Float32Array(6), 1, [0, 0, 0, 1, 1, 1], 2, 4, new Run());
    everyOnce(found, 6);
    expect(found.own).toBe(2);
  });
});

describe('every instance selection', () => {
  const { x, labels } = moons(120, 0.2, new Random(7));
  const names = { classes: ['up', 'down'], of: labels };
  const data = datasetInMemory({ features: ['x', 'y'], values: x, labels: names });

  it.each([condensedNn, dropThree, icf, lshInstances, kMeansInstances] as const)(
    '$id says how many it keeps, and a budget of that keeps those',
    async (method) => {
      const scores = await method.score(data, parseParams(method) as never, new Run());
      const [{ text }] = scores.findings as unknown as [{ text: string }];
      const own = Number(/keeps (\d+) of 120/.exec(text)?.[1]);
      expect(own).toBeGreaterThan(1);
      expect(select(scores, own).kept.length).toBe(own);
      expect(select(scores, own).threshold).toBe(120 - own + 1);
      expect(scores.groups?.names).toEqual(['up', 'down']);
      expect(new Set(scores.values).size).toBe(120);
    },
  );

  it.each([condensedNn, dropThree, icf, lshInstances, kMeansInstances] as const)(
    '$id refuses a feature that is not finite, and missing labels',
    async (method) => {
      const params = parseParams(method) as never;
      const values = Float32Array.of(1, 2, Infinity);
      const bad = datasetInMemory({ features: ['x'], values, labels: { classes: ['a'], of: new Uint32Array(3) } });
      await expect(method.score(bad, params, new Run())).rejects.toThrow('example 2, column x is Infinity');
      const bare = datasetInMemory({ features: ['x'], values: Float32Array.of(1, 2) });
      await expect(method.score(bare, params, new Run())).rejects.toThrow('has no labels');
    },
  );
});
