import { describe, expect, it } from 'vitest';
import { ParameterError } from '../../core/errors.ts';
import { constant, cosine, cubic, linearDecay, linearWarmup } from './schedules.ts';

describe('schedules', () => {
  it('a warm-up goes up by equal parts and hands over to what follows', () => {
    const schedule = linearWarmup(8, 4, linearDecay({ rate: 8, steps: 4 }));
    expect([0, 1, 2, 3, 4, 5, 8, 9].map(schedule)).toEqual([0, 2, 4, 6, 8, 6, 0, 0]);
    expect([0, 1, 7].map(linearWarmup(3, 1))).toEqual([0, 3, 3]);
    expect(linearWarmup(3, 0)(0)).toBe(3);
  });

  it('a cosine is at half its way in the middle, and stays at its end', () => {
    const schedule = cosine({ rate: 1, steps: 100, end: 0.2 });
    expect(schedule(0)).toBe(1);
    expect(schedule(25)).toBeCloseTo(0.2 + 0.4 * (1 + Math.SQRT1_2), 12);
    expect(schedule(50)).toBeCloseTo(0.6, 12);
    expect([100, 1000].map(schedule)).toEqual([0.2, 0.2]);
  });

  it('the cubic schedule has the values of PST: 0, 0.379167, 0.7875, 0.9, 0.9', () => {
    const schedule = cubic({ start: 0, end: 0.9, begin: 100, finish: 700 });
    const at = [100, 200, 400, 700, 1000].map((step) => Number(schedule(step).toFixed(6)));
    expect(at).toEqual([0, 0.379167, 0.7875, 0.9, 0.9]);
    expect([4, 5, 6].map(cubic({ start: 7, end: 1, begin: 5, finish: 5 }))).toEqual([7, 7, 1]);
  });

  it('a constant is the same everywhere', () => expect([0, 5, 1e9].map(constant(0.3))).toEqual([0.3, 0.3, 0.3]));

  it('numbers of steps that cannot be are refused', () => {
    expect(() => linearWarmup(1, -1)).toThrow(ParameterError);
    expect(() => linearDecay({ rate: 1, steps: 0 })).toThrow('steps is a whole number of 1 or more, not 0');
    expect(() => cosine({ rate: 1, steps: 1.5 })).toThrow(ParameterError);
    expect(() => cubic({ start: 0, end: 1, begin: 5, finish: 4 })).toThrow('cannot begin at 5');
  });
});
