/** @file The matrix that every method of a family must pass, whatever it computes. */

import { describe, expect, it } from 'vitest';
import { catalogue } from '../src/catalogue.ts';
import { parseParams } from '../src/core/method.ts';
import { Run } from '../src/core/run.ts';
import { type AnyScores, isSequence, isStream } from '../src/core/scores.ts';
import { walkAll } from '../src/core/select-sequence.ts';
import { choose } from '../src/keep.ts';
import type { Family } from '../src/papers.ts';

/** What a family gives its methods: subjects to refuse, each made by a function that throws or returns what scoring must refuse. */
export interface Refused {
  readonly what: string;
  load(): Promise<unknown>;
  readonly message: RegExp;
}

async function valuesOf(scores: AnyScores): Promise<number[]> {
  const values: number[] = [];
  if (isSequence(scores)) {
    for await (const part of walkAll(scores)) for (const value of part.scores) values.push(value);
    return values;
  }
  if (!isStream(scores)) return [...scores.values];
  for (const chunk of scores.chunks) for (const value of await scores.score.call(chunk)) values.push(value);
  return values;
}

export function matrix(family: Family, refused: readonly Refused[]): void {
  describe.each(catalogue.filter((entry) => entry.family === family))('$id', ({ load }) => {
    const scored = async (seed = 1) => {
      const method = await load();
      const run = new Run({ seed });
      return { method, scores: await method.score(await method.subject.sample(run), parseParams(method), run) };
    };

    it('gives one finite score a unit, of the unit it names', async () => {
      const { method, scores } = await scored();
      expect(scores.unit).toBe(method.unit);
      const values = await valuesOf(scores);
      const units = 'values' in scores ? scores.labels!.length : scores.groups.reduce((n, { size }) => n + size, 0);
      expect(values.length).toBe(units);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(new Set(values).size).toBeGreaterThan(1);
    });

    it('gives the same scores for the same seed', async () => {
      expect(await valuesOf((await scored(3)).scores)).toEqual(await valuesOf((await scored(3)).scores));
    });

    it('meets budgets exactly', async () => {
      const { method, scores } = await scored();
      const n = (await valuesOf(scores)).length;
      const subject = await method.subject.sample(new Run());
      for (const [budget, count] of [
        ['0%', 0],
        ['3', 3],
        ['10%', Math.ceil(n / 10)],
        ['50%', Math.ceil(n / 2)],
        ['100%', n],
      ] as const) {
        const { selection } = await choose(method, subject, budget);
        expect([budget, 'kept' in selection ? selection.kept.length : selection.count]).toEqual([budget, count]);
      }
    });

    it.each(refused)('refuses $what', async ({ load: make, message }) => {
      const { method } = await scored();
      const attempt = async () => choose(method, await make(), '50%');
      await expect(attempt()).rejects.toThrow(message);
    });

    it('refuses a parameter it does not have, and one that is not a number where it has numbers', async () => {
      const { method } = await scored();
      expect(() => parseParams(method, { nonsense: 1 })).toThrow(/has no parameter "nonsense"/);
      for (const [name, schema] of Object.entries(method.params.shape)) {
        if (typeof (schema as { safeParse(x: unknown): { data?: unknown } }).safeParse(undefined).data !== 'number')
          continue;
        expect(() => parseParams(method, { [name]: Number.NaN })).toThrow(new RegExp(`parameter ${name}`));
      }
    });
  });
}
