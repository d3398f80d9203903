import { describe, expect, it } from 'vitest';
import { float32, int32 } from './tensor.ts';

describe('a tensor', () => {
  it('holds as many elements as its shape says', () => {
    expect(float32([2, 0], []).data).toHaveLength(0);
    expect(() => int32([2, 2], [1, 2, 3])).toThrow('a tensor of shape [2, 2] needs 4 elements, not 3');
  });
});
