/** @file What a compiled function cannot hold is refused by name. */

import * as jax from '@jax-js/jax';
import { describe, expect, it } from 'vitest';
import { compile } from '../compile.ts';
import { float32 } from '../tensor.ts';
import { LoweringError } from './lower.ts';

const { numpy: np, lax, random } = jax;
type Array_ = jax.Array;

const square = float32([2, 2], [2, 1, 1, 2]);

async function refusal(fn: (x: Array_) => unknown): Promise<Error> {
  return compile(fn)(square).then(
    () => expect.fail('it was not refused'),
    (error: Error) => error,
  );
}

const refused: readonly (readonly [string, (x: Array_) => unknown])[] = [
  ['random_bits', (x) => random.uniform(random.key(x.sum().astype(np.uint32)), [3])],
  ['cholesky', (x) => lax.linalg.cholesky(x)],
  ['triangular_solve', (x) => lax.linalg.triangularSolve(x, x)],
  ['lu', (x) => lax.linalg.lu(x)],
  ['fft', (x) => Object.values(np.fft.fft({ real: x, imag: x }))],
  ['jacobi_eigh', (x) => lax.linalg.eigh(x)],
];

describe('refusals', () => {
  it.each(refused)('%s is refused by name, and is to be computed outside', async (primitive, fn) => {
    const error = await refusal(fn);
    expect(error).toBeInstanceOf(LoweringError);
    expect(error.message).toMatch(new RegExp(`^${primitive} .*refusals\\.test\\.ts:\\d+:\\d+`));
    expect(error.message).toContain('outside');
  });

  it('a primitive within a named sub-program is refused with that name', async () => {
    const whiten = jax.jit(function whiten(x: Array_) {
      return lax.linalg.cholesky(x);
    });
    expect((await refusal((x) => whiten(x))).message).toContain('cholesky in whiten');
  });

  it.each([np.float64, np.float16])('%s is refused by name', async (dtype) => {
    const error = await refusal((x) => x.astype(dtype).mul(2));
    expect(error).toBeInstanceOf(LoweringError);
    expect(error.message).toContain(dtype);
  });

  it('the bits of floats are refused', async () => {
    const error = await refusal((x) => lax.bitcastConvertType(x, np.int32));
    expect(error).toBeInstanceOf(LoweringError);
    expect(error.message).toContain('bitcast');
  });

  it('an error of the function itself is passed on', async () => {
    const error = await refusal((x) => x.reshape([3]));
    expect(error).not.toBeInstanceOf(LoweringError);
    expect(error.message).toContain('reshape');
  });
});
