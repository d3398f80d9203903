import { describe, expect, it } from 'vitest';
import { keep } from '../src/index.ts';
import { lexrank } from '../src/methods/text/index.ts';
import { collect } from '../src/subjects/index.ts';

describe('the library example of the README', () => {
  it('compiles under strict types and keeps 30% of the sentences', async () => {
    const text =
      'Apples, pears and plums are sold. Apples grow fast. Pears taste sweet. Plums look blue. Trains run late.';
    const article = collect([{ name: 'article', text }]);
    const { selection, scores } = await keep(lexrank, article, '30%');
    expect(Array.from(selection.kept, (i) => scores.labels?.[i])).toEqual([
      'Apples, pears and plums are sold.',
      'Trains run late.',
    ]);
  });
});
