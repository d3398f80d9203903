import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PairIndex } from './pair-index.ts';

it('numbers distinct pairs from 0 in the order of first sight', () => {
  const index = new PairIndex();
  expect([index.of(7, 1), index.of(1, 7), index.of(7, 1), index.of(0, 0), index.of(4294967295, 0)]).toEqual([
    0, 1, 0, 2, 3,
  ]);
  expect(index.size).toBe(4);
  expect([index.first(1), index.second(1)]).toEqual([1, 7]);
});

it('agrees with a Map, beyond its first size too', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(4294967295)), { maxLength: 50 }), (few) => {
      const pairs = [...few, ...Array.from({ length: 3000 }, (_, i): [number, number] => [i % 61, i >> 3]), ...few];
      const index = new PairIndex();
      const map = new Map<string, number>();
      for (const [a, b] of pairs) {
        const number = map.get(`${a} ${b}`) ?? map.size;
        map.set(`${a} ${b}`, number);
        expect(index.of(a, b)).toBe(number);
      }
      expect(index.size).toBe(map.size);
    }),
    { numRuns: 20 },
  );
});
