/** @file The matrix that every method of a family must pass, whatever it computes. */

import { describe, expect, it } from 'vitest';
import { type AnyMethod, catalogue } from '../src/catalogue.ts';
import { parseParams } from '../src/core/method.ts';
import { Run } from '../src/core/run.ts';
import { type AnyScores, isSequence, isStream } from '../src/core/scores.ts';
import { selectSequence, walkAll } from '../src/core/select-sequence.ts';
import { choose } from '../src/keep.ts';
import type { Family } from '../src/papers.ts';

/** What a family gives its methods: subjects to refuse, each made by a function that throws or returns what scoring must refuse. */
export interface Refused {
  readonly what: string;
  /** The kind of subject, where the family has several. */
  readonly of?: string;
  /** Methods that do not look at what is wrong. */
  readonly except?: readonly string[];
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

/** How many examples a dataset has; their scores have no labels. */
function examplesOf(subject: unknown): number {
  return (subject as { examples: number }).examples;
}

/** How many weights of a matrix a share keeps. */
function expectedOf(share: number, [rows, columns]: readonly [number, number], perRow: boolean): number {
  return perRow ? rows * Math.ceil(share * columns) : Math.ceil(share * rows * columns);
}

/**
 * @param refused what scoring or choosing must refuse.
 * @param samples by a subject's kind, what its methods are tried on in place of its own sample.
 */
export function matrix(
  family: Family,
  refused: readonly Refused[],
  samples: Readonly<Record<string, (run: Run) => Promise<unknown>>> = {},
): void {
  const entries = catalogue.filter((entry) => entry.family === family);
  describe.each(entries)('$id', ({ id, load }) => {
    const sampleOf = ({ subject }: AnyMethod, run: Run) => (samples[subject.kind] ?? subject.sample)(run);
    const score = async () => {
      const method = await load();
      const run = new Run({ seed: 1 });
      return { method, scores: await method.score(await sampleOf(method, run), parseParams(method), run) };
    };
    let first: ReturnType<typeof score> | undefined;
    /** Scored once for all tests that only look. */
    const scored = () => {
      first ??= score();
      return first;
    };

    it('gives one finite score a unit, of the unit it names', async () => {
      const { method, scores } = await scored();
      expect(scores.unit).toBe(method.unit);
      const values = await valuesOf(scores);
      const units =
        'values' in scores
          ? (scores.labels?.length ?? examplesOf(await sampleOf(method, new Run({ seed: 1 }))))
          : scores.groups.reduce((n, { size }) => n + size, 0);
      expect(values.length).toBe(units);
      expect(values.every(Number.isFinite)).toBe(true);
      expect(new Set(values).size).toBeGreaterThan(1);
    });

    it('gives the same scores for the same seed', async () => {
      expect(await valuesOf((await score()).scores)).toEqual(await valuesOf((await scored()).scores));
    });

    it('meets budgets exactly', async () => {
      const { method, scores } = await scored();
      const n = (await valuesOf(scores)).length;
      const subject = await sampleOf(method, new Run());
      if (isSequence(scores)) {
        const perRow = (parseParams(method) as { compare?: string }).compare === 'row';
        for (const share of [0, 0.1, 0.5, 1]) {
          for await (const { name, shape, kept } of selectSequence(scores, { share }).walk()) {
            const inRow = Array.from({ length: shape[0] }, (_, r) =>
              kept.subarray(r * shape[1], (r + 1) * shape[1]).reduce((sum, one) => sum + one, 0),
            );
            const count = inRow.reduce((sum, one) => sum + one, 0);
            expect([name, share, count]).toEqual([name, share, expectedOf(share, shape, perRow)]);
            if (perRow) expect(new Set(inRow).size).toBe(1);
          }
        }
        for await (const { shape, kept } of selectSequence(scores, '2:4').walk()) {
          for (let i = 0; i < shape[0] * shape[1]; i += 4)
            expect(kept[i] + kept[i + 1] + kept[i + 2] + kept[i + 3]).toBe(2);
        }
        for (const budget of ['3', 'mass=0.5', '>=0.1', '50%, floor 1'])
          await expect(choose(method, subject, budget)).rejects.toThrow(/takes a share such as 50%, or N:M/);
        await expect(choose(method, subject, '2:5')).rejects.toThrow(/needs a multiple of 5 columns/);
        return;
      }
      for (const [budget, count] of [
        ['0%', 0],
        ['3', 3],
        ['10%', Math.ceil(n / 10)],
        ['50%', Math.ceil(n / 2)],
        ['100%', n],
      ] as const) {
        const { selection } = await choose({ ...method, score: async () => scores }, subject, budget);
        expect([budget, 'kept' in selection ? selection.kept.length : selection.count]).toEqual([budget, count]);
      }
    });

    it.each(refused.filter(({ except = [] }) => !except.includes(id)))(
      'refuses $what',
      async ({ load: make, message, of }) => {
        const method = await load();
        if (of !== undefined && of !== method.subject.kind) return;
        const attempt = async () => choose(method, await make(), '50%');
        await expect(attempt()).rejects.toThrow(message);
      },
    );

    it('refuses a parameter it does not have, and one that is not a number where it has numbers', async () => {
      const method = await load();
      expect(() => parseParams(method, { nonsense: 1 })).toThrow(/has no parameter "nonsense"/);
      for (const [name, schema] of Object.entries(method.params.shape)) {
        if (typeof (schema as { safeParse(x: unknown): { data?: unknown } }).safeParse(undefined).data !== 'number')
          continue;
        expect(() => parseParams(method, { [name]: Number.NaN })).toThrow(new RegExp(`parameter ${name}`));
      }
    });
  });
}
