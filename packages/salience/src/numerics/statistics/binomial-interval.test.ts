import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clopperPearson,
  clopperPearsonDraws,
  farthestEnd,
  greatestWithoutHits,
  hoeffding,
  hoeffdingDraws,
  hoeffdingHalfWidth,
  wilson,
} from './binomial-interval.ts';

describe('Hoeffding’s interval', () => {
  it('has the half widths of the formula', () => {
    expect(hoeffdingHalfWidth(100)).toBeCloseTo(0.1358, 4);
    expect(hoeffdingHalfWidth(185)).toBeCloseTo(0.0998, 4);
    expect(hoeffdingHalfWidth(500)).toBeCloseTo(0.0607, 4);
  });

  it('takes 738 draws for ±5% and 4,612 for ±2% at 95%', () => {
    expect(hoeffdingDraws(0.05)).toBe(738);
    expect(hoeffdingDraws(0.02)).toBe(4612);
    expect(hoeffdingHalfWidth(4612)).toBeLessThanOrEqual(0.02);
    expect(hoeffdingHalfWidth(4611)).toBeGreaterThan(0.02);
  });

  it('is cut at 0 and 1', () => {
    expect(hoeffding(0, 100).low).toBe(0);
    expect(hoeffding(100, 100).high).toBe(1);
    expect(hoeffding(50, 100)).toEqual({ low: 0.5 - hoeffdingHalfWidth(100), high: 0.5 + hoeffdingHalfWidth(100) });
  });
});

describe('Clopper and Pearson’s interval', () => {
  // scipy.stats.beta.ppf(delta / 2, hits, draws - hits + 1) and ppf(1 - delta / 2, hits + 1, draws - hits)
  it.each([
    [5, 10, 0.05, 0.18708602844739855, 0.8129139715526015],
    [1, 500, 0.05, 5.0634334007415215e-5, 0.011092476898968787],
    [30, 100, 0.1, 0.2249232243713866, 0.3842206127942016],
  ])('of %i hits in %i at delta %d is that of the beta quantiles', (hits, draws, delta, low, high) => {
    const found = clopperPearson(hits, draws, delta);
    expect(found.low).toBeCloseTo(low, 10);
    expect(found.high).toBeCloseTo(high, 10);
  });

  it('without a hit ends at 1 − (δ/2)^(1/n), with hits alone begins at (δ/2)^(1/n)', () => {
    expect(clopperPearson(0, 500).high).toBeCloseTo(1 - 0.025 ** (1 / 500), 12);
    expect(clopperPearson(500, 500).low).toBeCloseTo(0.025 ** (1 / 500), 12);
  });

  it('holds the share of 500 draws without a hit below 0.005974, one-sided', () => {
    expect(greatestWithoutHits(500)).toBeCloseTo(0.005974, 6);
  });

  it('takes about half of Hoeffding’s draws for ±2% at 95%, whatever the share', () => {
    const draws = clopperPearsonDraws(0.02);
    expect(draws).toBeGreaterThan(2401); // the normal approximation
    expect(draws).toBeLessThan(2500);
    const farthest = (n: number) => Math.max(...Array.from({ length: n + 1 }, (_, hits) => farthestEnd(hits, n)));
    expect(farthest(draws)).toBeLessThanOrEqual(0.02);
    expect(farthest(draws - 1)).toBeGreaterThan(0.02);
    for (const [width, delta] of [
      [0.3, 0.05],
      [0.1, 0.2],
      [0.05, 0.001],
    ]) {
      const n = clopperPearsonDraws(width, delta);
      for (let hits = 0; hits <= n; hits++) expect(farthestEnd(hits, n, delta)).toBeLessThanOrEqual(width);
    }
  });

  it('covers the true share with at least 1 − δ, summed over all outcomes', () => {
    const n = 40;
    for (const p of [0.03, 0.2, 0.5, 0.77]) {
      let covered = 0;
      let mass = (1 - p) ** n;
      for (let k = 0; k <= n; k++) {
        const { low, high } = clopperPearson(k, n);
        if (low <= p && p <= high) covered += mass;
        mass *= ((n - k) / (k + 1)) * (p / (1 - p));
      }
      expect(covered).toBeGreaterThanOrEqual(0.95);
    }
  });

  it('lies within Hoeffding’s but for small n, holds the share, and mirrors', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const hits = Math.round(share * n);
        const { low, high } = clopperPearson(hits, n);
        expect(low).toBeLessThanOrEqual(hits / n);
        expect(high).toBeGreaterThanOrEqual(hits / n);
        const mirrored = clopperPearson(n - hits, n);
        expect(mirrored.low).toBeCloseTo(1 - high, 9);
        if (n >= 100) expect(high - low).toBeLessThanOrEqual(2 * hoeffdingHalfWidth(n));
      }),
      { numRuns: 60 },
    );
  });
});

describe('Wilson’s interval', () => {
  it('of 5 hits in 10 is 0.2366 to 0.7634', () => {
    const { low, high } = wilson(5, 10);
    expect(low).toBeCloseTo(0.236593, 6);
    expect(high).toBeCloseTo(0.763407, 6);
  });

  it('uses the normal quantile far into the tails', () => {
    // z at δ = 1e-12 is 7.1304946; one hit in one draw ends low at 1 / (1 + z²)
    const { low } = wilson(1, 1, 1e-12);
    expect(Math.sqrt(1 / low - 1)).toBeCloseTo(7.130494613, 3);
  });
});

describe('bad input', () => {
  it.each([
    [() => hoeffding(3, 2), '3 hits are not among 2 draws'],
    [() => clopperPearson(0, 0), '0 draws'],
    [() => wilson(0, 1, 1), 'delta 1 is not between 0 and 1'],
    [() => hoeffdingDraws(0), 'a half width of 0'],
  ])('is refused', (call, message) => {
    expect(call).toThrow(message);
  });
});
