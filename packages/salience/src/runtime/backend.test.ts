/** @file Which engine runs, with how many threads, and that every operator the lowerings emit gives the right numbers on WebAssembly. */

import { createRequire } from 'node:module';
import * as jax from '@jax-js/jax';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eagerly, expectSame, leavesOf, prepareEager } from '../../test/eager.ts';
import { compile } from './compile.ts';
import { float32, int32, Tensor } from './tensor.ts';

const { grad, lax, nn, numpy: np } = jax;
type Array_ = jax.Array;

const native = (() => {
  try {
    createRequire(import.meta.url)('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
})();
const ifNative = native ? '' : ' (skipped without onnxruntime-node)';

beforeEach(() => {
  vi.stubEnv('SALIENCE_BACKEND', '');
  vi.stubEnv('SALIENCE_THREADS', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.doUnmock('onnxruntime-node');
  vi.resetModules();
});

/** The module as a program that has opened no backend yet finds it. */
async function fresh(): Promise<typeof import('./backend.ts')> {
  vi.resetModules();
  return import('./backend.ts');
}

function hideNative(): void {
  vi.doMock('onnxruntime-node', () => {
    throw new Error('no such package');
  });
}

describe('openBackend', () => {
  it.skipIf(!native)(`takes the native backend where its package is installed${ifNative}`, async () => {
    const { openBackend } = await fresh();
    expect((await openBackend()).name).toBe('node');
    expect((await openBackend({ backend: 'node', threads: 2 })).name).toBe('node');
  });

  it('takes the web backend where the native package cannot be loaded', async () => {
    hideNative();
    const { openBackend } = await fresh();
    expect((await openBackend()).name).toBe('web');
  });

  it('says what is missing where the native backend is asked for and cannot be loaded', async () => {
    hideNative();
    const { openBackend } = await fresh();
    await expect(openBackend({ backend: 'node' })).rejects.toThrow(
      /onnxruntime-node cannot be loaded .* or choose the web backend/s,
    );
  });

  it('SALIENCE_BACKEND chooses where the option does not', async () => {
    vi.stubEnv('SALIENCE_BACKEND', 'web');
    const { openBackend } = await fresh();
    expect((await openBackend()).name).toBe('web');
    if (native) expect((await openBackend({ backend: 'node' })).name).toBe('node');
  });

  it('one backend serves all programs with the same options', async () => {
    const { openBackend } = await fresh();
    const one = await openBackend({ backend: 'web', threads: 1 });
    expect(await openBackend({ backend: 'web', threads: 1 })).toBe(one);
    vi.stubEnv('SALIENCE_THREADS', '1');
    expect(await openBackend({ backend: 'web' })).toBe(one);
  });

  it('the first program sets the threads of the web backend', async () => {
    const { openBackend } = await fresh();
    await openBackend({ backend: 'web', threads: 1 });
    await expect(openBackend({ backend: 'web' })).resolves.toMatchObject({ name: 'web' });
    await expect(openBackend({ backend: 'web', threads: 3 })).rejects.toThrow(
      'the web backend has 1 threads since its first program, and cannot have 3',
    );
  });

  it('refuses a backend that there is not', async () => {
    const { openBackend } = await fresh();
    const message = 'there is no backend "cuda"; there are node and web';
    await expect(openBackend({ backend: 'cuda' as 'web' })).rejects.toThrow(message);
    vi.stubEnv('SALIENCE_BACKEND', 'cuda');
    await expect(openBackend()).rejects.toThrow(message);
  });

  it.each(['0', '-1', '1.5', 'four', 'Infinity', 'NaN'])('refuses %s threads', async (count) => {
    const { openBackend } = await fresh();
    await expect(openBackend({ threads: Number(count) })).rejects.toThrow(
      /^threads is a whole number of 1 or more, not/,
    );
    vi.stubEnv('SALIENCE_THREADS', count);
    await expect(openBackend()).rejects.toThrow(`SALIENCE_THREADS is a whole number of 1 or more, not ${count}`);
  });
});

function ramp(shape: readonly number[], step = 0.37): Tensor<'float32'> {
  const n = shape.reduce((product, length) => product * length, 1);
  return float32(
    shape,
    Float32Array.from({ length: n }, (_, i) => Math.sin(step * (i + 1))),
  );
}

function whole(...elements: number[]): Tensor<'int32'> {
  return int32([elements.length], elements);
}

const flags = new Tensor('bool', [4], Uint8Array.of(1, 0, 1, 0));
const unsigned = new Tensor('uint32', [4], Uint32Array.of(1, 2, 3, 0xffff_fff0));
const mean = (x: Array_) => np.mean(x.mul(x));

/** Programs that together need every operator that a lowering emits. */
const programs: Readonly<Record<string, readonly [(...xs: Array_[]) => Array_ | Array_[], ...Tensor[]]>> = {
  'sums and products': [(x, y) => [x.add(y), x.mul(y), x.sub(y), x.div(y), x.neg()], ramp([3, 4]), ramp([4])],
  'minima, maxima and remainders': [
    (x, y) => [np.minimum(x, y), np.maximum(x, y), np.remainder(x, y)],
    ramp([3, 4]),
    ramp([4], 0.6),
  ],
  'whole numbers': [
    (x, y) => [x.add(y), x.mul(y), np.minimum(x, y), x.sub(y), x.div(y)],
    whole(7, -7, 9, 0),
    whole(2, 3, -4, 5),
  ],
  'unsigned numbers': [(x) => [x.add(x), x.mul(x), np.sort(x.add(x)), np.sum(x)], unsigned],
  'functions of one element': [
    (x) => [
      np.exp(x),
      np.log(np.abs(x)),
      np.sqrt(np.abs(x)),
      np.sin(x),
      np.cos(x),
      np.tanh(x),
      lax.erf(x),
      lax.erfc(x),
    ],
    ramp([3, 4]),
  ],
  'inverse functions and rounding': [
    (x) => [
      np.arcsin(x),
      np.arctan(x),
      np.floor(x.mul(3)),
      np.ceil(x.mul(3)),
      np.sign(x),
      np.reciprocal(x),
      np.trunc(x.mul(3)),
    ],
    ramp([5]),
  ],
  comparisons: [(x, y) => [x.less(y), x.equal(y), x.notEqual(y), x.lessEqual(y)], ramp([3, 4]), ramp([4])],
  'choice by a condition': [(c, x) => [np.where(c, x, x.neg()), np.where(c, 1, 2)], flags, ramp([3, 4])],
  'logic of flags': [
    (x, y) => [np.logicalNot(x), np.bitwiseAnd(x, y), np.bitwiseOr(x, y), np.bitwiseXor(x, y)],
    flags,
    new Tensor('bool', [4], Uint8Array.of(1, 1, 0, 0)),
  ],
  'bits of whole numbers': [
    (x, y) => [
      np.bitwiseAnd(x, y),
      np.bitwiseOr(x, y),
      np.bitwiseXor(x, y),
      np.bitwiseNot(x),
      np.leftShift(x, y),
      np.rightShift(x, y),
    ],
    whole(7, -7, 9, 0),
    whole(2, 3, 4, 5),
  ],
  casts: [(x) => [x.astype(np.int32), x.astype(np.bool), x.astype(np.uint32)], float32([4], [0, 1.7, 2.2, 30])],
  'matrix products, transposed and batched': [
    (x, y) => [
      np.dot(x, y),
      np.dot(x.transpose(), x),
      np.dot(y, x),
      np.matmul(x.reshape([2, 3, 4]), y.reshape([2, 4, 3])),
    ],
    ramp([6, 4]),
    ramp([4, 6]),
  ],
  reductions: [
    (x) => [
      np.sum(x, 0),
      np.prod(x, 1),
      np.min(x),
      np.max(x, 0),
      np.mean(x, 1),
      np.prod(np.broadcastTo(x, [2, 3, 4]), 0),
    ],
    ramp([3, 4]),
  ],
  'sorting and its order': [(x) => [np.sort(x.neg()), np.argsort(x.neg()), np.argmax(x, 1)], ramp([3, 5], 2.1)],
  'places along an axis, and their gradient': [
    (x, at) => [np.take(x, at, 0), grad((table: Array_) => mean(np.take(table, at, 0)))(x)],
    ramp([5, 3]),
    whole(4, 0, 4),
  ],
  'places along two axes, and their gradient': [
    (x, i, j) => [x.slice(i, j), grad((table: Array_) => mean(table.slice(i, j)))(x)],
    ramp([5, 3]),
    whole(4, 0, 4),
    whole(2, 1, 2),
  ],
  'moved, flipped, padded, cut and joined': [
    (x) => [
      np.transpose(x),
      np.flip(x, 1),
      np.pad(x, [
        [1, 2],
        [0, 1],
      ]),
      x.slice([1, 3]),
      np.concatenate([x, x], 0),
    ],
    ramp([3, 4]),
  ],
  'repeated and split': [(x) => [np.broadcastTo(x, [2, 3, 4]), ...np.split(x, 2, 1), np.tile(x, [2, 1])], ramp([3, 4])],
  'a convolution and its gradients': [
    (x, w) => [
      lax.conv(x, w, [1, 1], 'SAME'),
      grad((kernel: Array_) => mean(lax.conv(x, kernel, [2, 2], 'VALID')))(w),
      grad((image: Array_) => mean(lax.conv(image, w, [2, 2], 'VALID')))(x),
    ],
    ramp([2, 3, 7, 7]),
    ramp([4, 3, 3, 3]),
  ],
  'softmax, normalisation and activations': [
    (x) => [nn.softmax(x), nn.logSoftmax(x), nn.gelu(x), nn.silu(x), nn.relu(x), nn.sigmoid(x), nn.standardize(x)],
    ramp([3, 8]),
  ],
};

describe('the web backend', () => {
  const web = { backend: 'web' } as const;
  beforeAll(prepareEager);

  it.each(Object.entries(programs))('runs %s', async (_, [fn, ...args]) => {
    const compiled = compile(fn as (...xs: Array_[]) => Array_[], web);
    expectSame(leavesOf(await compiled(...args)), eagerly(fn as never, args));
    await compiled.dispose();
  });

  it('starts once for programs that are called together', async () => {
    const doubled = compile((x: Array_) => x.add(x), web);
    const squared = compile((x: Array_) => x.mul(x), web);
    const [a, b] = await Promise.all([doubled(float32([2], [3, 4])), squared(float32([2], [3, 4]))]);
    expect([...a.data, ...b.data]).toEqual([6, 8, 9, 16]);
  });

  it('leaves no Worker in the globals of Node.js, where jax-js would take it for a browser’s', async () => {
    await compile((x: Array_) => x.add(1), web)(float32([1], [1]));
    expect('Worker' in globalThis).toBe(false);
  });

  it('a call leaves the results of the calls before it as they were', async () => {
    const doubled = compile((x: Array_) => x.add(x), web);
    const first = await doubled(float32([2], [3, 4]));
    const second = await doubled(float32([2], [5, 6]));
    expect([...first.data]).toEqual([6, 8]);
    expect([...second.data]).toEqual([10, 12]);
  });

  it('the same program on the same inputs gives the same bits', async () => {
    const step = compile(
      grad((w: Array_, x: Array_) => mean(nn.gelu(np.dot(x, w)))),
      web,
    );
    const [w, x] = [ramp([64, 96]), ramp([128, 64], 0.11)];
    const first = await step(w, x);
    for (let i = 0; i < 5; i++) expect((await step(w, x)).data).toEqual(first.data);
  });

  it.skipIf(!native)(`gives the numbers of the native backend to 1e-6${ifNative}`, async () => {
    const loss = (w: Array_, x: Array_) => mean(nn.softmax(nn.gelu(np.dot(x, w))));
    const args = [ramp([12, 20]), ramp([16, 12], 0.11)] as const;
    const [a, b] = await Promise.all(
      [web, { backend: 'node' } as const].map((one) => compile(grad(loss), one)(...args)),
    );
    expectSame([a], [b], 1e-6);
  });
});
