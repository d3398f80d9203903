import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BudgetError } from './core/errors.ts';
import { method } from './core/method.ts';
import type { ScoreSequence } from './core/scores.ts';
import type { SubjectKind } from './core/subject.ts';
import { choose, keep } from './keep.ts';

/** Matrices by name, each of two columns; keeping tells how many marks each part had. */
const kind: SubjectKind<Map<string, Float32Array>> = {
  kind: 'made',
  accepts: 'nothing',
  options: z.object({}),
  needsOutput: false,
  load: async () => new Map(),
  sample: async () => new Map(),
  async keep(_, { selection }) {
    if (!('walk' in selection)) throw new Error('not a sequence');
    const rows: [string, number][] = [];
    for await (const { name, kept } of selection.walk()) rows.push([name, kept.reduce((sum, mark) => sum + mark, 0)]);
    return { title: 'kept', blocks: [{ kind: 'table', columns: ['name', 'kept'], rows }] };
  },
};

let walks = 0;
const inTurn = method({
  id: 'in-turn',
  name: 'In turn',
  source: 'baseline',
  summary: 'Scores each matrix in turn.',
  unit: 'weight',
  subject: kind,
  formula: 's = w',
  cost: 'O(n)',
  params: z.object({}),
  async score(matrices): Promise<ScoreSequence> {
    return {
      unit: 'weight',
      groups: [...matrices].map(([name, { length }]) => ({ name, size: length })),
      async *walk(choose) {
        walks++;
        for (const [name, scores] of matrices) {
          const shape = [scores.length / 2, 2] as const;
          yield { name, shape, scores, kept: choose(scores, shape) };
        }
      },
    };
  },
});

const matrices = new Map([
  ['a', Float32Array.of(1, 2, 4, 3)],
  ['b', Float32Array.of(5, 6)],
]);

describe('a method whose scores come part by part', () => {
  it('is walked to its end by a choice, for the counts', async () => {
    const { selection } = await choose(inTurn, matrices, '50%');
    expect([selection.counts, selection.count, selection.of]).toEqual([[2, 1], 3, 6]);
  });

  it('is walked once by keeping, by the subject, and counted on the way', async () => {
    walks = 0;
    const { report, selection } = await keep(inTurn, matrices, '1:2');
    expect(walks).toBe(1);
    expect(report.blocks[0]).toMatchObject({
      rows: [
        ['a', 2],
        ['b', 1],
      ],
    });
    expect(selection.counts).toEqual([2, 1]);
  });

  it('refuses a budget that rows cannot meet on their own, before anything is walked', async () => {
    walks = 0;
    await expect(choose(inTurn, matrices, 3)).rejects.toThrow(BudgetError);
    expect(walks).toBe(0);
  });
});
