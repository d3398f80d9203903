import { describe, expect, it } from 'vitest';
import { BudgetError, InputError } from './errors.ts';
import type { ChooseInRows, ScoreSequence, SequencePart } from './scores.ts';
import { selectSequence, walkAll } from './select-sequence.ts';
import { summariseSequence } from './summary.ts';

/** Two matrices; the scores of the second are those of the first that stayed, so that the order of the walk shows. */
function sequence(change: (part: SequencePart, g: number) => SequencePart = (part) => part): ScoreSequence {
  return {
    unit: 'weight',
    groups: [
      { name: 'first', size: 8 },
      { name: 'second', size: 8 },
    ],
    async *walk(choose: ChooseInRows) {
      const shape = [2, 4] as const;
      let scores = Float32Array.of(1, 2, 3, 4, 8, 7, 6, 5);
      for (const [g, name] of ['first', 'second'].entries()) {
        const kept = choose(scores, shape);
        yield change({ name, shape, scores, kept }, g);
        scores = scores.map((score, i) => score * kept[i] + 1);
      }
    },
  };
}

async function partsOf(walk: AsyncGenerator<SequencePart>): Promise<SequencePart[]> {
  const parts: SequencePart[] = [];
  for await (const part of walk) parts.push(part);
  return parts;
}

describe('selection over a sequence', () => {
  it('goes on from what was kept, and counts it', async () => {
    const selection = selectSequence(sequence(), '25%');
    expect([selection.of, selection.count]).toEqual([16, 0]);
    const [first, second] = await partsOf(selection.walk());
    expect([...first.kept]).toEqual([0, 0, 0, 1, 1, 0, 0, 0]);
    expect([...second.scores]).toEqual([1, 1, 1, 5, 9, 1, 1, 1]);
    expect([selection.counts, selection.count]).toEqual([[2, 2], 4]);
  });

  it('walks again from the beginning, with the same result', async () => {
    const selection = selectSequence(sequence(), '2:4');
    expect(await partsOf(selection.walk())).toEqual(await partsOf(selection.walk()));
    expect(selection.counts).toEqual([4, 4]);
  });

  it('tells the method M, which a share does not have', async () => {
    const seen: unknown[] = [];
    const spy: ScoreSequence = {
      ...sequence(),
      async *walk(choose) {
        seen.push(choose.every);
        yield* sequence().walk(choose);
      },
    };
    await partsOf(selectSequence(spy, '2:4').walk());
    await partsOf(selectSequence(spy, '50%').walk());
    expect(seen).toEqual([4, undefined]);
  });

  it('walked with everything kept, gives the scores and their summary', async () => {
    const parts = await partsOf(walkAll(sequence()));
    expect(parts.every(({ kept }) => kept.every((mark) => mark === 1))).toBe(true);
    expect(await summariseSequence(sequence())).toEqual([
      { name: 'first', size: 8, mean: 4.5, min: 1, max: 8 },
      { name: 'second', size: 8, mean: 5.5, min: 2, max: 9 },
    ]);
  });

  it.each(['5', 'mass=0.5', '>=1', 'cost<=5', '50%, floor 2', '50%, redundancy<=0.5'])('refuses %s', (budget) => {
    expect(() => selectSequence(sequence(), budget)).toThrow(BudgetError);
    expect(() => selectSequence(sequence(), budget)).toThrow(/takes a share such as 50%, or N:M such as 2:4/);
  });

  it('refuses parts that are not the groups it was told', async () => {
    const walk = (change: (part: SequencePart, g: number) => SequencePart) =>
      partsOf(selectSequence(sequence(change), '50%').walk());
    await expect(walk((part) => ({ ...part, name: 'second' }))).rejects.toThrow('second came where first was due');
    await expect(walk((part) => ({ ...part, shape: [1, 4] }))).rejects.toThrow('first has 4 weights where 8 were due');
    await expect(walk((part) => ({ ...part, values: new Float32Array(3) }))).rejects.toThrow(InputError);
    const three: ScoreSequence = { ...sequence(), groups: [...sequence().groups, { name: 'third', size: 1 }] };
    await expect(partsOf(selectSequence(three, '50%').walk())).rejects.toThrow('the walk ended before third');
    const none: ScoreSequence = { ...sequence(), groups: [] };
    expect(() => selectSequence(none, '50%')).toThrow('there is no weight to score');
  });
});
