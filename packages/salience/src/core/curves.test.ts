import { expect, it } from 'vitest';
import { curvesOf, sparkline } from './curves.ts';

it('Measurements at several budgets are a curve an arm, and the full arm a level line.', () => {
  expect(
    curvesOf({
      'recall: full': [1, 0.5],
      'recall, 50%: H2O': [0.6, 0.8],
      'recall, 50%: recent': [0, 0],
      'recall, 25%: H2O': [0.5, 0.5],
      'other, 25%: H2O': [1, 1],
      'P, B 48: a, b': [1],
      'P, B 24: a, b': [0],
      'P, B 24: c': [0.5],
    }),
  ).toEqual([
    {
      what: 'recall',
      at: ['50%', '25%'],
      arms: [
        { name: 'full', means: [0.75, 0.75] },
        { name: 'H2O', means: [0.7, 0.5] },
        { name: 'recent', means: [0, Number.NaN] },
      ],
    },
    {
      what: 'P',
      at: ['B 48', 'B 24'],
      arms: [
        { name: 'a, b', means: [1, 0] },
        { name: 'c', means: [Number.NaN, 0.5] },
      ],
    },
  ]);
});

it('A sparkline is as high as its values, with gaps where there are none.', () => {
  expect(sparkline([0, 0.5, 1, Number.NaN], 1)).toBe('▁▅█ ');
});
