import { describe, expect, it } from 'vitest';
import { type ClaimPart, claim, judge, reportedInWords, reportOf, restate, verify } from './claim.ts';
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

const reported = { figure: '+6 points', setting: 'accuracy on another table', source: 'abstract' };

describe('what the paper reports', () => {
  const spec = made(1);
  const [part] = spec.parts;
  const told = claim({ ...spec, parts: [{ ...part, reported }] });

  it('goes with the part into the evidence and its report, and moves neither numbers nor verdict', async () => {
    const [{ reported: carried, ...measured }] = (await verify(told, new Run())).parts;
    expect(carried).toEqual(reported);
    const evidence = await verify(spec, new Run());
    expect(evidence.parts).toEqual([measured]);
    const cellsOf = (of: typeof evidence) => JSON.stringify(reportOf(of).blocks);
    expect(cellsOf({ ...evidence, parts: [{ ...measured, reported }] })).toContain(
      '"+6 points (accuracy on another table; abstract)"',
    );
    expect(cellsOf(evidence)).toContain('"none found"');
  });

  it('is for headline parts alone: a control is ours', () => {
    expect(() => claim({ ...spec, parts: [{ ...part, role: 'control', reported }] })).toThrow(
      'claim made, part gain: a control is ours',
    );
    expect(reportedInWords({ role: 'control' })).toBe('');
  });
});

describe('restating a claim', () => {
  const spec = made(1);
  const [part] = spec.parts;
  const evidence = verify(spec, new Run());

  it('changes nothing where the words are the same', async () => {
    expect(restate(await evidence, spec)).toEqual(await evidence);
  });

  it('puts the new words on the old numbers', async () => {
    const { parts, ...old } = await evidence;
    const words = { headline: 'b is below a', setting: 'drawn numbers', unjudged: 'why' };
    const restated = restate(await evidence, { ...spec, ...words, parts: [{ ...part, says: 'a over b', reported }] });
    expect(restated).toEqual({ ...old, ...words, parts: [{ ...parts[0], says: 'a over b', reported }] });
    expect(restate(restated, spec)).toEqual(await evidence);
  });

  it('refuses what was not run like this, and says what differs', async () => {
    const run = await evidence;
    const partsOf = (...parts: ClaimPart[]) => ({ ...spec, parts });
    const other: ClaimPart = { ...part, id: 'other' };
    const again = 'it must be run again';
    expect(() => restate(run, { ...spec, seeds: [1, 2] })).toThrow(
      `claim made: the seeds were "1, 2, 3, 4, 5, 6" when it was run, and now "1, 2": ${again}`,
    );
    expect(() => restate(run, partsOf(other))).toThrow(
      `claim made: part 1 was "gain" when it was run, and now "other": ${again}`,
    );
    expect(() => restate(run, partsOf(part, other))).toThrow(
      `claim made: part 2 was "absent" when it was run, and now "other": ${again}`,
    );
    expect(() => restate(run, partsOf())).toThrow(
      `claim made: part 1 was "gain" when it was run, and now "absent": ${again}`,
    );
    expect(() => restate(run, partsOf({ ...part, role: 'control' }))).toThrow(
      `claim made: the role of part gain was "headline" when it was run, and now "control": ${again}`,
    );
    expect(() => restate(run, partsOf({ ...part, rule: { ...part.rule, atLeast: 0.4 } }))).toThrow(
      `claim made: the rule of part gain was "a − b ≥ 0.5" when it was run, and now "a − b ≥ 0.4": ${again}`,
    );
    expect(() => restate({ ...run, method: 'another' }, spec)).toThrow('evidence on another is not on the claim made');
  });
});
