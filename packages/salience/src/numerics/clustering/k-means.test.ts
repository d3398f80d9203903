import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.ts';
import { centroidDistances, kMeans } from './k-means.ts';

const random = () => new Random(7, 'k-means');

describe('k-means', () => {
  it('finds two far apart pairs and their means', () => {
    const { of, centroids, clusters, converged } = kMeans(Float64Array.of(0, 0, 2, 0, 100, 0, 102, 0), 2, {
      clusters: 2,
      random: random(),
    });
    expect(clusters).toBe(2);
    expect(converged).toBe(true);
    expect(of[0]).toBe(of[1]);
    expect(of[2]).toBe(of[3]);
    expect(of[0]).not.toBe(of[2]);
    expect([centroids[2 * of[0]], centroids[2 * of[2]]]).toEqual([1, 101]);
    expect([...centroidDistances({ clusters, centroids })]).toEqual([0, 100, 100, 0]);
  });

  it('gives every row its nearest mean, whatever the rows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), {
          minLength: 4,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 4 }),
        (points, clusters) => {
          const made = kMeans(Float32Array.from(points.flat()), 2, { clusters, random: random() });
          points.forEach((point, i) => {
            const far = (k: number) =>
              (point[0] - made.centroids[2 * k]) ** 2 + (point[1] - made.centroids[2 * k + 1]) ** 2;
            for (let k = 0; k < made.clusters; k++) expect(far(made.of[i])).toBeLessThanOrEqual(far(k));
          });
          expect(new Set(made.of).size).toBe(made.clusters);
        },
      ),
    );
  });

  it('is the same for the same seed, and joins rows it did not sample to the nearest mean', () => {
    const draws = new Random(3, 'rows');
    const rows = Float64Array.from({ length: 600 }, (_, i) => 10 * (Math.floor(i / 2) % 3) + draws.normal());
    const options = { clusters: 3, sample: 50 };
    const first = kMeans(rows, 2, { ...options, random: random() });
    expect(first).toEqual(kMeans(rows, 2, { ...options, random: random() }));
    for (let i = 3; i < 300; i++) expect(first.of[i]).toBe(first.of[i - 3]);
  });

  it('puts identical rows into one cluster', () => {
    const { clusters, of } = kMeans(new Float32Array(20).fill(4), 2, { clusters: 3, random: random() });
    expect(clusters).toBe(1);
    expect([...of]).toEqual(new Array(10).fill(0));
  });

  it('refuses fewer rows than clusters, numbers that are not finite, and no cluster', () => {
    const rows = Float32Array.of(1, 2, 3, 4);
    expect(() => kMeans(rows, 2, { clusters: 3, random: random() })).toThrow('2 rows cannot make 3 clusters');
    expect(() => kMeans(rows, 3, { clusters: 1, random: random() })).toThrow('4 numbers are no rows of 3');
    expect(() => kMeans(Float32Array.of(1, NaN), 1, { clusters: 1, random: random() })).toThrow(
      'row 1, column 0 is NaN',
    );
    expect(() => kMeans(rows, 2, { clusters: 0, random: random() })).toThrow('clusters = 0');
  });
});
