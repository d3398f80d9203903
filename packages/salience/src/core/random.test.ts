import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

const draw = (random: Random, n = 5) => Array.from({ length: n }, () => random.uniform());

describe('the seeded generator', () => {
  it('gives the same numbers for the same seed and name, others for another', () => {
    expect(draw(new Random(1, 'a'))).toEqual(draw(new Random(1, 'a')));
    expect(draw(new Random(1, 'a'))).not.toEqual(draw(new Random(2, 'a')));
    expect(draw(new Random(1, 'a'))).not.toEqual(draw(new Random(1, 'b')));
  });

  it('keeps streams apart: drawing from one does not move another', () => {
    const root = new Random(7);
    const before = draw(root.stream('b'));
    draw(root.stream('a'), 100);
    expect(draw(root.stream('b'))).toEqual(before);
    expect(draw(new Random(7, 'x').stream('y'))).toEqual(draw(new Random(7, 'x/y')));
  });

  it('gives uniform numbers of mean 1/2 and normal ones of mean 0 and deviation 1', () => {
    const random = new Random(3);
    const n = 20_000;
    const uniform = draw(random, n);
    expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...uniform)).toBeLessThan(1);
    expect(Math.abs(uniform.reduce((a, b) => a + b) / n - 0.5)).toBeLessThan(0.01);
    const normal = Array.from({ length: n }, () => random.normal());
    expect(Math.abs(normal.reduce((a, b) => a + b) / n)).toBeLessThan(0.03);
    expect(Math.abs(normal.reduce((a, b) => a + b * b, 0) / n - 1)).toBeLessThan(0.05);
  });

  it('permutes without loss', () => {
    expect([...new Random(5).permutation(50)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });
});
