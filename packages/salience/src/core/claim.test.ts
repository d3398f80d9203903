import { describe, expect, it } from 'vitest';
import { claim, judge, reportOf, verify } from './claim.ts';
import { Run } from './run.ts';

describe('a verdict', () => {
  it('is reproduced where the whole interval reaches the margin', () => {
    expect(judge({ of: 'a', atLeast: 0.05 }, { mean: 0.08, low: 0.06, high: 0.1 })).toBe('reproduced');
    expect(judge({ of: 'a', atMost: 0.05 }, { mean: 0.02, low: 0.01, high: 0.03 })).toBe('reproduced');
  });

  it('is not reproduced where the mean misses the margin', () => {
    expect(judge({ of: 'a', atLeast: 0.05 }, { mean: 0.04, low: 0.01, high: 0.07 })).toBe('not reproduced');
    expect(judge({ of: 'a', atMost: 0.05 }, { mean: 0.06, low: 0.01, high: 0.07 })).toBe('not reproduced');
  });

  it('is undecided where the mean reaches it and the interval does not', () => {
    expect(judge({ of: 'a', atLeast: 0.05 }, { mean: 0.06, low: 0.04, high: 0.08 })).toBe('undecided');
    expect(judge({ of: 'a', atMost: 0.05 }, { mean: 0.04, low: 0.03, high: 0.06 })).toBe('undecided');
  });
});

const made = (gain: number) =>
  claim({
    method: 'made',
    headline: 'a is above b',
    setting: 'numbers drawn at random',
    seeds: [1, 2, 3, 4, 5, 6],
    parts: [{ id: 'gain', says: 'a − b', role: 'headline', rule: { of: 'a', over: 'b', atLeast: 0.5 } }],
    measure: async (run) => {
      const noise = run.random('noise').normal() / 100;
      return { a: gain + noise, b: 0 };
    },
  });

describe('verifying a claim', () => {
  it('pairs the measurements seed by seed and can come out either way', async () => {
    expect((await verify(made(1), new Run())).parts[0]).toMatchObject({ verdict: 'reproduced', rule: 'a − b ≥ 0.5' });
    expect((await verify(made(0), new Run())).parts[0].verdict).toBe('not reproduced');
  });

  it('gives the same evidence for the same seeds', async () => {
    const { seconds: _, ...once } = await verify(made(1), new Run());
    const { seconds: __, ...again } = await verify(made(1), new Run());
    expect(again).toEqual(once);
    expect(reportOf({ ...once, seconds: 0 }).blocks).toHaveLength(3);
  });

  it('refuses a rule about something that was not measured', async () => {
    const spec = made(1);
    const wrong = { ...spec, parts: [{ ...spec.parts[0], rule: { of: 'c', atLeast: 0 } }] };
    await expect(verify(wrong, new Run())).rejects.toThrow(/"c" was not measured/);
    expect(() => claim({ ...spec, parts: [{ ...spec.parts[0], rule: { of: 'a' } }] })).toThrow(
      /either atLeast or atMost/,
    );
  });
});
