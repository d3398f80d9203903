import { describe, expect, it } from 'vitest';
import { float32, int32, Tensor, unwritten } from './tensor.ts';

describe('a tensor', () => {
  it('holds as many elements as its shape says', () => {
    expect(float32([2, 0], []).data).toHaveLength(0);
    expect(() => int32([2, 2], [1, 2, 3])).toThrow('a tensor of shape [2, 2] needs 4 elements, not 3');
  });

  it('disposed of gives its memory to a later result, and cannot be read any more', () => {
    const result = unwritten('float32', [1031]);
    const { buffer } = result.data;
    result.dispose();
    expect(() => result.data).toThrow(/was disposed of/);
    expect(unwritten('float32', [1031]).data.buffer).toBe(buffer);
  });

  it('never gives away memory that the caller brought', () => {
    const mine = new Float32Array(1033).fill(7);
    float32([1033], mine).dispose();
    expect(unwritten('float32', [1033]).data.buffer).not.toBe(mine.buffer);
    const part = new Float32Array(2066).subarray(0, 1033);
    float32([1033], part).dispose();
    expect(unwritten('float32', [2066]).data.buffer).not.toBe(part.buffer);
  });

  it('gives the same memory to one later result alone, however often it is disposed of', () => {
    const result = unwritten('float32', [1037]);
    const again = new Tensor('float32', [1037], result.data);
    result.dispose();
    result.dispose();
    again.dispose();
    expect(unwritten('float32', [1037]).data.buffer).not.toBe(unwritten('float32', [1037]).data.buffer);
  });
});
