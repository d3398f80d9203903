/** @file Samples by keys, label noise, standardising and overlap: worked numbers of VoG's brief, then what must always hold. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ParameterError } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { standardise, standardiseWithin } from '../statistics/class-standardise.ts';
import { overlap } from '../statistics/overlap.ts';
import { withLabelNoise } from './label-noise.ts';
import { stratifiedScores } from './stratified.ts';
import { gumbelKeys, linearWeights, samplingKeys } from './without-replacement.ts';

const close = (values: ArrayLike<number>, expected: readonly number[], digits = 5) => {
  expect(values.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(values[i]).toBeCloseTo(value, digits);
  });
};
const highest = (keys: ArrayLike<number>, k: number) =>
  Array.from(keys, (_, i) => i)
    .sort((i, j) => keys[j] - keys[i])
    .slice(0, k);

const v = [0.1, 0.4, 0.2, 0.9, 0.5];

describe('standardising', () => {
  it('gives −1, 1, −1.16248, 1.27872, −0.11625 within the classes 0, 0, 1, 1, 1', () => {
    close(standardiseWithin(v, { of: Uint32Array.of(0, 0, 1, 1, 1), count: 2 }), [-1, 1, -1.16248, 1.27872, -0.11625]);
  });

  it('gives −1.14873, −0.07180, −0.78975, 1.72310, 0.28718 over all', () => {
    close(standardise(v), [-1.14873, -0.0718, -0.78975, 1.7231, 0.28718]);
  });

  it('gives 0 to a class of one example and to equal values', () => {
    close(standardiseWithin([3, 0.1, 0.1, 0.1], { of: Uint32Array.of(1, 0, 0, 0), count: 3 }), [0, 0, 0, 0], 12);
  });

  it('makes every class have mean 0 and deviation 1, whatever was added or multiplied', () => {
    const values = fc.array(fc.double({ min: -1e3, max: 1e3, noNaN: true }), { minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.1, max: 10, noNaN: true }), (list, factor) => {
        const of = Uint32Array.from(list, (_, i) => i % 2);
        const once = standardiseWithin(list, { of, count: 2 });
        const spread = Math.max(...list) - Math.min(...list);
        fc.pre(spread > 1e-3);
        for (const c of [0, 1]) {
          const own = list.filter((_, i) => of[i] === c);
          if (Math.max(...own) - Math.min(...own) < 1e-3) continue;
          const made = [...once].filter((_, i) => of[i] === c);
          expect(made.reduce((a, b) => a + b, 0) / made.length).toBeCloseTo(0, 6);
          expect(made.reduce((a, b) => a + b * b, 0) / made.length).toBeCloseTo(1, 6);
          const again = standardiseWithin(
            list.map((value) => factor * value + 7),
            { of, count: 2 },
          );
          close(
            [...again].filter((_, i) => of[i] === c),
            made,
            4,
          );
        }
      }),
    );
  });
});

describe('sampling without replacement', () => {
  it('maps scores by a line to .01, .38125, .13375, 1, .505, and those to chances that add up to 1', () => {
    const weights = linearWeights(standardise(v), 0.01);
    close(weights, [0.01, 0.38125, 0.13375, 1, 0.505]);
    const sum = weights.reduce((a, b) => a + b, 0);
    close(
      weights.map((weight) => weight / sum),
      [0.00493, 0.18781, 0.06589, 0.49261, 0.24877],
    );
  });

  it('draws first by weight, second by weight among the rest', () => {
    const weights = [0.5, 0.3, 0.2];
    const random = new Random(1, 'draws');
    const draws = 20_000;
    const counts = new Map<string, number>();
    for (let n = 0; n < draws; n++) {
      const pair = highest(gumbelKeys(weights.map(Math.log), random), 2).join();
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 0],
      [2, 1],
    ]) {
      const chance = (weights[i] * weights[j]) / (1 - weights[i]);
      expect(counts.get(`${i},${j}`)! / draws).toBeCloseTo(chance, 1.8);
    }
  });

  it('draws uniformly from equal scores, by exp and by the line', () => {
    for (const sampling of ['softmax', 'linear'] as const) {
      const random = new Random(2, sampling);
      const counts = new Uint32Array(4);
      for (let n = 0; n < 8000; n++) {
        const keys = samplingKeys(Float64Array.of(5, 5, 5, 5), { sampling, epsilon: 0.01 }, random);
        for (const i of highest(keys, 2)) counts[i]++;
      }
      for (const count of counts) expect(count / 8000).toBeCloseTo(0.5, 1);
    }
  });

  it('gives the scores themselves for a cut, and finite keys for any scores', () => {
    const scores = Float64Array.of(-800, 0, 900);
    expect(samplingKeys(scores, { sampling: 'cut', epsilon: 0.5 }, new Random(0))).toBe(scores);
    for (let seed = 0; seed < 50; seed++) {
      const keys = samplingKeys(scores, { sampling: 'softmax', epsilon: 0.5 }, new Random(seed));
      expect(keys.every(Number.isFinite)).toBe(true);
      expect(highest(keys, 1)).toEqual([2]);
    }
  });
});

describe('stratified scores', () => {
  it('keep of each class its share, within two examples, at any budget', () => {
    const of = Uint32Array.from({ length: 200 }, (_, i) => (i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 2));
    for (let seed = 0; seed < 20; seed++) {
      const scores = stratifiedScores(of, 3, new Random(seed));
      for (const k of [10, 50, 110, 199]) {
        const counts = [0, 0, 0];
        for (const i of highest(scores, k)) counts[of[i]]++;
        [140, 40, 20].forEach((size, c) => {
          expect(Math.abs(counts[c] - (size * k) / 200)).toBeLessThan(2.01);
        });
      }
    }
  });
});

describe('label noise', () => {
  it('redraws just the share, a third of which stays right with 3 classes', () => {
    const labels = Uint32Array.from({ length: 3000 }, (_, i) => i % 3);
    const noisy = withLabelNoise(labels, 3, 0.2, new Random(1));
    expect(noisy.redrawn.length).toBe(600);
    const redrawn = new Set(noisy.redrawn);
    const changed = [...labels.keys()].filter((i) => noisy.labels[i] !== labels[i]);
    expect(changed.every((i) => redrawn.has(i))).toBe(true);
    expect(changed.length / 600).toBeCloseTo(2 / 3, 1);
    expect(labels[4]).toBe(1);
  });

  it('changes nothing for a share of 0, and refuses one outside of 0 to 1', () => {
    const labels = Uint32Array.of(0, 1, 2);
    expect(withLabelNoise(labels, 3, 0, new Random(1)).labels).toEqual(labels);
    expect(() => withLabelNoise(labels, 3, 1.1, new Random(1))).toThrow(ParameterError);
    expect(() => withLabelNoise(labels, 3, Number.NaN, new Random(1))).toThrow(/\[0, 1\], not NaN/);
  });
});

describe('overlap', () => {
  it('is the share that two sets of one size have in common', () => {
    expect(overlap([1, 2, 3, 4], [4, 9, 2, 8])).toBe(0.5);
    expect(overlap([1, 2], [2, 1])).toBe(1);
    expect(overlap([], [])).toBe(1);
    expect(() => overlap([1], [1, 2])).toThrow(InputError);
  });
});
