import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { greedyDiverse, logNeighbourDistances, neighbourEntropy } from './neighbour-entropy.ts';

const five = Float64Array.from([0, 0, 0.1, 0, 0, 0.2, 3, 4, 3, 4.5]);

describe('distances to neighbours', () => {
  it('are those of the worked example, for k of 1 and 2', () => {
    const first = logNeighbourDistances(five, 2, 1);
    const expected = [-Math.LN10, -Math.LN10, -1.6094, -Math.LN2, -Math.LN2];
    first.forEach((log, i) => {
      expect(log).toBeCloseTo(expected[i], 4);
    });
    expect(first.reduce((a, b) => a + b) / 5).toBeCloseTo(-1.5202, 4);
    const second = logNeighbourDistances(five, 2, 2).map(Math.exp);
    const distances = [0.2, 0.2236, 0.2236, 4.8415, 5.2431];
    second.forEach((distance, i) => {
      expect(distance).toBeCloseTo(distances[i], 4);
    });
  });

  it('grow by log 3 where all points are scaled by 3', () => {
    const one = logNeighbourDistances(five, 2, 2);
    const three = logNeighbourDistances(
      five.map((x) => 3 * x),
      2,
      2,
    );
    three.forEach((log, i) => {
      expect(log - one[i]).toBeCloseTo(1.0986, 4);
    });
  });

  it('refuse a neighbour that is not there', () => {
    expect(() => logNeighbourDistances(five, 2, 5)).toThrow(/k is 1 to 4/);
    expect(() => logNeighbourDistances(five, 2, 0)).toThrow(/k is 1 to 4/);
  });
});

describe('the entropy of points by their neighbours', () => {
  it('is near that of a normal distribution in two dimensions, log(2πe)', () => {
    const random = new Random(1, 'entropy');
    const points = Float64Array.from({ length: 8000 }, () => random.normal());
    expect(Math.abs(neighbourEntropy(points, 2, 5) - Math.log(2 * Math.PI * Math.E))).toBeLessThan(0.05);
  });

  it('is near 0 for the unit interval, and grows by d log s where points are scaled by s', () => {
    const random = new Random(2, 'entropy');
    const points = Float64Array.from({ length: 4000 }, () => random.uniform());
    expect(Math.abs(neighbourEntropy(points, 1, 5))).toBeLessThan(0.05);
    const difference =
      neighbourEntropy(
        points.map((x) => 5 * x),
        2,
        3,
      ) - neighbourEntropy(points, 2, 3);
    expect(difference).toBeCloseTo(2 * Math.log(5), 4);
  });
});

describe('greedy choice of diverse points', () => {
  it('takes the highest values where all points are equally far from each other', () => {
    const corners = Float64Array.from([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
    const chosen = greedyDiverse([0.1, 0.9, 0.5, 0.7], corners, 4, { k: 1, count: 3, weight: 1 });
    expect([...chosen]).toEqual([1, 3, 2]);
  });

  it('leaves out a near copy that the split-up objective would keep', () => {
    const points = Float64Array.from([0, 0, 10, 0, 10.001, 0, 0, 5]);
    const chosen = greedyDiverse([1, 0.9, 0.9, 0], points, 2, { k: 1, count: 3, weight: 1 });
    expect(chosen.includes(1) && chosen.includes(2)).toBe(false);
    expect(chosen.includes(3)).toBe(true);
  });

  it('returns every index once where all are to be chosen', () => {
    expect([...greedyDiverse([1, 2, 3, 4, 5], five, 2, { k: 2, count: 5, weight: 0.5 })].sort()).toEqual([
      0, 1, 2, 3, 4,
    ]);
    expect(() => greedyDiverse([1], five.subarray(0, 2), 2, { k: 1, count: 2, weight: 1 })).toThrow(/1 to 1 points/);
  });
});
