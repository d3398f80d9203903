import { describe, expect, it } from 'vitest';
import { compile, float32, type JaxArray } from './index.ts';

describe('a compiled function with a limit on its programs', () => {
  it('gives the same for every shape, also for those whose program went, and for calls at once', async () => {
    const double = compile((x: JaxArray) => x.mul(2), { programs: 2 });
    const of = async (n: number) => [
      ...(
        await double(
          float32(
            [n],
            Float32Array.from({ length: n }, (_, i) => i),
          ),
        )
      ).data,
    ];
    const wanted = (n: number) => Array.from({ length: n }, (_, i) => 2 * i);
    for (const n of [1, 2, 3, 1, 3, 2]) expect(await of(n)).toEqual(wanted(n));
    const many = [1, 2, 3, 4, 5, 3, 2, 1];
    expect(await Promise.all(many.map(of))).toEqual(many.map(wanted));
    await double.dispose();
    expect(await of(4)).toEqual(wanted(4));
    await double.dispose();
  });

  it('can be disposed of while it is called: the call has its result, and the next makes a new program', async () => {
    const double = compile((x: JaxArray) => x.mul(2));
    const call = double(float32([2], [1, 2]));
    const gone = double.dispose();
    expect([...(await call).data]).toEqual([2, 4]);
    await gone;
    expect([...(await double(float32([2], [3, 4]))).data]).toEqual([6, 8]);
    await double.dispose();
  });

  it('that cannot be traced for one shape is still there for another', async () => {
    const add = compile((x: JaxArray, y: JaxArray) => x.add(y), { programs: 1 });
    const ones = (n: number) => float32([n], new Float32Array(n).fill(1));
    await expect(add(ones(2), ones(3))).rejects.toThrow();
    expect([...(await add(ones(2), ones(2))).data]).toEqual([2, 2]);
    await add.dispose();
  });
});
