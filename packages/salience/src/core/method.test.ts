import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ParameterError } from './errors.ts';
import { parseParams } from './method.ts';

const params = z.object({
  damping: z.number().min(0).max(1).default(0.85),
  variant: z.enum(['one', 'two']).default('one'),
  stem: z.boolean().default(false),
  query: z.string().optional(),
  names: z.array(z.string()).default([]),
});
const parse = (given: Record<string, unknown>) => parseParams({ id: 'm', params }, given);

describe('parameters', () => {
  it('have the defaults of the schema', () => {
    expect(parse({})).toEqual({ damping: 0.85, variant: 'one', stem: false, names: [] });
  });

  it('are read from text as the type the schema asks for', () => {
    expect(parse({ damping: '0.5', variant: 'two', stem: 'true', query: '5', names: 'a,b' })).toEqual({
      damping: 0.5,
      variant: 'two',
      stem: true,
      query: '5',
      names: ['a', 'b'],
    });
  });

  it.each([
    [{ dampin: 1 }, /m has no parameter "dampin"; it has damping, variant/],
    [{ damping: '2' }, /m: parameter damping = "2": /],
    [{ damping: '' }, /m: parameter damping = "": /],
    [{ damping: 'x' }, /damping = "x"/],
    [{ variant: 'three' }, /variant = "three": .*"one"\|"two"/],
    [{ stem: 'maybe' }, /stem = "maybe"/],
  ])('refuse %j', (given, message) => {
    expect(() => parse(given)).toThrow(ParameterError);
    expect(() => parse(given)).toThrow(message);
  });
});
